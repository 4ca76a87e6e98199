/**
 * The handlers that the command knows, by their names in the configuration, with what can be configured of each.
 *
 * @module
 */
import { type Router, router } from "@alknet/core";
import { AlknetError, type Handler } from "@alknet/core/handler";
import type { Dispatcher } from "@alknet/core/operations";
import { call } from "@alknet/handlers/call";
import { echo } from "@alknet/handlers/echo";
import type { Git } from "@alknet/handlers/git";
import { type Decoy, http, type HttpApp, notFound, redirect, staticSite } from "@alknet/handlers/http";
import { dirname, resolve } from "node:path";
import Type, { type Static, type TSchema } from "typebox";
import { GUESTS_SCHEMA } from "../guests/entry.ts";
import { IMPORTS_SCHEMA } from "../imports/entry.ts";
import type { Observer } from "../operations/observe.ts";
import type { ServedDns } from "./dns.ts";
import { addDnsRoutes } from "./dns/routes.ts";
import { DNS_SCHEMA } from "./dns/schema.ts";
import { FS_SCHEMA, type ServedFs } from "./fs.ts";
import { GIT_SCHEMA } from "./git.ts";
import { MESSENGER_SCHEMA } from "../msg/config.ts";
import { MAILBOX_SCHEMA } from "./msg.ts";
import { SFTP_SCHEMA } from "./sftp.ts";
import { SSH_SCHEMA } from "./ssh.ts";
import { DEFAULT_HANDLERS } from "../node/node.ts";

const closed = { additionalProperties: false };

const decoySchema = Type.Union([
  Type.Object({ kind: Type.Literal("notFound") }, closed),
  Type.Object({ kind: Type.Literal("redirect"), to: Type.String({ minLength: 1 }) }, closed),
  Type.Object({ kind: Type.Literal("staticSite"), root: Type.String({ minLength: 1 }) }, closed),
]);
const httpSchema = Type.Object({
  decoy: Type.Optional(decoySchema),
  direct: Type.Optional(Type.Boolean({ description: "whether each operation is also served at its own path" })),
  mcp: Type.Optional(Type.Boolean({ description: "whether clients of MCP are served, at /mcp" })),
  console: Type.Optional(Type.Boolean({ description: "whether / is a page on which people call the operations" })),
  origins: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: "origins whose pages may ask" })),
}, closed);

/** The schema of each handler's options, by its name in the configuration. */
export const HANDLER_SCHEMAS: Readonly<
  Record<"call" | "dns" | "echo" | "http" | "git" | "fs" | "mailbox" | "messenger" | "sftp" | "ssh", TSchema>
> = {
  call: Type.Object({ imports: Type.Optional(IMPORTS_SCHEMA), guests: Type.Optional(GUESTS_SCHEMA) }, closed),
  dns: DNS_SCHEMA,
  echo: Type.Object({}, closed),
  http: httpSchema,
  git: GIT_SCHEMA,
  fs: FS_SCHEMA,
  mailbox: MAILBOX_SCHEMA,
  messenger: MESSENGER_SCHEMA,
  sftp: SFTP_SCHEMA,
  ssh: SSH_SCHEMA,
};

/** What handlers share. */
export interface HandlerParts {
  /** Watches every handler. */
  readonly observer: Observer;
  /** Serves the node's operations. */
  readonly dispatcher: Dispatcher;
  /** The SSH handler, where the configuration has one; it is loaded for nobody else. */
  readonly ssh?: Handler;
  /** The SFTP handler, likewise. */
  readonly sftp?: Handler;
  /** The repositories, likewise; HTTP serves them too. */
  readonly git?: Git;
  /** The zones, likewise; HTTP answers for them too. */
  readonly dns?: ServedDns;
  /** The blobs and branches, likewise; HTTP serves them too. */
  readonly fs?: ServedFs;
  /** The mailbox, likewise. */
  readonly mailbox?: Handler;
}

/**
 * The router of a configuration: exactly the handlers that it names, or every one of {@linkcode DEFAULT_HANDLERS} when it
 * names none.
 *
 * @param configured Options by the handler's name, valid by {@linkcode HANDLER_SCHEMAS}.
 * @param configFile Relative paths in the options are resolved against its folder.
 * @param parts What handlers share.
 */
export function buildRouter(
  configured: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  configFile: string,
  parts: HandlerParts,
): Router<readonly string[]> {
  const { observer, dispatcher, ssh, sftp, git, fs, dns, mailbox } = parts;
  const named = Object.keys(configured).length > 0 ? configured : DEFAULT_HANDLERS;
  const handlers: Handler[] = [];
  if (named.call) handlers.push(call(dispatcher));
  if (named.echo) handlers.push(echo());
  if (named.http) handlers.push(httpOf(named.http as Static<typeof httpSchema>, configFile, parts));
  if (ssh) handlers.push(ssh);
  if (sftp) handlers.push(sftp);
  if (git) handlers.push(git.handler);
  if (dns) handlers.push(dns.handler);
  if (fs) handlers.push(fs.handler);
  if (mailbox) handlers.push(mailbox);
  let built = router() as unknown as Router<readonly string[]>;
  // Which ALPNs there are is known at run time only; `use` still refuses one that is claimed twice.
  for (const handler of handlers) built = built.use(observer.watch(handler) as never);
  return built;
}

function decoyOf({ decoy = { kind: "notFound" } }: Static<typeof httpSchema>, configFile: string): Decoy {
  switch (decoy.kind) {
    case "notFound":
      return notFound();
    case "redirect":
      return orInvalid(configFile, "handlers.http.decoy.to", () => redirect({ to: decoy.to }));
    case "staticSite":
      return staticSite({ root: resolve(dirname(configFile), decoy.root) });
  }
}

/** Options that the schema lets pass and the handler refuses are a wrong configuration. */
function httpOf(
  options: Static<typeof httpSchema>,
  configFile: string,
  { dispatcher, git, dns, fs }: HandlerParts,
): Handler {
  const { direct, mcp, console, origins } = options;
  const decoy = decoyOf(options, configFile);
  const routes = (app: HttpApp): void => {
    if (git) app.use(async (c, next) => await git.http(c.req.raw, c.env) ?? await next());
    if (dns) addDnsRoutes(app, dns);
    fs?.addRoutes(app);
  };
  return orInvalid(
    configFile,
    "handlers.http.origins",
    () => http({ dispatcher, direct, mcp, console, origins, decoy, routes }),
  );
}

/** What is a wrong call for a program is a wrong configuration here. */
function orInvalid<T>(configFile: string, path: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new AlknetError("INVALID_CONFIG", `config ${configFile}: ${path}: ${reason}`, { cause });
  }
}

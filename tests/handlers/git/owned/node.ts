/**
 * A listening node with one repository, its operations, and stock git as its client.
 *
 * @module
 */
import { type Endpoint, router } from "@alknet/core";
import { formatSocketAddress } from "@alknet/core/address";
import type { Identity, IdentityProvider } from "@alknet/core/handler";
import { Dispatcher, type HandlerRegistration, type JsonValue, nodeRegistry } from "@alknet/core/operations";
import { type Git, git as gitOf, type GitOptions } from "../../../../handlers/git/mod.ts";
import { http } from "../../../../handlers/http/mod.ts";
import { runProgram } from "../../../support/process.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { commit, git, GIT_ENV } from "../repositories.ts";

/** Who is known, by token. */
export const PEOPLE: Readonly<Record<string, Identity>> = {
  "token-ada": { id: "ada", scopes: ["git:write"], resources: {} },
  "token-bob": { id: "bob", scopes: ["git:read"], resources: {} },
  "token-cy": { id: "cy", scopes: ["git:create"], resources: {} },
  "token-root": { id: "root", scopes: ["admin"], resources: {} },
};

/** What stock git said. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The node. */
export interface OwnedNode extends AsyncDisposable {
  readonly served: Git;
  readonly dispatcher: Dispatcher;
  readonly folder: string;
  /** The bare repository `r`. */
  readonly bare: string;
  /** A working copy with three commits on `main`. */
  readonly work: string;
  /** Keys, by fingerprint, to who has them. */
  readonly keys: Map<string, Identity>;
  /** The URL of a repository for whoever has a token. */
  url(name: string, token?: string): string;
  /** Runs stock git in the working copy. */
  stock(...args: readonly string[]): Promise<Said>;
  /** Calls an operation. */
  call(operation: string, input: JsonValue, identity?: Identity): Promise<JsonValue>;
}

/** Starts one. */
export async function ownedNode(
  options: Partial<GitOptions> = {},
  operations: readonly HandlerRegistration[] = [],
): Promise<OwnedNode> {
  const folder = await temporaryFolder();
  const [bare, work, root] = [folder.join("git/r.git"), folder.join("work"), folder.join("git")];
  await Deno.mkdir(root);
  await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
  await git(".", "init", "-q", "--initial-branch=main", work);
  for (let i = 0; i < 3; i++) await commit(work, "f", `${i}\n`, 1_700_000_000 + i);
  const late: { dispatcher?: Dispatcher } = {};
  const served = gitOf({
    root,
    maintenance: false,
    call: (operation, input, signal) =>
      late.dispatcher!.call({ operation, input, identity: { id: "git", scopes: ["git:hook"], resources: {} } }, signal),
    urls: (name) => [`https://n.example/${name}`],
    ...options,
  });
  const dispatcher = late.dispatcher = new Dispatcher({
    registry: nodeRegistry([...served.operations(), ...operations]),
  });
  const keys = new Map<string, Identity>();
  const identityProvider: IdentityProvider = {
    resolveToken: (token) => Object.hasOwn(PEOPLE, `${token}`) ? PEOPLE[`${token}`] : undefined,
    resolveFingerprint: (fingerprint) => keys.get(fingerprint),
  };
  const web = http({
    dispatcher,
    routes: (app) => app.use(async (c, next) => await served.http(c.req.raw, c.env) ?? await next()),
  });
  const endpoint: Endpoint = await router().use(web).use(served.handler).listen({
    transports: ["tls"],
    identityProvider,
    drain: 0,
  });
  const address = formatSocketAddress(endpoint.addresses[0]);
  return {
    served,
    dispatcher,
    folder: folder.path,
    bare,
    work,
    keys,
    url: (name, token = "token-ada") => `https://x:${token}@${address}/${name}`,
    async stock(...args) {
      const { code, stdout, stderr } = await runProgram("git", ["-c", "http.sslVerify=false", ...args], {
        cwd: work,
        env: { ...GIT_ENV, HOME: folder.path },
      });
      return { code, stdout, stderr };
    },
    call: (operation, input, identity) => dispatcher.call({ operation, input, identity }),
    async [Symbol.asyncDispose]() {
      await endpoint[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

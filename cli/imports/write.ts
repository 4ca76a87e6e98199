/**
 * Adds an import to a configuration, after the service has said what it offers.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { editConfig } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { type LeftOut, OutboundClient } from "@alknet/handlers/http";
import { resolve } from "node:path";
import type { TSchema } from "typebox";
import { locateHome } from "../home/home.ts";
import { loadNodeKey } from "../node/node_key.ts";
import { UsageError } from "../terminal/output.ts";
import { baseUrlIn, isUrl, readDocument } from "./document.ts";
import { entryFault, type ImportEntry, type ImportPlace } from "./entry.ts";
import { importOne } from "./load.ts";
import { DEFAULT_HANDLERS } from "../node/node.ts";

/** What is to be imported. */
export interface ImportRequest {
  /** What the service is. */
  readonly kind: ImportEntry["kind"];
  /** Document, MCP server, or address. */
  readonly url: string;
  /** First segment of the names. */
  readonly namespace: string;
  /** `openapi`: where the service is. */
  readonly baseUrl?: string;
  /** `bearer`, `basic`, or the name of a header. */
  readonly auth?: string;
  /** Name in the vault. */
  readonly credential?: string;
  /** File that holds the credential. */
  readonly credentialFile?: string;
  /** Who has one of them may call. */
  readonly scopes: readonly string[];
  /** Names to import; empty is all. */
  readonly only: readonly string[];
  /** File of certificate authorities. */
  readonly ca?: string;
  /** Whether an import of the same namespace goes. */
  readonly replace: boolean;
  /** Whether nothing is written. */
  readonly dryRun: boolean;
  /** Home folder. */
  readonly home?: string;
  /** Configuration file. */
  readonly config?: string;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
}

/** Schemas of the options of handlers, by name. */
export type HandlerSchemas = Readonly<Record<string, TSchema>>;

/** What was imported. */
export interface AddedImport {
  /** As it is in the configuration. */
  readonly entry: ImportEntry;
  /** What the node will offer. */
  readonly operations: readonly { readonly name: string; readonly type: string }[];
  /** What it describes and the node cannot do as it is described. */
  readonly leftOut: readonly LeftOut[];
  /** The configuration file. */
  readonly config: string;
}

/**
 * Asks the service what it offers, and writes the import.
 *
 * @param handlers What the options of each handler may be.
 * @throws {UsageError} The request makes no sense.
 * @throws {AlknetError} `IMPORT_EXISTS`; what `importOne` and `editConfig` throw. Nothing is written then.
 */
export async function addImport(request: ImportRequest, handlers: HandlerSchemas): Promise<AddedImport> {
  const home = locateHome(request.home);
  const config = resolve(request.config ?? home.configFile);
  const place: ImportPlace = { configFile: config, home, passphraseFile: request.passphraseFile };
  const entry = await entryOf(request, place);
  const fault = entryFault(entry);
  if (fault !== undefined) throw new UsageError(fault);
  const key = entry.kind === "node" ? await loadNodeKey(home, place) : undefined;
  const { operations, leftOut } = await offered(entry, { ...place, key });
  if (!request.dryRun) await write(config, entry, request.replace, handlers);
  return { entry, operations, leftOut, config };
}

async function offered(
  entry: ImportEntry,
  parts: Parameters<typeof importOne>[1],
): Promise<Pick<AddedImport, "operations" | "leftOut">> {
  await using imported = await importOne(entry, parts);
  const operations = imported.registrations.map(({ spec: { name, op_type: type } }) => ({ name, type }));
  return { operations, leftOut: imported.leftOut };
}

async function write(
  config: string,
  entry: ImportEntry,
  replace: boolean,
  handlers: HandlerSchemas,
): Promise<void> {
  await editConfig(config, (document) => {
    // A configuration that names no handler has all of them; one that names any has exactly those.
    const named = document.handlers ?? {};
    const handlers: NonNullable<typeof document.handlers> = Object.keys(named).length > 0
      ? named
      : { ...structuredClone(DEFAULT_HANDLERS) };
    document.handlers = handlers;
    const call: { imports?: ImportEntry[] } = handlers.call ??= {};
    const others = (call.imports ?? []).filter(({ namespace }) => namespace !== entry.namespace);
    if (!replace && others.length < (call.imports ?? []).length) {
      throw new AlknetError(
        "IMPORT_EXISTS",
        `config ${config}: handlers.call.imports has the namespace ${entry.namespace} already; nothing was changed. ` +
          "Take another with --namespace, or give --replace",
      );
    }
    call.imports = [...others, entry];
  }, { handlers });
}

async function entryOf(request: ImportRequest, place: ImportPlace): Promise<ImportEntry> {
  const { kind, namespace, credential, credentialFile, scopes, only } = request;
  if (credential !== undefined && credentialFile !== undefined) {
    throw new UsageError("--credential and --credential-file exclude each other; give one");
  }
  const reference = credential !== undefined
    ? { vault: credential }
    : credentialFile === undefined
    ? undefined
    : { file: resolve(credentialFile) };
  const auth = authOf(request, reference !== undefined);
  const ca = request.ca === undefined ? undefined : resolve(request.ca);
  const url = urlOf(request);
  return {
    kind,
    url,
    namespace,
    ...(kind === "openapi" && { base_url: await baseUrlOf(request, { url, ca }, place) }),
    ...(auth && { auth }),
    ...(reference && { credential: reference }),
    ...(ca !== undefined && { ca }),
    ...(scopes.length > 0 && { scopes: [...scopes] }),
    ...(only.length > 0 && { only: [...only] }),
  };
}

/** Without what a URL must not carry: a password there would be written down. */
function urlOf({ kind, url: text }: ImportRequest): string {
  if (kind === "node") return parseAddress(text) && text;
  if (kind === "openapi" && !isUrl(text)) {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) throw new UsageError("URL must be http or https, or the path of a file");
    return resolve(text);
  }
  return checkedUrl(text, "URL");
}

function checkedUrl(text: string, what: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) throw new UsageError(`${what} must be an absolute http or https URL`);
  if (url.username || url.password) {
    throw new UsageError(`${what} must not hold a user or password; use --credential or --credential-file`);
  }
  return text;
}

function authOf({ kind, auth }: ImportRequest, hasCredential: boolean): ImportEntry["auth"] {
  if (auth === undefined) return kind === "openapi" && hasCredential ? { type: "bearer" } : undefined;
  if (!hasCredential) throw new UsageError("--auth needs a credential: --credential NAME or --credential-file FILE");
  if (auth === "bearer" || auth === "basic") return { type: auth };
  if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(auth)) return { type: "apiKey", header: auth };
  throw new UsageError(`--auth ${auth} is neither bearer nor basic nor the name of a header`);
}

/** Written down, so that a document that changes later cannot send the credential elsewhere. */
async function baseUrlOf(
  { baseUrl }: ImportRequest,
  { url, ca }: Pick<ImportEntry, "url" | "ca">,
  place: ImportPlace,
): Promise<string> {
  if (baseUrl !== undefined) return checkedUrl(baseUrl, "--base-url");
  using client = new OutboundClient(ca === undefined ? {} : { ca: [await Deno.readTextFile(ca)] });
  const found = baseUrlIn(await readDocument({ url }, client, place), url);
  if (found !== undefined) return checkedUrl(found, "the server of the document");
  throw new UsageError("the document does not say where its service is; give --base-url URL");
}

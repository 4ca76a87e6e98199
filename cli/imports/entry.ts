/**
 * `handlers.call.imports` in the configuration: foreign services whose operations the node offers as its own.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { readPrivateFile } from "@alknet/core/private-file";
import { dirname, resolve } from "node:path";
import Type, { type Static, type TSchema } from "typebox";
import type { Home } from "../home/home.ts";
import type { UnlockOptions } from "../vault/secrets.ts";

const closed = { additionalProperties: false };
const text = (description: string) => Type.String({ minLength: 1, description });

const credentialSchema = Type.Union([
  Type.Object({ file: text("file that holds it, for its owner alone") }, closed),
  Type.Object({ vault: text("its name in the vault") }, closed),
], { description: "where the credential is; never the credential itself" });

const authSchema = Type.Union([
  Type.Object({ type: Type.Literal("bearer") }, closed),
  Type.Object({ type: Type.Literal("basic") }, closed),
  Type.Object({ type: Type.Literal("apiKey"), header: text("header of the key") }, closed),
], { description: "how the credential is sent" });

const entrySchema = Type.Object({
  kind: Type.Enum(["openapi", "mcp", "node"]),
  url: text("OpenAPI document (URL or file), MCP server (URL), or address of a node"),
  namespace: text("first segment of the names"),
  base_url: Type.Optional(text("openapi: where the service is")),
  auth: Type.Optional(authSchema),
  credential: Type.Optional(credentialSchema),
  ca: Type.Optional(text("file of certificate authorities to trust instead of the system's, PEM")),
  scopes: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description: "one is enough to call" }),
  ),
  only: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description: "names without namespace" }),
  ),
}, closed);

/** One import. */
export type ImportEntry = Static<typeof entrySchema>;

/** The schema of `handlers.call.imports`. */
export const IMPORTS_SCHEMA: TSchema = Type.Array(entrySchema);

/** Namespaces of the operations that every node has. */
export const OWN_NAMESPACES: ReadonlySet<string> = new Set(["services", "node", "config", "tokens", "log"]);

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** What an import is read with. */
export interface ImportPlace extends UnlockOptions {
  /** The configuration file: paths of an entry are relative to its folder. */
  readonly configFile: string;
  /** Its vault holds credentials. */
  readonly home: Home;
}

/** What is wrong with an entry that its schema lets pass, or nothing. */
export function entryFault(
  { kind, url, namespace, base_url: baseUrl, auth, credential }: ImportEntry,
): string | undefined {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(namespace)) {
    return `namespace ${JSON.stringify(namespace)} is no segment of a name: letters, digits, and _ . - will do`;
  }
  if (OWN_NAMESPACES.has(namespace)) return `namespace ${namespace} is the node's own; take another`;
  if (kind === "node") return;
  if (kind === "openapi" && baseUrl === undefined) return "base_url is missing: it says where the service is";
  if (kind === "mcp" && auth && auth.type !== "bearer") return "an MCP server takes a bearer token only";
  const where = URL.parse(baseUrl ?? url);
  if (!where || !/^https?:$/.test(where.protocol)) return "the service must have an absolute http or https URL";
  if (where.username || where.password) return "a URL must not hold a user or password; refer to a credential";
  // On plain HTTP it is everyone's on the way; this machine alone is no way.
  const { protocol, hostname } = where;
  if (credential === undefined || protocol === "https:" || LOOPBACK.test(hostname)) return;
  return `a credential is not sent over plain http to ${hostname}; use https`;
}

/** Whoever has one of these may call what was imported. */
export function scopesOf({ scopes, namespace }: ImportEntry): string[] {
  return scopes ?? [`${namespace}:call`, "admin"];
}

/** A path of an entry. */
export function pathOf(path: string, { configFile }: ImportPlace): string {
  return resolve(dirname(configFile), path);
}

/**
 * The credential that an entry refers to, if it does.
 *
 * @throws {AlknetError} It cannot be read; what it holds is in no message.
 */
export async function readCredential(
  { namespace, credential }: ImportEntry,
  place: ImportPlace,
): Promise<string | undefined> {
  if (credential === undefined) return;
  const value = "file" in credential
    ? await readPrivateFile(pathOf(credential.file, place), "credential file", { code: "CREDENTIAL_FILE" })
    : await fromVault(credential.vault, place);
  const trimmed = value.trim();
  // Longer than one line it could not stand in a header.
  if (trimmed !== "" && !/[\r\n\0]/.test(trimmed)) return trimmed;
  throw new AlknetError(
    "CREDENTIAL_INVALID",
    `the credential of import ${namespace} is ${trimmed === "" ? "empty" : "more than one line"}; one line is expected`,
  );
}

async function fromVault(name: string, { home, ...unlock }: ImportPlace): Promise<string> {
  // Loaded when it is needed: the vault brings cryptography along.
  const { openVault, settledCredentials } = await import("../vault/vault_folder.ts");
  const { credentialOf, opening } = await import("../vault/credentials.ts");
  const sealed = credentialOf(await settledCredentials(home), name);
  using open = await openVault(home, unlock);
  return opening(name, () => open.vault.open(sealed));
}

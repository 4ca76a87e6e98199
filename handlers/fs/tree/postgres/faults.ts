/**
 * What a database, or the way to it, says when something is wrong, in our codes (fs.md §7, §9). Neither statements nor their
 * values are in what is told, nor is a password.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { TreeUnavailableError } from "../errors.ts";

/** Codes that say that others were in the way: the work is begun again. */
const CONFLICTS = new Set(["40001", "40P01"]);
/** Codes that say that there is no room. */
const FULL = new Set(["53100", "XX-ENOSPC"]);

/** What is to be done, by codes of the server or of the way to it, or by what these begin with. */
const WAYS: readonly (readonly [start: string, what: string])[] = [
  ["28P01", "it does not take the password"],
  ["28", "it does not let this user in; see its pg_hba.conf"],
  ["3D000", "there is no such database; make it with createdb"],
  ["42501", "the user may not do that; let it own the database, or the schema alknet_fs"],
  ["53300", "it has no connection left; name fewer in handlers.fs.postgres.connections"],
  ["57P03", "it is starting, or stopping"],
  ["57P", "it was stopped"],
  ["55P03", "others kept it busy too long"],
  ["57014", "it took too long"],
  ["25P0", "it took too long"],
  ["25006", "it takes no changes now: it is read-only"],
  ["CONNECT_TIMEOUT", "it does not answer"],
  ["CONNECTION_", "the connection to it was lost"],
  ["ECONNREFUSED", "nothing listens there"],
  ["ENOENT", "nothing listens there"],
  ["EACCES", "its socket may not be used"],
  ["ENOTFOUND", "there is no machine of that name"],
  ["EAI_AGAIN", "the name of its machine cannot be looked up now"],
  ["ETIMEDOUT", "it does not answer"],
  ["ECONN", "the connection to it was lost"],
  ["EPIPE", "the connection to it was lost"],
  ["EHOST", "its machine cannot be reached"],
  ["ENET", "its machine cannot be reached"],
];

/** The connection went while it was being committed. */
export class UncertainError extends Error {
  /** The class, as it stands before the message. */
  override readonly name = "UncertainError";
}

/** Whether others were in the way. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(codeOf(error));
}

/** Whether the connection is gone, or cannot be made. */
export function isLost(error: unknown): boolean {
  return !(error instanceof AlknetError) && /^(?:CONNECT|E[A-Z]|57P0|08)/.test(codeOf(error));
}

/** A fault as it is told: `STORE_FULL`, `TREE_UNAVAILABLE`, or itself if it is none of the database's. */
export function treeError(error: unknown, name: string): unknown {
  if (error instanceof AlknetError) return error;
  if (error instanceof UncertainError) {
    const what = "the connection to it was lost; whether the change was made is not known: look before you try again";
    return new TreeUnavailableError(`${name}: ${what}`, { isUncertain: true });
  }
  const code = codeOf(error);
  if (FULL.has(code) || /No space left on device/.test((error as Error).message)) {
    return new AlknetError("STORE_FULL", `the disk of ${name} is full; nothing was changed`, { cause: bare(code) });
  }
  if (isConflict(error)) return unavailable(name, "others changed the same too often; try again", code);
  const way = WAYS.find(([start]) => code.startsWith(start))?.[1];
  if (way !== undefined) return unavailable(name, way, code);
  // What a server says of its own accord, without what it says about the rows.
  if (isTls(error)) return unavailable(name, `TLS: ${printable((error as Error).message)}`, code);
  if (/^[0-9A-Z]{5}$/.test(code)) return unavailable(name, `it says ${printable((error as Error).message)}`, code);
  return error;
}

/** `TREE_UNAVAILABLE`. */
export function unavailable(name: string, why: string, code = ""): AlknetError {
  return new TreeUnavailableError(`${name}: ${why}`, code === "" ? {} : { cause: bare(code) });
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : "";
}

/** The client's errors carry statements and their values: they do not leave here. */
function bare(code: string): Error {
  return new Error(`PostgreSQL: ${code}`);
}

function isTls(error: unknown): boolean {
  const message = (error as Error)?.message ?? "";
  return /certificate|tls|ssl|handshake|wrong version/i.test(message) || /CERT|TLS|SSL|SIGNATURE/.test(codeOf(error));
}

function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return JSON.stringify(text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, " ").slice(0, 200));
}

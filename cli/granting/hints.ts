/**
 * Which grant a guest missed, as far as its error shows it. The guest itself is told nothing: what it was not granted is
 * not there.
 *
 * @module
 */
import type { GuestError } from "@alknet/runtime";

const CALL = /\benv(?:\.([a-z][\w-]*)\.([\w-]+)|\.?\[\s*["']([\w./-]+)["']\s*\])/i;

/** What to add to the command line, if an error looks like a missing grant. */
export function grantHint({ thrown, position }: GuestError, operations: readonly string[]): string | undefined {
  if (thrown?.name === "ReferenceError") {
    const [, name] = /^'?(\w+)'? is not defined/.exec(thrown.message) ?? [];
    if (name === "fetch") return "fetch is not granted: grant an origin with --allow-fetch=ORIGIN";
    if (name === "fs") return "fs is not granted: grant a folder with --allow-fs=FOLDER";
    if (name === "gpu") return "gpu is not granted: grant it with --allow-gpu";
  }
  if (thrown?.name !== "TypeError") return undefined;
  const [, namespace, member, whole = `${namespace}/${member}`] = CALL.exec(position?.text ?? "") ?? [];
  if ((namespace ?? member ?? whole) === undefined || whole.startsWith("undefined") || operations.includes(whole)) {
    return undefined;
  }
  return `${whole} is not granted: grant it with --op=${whole}`;
}

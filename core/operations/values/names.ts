/**
 * Names of operations, and the slash that they carry on the wire alone (call.md §6).
 *
 * @module
 */

/** Longest name that a layer takes, in UTF-16 units: it must fit a path of HTTP and a line of a log. */
export const MAX_NAME_LENGTH = 256;

const SEGMENT = /^[A-Za-z0-9_.-]+$/;

/**
 * Checks the name of an operation: segments of letters, digits, `_`, `-` and `.`, joined by single slashes.
 *
 * @returns The name.
 * @throws {TypeError} What is wrong with the name.
 */
export function checkedName(name: string): string {
  const fault = nameFault(name);
  if (fault !== undefined) throw new TypeError(`operation name ${JSON.stringify(name)} ${fault}`);
  return name;
}

/** What is wrong with a name, or nothing. */
export function nameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.length > MAX_NAME_LENGTH) return `is ${name.length} characters long; ${MAX_NAME_LENGTH} fit`;
  if (name.startsWith("/")) return "begins with a slash; only the wire writes one";
  const segments = name.split("/");
  if (segments.includes("")) return "has an empty segment";
  if (segments.some((segment) => segment === "." || segment === "..")) return "has a segment that paths resolve away";
  const foreign = segments.find((segment) => !SEGMENT.test(segment));
  if (foreign !== undefined) {
    return `has the segment ${JSON.stringify(foreign)}; letters, digits, "_", "-" and "." are allowed`;
  }
  return undefined;
}

/** The first segment. */
export function namespaceOf(name: string): string {
  const slash = name.indexOf("/");
  return slash === -1 ? name : name.slice(0, slash);
}

/** A name as registries hold it: one leading slash is taken off, if it is there (call.md §6). */
export function operationName(wire: string): string {
  return wire.charCodeAt(0) === 0x2f ? wire.slice(1) : wire;
}

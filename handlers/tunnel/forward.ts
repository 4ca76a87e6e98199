/**
 * What a tunnel forwards, in the notation of OpenSSH: `-L`, `-R`, `-D` (ssh(1)).
 *
 * @module
 */

/** A TCP address or a Unix socket. */
export type Place =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

/** Listens at one end, connects at the other. */
export interface Forward {
  /** Where connections are taken: here for `-L`, at the far side for `-R`. Port 0 is any that is free. */
  readonly listen: Place;
  /** Where they go: at the far side for `-L`, here for `-R`. */
  readonly connect: Place;
}

const LOOPBACK = "127.0.0.1";

/**
 * Reads `[BIND:]PORT:HOST:HOSTPORT`, `[BIND:]PORT:PATH`, `PATH:HOST:HOSTPORT` or `PATH:PATH`. Without BIND it is the
 * loopback, with `*` or an empty one everywhere; IPv6 addresses stand in brackets.
 *
 * @throws {RangeError} Saying what is wrong.
 */
export function parseForward(text: string): Forward {
  const parts = split(text);
  const [first] = parts;
  const listensOnPath = first !== undefined && isPath(first);
  const end = parts.at(-1)!;
  const endLength = isPath(end) && parts.length > 1 ? 1 : 2;
  const listenParts = parts.slice(0, -endLength);
  const connectParts = parts.slice(-endLength);
  const listen = listensOnPath && listenParts.length === 1 ? { path: first } : listenPlace(listenParts, text);
  if (endLength === 1) return { listen, connect: { path: end } };
  const [hostname, port] = connectParts;
  if (port === undefined || hostname === "") throw malformed(text, "[BIND:]PORT:HOST:HOSTPORT");
  return { listen, connect: { hostname, port: portOf(port, text, 1) } };
}

/**
 * Reads `[BIND:]PORT`: where SOCKS is spoken.
 *
 * @throws {RangeError} Saying what is wrong.
 */
export function parseDynamic(text: string): Place {
  return listenPlace(split(text), text, "[BIND:]PORT");
}

/** As it is written in a list of forwards. */
export function placeText(place: Place): string {
  if ("path" in place) return place.path;
  return `${place.hostname.includes(":") ? `[${place.hostname}]` : place.hostname}:${place.port}`;
}

function listenPlace(parts: readonly string[], text: string, form = "[BIND:]PORT:HOST:HOSTPORT"): Place {
  if (parts.length === 1) return { hostname: LOOPBACK, port: portOf(parts[0], text, 0) };
  if (parts.length !== 2) throw malformed(text, form);
  const [bind, port] = parts;
  return { hostname: bind === "" || bind === "*" ? "0.0.0.0" : bind, port: portOf(port, text, 0) };
}

/** At colons outside of brackets, which are taken off. */
function split(text: string): string[] {
  const parts = text.match(/\[[^\]]*\]|[^:]+|:/g) ?? [];
  const found = [""];
  for (const part of parts) {
    if (part === ":") found.push("");
    else found[found.length - 1] += part.startsWith("[") ? part.slice(1, -1) : part;
  }
  return found;
}

function isPath(text: string): boolean {
  return text.includes("/");
}

function portOf(text: string, whole: string, least: number): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= 65_535) return Number(text);
  throw new RangeError(`forward ${JSON.stringify(whole)}: ${JSON.stringify(text)} is no port from ${least} to 65535`);
}

function malformed(text: string, form: string): RangeError {
  return new RangeError(`forward ${JSON.stringify(text)} is not of the form ${form}`);
}

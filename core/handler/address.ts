/**
 * Addresses as people write them: `HOST:PORT`, `[NODEID@]HOST:PORT`.
 *
 * @module
 */
import { AlknetError } from "../errors.ts";
import type { SocketAddress } from "./connection.ts";
import { canonicalIp, parseIp } from "../ip.ts";

export { formatIp, type IpAddress, parseIp } from "../ip.ts";
import { parseNodeId } from "../identity/fingerprint.ts";

/** Where and whom to dial. */
export interface Address {
  /** Host name, or IP address without brackets. */
  readonly host: string;
  /** Port, 1 to 65535. */
  readonly port: number;
  /** The node id that the address pins, if it does. */
  readonly nodeId?: string;
}

/**
 * Parses `[NODEID@]HOST:PORT`.
 *
 * @throws {AlknetError} `INVALID_ADDRESS`, saying which part is wrong.
 */
export function parseAddress(text: string): Address {
  const at = text.lastIndexOf("@");
  const { host, port } = hostAndPort(text.slice(at + 1), text);
  if (port === 0) throw invalid(text, "port 0 cannot be dialled");
  if (at < 0) return { host, port };
  const nodeId = text.slice(0, at);
  parseNodeId(nodeId);
  return { host, port, nodeId };
}

/** What is to be dialled: an address, or a node of which the id alone is known. */
export type Target =
  | { readonly kind: "address"; readonly address: Address }
  | { readonly kind: "node"; readonly nodeId: string };

/**
 * Parses `[NODEID@]HOST:PORT`, or the id of a node, with `pk:` before it or without.
 *
 * @throws {AlknetError} `INVALID_ADDRESS`, `INVALID_NODE_ID`, saying what is wrong.
 */
export function parseTarget(text: string): Target {
  const prefixed = text.startsWith("pk:");
  if (!prefixed && !/^[A-Za-z0-9]{52}$/.test(text)) return { kind: "address", address: parseAddress(text) };
  const nodeId = prefixed ? text.slice(3) : text;
  parseNodeId(nodeId);
  return { kind: "node", nodeId };
}

/** An address to listen on, and what is special about it. */
export interface ListenEntry {
  /** `HOST:PORT`; port 0 picks one that is free for UDP and TCP. */
  readonly address: string;
  /** The protocol of clients over TCP whose TLS names none (RFC 7301): they are refused where it is absent. */
  readonly withoutAlpn?: string;
}

/**
 * Parses `HOST:PORT` for listening; the host is an IP address or `localhost`, port 0 picks a free one.
 *
 * @throws {AlknetError} `INVALID_ADDRESS`, saying which part is wrong.
 */
export function parseListenAddress(text: string): SocketAddress {
  const { host, port } = hostAndPort(text, text);
  const hostname = host === "localhost" ? "127.0.0.1" : host;
  if (!isIpAddress(hostname)) throw invalid(text, `${JSON.stringify(host)} is not an IP address of this machine`);
  return { hostname, port };
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function formatSocketAddress({ hostname, port }: SocketAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Whether a host is an IP address rather than a name. */
export function isIpAddress(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

function hostAndPort(part: string, whole: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^\[\]:\s/@]+)):(\d+)$/.exec(part);
  if (!match) {
    const colons = part.split(":").length - 1;
    if (part === "") throw invalid(whole, "the host and port are missing; write HOST:PORT");
    if (colons === 0) throw invalid(whole, `the port is missing; write ${part}:4433`);
    if (colons > 1 && !part.startsWith("[")) throw invalid(whole, "an IPv6 address needs brackets; write [::1]:4433");
    throw invalid(whole, "write HOST:PORT, with a number as port");
  }
  const port = Number(match[3]);
  if (port > 65535) throw invalid(whole, `port ${match[3]} is above 65535`);
  if (match[1] !== undefined && !parseIp(match[1])) throw invalid(whole, `${match[1]} is no IPv6 address`);
  return { host: canonicalIp(match[1] ?? match[2]), port };
}

function invalid(text: string, why: string): AlknetError {
  return new AlknetError("INVALID_ADDRESS", `address ${JSON.stringify(text)}: ${why}`);
}

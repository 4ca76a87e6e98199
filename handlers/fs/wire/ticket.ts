/**
 * Tickets: a hash, and where to get it. Ours, and those of iroh.
 *
 * ```text
 * alkblob + base32 of  01, node key (32), list of HOST:PORT, format (00 raw, 01 sequence), hash,
 *                      00 or 01 + secret (32), expiry (Unix seconds, 0 none)
 * blob    + base32 of  00, node key, 00 or 01 + relay URL, list of (00 + IPv4 or 01 + IPv6, port), format, hash
 * ```
 *
 * Texts stand behind their length. A ticket is written in lower case and read in any.
 *
 * @module
 */
import { formatIp, formatSocketAddress, parseAddress, parseIp } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import { HASH } from "../bao/tree.ts";
import { fromBase32, toBase32 } from "./base32.ts";
import { utf8 } from "./collection.ts";
import type { Hash } from "./hash_text.ts";
import { WireReader, WireWriter } from "./varint.ts";
import { WireError } from "./wire_error.ts";

/** Whether a blob stands for itself, or lists others. */
export type Format = "raw" | "hashSeq";

/** What a ticket says. */
export interface Ticket {
  /** Whose form it has. */
  readonly kind: "alknet" | "iroh";
  /** Public key of the node, 32 bytes. */
  readonly nodeKey: Uint8Array;
  /** Where it is, `HOST:PORT`; of iroh's, IP addresses. */
  readonly addresses: readonly string[];
  /** A relay of iroh's, which we do not use. */
  readonly relay?: string;
  /** What the hash names. */
  readonly format: Format;
  /** The hash. */
  readonly hash: Hash;
  /** What is redeemed for the right to read, 32 bytes; of ours alone. Never logged. */
  readonly secret?: Uint8Array;
  /** When it ends, Unix seconds; of ours alone. */
  readonly expires?: number;
}

/** Characters of the longest ticket. */
export const MAX_TICKET = 4096;
/** Addresses of one. */
const MAX_ADDRESSES = 64;
const OURS = "alkblob";
const IROH = "blob";
const KEY = 32;
const VERSION = { alknet: 0x01, iroh: 0x00 } as const;
const FORMATS: readonly Format[] = ["raw", "hashSeq"];

/** Whether a text begins as a ticket does. */
export function isTicketText(text: string): boolean {
  return /^(?:alk)?blob/i.test(text);
}

/**
 * The text of a ticket.
 *
 * @throws {AlknetError} `INVALID_ADDRESS`: an address is none, or for iroh's no IP address.
 */
export function formatTicket(ticket: Ticket): string {
  const to = new WireWriter().put(VERSION[ticket.kind]).bytes(ticket.nodeKey);
  if (ticket.kind === "iroh") {
    if (ticket.relay === undefined) to.put(0);
    else writeText(to.put(1), ticket.relay);
  }
  to.u64(ticket.addresses.length);
  for (const address of ticket.addresses) {
    if (ticket.kind === "alknet") writeText(to, address);
    else writeSocketAddress(to, address);
  }
  to.put(FORMATS.indexOf(ticket.format)).bytes(Uint8Array.fromHex(ticket.hash));
  if (ticket.kind === "alknet") {
    if (ticket.secret) to.put(1).bytes(ticket.secret);
    else to.put(0);
    to.u64(ticket.expires ?? 0);
  }
  return (ticket.kind === "alknet" ? OURS : IROH) + toBase32(to.done());
}

/**
 * What a ticket says.
 *
 * @throws {AlknetError} `INVALID_TICKET`. The ticket is not in the message: it may hold a secret.
 */
export function parseTicket(text: string): Ticket {
  const kind = /^alkblob/i.test(text) ? "alknet" : /^blob/i.test(text) ? "iroh" : undefined;
  if (kind === undefined) throw invalid('it begins with neither "alkblob" nor "blob"');
  if (text.length > MAX_TICKET) throw invalid(`it has ${text.length} characters; up to ${MAX_TICKET} are read`);
  const bytes = fromBase32(text.slice(kind === "alknet" ? OURS.length : IROH.length));
  if (!bytes) throw invalid("what follows its first letters is not base32; it was cut or mistyped");
  try {
    const from = new WireReader(bytes);
    const ticket = kind === "alknet" ? readOurs(from) : readIroh(from);
    from.end();
    return ticket;
  } catch (error) {
    if (error instanceof AlknetError) throw invalid(error.message);
    throw error;
  }
}

function readOurs(from: WireReader): Ticket {
  version(from, VERSION.alknet);
  const nodeKey = from.take(KEY).slice();
  const addresses = list(from, () => {
    const address = utf8(from.take(from.count(from.left)));
    const { nodeId } = parseAddress(address);
    if (nodeId !== undefined) throw new WireError("an address names a node");
    return address;
  });
  const { format, hash } = content(from);
  const secret = flag(from) ? from.take(32).slice() : undefined;
  const expires = from.u64();
  if (expires > BigInt(Number.MAX_SAFE_INTEGER)) throw new WireError("its end is too far away");
  return {
    kind: "alknet",
    nodeKey,
    addresses,
    format,
    hash,
    ...secret && { secret },
    ...expires > 0n && { expires: Number(expires) },
  };
}

function readIroh(from: WireReader): Ticket {
  version(from, VERSION.iroh);
  const nodeKey = from.take(KEY).slice();
  const relay = flag(from) ? utf8(from.take(from.count(from.left))) : undefined;
  const addresses = list(from, () => {
    const hostname = formatIp({ bytes: from.take(flag(from) ? 16 : 4).slice() });
    const port = from.count(65535);
    if (port === 0) throw new WireError("an address has port 0");
    return formatSocketAddress({ hostname, port });
  });
  return { kind: "iroh", nodeKey, addresses, ...relay !== undefined && { relay }, ...content(from) };
}

function content(from: WireReader): { readonly format: Format; readonly hash: Hash } {
  const format = FORMATS[from.byte()];
  if (format === undefined) throw new WireError("its format is not known");
  return { format, hash: from.take(HASH).toHex() };
}

function version(from: WireReader, expected: number): void {
  if (from.byte() !== expected) throw new WireError("its version is not known");
}

function flag(from: WireReader): boolean {
  const byte = from.byte();
  if (byte > 1) throw new WireError("a byte is neither 0 nor 1");
  return byte === 1;
}

function list(from: WireReader, read: () => string): string[] {
  return Array.from({ length: from.count(MAX_ADDRESSES) }, read);
}

function writeText(to: WireWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  to.u64(bytes.byteLength).bytes(bytes);
}

function writeSocketAddress(to: WireWriter, address: string): void {
  const { host, port } = parseAddress(address);
  const ip = parseIp(host);
  if (!ip) {
    throw new AlknetError("INVALID_ADDRESS", `address ${address}: a ticket of iroh's names IP addresses; use ours`);
  }
  to.put(ip.bytes.byteLength === 4 ? 0 : 1).bytes(ip.bytes).u64(port);
}

function invalid(why: string): AlknetError {
  return new AlknetError("INVALID_TICKET", `the ticket cannot be read: ${why}`);
}

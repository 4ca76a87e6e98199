/**
 * Socket addresses as the Linux kernel holds them, and the table that gives the same remote the same object.
 *
 * ```text
 * struct sockaddr_in  (16 bytes)  family u16 @0  port @2 (big-endian)  address[4] @4  zero[8] @8
 * struct sockaddr_in6 (28 bytes)  family u16 @0  port @2 (big-endian)  flow label @4  address[16] @8  zone u32 @24
 * ```
 *
 * The family is in the machine's order (little-endian here). A socket of family `AF_INET6` sees IPv4 remotes as
 * `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2); they are shown as plain `a.b.c.d`.
 *
 * @module
 */
import { isIP } from "node:net";
import { formatIp, type IpAddress, parseIp } from "../../../../ip.ts";
import type { SocketAddress } from "../../../../handler/connection.ts";
import { interfaceIndex } from "../../linux/calls.ts";

/** Address family of IPv4. */
export const AF_INET = 2;

/** Address family of IPv6. */
export const AF_INET6 = 10;

/** Bytes from one name to the next in an array of them: a `sockaddr_in6`, rounded up. */
export const NAME_STRIDE = 32;

/** A remote as the socket knows it. */
export interface Remote {
  /** What callers see: frozen. */
  readonly address: SocketAddress;
  /** `sockaddr_in` or `sockaddr_in6`. */
  readonly name: Uint8Array;
  /** What tells the kernel which of our addresses to answer from (packet_info.ts); absent: the route decides. */
  readonly from?: Uint8Array;
  /** Longest segment, in bytes, that segmentation offload may still be tried with on the way there. */
  gsoLimit: number;
}

/** Words of an `in6_pktinfo`; an `in_pktinfo` has three. */
const INFO_WORDS = 5;

// Two generations of this size bound the table; a flood from invented addresses costs some megabytes and no more.
const GENERATION = 8192;

/** The remotes of one socket, least recently used forgotten first. */
export class RemoteTable {
  readonly #family: number;
  readonly #byObject = new WeakMap<SocketAddress, Remote>();
  #young = new Map<number | string, Remote>();
  #old = new Map<number | string, Remote>();
  // The sender of the last datagram: most come in trains.
  readonly #lastWords = new Uint32Array(NAME_STRIDE / 4);
  readonly #lastInfo = new Uint32Array(INFO_WORDS);
  readonly #infoWords: number;
  #last: Remote | undefined;

  /** @param family Of the socket: it decides how names look. */
  constructor(family: number) {
    this.#family = family;
    this.#infoWords = family === AF_INET ? 3 : INFO_WORDS;
  }

  /** Address family of the socket. */
  get family(): number {
    return this.#family;
  }

  /**
   * The remote whose name, written by the kernel, begins at word `at` of `words`. One that calls at several of our addresses
   * is one for each: it is answered from that which it called.
   *
   * @param control Words with what the kernel said of our side (packet_info.ts).
   * @param info The word at which it begins, or -1.
   */
  fromName(words: Uint32Array, at: number, control: Uint32Array = words, info = -1): SocketAddress {
    const last = this.#lastWords;
    const v4 = this.#family === AF_INET;
    if (
      this.#last !== undefined && this.#sameInfo(control, info) && words[at] === last[0] &&
      (v4 ? words[at + 1] === last[1] : (words[at + 2] === last[2] && words[at + 3] === last[3] &&
        words[at + 4] === last[4] && words[at + 5] === last[5] && words[at + 6] === last[6]))
    ) return this.#last.address;
    // A number for IPv4 (48 bits), a string for IPv6, where it is rarer and longer.
    const name = v4
      ? words[at + 1] * 0x1_0000 + (words[at] >>> 16)
      : `${words[at] >>> 16},${words[at + 2]},${words[at + 3]},${words[at + 4]},${words[at + 5]},${words[at + 6]}`;
    const key = info < 0 ? name : `${name} ${control.subarray(info, info + this.#infoWords)}`;
    const remote = this.#recall(key) ?? this.#remember(key, words, at, control, info);
    for (let word = 0; word < this.#infoWords; word++) this.#lastInfo[word] = info < 0 ? 0 : control[info + word];
    for (let word = 0; word < 7; word++) last[word] = words[at + word];
    this.#last = remote;
    return remote.address;
  }

  /**
   * The remote that `address` names.
   *
   * @throws {TypeError} No IP address, a port out of range, or IPv6 on an IPv4 socket.
   */
  fromAddress(address: SocketAddress): Remote {
    const known = this.#byObject.get(address);
    if (known) return known;
    const words = new Uint32Array(NAME_STRIDE / 4);
    encodeName(this.#family, address, new Uint8Array(words.buffer));
    const remote = this.#byObject.get(this.fromName(words, 0))!;
    // A caller's object is remembered too, but only where nobody can change it.
    if (Object.isFrozen(address)) this.#byObject.set(address, remote);
    return remote;
  }

  #recall(key: number | string): Remote | undefined {
    const young = this.#young.get(key);
    if (young) return young;
    const old = this.#old.get(key);
    if (old) this.#keep(key, old);
    return old;
  }

  /** Whether the kernel says the same of our side as last time; all zeros stand for nothing said. */
  #sameInfo(control: Uint32Array, info: number): boolean {
    for (let word = 0; word < this.#infoWords; word++) {
      if (this.#lastInfo[word] !== (info < 0 ? 0 : control[info + word])) return false;
    }
    return true;
  }

  #remember(key: number | string, words: Uint32Array, at: number, control: Uint32Array, info: number): Remote {
    const length = this.#family === AF_INET ? 16 : 28;
    const name = new Uint8Array(words.buffer, words.byteOffset + at * 4, length).slice();
    const remote: Remote = { address: decodeName(name), name, from: this.#answering(control, info), gsoLimit: 0xffff };
    this.#byObject.set(remote.address, remote);
    this.#keep(key, remote);
    return remote;
  }

  #answering(control: Uint32Array, info: number): Uint8Array | undefined {
    if (info < 0) return undefined;
    return answerInfo(this.#family, new Uint8Array(control.buffer, control.byteOffset + info * 4, this.#infoWords * 4));
  }

  #keep(key: number | string, remote: Remote): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, remote);
  }
}

/** The family that a socket bound to `hostname` has. @throws {TypeError} No IP address. */
export function familyOf(hostname: string): number {
  const version = isIP(hostname);
  if (version === 0) throw new TypeError(`not an IP address: "${hostname}"; resolve names first`);
  return version === 4 ? AF_INET : AF_INET6;
}

/**
 * Writes `address` as a name of `family` into `name` and returns its length in bytes.
 *
 * @throws {TypeError} No IP address, a port out of range, or IPv6 on an IPv4 socket.
 */
export function encodeName(family: number, address: SocketAddress, name: Uint8Array): number {
  const { hostname, port } = address;
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) throw new TypeError(`not a port: ${port}`);
  const own = familyOf(hostname);
  if (family === AF_INET && own !== AF_INET) {
    throw new TypeError(`an IPv4 socket cannot send to "${hostname}": bind to :: for both families`);
  }
  const length = family === AF_INET ? 16 : 28;
  name.fill(0, 0, length);
  name[0] = family;
  name[2] = port >>> 8;
  name[3] = port & 0xff;
  const { bytes, zone } = parseIp(hostname)!;
  if (family === AF_INET) name.set(bytes, 4);
  else if (own === AF_INET) {
    name[18] = name[19] = 0xff;
    name.set(bytes, 20);
  } else {
    name.set(bytes, 8);
    if (zone !== undefined) new DataView(name.buffer, name.byteOffset).setUint32(24, zoneIndex(zone), true);
  }
  return length;
}

/** The address in a name, frozen. */
export function decodeName(name: Uint8Array): SocketAddress {
  const port = name[2] << 8 | name[3];
  const at = name[0] === AF_INET ? 4 : isMapped(name) ? 20 : -1;
  const hostname = formatIp(at < 0 ? ipv6Of(name) : { bytes: name.slice(at, at + 4) });
  return Object.freeze({ hostname, port });
}

function ipv6Of(name: Uint8Array): IpAddress {
  const bytes = name.slice(8, 24);
  const zone = new DataView(name.buffer, name.byteOffset).getUint32(24, true);
  return zone === 0 ? { bytes } : { bytes, zone: String(zone) };
}

function isMapped(name: Uint8Array): boolean {
  for (let at = 8; at < 18; at++) if (name[at] !== 0) return false;
  return name[18] === 0xff && name[19] === 0xff;
}

function zoneIndex(zone: string): number {
  const index = /^\d+$/.test(zone) ? Number(zone) : interfaceIndex(zone);
  if (index === 0) throw new TypeError(`no network interface "${zone}" for an IPv6 zone`);
  return index;
}

/**
 * The data of the message that answers from the address that a received one names: the same, but that the route chooses the
 * interface, except for an address that is of one interface alone (`fe80::/10`).
 */
function answerInfo(family: number, received: Uint8Array): Uint8Array {
  const info = received.slice();
  if (family !== AF_INET6) info.fill(0, 0, 4).fill(0, 8, 12);
  else if (info[0] !== 0xfe || (info[1] & 0xc0) !== 0x80) info.fill(0, 16, 20);
  return info;
}

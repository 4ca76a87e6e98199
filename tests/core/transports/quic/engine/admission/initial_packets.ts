/**
 * The other side of the ClientHello reader, for its tests: Initial packets sealed the long way round, and hellos made
 * from names. Written for clarity from RFC 9001 §5, RFC 9000 §17.2.2 and RFC 8446 §4.1.2; shares no code with the engine.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createHmac } from "node:crypto";

/** An Initial packet to be. */
export interface InitialPacket {
  readonly dcid: Uint8Array;
  readonly scid?: Uint8Array;
  readonly token?: Uint8Array;
  readonly number?: number;
  /** Bytes of the packet number on the wire, 1 to 4. Default 4. */
  readonly numberLength?: number;
  /** The frames. */
  readonly payload: Uint8Array;
  /** Bits to set in the first byte before protection. */
  readonly firstBits?: number;
  /** Destination connection ID that the keys derive from. Default `dcid`. */
  readonly keysOf?: Uint8Array;
  /** The datagram is filled up to this size with PADDING frames in the packet. Default 1200; 0 adds none. */
  readonly size?: number;
}

/** Seals an Initial packet of a client. */
export function sealInitial(packet: InitialPacket): Uint8Array {
  const { dcid, scid = bytes(), token = bytes(), number = 0, numberLength = 4, firstBits = 0, size = 1200 } = packet;
  const before = concat(
    bytes(0xc0 | firstBits | (numberLength - 1), 0, 0, 0, 1),
    bytes(dcid.length),
    dcid,
    bytes(scid.length),
    scid,
    varint(token.length),
    token,
  );
  const bare = before.length + 2 + numberLength + packet.payload.length + 16;
  const payload = concat(packet.payload, new Uint8Array(Math.max(0, size - bare)));
  const numberBytes = Buffer.alloc(4);
  numberBytes.writeUInt32BE(number);
  const length = numberLength + payload.length + 16;
  const header = concat(
    before,
    varint(length, length < 1 << 14 ? 2 : 4),
    numberBytes.subarray(4 - numberLength),
  );
  const { key, iv, hp } = keysOf(packet.keysOf ?? dcid);
  const nonce = new Uint8Array(iv);
  for (let i = 0; i < 4; i++) nonce[8 + i] ^= i >= 4 - numberLength ? numberBytes[i] : 0;
  const gcm = createCipheriv("aes-128-gcm", key, nonce);
  gcm.setAAD(header);
  const body = gcm.update(payload);
  gcm.final();
  const sealed = concat(header, body, gcm.getAuthTag());
  const numberAt = header.length - numberLength;
  const ecb = createCipheriv("aes-128-ecb", hp, null);
  const mask = ecb.update(sealed.subarray(numberAt + 4, numberAt + 20));
  ecb.final();
  sealed[0] ^= mask[0] & 0x0f;
  for (let i = 0; i < numberLength; i++) sealed[numberAt + i] ^= mask[1 + i];
  return sealed;
}

/** Keys of a client's Initial packets, RFC 9001 §5.2 step by step. */
export function keysOf(dcid: Uint8Array): { secret: Uint8Array; key: Uint8Array; iv: Uint8Array; hp: Uint8Array } {
  const initial = hmac(Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex"), dcid);
  const secret = expandLabel(initial, "client in", 32);
  return {
    secret,
    key: expandLabel(secret, "quic key", 16),
    iv: expandLabel(secret, "quic iv", 12),
    hp: expandLabel(secret, "quic hp", 16),
  };
}

/** A CRYPTO frame (RFC 9000 §19.6). */
export function cryptoFrame(offset: number, data: Uint8Array): Uint8Array {
  return concat(bytes(0x06), varint(offset), varint(data.length), data);
}

/** What a hello made here holds. */
export interface HelloParts {
  readonly alpns?: readonly string[];
  readonly serverName?: string;
  /** Bytes of an extension that only fills. */
  readonly fill?: number;
  /** Further extensions, type and data. */
  readonly extensions?: readonly (readonly [number, Uint8Array])[];
}

/** A ClientHello message. */
export function clientHello(parts: HelloParts): Uint8Array {
  const extensions: (readonly [number, Uint8Array])[] = [[43, bytes(2, 3, 4)]];
  if (parts.fill) extensions.push([21, new Uint8Array(parts.fill)]);
  if (parts.serverName !== undefined) {
    const name = Buffer.from(parts.serverName, "latin1");
    extensions.push([0, sized(2, concat(bytes(0), sized(2, name)))]);
  }
  if (parts.alpns) {
    extensions.push([16, sized(2, concat(...parts.alpns.map((alpn) => sized(1, Buffer.from(alpn, "latin1")))))]);
  }
  extensions.push(...parts.extensions ?? []);
  return helloMessage(concat(
    bytes(3, 3),
    new Uint8Array(32).fill(0x5a),
    sized(1, bytes()),
    sized(2, bytes(0x13, 0x01)),
    sized(1, bytes(0)),
    sized(2, concat(...extensions.map(([type, data]) => concat(bytes(type >> 8, type & 0xff), sized(2, data))))),
  ));
}

/** A ClientHello message around any body. */
export function helloMessage(body: Uint8Array): Uint8Array {
  return concat(bytes(1), sized(3, body));
}

/** The bytes behind their length. */
export function sized(width: 1 | 2 | 3, content: Uint8Array): Uint8Array {
  const length = Buffer.alloc(width);
  length.writeUIntBE(content.length, 0, width);
  return concat(length, content);
}

/** A variable-length integer (RFC 9000 §16), in `width` bytes or as few as do. */
export function varint(value: number, width?: 1 | 2 | 4 | 8): Uint8Array {
  const use = width ?? (value < 1 << 6 ? 1 : value < 1 << 14 ? 2 : value < 2 ** 30 ? 4 : 8);
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  const cut = new Uint8Array(out.subarray(8 - use));
  cut[0] |= Math.log2(use) << 6;
  return cut;
}

/** A byte array of these values. */
export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** The parts one after another. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Bytes of a hexadecimal text. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** Hexadecimal text of bytes. */
export function toHex(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(data).digest());
}

function expandLabel(secret: Uint8Array, label: string, length: number): Uint8Array {
  const info = concat(bytes(0, length), sized(1, Buffer.from(`tls13 ${label}`)), bytes(0));
  return hmac(secret, concat(info, bytes(1))).subarray(0, length);
}

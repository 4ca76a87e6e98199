/**
 * Protocols and server name of a TLS 1.3 ClientHello (RFC 8446 §4.1.2, with RFC 7301 and RFC 6066).
 *
 * ```text
 * 1       handshake type 1
 * 3       length of what follows
 * 2       legacy version
 * 32      random
 * 1 + n   legacy session id
 * 2 + n   cipher suites
 * 1 + n   legacy compression methods
 * 2 + n   extensions, each: 2 type, 2 + n data
 *   16    ALPN: 2 + n list, each: 1 + n name
 *   0     server name: 2 + n list, each: 1 type, 2 + n name
 * ```
 *
 * @module
 */
/** What a client asks for. */
export interface ClientHello {
  /** ALPN protocol names in the client's order, bytes as Latin-1; empty if the extension is absent. */
  readonly alpns: string[];
  /** Host name of SNI as it was sent, bytes as Latin-1. */
  readonly serverName?: string;
}

/** Bytes of a handshake message before its body. */
export const HELLO_HEADER = 4;
const CLIENT_HELLO = 1;
const BEFORE_SESSION_ID = HELLO_HEADER + 2 + 32;
const SERVER_NAME = 0;
const ALPN = 16;
const HOST_NAME = 0;
/** A DNS name is no longer (RFC 1035 §2.3.4), and BoringSSL refuses one that is. */
const MAX_HOST_NAME = 255;

/** Bytes of the ClientHello that begins here, with its header; -1 if another message begins here. */
export function helloLength(message: Uint8Array): number {
  if (message[0] !== CLIENT_HELLO) return -1;
  return HELLO_HEADER + ((message[1] << 16) | (message[2] << 8) | message[3]);
}

/**
 * Protocols and server name of a whole ClientHello message; nothing if a length does not fit the one around it, a list
 * is empty that must not be, or one of the two extensions comes twice.
 */
export function parseClientHello(message: Uint8Array): ClientHello | undefined {
  let at = BEFORE_SESSION_ID;
  at = skip(message, at, 1);
  at = skip(message, at, 2);
  at = skip(message, at, 1);
  if (at < 0) return undefined;
  let alpns: string[] | undefined;
  let serverName: string | undefined;
  // A hello may end without extensions (RFC 8446 §4.1.2); that it then cannot be TLS 1.3 is not for us to say.
  if (at < message.length) {
    if (skip(message, at, 2) !== message.length) return undefined;
    at += 2;
    while (at < message.length) {
      if (at + 4 > message.length) return undefined;
      const type = u16(message, at);
      const end = skip(message, at + 2, 2);
      if (end < 0) return undefined;
      const data = message.subarray(at + 4, end);
      if (type === ALPN) {
        if (alpns || !(alpns = protocolNames(data))) return undefined;
      } else if (type === SERVER_NAME) {
        if (serverName !== undefined || (serverName = hostName(data)) === undefined) return undefined;
      }
      at = end;
    }
  }
  return serverName === undefined ? { alpns: alpns ?? [] } : { alpns: alpns ?? [], serverName };
}

/** RFC 7301 §3.1: a list of at least one name, each of 1 to 255 bytes. */
function protocolNames(data: Uint8Array): string[] | undefined {
  if (data.length < 4 || skip(data, 0, 2) !== data.length) return undefined;
  const names: string[] = [];
  for (let at = 2; at < data.length;) {
    const end = skip(data, at, 1);
    if (end < 0 || end === at + 1) return undefined;
    names.push(latin1(data, at + 1, end));
    at = end;
  }
  return names;
}

/** RFC 6066 §3: one host name; no other type of name exists, and a second host name is forbidden. */
function hostName(data: Uint8Array): string | undefined {
  if (data.length < 6 || skip(data, 0, 2) !== data.length || data[2] !== HOST_NAME) return undefined;
  if (skip(data, 3, 2) !== data.length || data.length - 5 > MAX_HOST_NAME) return undefined;
  const name = latin1(data, 5, data.length);
  return name.includes("\0") ? undefined : name;
}

/** Offset behind a vector whose length has `width` bytes; -1 if it does not end within the bytes, or `at` is -1. */
function skip(bytes: Uint8Array, at: number, width: 1 | 2): number {
  if (at < 0 || at + width > bytes.length) return -1;
  const end = at + width + (width === 1 ? bytes[at] : u16(bytes, at));
  return end > bytes.length ? -1 : end;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

/** One character a byte, so that two names are equal when their bytes are. */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

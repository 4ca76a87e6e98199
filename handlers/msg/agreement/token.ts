/**
 * Tokens: who has one may write to its maker (msg.md §2).
 *
 * ```text
 * alkmsg: and base64url of
 * 01 | flags | ed 32 | mailbox's node key 32 | sid 24 | t 32 | u8 n, host:port n | u8 m, name m | first 4 bytes of H(all before)
 * ```
 *
 * @module
 */
import { AlknetError, equalBytes, joined, sha256 } from "@alknet/core/crypto";

/** What a token begins with. */
export const TOKEN_SCHEME = "alkmsg:";
/** Characters of a name, at most. */
export const NAME_CHARACTERS = 64;

const VERSION = 1;
const ONCE = 1;
const AT_ADDRESS = 122;
const CHECKSUM = 4;
/** Characters of the longest token there can be; more is not looked at. */
const LONGEST = TOKEN_SCHEME.length + Math.ceil((AT_ADDRESS + 256 + 256 + CHECKSUM) * 4 / 3);

/** What a token says. */
export interface Token {
  /** Whether it is gone after its first use. */
  readonly once: boolean;
  /** Ed25519 of its maker. */
  readonly ed: Uint8Array;
  /** Ed25519 of the mailbox. */
  readonly mailboxKey: Uint8Array;
  /** The queue to send to. */
  readonly sid: Uint8Array;
  /** Of which {@linkcode queueKeys} are made. Secret. */
  readonly t: Uint8Array;
  /** `HOST:PORT` of the mailbox. */
  readonly address: string;
  /** How its maker calls itself; may be empty. */
  readonly name: string;
}

/**
 * A token as text.
 *
 * @throws {RangeError} Address or name are too long.
 */
export function formatToken(token: Token): string {
  const [address, name] = [token.address, token.name].map((text) => new TextEncoder().encode(text));
  if (address.byteLength > 255 || name.byteLength > 255 || [...token.name].length > NAME_CHARACTERS) {
    throw new RangeError(`an address has 255 bytes at most, a name ${NAME_CHARACTERS} characters`);
  }
  const body = joined(
    Uint8Array.of(VERSION, token.once ? ONCE : 0),
    token.ed,
    token.mailboxKey,
    token.sid,
    token.t,
    Uint8Array.of(address.byteLength),
    address,
    Uint8Array.of(name.byteLength),
    name,
  );
  const whole = joined(body, sha256(body).subarray(0, CHECKSUM));
  return TOKEN_SCHEME + whole.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * Reads a token.
 *
 * @throws {AlknetError} `BAD_TOKEN`. The message does not repeat it.
 */
export function parseToken(text: string): Token {
  if (!text.startsWith(TOKEN_SCHEME) || text.length > LONGEST) throw badToken("one begins with alkmsg:");
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(text.slice(TOKEN_SCHEME.length), {
      alphabet: "base64url",
      lastChunkHandling: "loose",
    });
  } catch (cause) {
    throw badToken("it has characters that none has, or was cut", cause);
  }
  if (bytes.toBase64({ alphabet: "base64url", omitPadding: true }) !== text.slice(TOKEN_SCHEME.length)) {
    throw badToken("it was altered");
  }
  const end = bytes.byteLength - CHECKSUM;
  if (end < AT_ADDRESS + 2 || !equalBytes(sha256(bytes.subarray(0, end)).subarray(0, CHECKSUM), bytes.subarray(end))) {
    throw badToken("it was cut or mistyped; copy it anew");
  }
  if (bytes[0] !== VERSION) throw badToken(`its version ${bytes[0]} is not known to this program`);
  if (bytes[1] > ONCE) throw badToken("it asks for what this program does not know");
  const nameAt = AT_ADDRESS + 1 + bytes[AT_ADDRESS];
  if (nameAt >= end || nameAt + 1 + bytes[nameAt] !== end) throw badToken("its parts do not fit");
  const name = textOf(bytes.subarray(nameAt + 1, end));
  if ([...name].length > NAME_CHARACTERS) throw badToken(`its name has more than ${NAME_CHARACTERS} characters`);
  return {
    once: bytes[1] === ONCE,
    ed: bytes.slice(2, 34),
    mailboxKey: bytes.slice(34, 66),
    sid: bytes.slice(66, 90),
    t: bytes.slice(90, AT_ADDRESS),
    address: textOf(bytes.subarray(AT_ADDRESS + 1, nameAt)),
    name,
  };
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw badToken("a text in it is none", cause);
  }
}

function badToken(why: string, cause?: unknown): AlknetError {
  return new AlknetError("BAD_TOKEN", `the token cannot be used: ${why}`, { cause });
}

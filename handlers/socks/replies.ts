/**
 * The last word of SOCKS before the connection itself.
 *
 * @module
 */
import type { SocksAnswer } from "./request.ts";

const GRANTED_4 = 0x5a;
const REFUSED_4 = 0x5b;

/** RFC 1928 §6. Where the connection was made is the far side's to know: the address is zero, as OpenSSH's. */
export const socks5: SocksAnswer = { granted: reply5(0), refused: reply5 };

/** SOCKS4 knows one reason. */
export const socks4: SocksAnswer = { granted: reply4(GRANTED_4), refused: () => reply4(REFUSED_4) };

function reply5(code: number): Uint8Array {
  return Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
}

function reply4(code: number): Uint8Array {
  return Uint8Array.of(0, code, 0, 0, 0, 0, 0, 0);
}

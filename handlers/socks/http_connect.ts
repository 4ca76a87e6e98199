/**
 * HTTP `CONNECT` (RFC 9110 §9.3.6, RFC 9112 §3.2.3), as far as a proxy needs it.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { type SocksAnswer, type SocksDestination, SocksRefusal } from "./request.ts";

const REQUEST_LINE = /^CONNECT (?:\[([0-9a-fA-F:.]+)\]|([^\s:/@[\]]+)):([0-9]{1,5}) HTTP\/1\.[01]$/;
const STATUS: Readonly<Record<number, string>> = {
  [SocksRefusal.NOT_ALLOWED]: "403 Forbidden",
  [SocksRefusal.HOST_UNREACHABLE]: "502 Bad Gateway",
  [SocksRefusal.CONNECTION_REFUSED]: "502 Bad Gateway",
};

/** Answers of a proxy; `malformed` is for what is no `CONNECT`. */
export const httpConnect: SocksAnswer & { readonly malformed: Uint8Array } = {
  granted: bytes("HTTP/1.1 200 Connection established\r\n\r\n"),
  refused: (why) => closing(STATUS[why] ?? "503 Service Unavailable"),
  malformed: closing("400 Bad Request"),
};

/** Reads a request; nothing as long as it is not whole; a text that says what is wrong with it. */
export function parseHttpConnect(
  request: Buffer,
): { readonly destination: SocksDestination; readonly length: number } | string | undefined {
  const end = request.indexOf("\r\n\r\n");
  if (end < 0) return;
  const line = request.toString("latin1", 0, request.indexOf("\r\n"));
  const found = REQUEST_LINE.exec(line);
  if (!found || Number(found[3]) > 65_535) return "no CONNECT to a host and a port";
  return { destination: { hostname: found[1] ?? found[2], port: Number(found[3]) }, length: end + 4 };
}

function closing(status: string): Uint8Array {
  return bytes(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

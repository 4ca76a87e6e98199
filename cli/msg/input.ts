/**
 * What commands of messages read from stdin.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { UsageError } from "../terminal/output.ts";

/** More than any message has. */
const MOST_INPUT = 96 * 1024;

/**
 * What stands on stdin, without the line end after it.
 *
 * @throws {AlknetError} `TOO_LONG`, `NOT_TEXT`; {@linkcode UsageError}: stdin is a terminal.
 */
export async function stdinText(what: string): Promise<string> {
  if (Deno.stdin.isTerminal()) throw new UsageError(`${what} is missing; give it as an argument, or write it to stdin`);
  const bytes = new Uint8Array(MOST_INPUT + 1);
  let length = 0;
  for (let count; length < bytes.byteLength && (count = await Deno.stdin.read(bytes.subarray(length)));) {
    length += count;
  }
  if (length > MOST_INPUT) throw new AlknetError("TOO_LONG", `${what} has more than ${MOST_INPUT} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length)).replace(/\r?\n$/, "");
  } catch (cause) {
    throw new AlknetError("NOT_TEXT", `${what} on stdin is not UTF-8`, { cause });
  }
}

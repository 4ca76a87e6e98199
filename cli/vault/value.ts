/**
 * The value of a credential, as it comes in: from standard input, or typed unseen. It is never an argument, which others on
 * the machine could see.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { MOST_VALUE_BYTES } from "./credentials.ts";
import { type UnlockOptions, withTerminal } from "./secrets.ts";

/**
 * The value, without the line end after it.
 *
 * @throws {AlknetError} `INVALID_VALUE`: empty, too long, or not UTF-8.
 */
export async function readValue(name: string, options: UnlockOptions): Promise<string> {
  const value = Deno.stdin.isTerminal()
    ? await withTerminal(
      options,
      "it on standard input",
      "the value has to be typed",
      (terminal) => terminal.hidden(`Value of ${name}`),
    )
    : decode(await readInput());
  if (value === "") throw invalid("it is empty");
  return value;
}

async function readInput(): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of Deno.stdin.readable) {
    size += part.byteLength;
    if (size > MOST_VALUE_BYTES) throw invalid(`it is longer than ${MOST_VALUE_BYTES} bytes`);
    parts.push(part);
  }
  return await new Blob(parts).bytes();
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, "");
  } catch {
    throw invalid("it is not UTF-8 text; encode bytes first, as base64 does");
  }
}

function invalid(why: string): AlknetError {
  return new AlknetError("INVALID_VALUE", `the value on standard input cannot be sealed: ${why}. Nothing was changed`);
}

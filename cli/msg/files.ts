/**
 * Files in messages: read to be sent, and saved where they came (msg.md §3.2, §6).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Outgoing } from "@alknet/handlers/msg";
import { basename } from "node:path";
import { ExitCode, note, UsageError } from "../terminal/output.ts";
import { conversationOf, openMessengerHome, type Shared } from "./home.ts";
import { visibleLine } from "../terminal/visible.ts";

/** Bytes of a file that a message takes; more is not read. */
const MOST_FILE = 72_000;
/** Kind of all files: what is in it is the contact's to find out. */
const MIME = "application/octet-stream";

/**
 * A file to be sent.
 *
 * @throws {AlknetError} `NO_BLOBS`: it is too long; what reading throws.
 */
export async function outgoingFile(path: string): Promise<Outgoing> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(MOST_FILE + 1);
  let length = 0;
  for (let count; length < bytes.byteLength && (count = await file.read(bytes.subarray(length)));) length += count;
  if (length <= MOST_FILE) return { name: basename(path), mime: MIME, data: bytes.slice(0, length) };
  throw new AlknetError(
    "NO_BLOBS",
    `${path} has more than ${MOST_FILE} bytes, which is what goes in a message; give the contact a ticket of alknet blob share`,
  );
}

/** `msg save`. */
export async function saveFile(
  options: Shared & { readonly name: string; readonly id: string; readonly output?: string },
): Promise<number> {
  await using open = await openMessengerHome(options);
  const { name, data } = open.messenger.file(conversationOf(open.messenger, options.name), options.id);
  if (options.output === "-") {
    for (let at = 0; at < data.byteLength;) at += await Deno.stdout.write(data.subarray(at));
    return ExitCode.DONE;
  }
  const path = options.output ?? safeName(name);
  using file = await created(path);
  try {
    for (let at = 0; at < data.byteLength;) at += await file.write(data.subarray(at));
  } catch (error) {
    // Half of it would look like all, and be in the way of the next try.
    await Deno.remove(path).catch(() => {});
    throw error;
  }
  note(`alknet: saved ${visibleLine(path)}`);
  return ExitCode.DONE;
}

async function created(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
    throw new AlknetError("EXISTS", `${visibleLine(path)} is there already; name another with -o`, { cause });
  }
}

/**
 * A name that its sender chose, where a file of ours may have it: no path, not hidden, nothing that drives a terminal.
 *
 * @throws {UsageError} It is none.
 */
export function safeName(name: string): string {
  // deno-lint-ignore no-control-regex -- those are what is refused.
  if (!/[/\\\x00-\x1f\x7f-\x9f]/.test(name) && !/^[.-]/.test(name)) return name;
  throw new UsageError(`its sender calls it ${visibleLine(name)}, which is no name to save it by; give one with -o`);
}

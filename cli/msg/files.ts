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

/** Bytes of a file that a message takes; a longer one lies in the store of this home, until the contact gets it. */
const MOST_FILE = 72_000;
/** Kind of all files: what is in it is the contact's to find out. */
const MIME = "application/octet-stream";
/** Time to get a file, where it says nothing for so long. */
const GETTING = 600_000;

/** A file to be sent. */
export interface FileToSend extends AsyncDisposable {
  /** As the messenger takes it. */
  readonly what: Outgoing;
  /** Bytes. */
  readonly size: number;
}

/**
 * A file to be sent.
 *
 * @throws {AlknetError} `NOT_A_FILE`; what reading throws.
 */
export async function outgoingFile(path: string): Promise<FileToSend> {
  const file = await Deno.open(path);
  const close = (): void => {
    try {
      file.close();
    } catch {
      // Reading to its end closes it.
    }
  };
  try {
    const { size, isFile } = await file.stat();
    const name = basename(path);
    const done = { size, [Symbol.asyncDispose]: () => Promise.resolve(close()) };
    if (isFile && size > MOST_FILE) return { what: { name, mime: MIME, size, file: file.readable }, ...done };
    const bytes = new Uint8Array(MOST_FILE + 1);
    let length = 0;
    for (let count; length < bytes.byteLength && (count = await file.read(bytes.subarray(length)));) length += count;
    if (length <= MOST_FILE) return { what: { name, mime: MIME, data: bytes.slice(0, length) }, ...done };
    throw new AlknetError("NOT_A_FILE", `${path} is no file whose length is known; write it to one first`);
  } catch (error) {
    close();
    throw error;
  }
}

/** `msg save`. */
export async function saveFile(
  options: Shared & { readonly name: string; readonly id: string; readonly output?: string },
): Promise<number> {
  await using open = await openMessengerHome(options);
  const stop = { signal: AbortSignal.timeout(GETTING) };
  const { name, bytes } = open.messenger.file(conversationOf(open.messenger, options.name), options.id, stop);
  if (options.output === "-") {
    for await (const piece of bytes) await writeAll(Deno.stdout, piece);
    return ExitCode.DONE;
  }
  const path = options.output ?? safeName(name);
  using file = await created(path);
  try {
    for await (const piece of bytes) await writeAll(file, piece);
  } catch (error) {
    // Half of it would look like all, and be in the way of the next try.
    await Deno.remove(path).catch(() => {});
    throw error;
  }
  note(`alknet: saved ${visibleLine(path)}`);
  return ExitCode.DONE;
}

async function writeAll(to: Pick<Deno.FsFile, "write">, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) at += await to.write(bytes.subarray(at));
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

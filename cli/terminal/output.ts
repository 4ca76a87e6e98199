/**
 * What the command writes and how it ends: results to stdout, everything else to stderr, one object a line with `--json`.
 *
 * Every line goes through {@linkcode visible}: much of what is printed was said by another node, and none of it is to drive
 * the terminal of who reads it. Only {@linkcode writeText} writes text as it is.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { visible } from "./visible.ts";

/** Exit codes of the command; scripts rely on them. */
export const ExitCode = {
  /** Done. */
  DONE: 0,
  /** It was tried and failed. */
  FAILED: 1,
  /** The command line was wrong; nothing was tried. */
  USAGE: 2,
  /** Ended by ctrl-C. */
  INTERRUPTED: 130,
} as const;

/** The command line was wrong in a way that its grammar cannot say: exit code 2. */
export class UsageError extends AlknetError {
  override readonly name = "UsageError";

  /** @param message What is wrong and what to write instead. */
  constructor(message: string) {
    super("USAGE", message);
  }
}

const encoder = new TextEncoder();

/**
 * Writes one line of a result.
 *
 * @throws {Deno.errors.BrokenPipe} Nobody reads stdout any more.
 */
export function print(line: string): void {
  writeText(visible(line) + "\n");
}

/** Writes a result as it is, without a line end after it. Throws as {@linkcode print} does. */
export function writeText(text: string): void {
  writeAll(Deno.stdout, encoder.encode(text));
}

/** Writes one object of a result as a line of JSON. */
export function printJson(value: Record<string, unknown>): void {
  print(JSON.stringify(value));
}

/** Writes one line for people to stderr. Never fails: a command does not stop because nobody listens. */
export function note(line: string): void {
  try {
    writeAll(Deno.stderr, encoder.encode(visible(line) + "\n"));
  } catch { /* stderr is closed */ }
}

/** Reports why a command failed, in one line, and says with which code to exit. */
export function reportFailure(error: unknown): number {
  // The reader has seen enough, as in `alknet … | head`: that is no failure of ours.
  if (error instanceof Deno.errors.BrokenPipe) return ExitCode.DONE;
  if (error instanceof AlknetError && error.code === "INTERRUPTED") return ExitCode.INTERRUPTED;
  note(`alknet: ${oneLine(describeFailure(error))}`);
  if (error instanceof UsageError) return ExitCode.USAGE;
  if (isDefect(error)) note(String((error as Error).stack));
  return ExitCode.FAILED;
}

/** Text on one line, however many it came in. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}

function describeFailure(error: unknown): string {
  if (error instanceof AlknetError) return error.message;
  if (error instanceof Deno.errors.NotCapable) return `${error.message}; alknet runs with deno run -A`;
  if (error instanceof Error) return isDefect(error) ? `defect, please report it: ${error.message}` : error.message;
  return String(error);
}

/** Whether an error is a mistake in Alknet rather than something that input, peers or the machine caused. */
function isDefect(error: unknown): boolean {
  // The errors of vault and tensors are known by name: loading these for them would slow every command down.
  if (
    error instanceof AlknetError || !(error instanceof Error) || error.name === "VaultError" ||
    error.name === "TensorError"
  ) return false;
  // What the system refuses and the runtime has no class for, such as a full disk, is a plain error that says so.
  if (/\(os error \d+\)$/.test(error.message)) return false;
  return !Object.values(Deno.errors).some((kind) => error instanceof kind);
}

/** A write to a pipe may be short. */
function writeAll(to: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let rest = bytes; rest.byteLength > 0;) rest = rest.subarray(to.writeSync(rest));
}

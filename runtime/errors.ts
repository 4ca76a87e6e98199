/**
 * How a guest fails: what it threw, or which limit ended it.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/errors";

/** Why a run of a guest ended. `E_GUEST` is what the guest itself threw, `E_SYNTAX` is source that does not parse. */
export type GuestCode =
  | "E_GUEST"
  | "E_SYNTAX"
  | "E_REFUSED"
  | "E_DEADLINE"
  | "E_TIMEOUT"
  | "E_MEMORY"
  | "E_STACK"
  | "E_JOBS"
  | "E_LIMIT"
  | "E_CROSSING"
  | "E_ABORTED"
  | "E_POISONED"
  | "E_DISPOSED"
  | "E_KILLED"
  | "E_UNAVAILABLE"
  | "NOT_FOUND";

/** Where in a guest's source. */
export interface GuestPosition {
  /** Name of the module or script. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** The line itself, where the source is known. */
  readonly text?: string;
}

/** What a guest threw, as its prelude told it: data only. */
export interface ThrownValue {
  /** `TypeError` and the like. */
  readonly name: string;
  /** What it says. */
  readonly message: string;
  /** Frames of the guest; none of the host. */
  readonly stack: string;
  /** A code that the guest gave, as of a declared error. */
  readonly code?: string;
}

/** A guest failed or was stopped. */
export class GuestError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "GuestError";
  /** Where, if it is known. */
  readonly position?: GuestPosition;
  /** What the guest threw, with `E_GUEST`. */
  readonly thrown?: ThrownValue;

  /**
   * An error of a guest.
   *
   * @param code Why the run ended.
   * @param message What was wrong, and what to do.
   * @param options Where, and what was thrown.
   */
  constructor(
    code: GuestCode,
    message: string,
    options: ErrorOptions & { readonly position?: GuestPosition; readonly thrown?: ThrownValue } = {},
  ) {
    super(code, message, options);
    this.position = options.position;
    this.thrown = options.thrown;
  }
}

/**
 * The error of what a guest threw, with its place and the line that stands there.
 *
 * @param thrown What the prelude told.
 * @param sources Source texts by file.
 */
export function errorOfThrown(thrown: ThrownValue, sources: ReadonlyMap<string, string>): GuestError {
  const position = positionIn(thrown.stack, sources);
  const code = codeOf(thrown);
  const place = position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `;
  const line = position?.text === undefined
    ? ""
    : `\n  ${position.text.slice(0, 200)}\n  ${" ".repeat(Math.min(position.column, 200) - 1)}^`;
  return new GuestError(code, `${place}${thrown.name}: ${thrown.message}${line}`, { position, thrown });
}

function codeOf({ name, message }: ThrownValue): GuestCode {
  if (name === "InternalError" && /out of memory/.test(message)) return "E_MEMORY";
  if (/^(?:Range|Internal)Error$/.test(name) && /call stack|stack overflow/.test(message)) return "E_STACK";
  return name === "SyntaxError" ? "E_SYNTAX" : "E_GUEST";
}

function positionIn(stack: string, sources: ReadonlyMap<string, string>): GuestPosition | undefined {
  for (const [, file, line, column] of stack.matchAll(/(?:\(| at )([^()\s]+):(\d+):(\d+)\)?$/gm)) {
    const source = sources.get(file);
    if (source === undefined) continue;
    const text = source.split("\n")[Number(line) - 1];
    return { file, line: Number(line), column: Math.max(1, Number(column)), text };
  }
  return undefined;
}

/** What a guest learns of a failure of the host: code and message of an error made for callers, and of no other. */
export function outwardError(error: unknown): { readonly code: string; readonly message: string } {
  const made = error instanceof AlknetError || (error instanceof Error && error.name === "CallError");
  return made
    ? { code: (error as AlknetError).code, message: error.message.slice(0, 4096) }
    : { code: "INTERNAL", message: "internal error" };
}

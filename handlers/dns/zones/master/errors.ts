/**
 * What is wrong with a master file, and where.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** A fault of a master file: `DNS_SYNTAX`, or `DNS_RULE` where its records are no zone. */
export class MasterFileError extends AlknetError {
  /** `MasterFileError`. */
  override readonly name = "MasterFileError";
  /** The line, from 1. */
  readonly line: number;
  /** The character, from 1. */
  readonly column: number;

  /**
   * Makes one.
   *
   * @param line The line, from 1.
   * @param column The character, from 1.
   * @param reason What is wrong.
   * @param code Its code.
   */
  constructor(line: number, column: number, reason: string, code: "DNS_SYNTAX" | "DNS_RULE" = "DNS_SYNTAX") {
    super(code, `${line}:${column}: ${reason}`);
    this.line = line;
    this.column = column;
  }
}

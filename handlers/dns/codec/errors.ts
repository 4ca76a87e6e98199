/**
 * What goes wrong with messages and with text.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Flags, Question } from "./types.ts";

/** What could be read of a message that is malformed behind it. */
export interface MessageHead {
  /** Its id. */
  readonly id: number;
  /** Its opcode. */
  readonly opcode: number;
  /** Its flags. */
  readonly flags: Flags;
  /** Whether it was an answer. */
  readonly response: boolean;
  /** Its question, where that was whole. */
  readonly question?: Question;
}

/** A message that cannot be read. */
export class DnsMalformedError extends AlknetError {
  /** `DnsMalformedError`. */
  override readonly name = "DnsMalformedError";
  /** What to answer: FORMERR 1, NOTAUTH 9, BADVERS 16. */
  readonly rcode: number;
  /** What could be read; absent below 12 bytes: no answer then. */
  readonly head: MessageHead | undefined;

  /**
   * Makes one.
   *
   * @param message What is wrong.
   * @param rcode What to answer.
   * @param head What could be read.
   */
  constructor(message: string, rcode = 1, head?: MessageHead) {
    super("DNS_MALFORMED", message);
    this.rcode = rcode;
    this.head = head;
  }
}

/** Text of a name or a record that is none: `DNS_SYNTAX`. */
export class DnsSyntaxError extends AlknetError {
  /** `DnsSyntaxError`. */
  override readonly name = "DnsSyntaxError";

  /**
   * Makes one.
   *
   * @param message What is wrong.
   */
  constructor(message: string) {
    super("DNS_SYNTAX", message);
  }
}

/**
 * What is wrong with bytes of a peer.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** Bytes are not in the one form that is accepted: `MALFORMED`. */
export class WireError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "WireError";

  /**
   * The error that says what was found.
   *
   * @param what Nothing of the peer's own words.
   */
  constructor(what: string) {
    super("MALFORMED", what);
  }
}

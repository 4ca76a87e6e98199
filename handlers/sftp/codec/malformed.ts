/**
 * What a peer sent is no packet of SFTP.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** A packet that cannot be read. Where its id could be, it is answered; else the session cannot go on. */
export class MalformedPacketError extends AlknetError {
  /** The class, as it stands before the message. */
  override name = "MalformedPacketError";
  /** Of the request. */
  readonly id: number | undefined;

  /**
   * A refusal of `SFTP_MALFORMED`.
   *
   * @param message What is wrong, without what the peer sent.
   * @param id Of the request, if it could be read.
   */
  constructor(message: string, id?: number) {
    super("SFTP_MALFORMED", message);
    this.id = id;
  }
}

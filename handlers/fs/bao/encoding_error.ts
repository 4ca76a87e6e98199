/**
 * What is wrong with an encoding.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** A node of a tree: its first chunk, and how many it has. */
export interface TreeNode {
  /** Index of its first chunk. */
  readonly start: number;
  /** Chunks, one or more. */
  readonly count: number;
}

/**
 * An encoding is not that of the blob: `HASH_MISMATCH` where something else came, `ENCODING_CUT` where it ended early. What
 * was given out before is right.
 */
export class EncodingError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "EncodingError";
  /** The node that is wrong or missing; absent where it is the size. */
  readonly node: TreeNode | undefined;

  /**
   * The error that says what came, and where.
   *
   * @param code Which of the two.
   * @param what What was found, for people.
   * @param node Where.
   */
  constructor(code: "HASH_MISMATCH" | "ENCODING_CUT", what: string, node?: TreeNode) {
    const where = node && `chunk${node.count === 1 ? "" : "s"} ${node.start}`;
    const span = !node || node.count === 1 ? "" : ` to ${node.start + node.count - 1}`;
    super(code, node ? `${what} at ${where}${span}` : what);
    this.node = node;
  }
}

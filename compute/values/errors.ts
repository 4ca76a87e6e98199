/**
 * What a computation is refused for: an error that names the operation, the operands and what would do.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/**
 * Why. `E_BUFFER` is a handle that is gone or another engine's; `E_LIMIT` is a budget or a bound of a device; `E_VALUE` is a
 * number that an operation has no result for; `E_GRAPH` a gradient that cannot be asked for; `E_VERSION` a value that was
 * written to while a gradient needs it; `E_STATE` a state that does not fit what it is loaded into.
 */
export type ComputeCode =
  | "E_SHAPE"
  | "E_DIM"
  | "E_DTYPE"
  | "E_DEVICE"
  | "E_BUFFER"
  | "E_OOM"
  | "E_LIMIT"
  | "E_INDEX"
  | "E_DIV_ZERO"
  | "E_VALUE"
  | "E_VERSION"
  | "E_GRAPH"
  | "E_STATE"
  | "E_DEVICE_LOST";

/** A computation was refused or failed. */
export class ComputeError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "ComputeError";
  /** The operation, `matmul` for example. */
  readonly op: string;

  /**
   * An error of one operation.
   *
   * @param code Why.
   * @param op Name of the operation, which begins the message.
   * @param message What was found, what was expected, what to do.
   * @param options The `cause`, where there is one.
   */
  constructor(code: ComputeCode, op: string, message: string, options?: ErrorOptions) {
    super(code, `${op}: ${message}`, options);
    this.op = op;
  }
}

/**
 * Why an import of operations failed: from a node, an OpenAPI document, an MCP server, a schema (call.md §21).
 *
 * @module
 */
import { AlknetError } from "../../errors.ts";

/**
 * What went wrong: the source could not be asked (`DISCOVERY_FAILED`, `TRANSPORT`, `UNAUTHORIZED`), what it said is no
 * description (`SCHEMA_PARSE`), or one source gives one name to two operations (`SAME_PEER_COLLISION`).
 */
export type ImportErrorCode =
  | "DISCOVERY_FAILED"
  | "SCHEMA_PARSE"
  | "TRANSPORT"
  | "UNAUTHORIZED"
  | "SAME_PEER_COLLISION";

/** An import failed, and nothing of it was registered. */
export class ImportError extends AlknetError {
  /** `ImportError`. */
  override readonly name = "ImportError";
  /** What went wrong; stable. */
  declare readonly code: ImportErrorCode;

  /**
   * A failed import.
   *
   * @param code What went wrong.
   * @param message What was asked, of whom, and what came; never a credential.
   * @param options The cause, where there is one.
   */
  constructor(code: ImportErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

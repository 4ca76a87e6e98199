/**
 * The sentence about an operation that lists of them show.
 *
 * @module
 */
import type { OperationSpec } from "@alknet/core/operations";

/** A sentence about an operation: its own, that of its input, or one made of its name. */
export function describe({ input_schema, description, op_type, name, namespace }: OperationSpec): string {
  if (description !== undefined) return description;
  const ofInput = typeof input_schema === "object" && input_schema !== null && "description" in input_schema
    ? input_schema.description
    : undefined;
  return typeof ofInput === "string" ? ofInput : `${op_type} operation \`${name}\` in namespace \`${namespace}\``;
}

/**
 * `log/…`: what the node logs.
 *
 * @module
 */
import { type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { ADMIN_SCOPE, type RunningNode } from "./running_node.ts";

/** Lines that a node keeps for those who ask later. */
export const KEPT_LINES = 1000;

const closed = { additionalProperties: false };

const tail = operation({
  name: "log/tail",
  type: "subscription",
  description: "The last lines of the log, then each as it comes.",
  input: Type.Union([
    Type.Null(),
    Type.Object({
      lines: Type.Optional(Type.Integer({
        minimum: 0,
        maximum: KEPT_LINES,
        description: "past lines to begin with; default 10",
      })),
    }, closed),
  ]),
  output: Type.Object({
    line: Type.String(),
    missed: Type.Optional(
      Type.Integer({ minimum: 1, description: "lines before this one that you were too slow for" }),
    ),
  }, closed),
  access: { anyScope: ["log:read", ADMIN_SCOPE] },
});

/** The operations of `log/`. */
export function logOperations({ log }: RunningNode): HandlerRegistration[] {
  return [
    provide(tail, async function* (input, { signal }) {
      for await (const { value: line, missed } of log.follow(signal, input?.lines ?? 10)) {
        yield { line, ...(missed > 0 && { missed }) };
      }
    }),
  ];
}

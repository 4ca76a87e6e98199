/**
 * Ways to write operations for cases.
 *
 * @module
 */
import {
  type HandlerRegistration,
  operation,
  type OperationContext,
  type OperationDeclaration,
  type OperationType,
  provide,
} from "@alknet/core/operations";
import Type, { type TSchema } from "typebox";

/** A query that takes anything. */
export function query(
  name: string,
  handler: (input: unknown, context: OperationContext) => unknown,
  more: Partial<Pick<OperationDeclaration<string, OperationType, TSchema, TSchema>, "visibility" | "access">> = {},
): HandlerRegistration {
  const declared = operation({ name, type: "query", input: Type.Unknown(), output: Type.Unknown(), ...more });
  return provide(declared, handler);
}

/** A subscription that takes anything. */
export function stream(
  name: string,
  values: (context: OperationContext, input: unknown) => AsyncIterable<unknown>,
): HandlerRegistration {
  const declared = operation({ name, type: "subscription", input: Type.Unknown(), output: Type.Unknown() });
  return provide(declared, (input, context) => values(context, input));
}

/** Values for as long as someone takes them. */
export async function* forever({ signal }: OperationContext): AsyncGenerator<{ line: number }> {
  for (let line = 0; !signal.aborted; line++) {
    yield { line };
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** No value, for as long as nobody aborts. */
// deno-lint-ignore require-yield -- that is its point.
export async function* silent({ signal }: OperationContext): AsyncGenerator<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

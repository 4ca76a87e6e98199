/**
 * Peers that are programs: packages of npm for Node, above all.
 *
 * @module
 */
import type { Child } from "../support/process.ts";
import type { Contestant } from "./harness.ts";

/** A contestant whose client does tasks, one JSON object a line; `started` is disposed of with it. */
export function clientOf(client: Child, started: AsyncDisposableStack): Contestant {
  const running = started.move();
  return {
    async measure(task, seconds) {
      await client.write(JSON.stringify({ ...task, seconds }) + "\n");
      return (await client.json<{ value: number }>()).value;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

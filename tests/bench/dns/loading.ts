/**
 * Clients of DNS that load a server.
 *
 * @module
 */
import { start } from "../../support/process.ts";
import { type Contestant, script } from "../harness.ts";

/** A client, and whom it asks. */
export function loader(name: string, ...args: readonly string[]): Contestant {
  const child = start(Deno.execPath(), ["run", "-A", script(name), ...args]);
  return {
    async measure(task, seconds) {
      await child.write(JSON.stringify({ ...task, seconds }) + "\n").catch(() => {});
      return (await child.json<{ value: number }>()).value;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

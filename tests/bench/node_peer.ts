/**
 * Peers that are packages of npm: installed into a folder of their own, so that nothing of the project depends on them.
 *
 * @module
 */
import { type Child, runProgram } from "../support/process.ts";
import type { Contestant } from "./harness.ts";

/** Installs a package, such as `ws@8.23.0`. */
export async function installNodePackage(folder: string, name: string): Promise<void> {
  const { code, stderr } = await runProgram("npm", ["install", "--silent", "--no-audit", "--prefix", folder, name]);
  if (code !== 0) throw new Error(`npm could not install ${name}: ${stderr}`);
}

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

#!/usr/bin/env -S deno run -A
/**
 * The `alknet` command.
 *
 * ```sh
 * alknet serve
 * alknet ping localhost:4433
 * ```
 *
 * @module
 */

import manifest from "./deno.json" with { type: "json" };

/** With this as first argument the program is the QUIC engine of a node: a compiled executable starts itself so. */
const ENGINE_ARGUMENT = "--alknet-engine";

/**
 * Runs the command.
 *
 * @param args Arguments, without the name of the program.
 * @returns The exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  if (args[0] === ENGINE_ARGUMENT) {
    const engine = await import("@alknet/core/engine");
    await engine.main(args.slice(1));
    return 0;
  }
  const { print, reportFailure } = await import("./terminal/output.ts");
  try {
    if (args.length === 1 && args[0] === "--version") {
      print(manifest.version);
      return 0;
    }
    const { parseCommandLine } = await import("./program.ts");
    const action = await parseCommandLine(args);
    return await action();
  } catch (error) {
    return reportFailure(error);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

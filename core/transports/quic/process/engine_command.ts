/**
 * How an engine process is started: this program again, which is then an engine and nothing else.
 *
 * A program that runs from source starts the engine's module. In a compiled executable there is no other program than
 * itself, so it is started with {@linkcode ENGINE_ARGUMENT}, and whatever listens looks at that first.
 *
 * @module
 */
import { ENGINE_ARGUMENT } from "../link/engine_config.ts";

/** What is read and sent is short-lived: with less room for it less memory is taken, and nothing takes longer. */
const YOUNG = "--v8-flags=--max-semi-space-size=2";

/**
 * The command that runs an engine.
 *
 * @param module Another module than the engine's own, for tests that break it.
 */
export function engineCommand(module?: string): string[] {
  if (Deno.build.standalone && module === undefined) return [Deno.execPath(), ENGINE_ARGUMENT];
  return [Deno.execPath(), "run", "-A", "--quiet", YOUNG, module ?? import.meta.resolve("../engine/main.ts")];
}

/**
 * Is the engine and does not come back, where this is a compiled executable that was started as one: without that it would
 * be its own node, and start the next.
 */
export async function beEngineIfStartedAsOne(): Promise<void> {
  if (!Deno.build.standalone || Deno.args[0] !== ENGINE_ARGUMENT) return;
  const { main } = await import("../engine/main.ts");
  await main(Deno.args.slice(1));
  Deno.exit(0);
}

/**
 * An isolate before it is known what its guest is granted: the engine, and the prelude parsed but not run.
 *
 * @module
 */
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten-core";
import { newEngine } from "./engine.ts";
import { OUTWARD_PRELUDE } from "./outward/prelude.ts";
import { PRELUDE } from "./prelude.ts";

/** What is ready for one isolate, and for no second one. */
export interface Prepared {
  /** What its memory may grow to, in MiB. */
  readonly memory: number;
  /** Its runtime. */
  readonly runtime: QuickJSRuntime;
  /** Its context, in which no code of a guest has run. */
  readonly context: QuickJSContext;
  /** The function of {@linkcode PRELUDE}. */
  readonly install: QuickJSHandle;
  /** The function of {@linkcode OUTWARD_PRELUDE}. */
  readonly extend: QuickJSHandle;
}

/** @param memory What the isolate may grow to, in MiB. */
export async function prepare(memory: number): Promise<Prepared> {
  const runtime = (await newEngine(memory)).newRuntime();
  const context = runtime.newContext();
  const install = context.unwrapResult(context.evalCode(PRELUDE, "prelude.js"));
  const extend = context.unwrapResult(context.evalCode(OUTWARD_PRELUDE, "prelude.js"));
  return { memory, runtime, context, install, extend };
}

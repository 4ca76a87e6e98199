/**
 * The engine: QuickJS-NG in WebAssembly, an instance with a memory of its own for each isolate.
 *
 * @module
 */
import packaged from "@jitl/quickjs-ng-wasmfile-release-sync";
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";

/** What of the package's loader is used here. */
type EngineLoader = (options: { locateFile(name: string, folder: string): string }) => Promise<unknown>;

/** 64 KiB each; with fewer at the start the engine does not load. */
const FIRST_PAGES = 256;
const PAGES_A_MIB = 16;

// The types of the package are those of its CommonJS twin, where the default export is a member.
const variant = packaged as unknown as QuickJSSyncVariant;

let compiled: Promise<WebAssembly.Module> | undefined;

/** The code of the engine. Reads a file of its package. */
export async function engineBytes(): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await variant.importModuleLoader();
  const load = (
    typeof imported === "function" ? imported : (imported as { default: unknown }).default
  ) as EngineLoader;
  let path = "";
  const found = new Error("found");
  try {
    // The package knows where its file lies, in whichever cache; it is asked, then stopped.
    await load(
      {
        locateFile(name: string, folder: string): string {
          path = folder + name;
          throw found;
        },
      },
    );
  } catch (error) {
    if (error !== found) throw error;
  }
  return await Deno.readFile(path.startsWith("file:") ? new URL(path) : path);
}

/** Gives the engine's code to a process that may not read files, before its first {@linkcode newEngine}. */
export function provideEngine(bytes: Uint8Array<ArrayBuffer>): void {
  compiled ??= WebAssembly.compile(bytes);
}

/**
 * A fresh instance.
 *
 * @param memory What it may grow to, in MiB: the engine's own limit bounds one allocation, not their sum.
 */
export async function newEngine(memory: number): Promise<QuickJSWASMModule> {
  compiled ??= engineBytes().then((bytes) => WebAssembly.compile(bytes));
  const wasmMemory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: memory * PAGES_A_MIB });
  return await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule: await compiled, wasmMemory }));
}

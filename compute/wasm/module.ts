/**
 * A module of WebAssembly around functions: it imports a shared memory and exports its last function as `run`.
 *
 * @module
 */
import type { FunctionBuilder } from "./function.ts";
import { TYPE, unsigned } from "./opcodes.ts";

/** Most pages of 64 KiB that the imported memory may grow to: all that 32-bit addresses reach. */
export const MOST_PAGES = 65536;

/** The parameters of `run`, all i32: first and last piece of work, address of the arguments, number of the thread. */
export const RUN_PARAMETERS = 4;

/**
 * The bytes of a module (WebAssembly 2.0 §5.5).
 *
 * @param functions By index; they call one another by it.
 */
export function encodeModule(functions: readonly FunctionBuilder[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [0x60, ...vector(parameters.map(() => [TYPE.i32])), 0]);
  const shared = 3;
  const memory = [...text("e"), ...text("m"), 2, shared, ...unsigned(1), ...unsigned(MOST_PAGES)];
  const bytes = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const section = (id: number, content: readonly number[]): void => {
    bytes.push(id, ...unsigned(content.length));
    for (const byte of content) bytes.push(byte);
  };
  section(1, vector(types));
  section(2, vector([memory]));
  section(3, vector(functions.map((_, index) => unsigned(index))));
  section(7, vector([[...text("run"), 0, ...unsigned(functions.length - 1)]]));
  section(10, vector(functions.map((one) => one.encode())));
  return new Uint8Array(bytes);
}

function vector(items: readonly (readonly number[])[]): number[] {
  const bytes = unsigned(items.length);
  for (const item of items) for (const byte of item) bytes.push(byte);
  return bytes;
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
}

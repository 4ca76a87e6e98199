/**
 * What a kernel is called with, in memory: the addresses of its buffers, the output first, and then the kernel's words.
 *
 * @module
 */
import type { FunctionBuilder, Local } from "./function.ts";

/** Reads arguments of the function that is built. */
export class Arguments {
  readonly #code: FunctionBuilder;
  readonly #address: Local;
  readonly #buffers: number;

  /** The arguments of a kernel with so many buffers, at an address. */
  constructor(code: FunctionBuilder, address: Local, buffers: number) {
    this.#code = code;
    this.#address = address;
    this.#buffers = buffers;
  }

  /** Pushes the address of a buffer; 0 is the output. */
  buffer(index: number): void {
    this.#code.get(this.#address);
    this.#code.memory("i32.load", 4 * index);
  }

  /** Pushes a word. */
  word(index: number): void {
    this.#code.get(this.#address);
    this.#code.memory("i32.load", 4 * (this.#buffers + index));
  }

  /** Pushes a word in each of four lanes. */
  splat(index: number): void {
    this.#code.get(this.#address);
    this.#code.memory("v128.load32_splat", 4 * (this.#buffers + index));
  }

  /** A new local that holds a word. */
  held(index: number): Local {
    const local = this.#code.local("i32");
    this.word(index);
    this.#code.set(local);
    return local;
  }
}

/**
 * Adds to an address what the place in a list of dims makes: `place` is a number in row-major order and is used up.
 *
 * @param extent Word of the first extent.
 * @param stride Word of the first stride.
 * @param dims How many dims.
 */
export function addPlace(
  code: FunctionBuilder,
  args: Arguments,
  place: Local,
  dims: number,
  extent: number,
  targets: readonly { readonly address: Local; readonly stride: number }[],
): void {
  const quotient = code.local("i32");
  const index = code.local("i32");
  for (let dim = dims - 1; dim >= 0; dim--) {
    if (dim === 0) {
      code.get(place);
      code.set(index);
    } else {
      code.get(place);
      args.word(extent + dim);
      code.op("i32.div_u");
      code.set(quotient);
      code.get(place);
      code.get(quotient);
      args.word(extent + dim);
      code.op("i32.mul", "i32.sub");
      code.set(index);
      code.get(quotient);
      code.set(place);
    }
    for (const { address, stride } of targets) {
      code.get(address);
      code.get(index);
      args.word(stride + dim);
      code.op("i32.mul");
      code.i32(2);
      code.op("i32.shl", "i32.add");
      code.set(address);
    }
  }
}

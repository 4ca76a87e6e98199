/**
 * Threads over one shared memory: the launching one works too, and nobody waits for a worker that has not begun.
 *
 * @module
 */
import { ARGUMENTS, CLOSED, PAGE, type Run, WORD, work } from "./control.ts";
import type { Helper } from "./worker.ts";

/** A kernel that can run on several threads. */
export interface Kernel {
  /** Its number, which no other has. */
  readonly id: number;
  /** Compiled, for this thread. */
  readonly run: Run;
  /** Where its module lies in the memory. */
  readonly address: number;
  /** Bytes of it. */
  readonly length: number;
}

/** This thread and its helpers. */
export class Threads implements Disposable {
  /** How many there are, this one included. */
  readonly count: number;
  readonly #control: Int32Array;
  readonly #memory: WebAssembly.Memory;
  readonly #workers: Worker[] = [];

  /** Starts `count − 1` helpers. */
  constructor(memory: WebAssembly.Memory, count: number) {
    this.count = count;
    this.#memory = memory;
    this.#control = new Int32Array(memory.buffer);
    this.#control[WORD.gate] = CLOSED;
    for (let thread = 1; thread < count; thread++) {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      // One that cannot load, for want of a permission, is one that never helps.
      worker.onerror = (event) => event.preventDefault();
      worker.postMessage({ memory, thread } satisfies Helper);
      this.#workers.push(worker);
    }
  }

  /**
   * Runs a kernel to its end.
   *
   * @param args Its arguments.
   * @param items How many pieces of work there are.
   * @param stride How many are taken at a time; where that is all of them, this thread works alone.
   */
  run(kernel: Kernel, args: readonly number[], items: number, stride: number): void {
    const control = this.#control;
    new Uint32Array(this.#memory.buffer, ARGUMENTS, args.length).set(args);
    if (stride >= items || this.count === 1) return kernel.run(0, items, ARGUMENTS, 0);
    control[WORD.next] = 0;
    control[WORD.stride] = stride;
    control[WORD.items] = items;
    control[WORD.kernel] = kernel.id;
    control[WORD.address] = kernel.address;
    control[WORD.length] = kernel.length;
    control[WORD.failed] = 0;
    control[WORD.pages] = this.#memory.buffer.byteLength / PAGE;
    Atomics.store(control, WORD.gate, 0);
    Atomics.add(control, WORD.generation, 1);
    Atomics.notify(control, WORD.generation);
    try {
      work(control, kernel.run, 0);
    } finally {
      for (;;) {
        const inside = Atomics.compareExchange(control, WORD.gate, 0, CLOSED);
        if (inside === 0) break;
        Atomics.wait(control, WORD.gate, inside);
      }
    }
    if (control[WORD.failed] !== 0) throw new Error("a helping thread failed");
  }

  /** Ends the helpers. */
  [Symbol.dispose](): void {
    Atomics.store(this.#control, WORD.stop, 1);
    Atomics.add(this.#control, WORD.generation, 1);
    Atomics.notify(this.#control, WORD.generation);
    for (const worker of this.#workers.splice(0)) worker.terminate();
  }
}

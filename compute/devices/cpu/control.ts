/**
 * The first bytes of the shared memory, through which threads share out a kernel.
 *
 * The thread that launches writes the job while the gate is closed, opens it, and wakes the workers. Each worker that comes
 * in time passes the gate, takes piece after piece, and leaves. When no piece is left and nobody is inside, the gate
 * closes again: a worker that comes late, or not at all, is never waited for.
 *
 * @module
 */

/** Words of the control block. */
export const WORD = {
  /** Counts jobs; workers wait for it to change. */
  generation: 0,
  /** How many workers are inside, or {@linkcode CLOSED}. */
  gate: 1,
  /** First piece that nobody has taken. */
  next: 2,
  /** Pieces taken at a time. */
  stride: 3,
  /** How many pieces there are. */
  items: 4,
  /** Number of the kernel. */
  kernel: 5,
  /** Where its module lies. */
  address: 6,
  /** Bytes of its module. */
  length: 7,
  /** Not 0: workers end. */
  stop: 8,
  /** Not 0: a worker failed. */
  failed: 9,
  /** Pages of the memory. */
  pages: 10,
} as const;
/** Value of the gate when no worker may pass. */
export const CLOSED = -1;
/** Address of the arguments of a kernel. */
export const ARGUMENTS = 256;
/** First address behind the control block. */
export const HEAP = 4096;

/** Bytes of a page. */
export const PAGE = 65536;

/** The entry of a kernel's module. */
export type Run = (first: number, last: number, args: number, thread: number) => void;

/** A module as a function. */
export function instantiate(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Run {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { m: memory } });
  return instance.exports.run as Run;
}

/** Takes pieces until none is left. */
export function work(control: Int32Array, run: Run, thread: number): void {
  const stride = control[WORD.stride];
  const items = control[WORD.items] >>> 0;
  for (;;) {
    const first = Atomics.add(control, WORD.next, stride) >>> 0;
    if (first >= items) return;
    run(first, Math.min(first + stride, items), ARGUMENTS, thread);
  }
}

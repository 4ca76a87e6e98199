/**
 * A thread that helps with kernels. It is told the memory once and then waits in it; it ends when told so there.
 *
 * @module
 */
import { CLOSED, instantiate, PAGE, type Run, WORD, work } from "./control.ts";

/** What a worker is told. */
export interface Helper {
  /** The shared memory. */
  readonly memory: WebAssembly.Memory;
  /** Its number, from 1. */
  readonly thread: number;
}

/** Most kernels that a thread keeps compiled. */
const MOST_KERNELS = 512;

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Helper>) => void) | null;
  close(): void;
};
scope.onmessage = ({ data }) => {
  help(data);
  scope.close();
};

function help({ memory, thread }: Helper): void {
  const control = new Int32Array(memory.buffer);
  const kernels = new Map<number, Run>();
  let seen = 0;
  while (control[WORD.stop] === 0) {
    Atomics.wait(control, WORD.generation, seen);
    seen = Atomics.load(control, WORD.generation);
    if (Atomics.load(control, WORD.stop) !== 0) return;
    if (!pass(control)) continue;
    try {
      // A thread may not have noticed yet that another grew the memory; asking for no more makes it look.
      if (memory.buffer.byteLength < control[WORD.pages] * PAGE) memory.grow(0);
      work(control, kernel(control, memory, kernels), thread);
    } catch {
      Atomics.store(control, WORD.failed, 1);
    } finally {
      Atomics.sub(control, WORD.gate, 1);
      Atomics.notify(control, WORD.gate);
    }
  }
}

/** Goes in, if the gate is open. */
function pass(control: Int32Array): boolean {
  for (;;) {
    const inside = Atomics.load(control, WORD.gate);
    if (inside === CLOSED) return false;
    if (Atomics.compareExchange(control, WORD.gate, inside, inside + 1) === inside) return true;
  }
}

function kernel(control: Int32Array, memory: WebAssembly.Memory, kernels: Map<number, Run>): Run {
  const id = control[WORD.kernel];
  let run = kernels.get(id);
  if (run === undefined) {
    const [address, length] = [control[WORD.address] >>> 0, control[WORD.length]];
    run = instantiate(new Uint8Array(memory.buffer, address, length).slice() as Uint8Array<ArrayBuffer>, memory);
    if (kernels.size >= MOST_KERNELS) kernels.delete(kernels.keys().next().value!);
    kernels.set(id, run);
  }
  return run;
}

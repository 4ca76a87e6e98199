/**
 * Remembers whose packet the engine is working on, and that it is getting on, where another process can read it.
 *
 * A native call that never returns cannot report anything. So the remote's address is written into memory that is shared
 * with the node before quiche is called, and the node reads it after the engine's end. A count of the turns of the
 * engine's loop lies beside it: a sign of life that no queue delays.
 *
 * ```text
 * 0   length of the address, 0 for none
 * 1   address as text
 * 96  turns, modulo 2^32 (u32, native byte order)
 * ```
 *
 * @module
 */
import type { SocketAddress } from "../../../handler/connection.ts";

/** Size of the part that holds the address, in bytes: the longest IPv6 address with a zone fits. */
const ADDRESS_SIZE = 96;
/** Size of the record, in bytes. */
export const RECORD_SIZE = ADDRESS_SIZE + 4;

/** Writes the record. */
export class FlightRecorder {
  readonly #memory: Uint8Array;
  readonly #turns: Uint32Array;
  #last: SocketAddress | undefined;

  /** @param memory Shared memory of at least {@linkcode RECORD_SIZE} bytes, at a multiple of four. */
  constructor(memory: Uint8Array<ArrayBuffer>) {
    this.#memory = memory;
    this.#turns = turnsIn(memory);
  }

  /** Work for this remote begins. Costs a comparison when it is the same as before. */
  enter(remote: SocketAddress): void {
    if (remote === this.#last) return;
    this.#last = remote;
    const { read, written } = new TextEncoder().encodeInto(remote.hostname, this.#memory.subarray(1, ADDRESS_SIZE));
    this.#memory[0] = read === remote.hostname.length ? written : 0;
  }

  /** Work is over; nobody is to blame for what follows. */
  leave(): void {
    if (this.#last) this.#memory[0] = 0;
    this.#last = undefined;
  }

  /** Another turn of the loop begins. */
  turn(): void {
    Atomics.add(this.#turns, 0, 1);
  }
}

/** The address in a record, if work was under way. */
export function readRecord(bytes: Uint8Array): string | undefined {
  const length = bytes[0] ?? 0;
  return length === 0 || length >= ADDRESS_SIZE ? undefined : new TextDecoder().decode(bytes.slice(1, 1 + length));
}

/** The count of turns in a record. */
export function readTurns(memory: Uint8Array<ArrayBuffer>): number {
  return Atomics.load(turnsIn(memory), 0);
}

function turnsIn(memory: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(memory.buffer, memory.byteOffset + ADDRESS_SIZE, 1);
}

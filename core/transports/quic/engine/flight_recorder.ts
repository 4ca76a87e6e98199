/**
 * Remembers whose packet the engine is working on, where another process can read it.
 *
 * A native call that never returns cannot report anything. So the remote's address is written into memory that is mapped
 * from a file before quiche is called, and the supervisor reads the file after it has killed the engine.
 *
 * Layout: one byte length, then the address as text.
 *
 * @module
 */
import type { SocketAddress } from "../../../handler/connection.ts";

/** Size of the file, in bytes: the longest IPv6 address with a zone fits. */
export const RECORD_SIZE = 96;

/** Writes the record. */
export class FlightRecorder {
  readonly #memory: Uint8Array;
  #last: SocketAddress | undefined;

  /** @param memory Shared memory of at least {@linkcode RECORD_SIZE} bytes. */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
  }

  /** Work for this remote begins. Costs a comparison when it is the same as before. */
  enter(remote: SocketAddress): void {
    if (remote === this.#last) return;
    this.#last = remote;
    const { read, written } = new TextEncoder().encodeInto(remote.hostname, this.#memory.subarray(1, RECORD_SIZE));
    this.#memory[0] = read === remote.hostname.length ? written : 0;
  }

  /** Work is over; nobody is to blame for what follows. */
  leave(): void {
    if (this.#last) this.#memory[0] = 0;
    this.#last = undefined;
  }
}

/** The address in a record, if work was under way. */
export function readRecord(bytes: Uint8Array): string | undefined {
  const length = bytes[0] ?? 0;
  return length === 0 || length >= RECORD_SIZE ? undefined : new TextDecoder().decode(bytes.subarray(1, 1 + length));
}

/**
 * Memory that a node and its engine share, so that bulk data crosses from one to the other in a single copy.
 *
 * A ring for each direction: one side puts payloads in, the frame that announces each travels over the socket and says
 * where it lies, and the other side gives the room back in the order of the frames. The socket orders the two sides'
 * accesses; the one number that both touch without it is how far the reader has come.
 *
 * Positions count the bytes ever put in, modulo 2^32. Layout of a ring: 4 bytes position up to which the reader is done
 * (u32, native byte order), 60 bytes nothing, {@linkcode RING_SIZE} bytes of payloads.
 *
 * @module
 */

/** Bytes of payloads in a ring; a power of two. Small enough to stay in a processor's cache. */
export const RING_SIZE = 2 * 1024 * 1024;
/** A cache line, so that the counter shares none with the payloads. */
const COUNTER_SIZE = 64;
/** Memory for both directions, in bytes. */
export const SHARED_SIZE = 2 * (COUNTER_SIZE + RING_SIZE);
/** Payloads shorter than this cost less in the frame itself. */
export const MIN_SHARED = 4096;

/** A ring for each direction. */
export interface SharedRings {
  /** Where this side puts payloads. */
  readonly out: RingWriter;
  /** Where the other side's payloads are. */
  readonly in: RingReader;
}

/**
 * The rings in shared memory.
 *
 * @param memory {@linkcode SHARED_SIZE} bytes, zeros at first.
 * @param side Whose rings: each writes where the other reads.
 */
export function ringsOf(memory: Uint8Array<ArrayBuffer>, side: "node" | "engine"): SharedRings {
  const [first, second] = [memory.subarray(0, SHARED_SIZE / 2), memory.subarray(SHARED_SIZE / 2, SHARED_SIZE)];
  const [out, into] = side === "node" ? [first, second] : [second, first];
  return { out: new RingWriter(out), in: new RingReader(into) };
}

/** The side that puts payloads in. */
export class RingWriter {
  readonly #done: Uint32Array;
  readonly #bytes: Uint8Array;
  #head = 0;

  /** @param memory One ring. */
  constructor(memory: Uint8Array<ArrayBuffer>) {
    [this.#done, this.#bytes] = partsOf(memory);
  }

  /** Copies a payload in. Returns its position, or -1 where there is no room now. */
  put(payload: Uint8Array): number {
    const length = payload.byteLength;
    const at = this.#head % RING_SIZE;
    // A payload lies in one piece: what is left at the end of the memory is passed over.
    const passed = at + length > RING_SIZE ? RING_SIZE - at : 0;
    const used = (this.#head - Atomics.load(this.#done, 0)) >>> 0;
    if (used + passed + length > RING_SIZE) return -1;
    const position = (this.#head + passed) >>> 0;
    this.#bytes.set(payload, position % RING_SIZE);
    this.#head = (position + length) >>> 0;
    return position;
  }
}

/** The side that reads payloads. */
export class RingReader {
  readonly #done: Uint32Array;
  readonly #bytes: Uint8Array;

  /** @param memory One ring. */
  constructor(memory: Uint8Array<ArrayBuffer>) {
    [this.#done, this.#bytes] = partsOf(memory);
  }

  /**
   * The payload at a position. Valid until it is given back.
   *
   * @throws {RangeError} It would lie outside of the ring.
   */
  view(position: number, length: number): Uint8Array {
    const at = position % RING_SIZE;
    if (at + length > RING_SIZE) throw new RangeError(`${length} bytes at ${at} lie outside of the shared memory`);
    return this.#bytes.subarray(at, at + length);
  }

  /** Gives back the room of a payload, and of all before it. */
  release(position: number, length: number): void {
    Atomics.store(this.#done, 0, position + length);
  }
}

function partsOf(memory: Uint8Array<ArrayBuffer>): [Uint32Array, Uint8Array] {
  return [
    new Uint32Array(memory.buffer, memory.byteOffset, 1),
    memory.subarray(COUNTER_SIZE, COUNTER_SIZE + RING_SIZE),
  ];
}

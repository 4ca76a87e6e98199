/**
 * Memory that the kernel reads and writes, and the arrays of structures that system calls take. They are laid out for
 * 64-bit little-endian Linux.
 *
 * Addresses are plain numbers: user space ends at 2^48, below `Number.MAX_SAFE_INTEGER`.
 *
 * @module
 */

/** Bytes at a fixed address, for the kernel to read and write. They stay in place as long as the object is referenced. */
export class Memory {
  /** The bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same bytes, for numbers. */
  readonly view: DataView<ArrayBuffer>;
  /** Where they are, as calls take it. */
  readonly pointer: Deno.PointerValue;
  /** Where they are, as structures hold it. */
  readonly address: number;

  /** @param size Bytes; they start out as zeros. */
  constructor(size: number) {
    // From an explicit ArrayBuffer: V8 keeps the content of small bare typed arrays on its heap, where it moves.
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.pointer = Deno.UnsafePointer.of(buffer);
    this.address = Number(Deno.UnsafePointer.value(this.pointer));
  }

  /** A copy of `text` in UTF-8 with the zero that C expects at its end. */
  static string(text: string): Memory {
    const encoded = new TextEncoder().encode(text);
    const memory = new Memory(encoded.length + 1);
    memory.bytes.set(encoded);
    return memory;
  }
}

/** Descriptors to wait for: an array of `struct pollfd { int fd @0; short events @4; short revents @6; }`. */
export class PollSet {
  /** The array. */
  readonly memory: Memory;
  /** Entries of the array. */
  readonly length: number;

  /** @param length Entries; all are ignored until set. */
  constructor(length: number) {
    this.length = length;
    this.memory = new Memory(length * 8);
    for (let index = 0; index < length; index++) this.set(index, -1, 0);
  }

  /** Waits for `events` (see {@linkcode Poll}) on `fd` in entry `index`; a negative `fd` is ignored by the kernel. */
  set(index: number, fd: number, events: number): void {
    this.memory.view.setInt32(index * 8, fd, true);
    this.memory.view.setInt16(index * 8 + 4, events, true);
  }

  /** What happened on entry `index` in the last poll; errors and hang-ups are told unasked. */
  ready(index: number): number {
    return this.memory.view.getInt16(index * 8 + 6, true);
  }
}

/** Pieces of memory to write in one call: an array of `struct iovec { void *base @0; size_t length @8; }`. */
export class IoVector {
  /** The array. */
  readonly memory: Memory;

  /** @param length Entries, at most 1024 (`IOV_MAX`). */
  constructor(length: number) {
    this.memory = new Memory(length * 16);
  }

  /** Entry `index` becomes `length` bytes at `address`. */
  set(index: number, address: number, length: number): void {
    setAddress(this.memory.view, index * 16, address);
    this.memory.view.setUint32(index * 16 + 8, length, true);
  }
}

/** Writes a pointer or `size_t` into a structure, without a BigInt. */
export function setAddress(view: DataView, offset: number, address: number): void {
  view.setUint32(offset, address % 0x1_0000_0000, true);
  view.setUint32(offset + 4, Math.floor(address / 0x1_0000_0000), true);
}

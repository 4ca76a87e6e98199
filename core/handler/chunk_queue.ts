/**
 * Bytes that wait, in the pieces in which they came, but for small ones, which are joined.
 *
 * A peer chooses how it cuts what it sends, and an array costs some hundred bytes whatever it holds. So a queue of
 * pieces costs what its bytes cost only if small pieces share arrays: all but the first of a run of them do.
 *
 * @module
 */

/** Pieces shorter than this are joined to their neighbours; also the largest size of the arrays that they share. */
const JOINED = 4096;
/** First size of such an array; it doubles. */
const FIRST = 256;

/** A queue of bytes. */
export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  /** Pieces before this one were taken. */
  #head = 0;
  #bytes = 0;
  /** Bytes of the last array that are in use, when small pieces may still join it; else -1. */
  #tail = -1;

  /** Bytes that wait. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Arrays that wait, which is what memory depends on. */
  get pieces(): number {
    return this.#chunks.length - this.#head;
  }

  /**
   * Adds bytes.
   *
   * @param bytes Copied, unless `keep`.
   * @param keep Whether the array is the queue's from now on.
   */
  push(bytes: Uint8Array, keep = false): void {
    const { byteLength } = bytes;
    if (byteLength === 0) return;
    this.#bytes += byteLength;
    const last = this.#chunks.length - 1;
    if (byteLength >= JOINED || last < this.#head) return this.#append(bytes, keep);
    const { buffer, byteOffset } = this.#chunks[last];
    if (this.#tail < 0 || this.#tail + byteLength > buffer.byteLength) return this.#share(bytes);
    new Uint8Array(buffer, this.#tail, byteLength).set(bytes);
    this.#tail += byteLength;
    this.#chunks[last] = new Uint8Array(buffer, byteOffset, this.#tail - byteOffset);
  }

  /** The first piece; nothing when the queue is empty. */
  peek(): Uint8Array | undefined {
    return this.#chunks[this.#head];
  }

  /** Takes the first piece. */
  shift(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#head];
    if (chunk) this.#drop(chunk.byteLength);
    return chunk;
  }

  /** Takes the first piece, and those behind it that fit into `most` bytes together with it, as one. */
  take(most: number): Uint8Array | undefined {
    let [end, bytes] = [this.#head, 0];
    while (end < this.#chunks.length && bytes + this.#chunks[end].byteLength <= most) {
      bytes += this.#chunks[end++].byteLength;
    }
    if (end - this.#head < 2) return this.shift();
    const joined = new Uint8Array(bytes);
    for (let at = 0; at < bytes;) {
      const chunk = this.shift()!;
      joined.set(chunk, at);
      at += chunk.byteLength;
    }
    return joined;
  }

  /** Takes bytes of the first piece; at most all of it. */
  skip(count: number): void {
    const chunk = this.#chunks[this.#head];
    if (!chunk || count === 0) return;
    if (count >= chunk.byteLength) return this.#drop(chunk.byteLength);
    this.#chunks[this.#head] = chunk.subarray(count);
    this.#bytes -= count;
  }

  /** Drops all. Returns how many bytes that were. */
  clear(): number {
    const bytes = this.#bytes;
    this.#chunks = [];
    this.#head = this.#bytes = 0;
    this.#tail = -1;
    return bytes;
  }

  #append(bytes: Uint8Array, keep: boolean): void {
    this.#chunks.push(keep ? bytes : bytes.slice());
    this.#tail = -1;
  }

  /** Begins an array for small pieces; what waits in the last one moves in, as long as there is room for both. */
  #share(bytes: Uint8Array): void {
    const last = this.#chunks[this.#chunks.length - 1];
    const joins = last.byteLength + bytes.byteLength <= JOINED;
    const at = joins ? last.byteLength : 0;
    const shared = new Uint8Array(Math.min(JOINED, Math.max(FIRST, 2 * (at + bytes.byteLength))));
    if (joins) {
      shared.set(last);
      this.#chunks.pop();
    }
    shared.set(bytes, at);
    this.#tail = at + bytes.byteLength;
    this.#chunks.push(shared.subarray(0, this.#tail));
  }

  #drop(byteLength: number): void {
    this.#bytes -= byteLength;
    this.#head++;
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = this.#head = 0;
      this.#tail = -1;
    } else if (this.#head >= 64 && 2 * this.#head >= this.#chunks.length) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

/**
 * Packets out of a stream of bytes, whatever pieces it comes in (draft-ietf-secsh-filexfer-02 §3).
 *
 * @module
 */
import { MalformedPacketError } from "./malformed.ts";
import { MAX_PACKET } from "./numbers.ts";

const LENGTH = 4;

/**
 * Reads packets: `uint32 length`, then as many bytes, of which the first is the type. What lies in one chunk as a whole is
 * not copied: the packet is a view of it.
 */
export class PacketReader {
  readonly #most: number;
  readonly #head = new Uint8Array(LENGTH);
  #headed = 0;
  #body: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  /** @param most Bytes of a packet at most, its length left out. */
  constructor(most: number = MAX_PACKET) {
    this.#most = most;
  }

  /**
   * The packets that a chunk completes, from their type on.
   *
   * @throws {MalformedPacketError} A packet is empty or too long. Nothing can be read after it.
   */
  *read(chunk: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < chunk.length;) {
      if (!this.#body) {
        while (this.#headed < LENGTH && at < chunk.length) this.#head[this.#headed++] = chunk[at++];
        if (this.#headed < LENGTH) return;
        const length = this.#length();
        this.#headed = 0;
        if (chunk.length - at >= length) {
          yield chunk.subarray(at, at += length);
          continue;
        }
        this.#body = new Uint8Array(length);
        this.#filled = 0;
      }
      const part = chunk.subarray(at, at + this.#body.length - this.#filled);
      this.#body.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#body.length) return;
      const whole = this.#body;
      this.#body = undefined;
      yield whole;
    }
  }

  #length(): number {
    const length = new DataView(this.#head.buffer).getUint32(0);
    if (length >= 1 && length <= this.#most) return length;
    throw new MalformedPacketError(`a packet of ${length} bytes: 1 to ${this.#most} may come`);
  }
}

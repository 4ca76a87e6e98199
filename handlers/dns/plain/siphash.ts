/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a short keyed sum, as server cookies have it (RFC 9018 §4.4).
 *
 * @module
 */
/** Eight bytes over a message, by a key of 16 bytes. */
export function siphash24(key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = new State(key);
  const whole = message.byteLength & ~7;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  for (let at = 0; at < whole; at += 8) state.take(view.getUint32(at, true), view.getUint32(at + 4, true));
  const last = new Uint8Array(8);
  last.set(message.subarray(whole));
  last[7] = message.byteLength;
  const tail = new DataView(last.buffer);
  state.take(tail.getUint32(0, true), tail.getUint32(4, true));
  return state.end();
}

/** Four words of 64 bits, each as two halves: low, high. */
class State {
  readonly #v = new Uint32Array(8);

  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16);
    const k = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
    this.#v.set([
      ...[k[0] ^ 0x70736575, k[1] ^ 0x736f6d65],
      ...[k[2] ^ 0x6e646f6d, k[3] ^ 0x646f7261],
      ...[k[0] ^ 0x6e657261, k[1] ^ 0x6c796765],
      ...[k[2] ^ 0x79746573, k[3] ^ 0x74656462],
    ]);
  }

  take(low: number, high: number): void {
    const v = this.#v;
    v[6] ^= low;
    v[7] ^= high;
    this.#round();
    this.#round();
    v[0] ^= low;
    v[1] ^= high;
  }

  end(): Uint8Array<ArrayBuffer> {
    const v = this.#v;
    v[4] ^= 0xff;
    for (let round = 0; round < 4; round++) this.#round();
    const sum = new Uint8Array(8);
    const view = new DataView(sum.buffer);
    view.setUint32(0, v[0] ^ v[2] ^ v[4] ^ v[6], true);
    view.setUint32(4, v[1] ^ v[3] ^ v[5] ^ v[7], true);
    return sum;
  }

  #round(): void {
    this.#add(0, 2);
    this.#rotate(2, 13);
    this.#xor(2, 0);
    this.#rotate(0, 32);
    this.#add(4, 6);
    this.#rotate(6, 16);
    this.#xor(6, 4);
    this.#add(0, 6);
    this.#rotate(6, 21);
    this.#xor(6, 0);
    this.#add(4, 2);
    this.#rotate(2, 17);
    this.#xor(2, 4);
    this.#rotate(4, 32);
  }

  #add(to: number, from: number): void {
    const v = this.#v;
    const low = v[to] + v[from];
    v[to] = low;
    v[to + 1] += v[from + 1] + (low > 0xffffffff ? 1 : 0);
  }

  #xor(to: number, from: number): void {
    this.#v[to] ^= this.#v[from];
    this.#v[to + 1] ^= this.#v[from + 1];
  }

  #rotate(word: number, bits: number): void {
    const v = this.#v;
    const [low, high] = [v[word], v[word + 1]];
    if (bits === 32) {
      v[word] = high;
      v[word + 1] = low;
      return;
    }
    v[word] = low << bits | high >>> (32 - bits);
    v[word + 1] = high << bits | low >>> (32 - bits);
  }
}

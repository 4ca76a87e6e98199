/**
 * The index of a pack, version 2 (gitformat-pack, "Version 2 pack-*.idx files").
 *
 * ```text
 * ff 74 4f 63 00000002   fan-out 256 * 4   object ids n * 20   CRC-32 n * 4   offsets n * 4
 * offsets beyond 2^31 m * 8   SHA-1 of the pack   SHA-1 of the index
 * ```
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import { type Oid, OID_BYTES } from "../objects/oid.ts";
import { type EntryOrder, entryOrder } from "./order/entry_order.ts";

const MAGIC = 0xff744f63;
const FAN_OUT = 8;
const OIDS = FAN_OUT + 256 * 4;

/** Which objects a pack has, and where. The bytes stay as they are; a position is the rank of an object id. */
export class PackIndex {
  /** Objects. */
  readonly count: number;
  /** SHA-1 of the pack, its last 20 bytes. */
  readonly packHash: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #packSize: number;
  readonly #reverse?: () => Uint8Array | undefined;
  #order?: EntryOrder;

  /**
   * @param bytes The whole file.
   * @param packSize Bytes of the pack.
   * @param reverse Reads the file that says in what order entries stand, if there is one.
   * @throws {AlknetError} `GIT_CORRUPT`: it is no index of version 2, or of no such pack.
   */
  constructor(bytes: Uint8Array, packSize: number, reverse?: () => Uint8Array | undefined) {
    this.#bytes = bytes;
    this.#reverse = reverse;
    this.#packSize = packSize;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength < OIDS + 40 || this.#view.getUint32(0) !== MAGIC || this.#view.getUint32(4) !== 2) {
      throw corrupt("a pack's index is none of version 2");
    }
    this.count = this.#view.getUint32(OIDS - 4);
    const least = OIDS + this.count * (OID_BYTES + 8) + 40;
    const extra = bytes.byteLength - least;
    let before = 0;
    let rises = true;
    for (let i = 0; i < 256; i++) {
      const now = this.#view.getUint32(FAN_OUT + i * 4);
      rises &&= now >= before;
      before = now;
    }
    if (!rises || extra < 0 || extra % 8 !== 0) throw corrupt("a pack's index is not as long as it says");
    this.packHash = bytes.subarray(bytes.byteLength - 40, bytes.byteLength - 20).toHex();
  }

  /** The position of an object, or -1. */
  find(oid: Oid): number {
    const word = parseInt(oid.slice(0, 8), 16);
    const first = word >>> 24;
    let low = first === 0 ? 0 : this.#view.getUint32(FAN_OUT + (first - 1) * 4);
    let high = this.#view.getUint32(FAN_OUT + first * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#view.getUint32(OIDS + middle * OID_BYTES);
      const order = there === word ? compare(this.oidAt(middle), oid) : there - word;
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  /** Objects whose ids begin so, in order; `prefix` has at least two digits. */
  *startingWith(prefix: string, most: number): Generator<Oid> {
    const first = parseInt(prefix.slice(0, 2), 16);
    const end = this.#view.getUint32(FAN_OUT + first * 4);
    let low = first === 0 ? 0 : this.#view.getUint32(FAN_OUT + (first - 1) * 4);
    for (let high = end; low < high;) {
      const middle = (low + high) >>> 1;
      if (this.oidAt(middle) < prefix) low = middle + 1;
      else high = middle;
    }
    for (let at = low; at < end && at < low + most; at++) {
      const oid = this.oidAt(at);
      if (!oid.startsWith(prefix)) return;
      yield oid;
    }
  }

  /** The object at a position. */
  oidAt(position: number): Oid {
    const at = OIDS + position * OID_BYTES;
    return this.#bytes.subarray(at, at + OID_BYTES).toHex();
  }

  /** CRC-32 of the entry at a position, as it stands in the pack. */
  crcAt(position: number): number {
    return this.#view.getUint32(OIDS + this.count * OID_BYTES + position * 4);
  }

  /**
   * Where the entry of a position begins.
   *
   * @throws {AlknetError} `GIT_CORRUPT`: outside of the pack.
   */
  offsetAt(position: number): number {
    const table = OIDS + this.count * (OID_BYTES + 4);
    const short = this.#view.getUint32(table + position * 4);
    const at = table + this.count * 4 + (short & 0x7fffffff) * 8;
    if (short >= 0x80000000 && at + 8 > this.#bytes.byteLength - 40) throw corrupt("an offset is not there");
    const offset = short < 0x80000000 ? short : Number(this.#view.getBigUint64(at));
    if (offset < 12 || offset >= this.#packSize - 20) throw corrupt("an offset is outside of its pack");
    return offset;
  }

  /** Where the entry that begins at an offset ends. */
  endOf(offset: number): number {
    const { offsets } = this.#byOffset();
    const rank = rankOf(offsets, offset) + 1;
    return rank < offsets.length ? offsets[rank] : this.#packSize - 20;
  }

  /**
   * The position of the entry that begins at an offset.
   *
   * @throws {AlknetError} `GIT_CORRUPT`: none does.
   */
  positionOf(offset: number): number {
    const { offsets, positions } = this.#byOffset();
    const rank = rankOf(offsets, offset);
    if (offsets[rank] !== offset) throw corrupt("no entry begins where a delta has its base");
    return positions[rank];
  }

  /** Its entries, by offset. */
  get order(): EntryOrder {
    return this.#byOffset();
  }

  /** Positions whose bit is set, in the order of their entries in the pack: few of many cost what they are. */
  inPackOrder(bits: Uint8Array): Uint32Array {
    const set: number[] = [];
    for (let i = 0; i < bits.byteLength; i++) {
      for (let byte = bits[i]; byte !== 0; byte &= byte - 1) set.push(i * 8 + 31 - Math.clz32(byte & -byte));
    }
    if (set.length < this.count / 32) {
      return new Uint32Array(set.sort((a, b) => this.offsetAt(a) - this.offsetAt(b)));
    }
    return this.#byOffset().positions.filter((position) => bits[position >> 3] & (1 << (position & 7)));
  }

  #byOffset(): EntryOrder {
    const { count, packHash } = this;
    return this.#order ??= entryOrder(
      { count, packHash, offsetAt: (position) => this.offsetAt(position) },
      this.#reverse?.(),
    );
  }
}

/** The rank of a value among rising ones, or where it would stand. */
function rankOf(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Four compressions of BLAKE3 side by side, as a WebAssembly module: the words of four inputs lie in the lanes of one vector
 * (BLAKE3 §5.3). The module is written here, instruction by instruction, when it is first needed.
 *
 * @module
 */
import { IV } from "./compress.ts";

/** What the module exports. */
export interface SimdModule {
  /** One page: inputs and outputs. */
  readonly memory: WebAssembly.Memory;
  /**
   * Compresses the blocks of four inputs, one after another.
   *
   * @param from Where the first input begins; the others follow, each `stride` bytes after the one before.
   * @param blocks Of each input.
   * @param low Counter of the first input, its low and its high word; `step` is added for each further one. There is no carry.
   * @param first Flags of the first block alone; `all` of each; `last` of the last alone.
   * @param into Where the four chaining values go.
   */
  compress4(
    from: number,
    stride: number,
    blocks: number,
    low: number,
    high: number,
    step: number,
    first: number,
    all: number,
    last: number,
    into: number,
  ): void;
}

/** Makes the module. */
export function simdModule(): SimdModule {
  const module = new WebAssembly.Module(moduleBytes());
  return new WebAssembly.Instance(module).exports as unknown as SimdModule;
}

const [I32, V128] = [0x7f, 0x7b];
/** Parameters, and then the counter of blocks and the flags of one. */
const P = { from: 0, stride: 1, blocks: 2, low: 3, high: 4, step: 5, first: 6, all: 7, last: 8, into: 9 };
const [BLOCK_NUMBER, FLAGS] = [10, 11];
/** Vectors: the chaining values, the state, the message, counters and what is on its way. */
const VECTORS = 12;
const H = VECTORS;
const V = H + 8;
const M = V + 16;
const COUNTER_LOW = M + 16;
const COUNTER_HIGH = COUNTER_LOW + 1;
const T = COUNTER_HIGH + 1;
const VECTOR_COUNT = T + 4 - VECTORS;

const BLOCK = 64;
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const COLUMNS = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]];
const DIAGONALS = [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const constant = (value: number): number[] => [0x41, ...signed(value)];
const vector = (code: number, ...immediate: number[]): number[] => [0xfd, ...unsigned(code), ...immediate];
const LOAD = (offset: number): number[] => vector(0, 0, ...unsigned(offset));
const STORE = (offset: number): number[] => vector(11, 0, ...unsigned(offset));
const SPLAT = vector(17);
const ADD = vector(174);
const MULTIPLY = vector(181);
const XOR = vector(81);
const OR = vector(80);
const SHIFT_LEFT = vector(171);
const SHIFT_RIGHT = vector(173);
/** Words of two vectors, those of the second numbered from 4. */
const shuffle = (...words: number[]): number[] =>
  vector(13, ...words.flatMap((word) => [0, 1, 2, 3].map((i) => word * 4 + i)));
/** Each word turned right by whole bytes. */
const turnBytes = (bytes: number): number[] =>
  vector(13, ...Array.from({ length: 16 }, (_, i) => (i & ~3) + ((i + bytes) & 3)));

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const parameters = Object.keys(P).length;
  const type = [0x60, parameters, ...Array(parameters).fill(I32), 0];
  const body = [2, 2, I32, VECTOR_COUNT, V128, ...code(), 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, ...type]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("compress4"), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function code(): number[] {
  const lanes = vector(12, ...[0, 1, 2, 3].flatMap((lane) => [lane, 0, 0, 0]));
  return [
    ...Array.from(IV, (word, i) => [...constant(word), ...SPLAT, ...set(H + i)]).flat(),
    ...[...get(P.low), ...SPLAT, ...get(P.step), ...SPLAT, ...lanes, ...MULTIPLY, ...ADD, ...set(COUNTER_LOW)],
    ...[...get(P.high), ...SPLAT, ...set(COUNTER_HIGH)],
    // loop: at least one block.
    ...[0x03, 0x40],
    ...message(),
    ...flags(),
    ...state(),
    ...rounds(),
    ...Array.from({ length: 8 }, (_, i) => [...get(V + i), ...get(V + i + 8), ...XOR, ...set(H + i)]).flat(),
    ...[...get(P.from), ...constant(BLOCK), 0x6a, ...set(P.from)],
    // local.tee the number of the next block, and go on while it is below the count.
    ...[...get(BLOCK_NUMBER), ...constant(1), 0x6a, 0x22, BLOCK_NUMBER, ...get(P.blocks), 0x49, 0x0d, 0, 0x0b],
    ...output(),
  ];
}

/** The block of each input, so that a vector holds the same word of all four. */
function message(): number[] {
  const instructions: number[] = [];
  for (let quarter = 0; quarter < 4; quarter++) {
    for (let input = 0; input < 4; input++) {
      const address = [...get(P.from), ...get(P.stride), ...constant(input), 0x6c, 0x6a];
      instructions.push(...address, ...LOAD(quarter * 16), ...set(T + input));
    }
    instructions.push(...transposed([T, T + 1, T + 2, T + 3], [0, 1, 2, 3].map((i) => M + quarter * 4 + i)));
  }
  return instructions;
}

/** Four vectors of four words, rows to columns. The state is free to hold what is on its way. */
function transposed(rows: readonly number[], columns: readonly number[]): number[] {
  const pair = (a: number, b: number, words: readonly number[], into: number): number[] => [
    ...get(a),
    ...get(b),
    ...shuffle(...words),
    ...set(into),
  ];
  const [LOW, HIGH, FIRST, SECOND] = [[0, 4, 1, 5], [2, 6, 3, 7], [0, 1, 4, 5], [2, 3, 6, 7]];
  return [
    ...pair(rows[0], rows[1], LOW, V),
    ...pair(rows[2], rows[3], LOW, V + 1),
    ...pair(rows[0], rows[1], HIGH, V + 2),
    ...pair(rows[2], rows[3], HIGH, V + 3),
    ...pair(V, V + 1, FIRST, columns[0]),
    ...pair(V, V + 1, SECOND, columns[1]),
    ...pair(V + 2, V + 3, FIRST, columns[2]),
    ...pair(V + 2, V + 3, SECOND, columns[3]),
  ];
}

function flags(): number[] {
  const select = 0x1b;
  return [
    ...get(P.all),
    // Those of the first block, or none.
    ...[...get(P.first), ...constant(0), ...get(BLOCK_NUMBER), 0x45, select, 0x72],
    ...[
      ...get(P.last),
      ...constant(0),
      ...get(BLOCK_NUMBER),
      ...constant(1),
      0x6a,
      ...get(P.blocks),
      0x46,
      select,
      0x72,
    ],
    ...set(FLAGS),
  ];
}

function state(): number[] {
  return [
    ...Array.from({ length: 8 }, (_, i) => [...get(H + i), ...set(V + i)]).flat(),
    ...[0, 1, 2, 3].flatMap((i) => [...constant(IV[i]), ...SPLAT, ...set(V + 8 + i)]),
    ...[...get(COUNTER_LOW), ...set(V + 12), ...get(COUNTER_HIGH), ...set(V + 13)],
    ...[...constant(BLOCK), ...SPLAT, ...set(V + 14), ...get(FLAGS), ...SPLAT, ...set(V + 15)],
  ];
}

function rounds(): number[] {
  const instructions: number[] = [];
  let words = Array.from({ length: 16 }, (_, i) => i);
  for (let round = 0; round < 7; round++) {
    for (const [i, quarter] of [...COLUMNS, ...DIAGONALS].entries()) {
      instructions.push(...mix(quarter, M + words[2 * i], M + words[2 * i + 1]));
    }
    words = PERMUTATION.map((i) => words[i]);
  }
  return instructions;
}

/** The quarter round G (BLAKE3 §2.2). */
function mix(quarter: readonly number[], x: number, y: number): number[] {
  const [a, b, c, d] = quarter.map((i) => V + i);
  const add = (m: number): number[] => [...get(a), ...get(b), ...ADD, ...get(m), ...ADD, ...set(a)];
  const turnD = (
    bytes: number,
  ): number[] => [...get(d), ...get(a), ...XOR, ...set(d), ...get(d), ...get(d), ...turnBytes(bytes), ...set(d)];
  const turnB = (bits: number): number[] => [
    ...[...get(c), ...get(d), ...ADD, ...set(c), ...get(b), ...get(c), ...XOR, ...set(b)],
    ...[
      ...get(b),
      ...constant(bits),
      ...SHIFT_RIGHT,
      ...get(b),
      ...constant(32 - bits),
      ...SHIFT_LEFT,
      ...OR,
      ...set(b),
    ],
  ];
  return [...add(x), ...turnD(2), ...turnB(12), ...add(y), ...turnD(1), ...turnB(7)];
}

function output(): number[] {
  const half = (from: number, offset: number): number[] => [
    ...transposed([from, from + 1, from + 2, from + 3], [T, T + 1, T + 2, T + 3]),
    ...[0, 1, 2, 3].flatMap((i) => [...get(P.into), ...get(T + i), ...STORE(i * 32 + offset)]),
  ];
  return [...half(H, 0), ...half(H + 4, 16)];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push(value & 0x7f | 0x80);
  return [...bytes, value];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (; value < -64 || value > 63; value >>= 7) bytes.push(value & 0x7f | 0x80);
  return [...bytes, value & 0x7f];
}

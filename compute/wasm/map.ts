/**
 * Maps in WebAssembly: rows of the innermost dim, four elements at a time, with a partial last group.
 *
 * @module
 */
import type { MapSpec } from "../kernels/spec.ts";
import { addPlace, Arguments } from "./arguments.ts";
import { afterLoad, beforeStore, emit } from "./expression.ts";
import { FunctionBuilder, type Local } from "./function.ts";
import { encodeModule, RUN_PARAMETERS } from "./module.ts";

/** An operand while the function is built. */
interface Operand {
  readonly stepping: MapSpec["inputs"][number]["stepping"];
  readonly dtype: MapSpec["inputs"][number]["dtype"];
  /** Address of its element at the place, where it has one. */
  readonly address: Local;
  /** Bytes between neighbours, of a strided one. */
  readonly step: Local;
  /** The four elements. */
  readonly value: Local;
  /** Word of its offset, or of its value. */
  readonly word: number;
  readonly buffer: number;
}

/** The module of a map. Pieces of work are elements. */
export function renderMap(spec: MapSpec): Uint8Array<ArrayBuffer> {
  const { rank, inputs, body } = spec;
  const code = new FunctionBuilder(RUN_PARAMETERS);
  const [begin, end, at] = code.parameters;
  const buffers = 1 + inputs.filter(({ stepping }) => stepping !== "value" && stepping !== "place").length;
  const args = new Arguments(code, at, buffers);
  const operands = operandsOf(spec, code);
  const [row, column, length, quads, j, out] = ["i32", "i32", "i32", "i32", "i32", "i32"].map(() => code.local("i32"));
  const inner = args.held(2 + rank - 1);

  for (const { stepping, word, value, dtype } of operands) {
    if (stepping !== "value") continue;
    args.splat(word);
    afterLoad(code, dtype);
    code.set(value);
  }
  code.while(() => code.below(begin, end), () => {
    code.get(begin);
    code.get(inner);
    code.op("i32.div_u");
    code.set(row);
    code.get(begin);
    code.get(row);
    code.get(inner);
    code.op("i32.mul", "i32.sub");
    code.set(column);
    lesser(code, () => difference(code, inner, column), () => difference(code, end, begin), length);
    args.buffer(0);
    bytes(code, begin);
    code.op("i32.add");
    code.set(out);
    seek(code, args, spec, operands, row, column);
    for (const { stepping, dtype, address, value } of operands) {
      if (stepping !== "broadcast") continue;
      code.get(address);
      code.memory("v128.load32_splat");
      afterLoad(code, dtype);
      code.set(value);
    }
    code.get(length);
    code.i32(-4);
    code.op("i32.and");
    code.set(quads);
    code.count(j, quads, 4, () => {
      load(code, operands);
      code.get(out);
      emit(code, body, operands.map(({ value }) => value));
      beforeStore(code, body.dtype);
      code.memory("v128.store");
      code.increase(out, 16);
    });
    code.if(() => code.below(quads, length), () => partial(code, spec, operands, { quads, length, out }));
    code.increase(begin, length);
  });
  return encodeModule([code]);
}

function operandsOf({ rank, inputs }: MapSpec, code: FunctionBuilder): Operand[] {
  const placed = inputs.filter(({ stepping }) => stepping !== "value").length;
  let word = 2 + rank;
  let value = word + placed * (1 + rank);
  let buffer = 1;
  return inputs.map(({ stepping, dtype }) => {
    const own = stepping === "value" ? value++ : word;
    if (stepping !== "value") word += 1 + rank;
    return {
      stepping,
      dtype,
      word: own,
      buffer: stepping === "value" || stepping === "place" ? 0 : buffer++,
      address: code.local("i32"),
      step: code.local("i32"),
      value: code.local("v128"),
    };
  });
}

/** Sets the addresses of all operands to their element at a row and a column. */
function seek(
  code: FunctionBuilder,
  args: Arguments,
  { rank }: MapSpec,
  operands: readonly Operand[],
  row: Local,
  column: Local,
): void {
  const addressed = operands.filter(({ stepping }) => stepping !== "value");
  for (const { address, step, word, buffer, stepping } of addressed) {
    args.word(word + rank);
    code.i32(2);
    code.op("i32.shl");
    code.set(step);
    // A place is kept as an address is, from 0 on.
    if (stepping === "place") code.i32(0);
    else args.buffer(buffer);
    args.word(word);
    code.i32(2);
    code.op("i32.shl", "i32.add");
    code.get(column);
    code.get(step);
    code.op("i32.mul", "i32.add");
    code.set(address);
  }
  addPlace(code, args, row, rank - 1, 2, addressed.map(({ address, word }) => ({ address, stride: word + 1 })));
}

/** Loads four elements of each operand and steps on. */
function load(code: FunctionBuilder, operands: readonly Operand[]): void {
  for (const operand of operands) {
    const { stepping, dtype, address, step, value } = operand;
    if (stepping === "contiguous") {
      code.get(address);
      code.memory("v128.load");
      afterLoad(code, dtype);
      code.set(value);
      code.increase(address, 16);
    } else if (stepping === "free" || stepping === "place") {
      ramp(code, operand);
      for (let lane = 0; lane < 4; lane++) code.increase(address, step);
    } else if (stepping === "strided") {
      code.splat(0);
      code.set(value);
      for (let lane = 0; lane < 4; lane++) {
        code.get(address);
        code.get(value);
        code.lane("v128.load32_lane", lane);
        code.set(value);
        code.increase(address, step);
      }
      if (dtype !== "bool") continue;
      code.get(value);
      afterLoad(code, dtype);
      code.set(value);
    }
  }
}

/** The addresses, or places, of four neighbours; where fewer are left, the others are at the first's. */
function ramp(code: FunctionBuilder, { address, step, value, stepping }: Operand, left?: Local): void {
  code.quad([0, 1, 2, 3]);
  code.get(step);
  code.op("i32x4.splat", "i32x4.mul");
  if (left) {
    code.quad([0, 1, 2, 3]);
    code.get(left);
    code.op("i32x4.splat", "i32x4.lt_u", "v128.and");
  }
  code.get(address);
  code.op("i32x4.splat", "i32x4.add");
  if (stepping === "place") {
    code.i32(2);
    code.op("i32x4.shr_s");
  }
  code.set(value);
}

/** The last one to three elements of a row. A buffer ends in room for a whole load; a strided one stays where it is. */
function partial(
  code: FunctionBuilder,
  { body }: MapSpec,
  operands: readonly Operand[],
  { quads, length, out }: { quads: Local; length: Local; out: Local },
): void {
  const result = code.local("v128");
  const left = code.local("i32");
  difference(code, length, quads);
  code.set(left);
  for (const operand of operands) {
    const { stepping, dtype, address, step, value } = operand;
    if (stepping === "free" || stepping === "place") {
      ramp(code, operand, left);
      continue;
    }
    if (stepping === "contiguous") {
      code.get(address);
      code.memory("v128.load");
    } else if (stepping === "strided") {
      code.get(address);
      code.memory("v128.load32_splat");
      code.set(value);
      for (const lane of [1, 2]) {
        code.if(() => above(code, left, lane), () => {
          code.increase(address, step);
          code.get(address);
          code.get(value);
          code.lane("v128.load32_lane", lane);
          code.set(value);
        });
      }
      code.get(value);
    } else continue;
    afterLoad(code, dtype);
    code.set(value);
  }
  emit(code, body, operands.map(({ value }) => value));
  beforeStore(code, body.dtype);
  code.set(result);
  storeLanes(code, out, result, left);
}

/** Writes the first one to three lanes. */
export function storeLanes(code: FunctionBuilder, out: Local, value: Local, left: Local): void {
  for (const lane of [0, 1, 2]) {
    code.if(() => above(code, left, lane), () => {
      code.get(out);
      code.get(value);
      code.lane("v128.store32_lane", lane, 4 * lane);
    });
  }
}

/** Pushes `one − other`. */
export function difference(code: FunctionBuilder, one: Local, other: Local): void {
  code.get(one);
  code.get(other);
  code.op("i32.sub");
}

/** Sets a local to the lesser of two values. */
export function lesser(code: FunctionBuilder, one: () => void, other: () => void, into: Local): void {
  const [a, b] = [code.local("i32"), code.local("i32")];
  one();
  code.tee(a);
  other();
  code.tee(b);
  code.get(a);
  code.get(b);
  code.op("i32.lt_u", "select");
  code.set(into);
}

function bytes(code: FunctionBuilder, elements: Local): void {
  code.get(elements);
  code.i32(2);
  code.op("i32.shl");
}

function above(code: FunctionBuilder, local: Local, bound: number): void {
  code.get(local);
  code.i32(bound);
  code.op("i32.gt_u");
}

/**
 * Folds in WebAssembly. Along a contiguous reduced dim sixteen elements are folded at a time, in blocks whose results are
 * folded in turn, so that rounding does not grow with the length; along a contiguous kept dim sixteen outputs are.
 *
 * @module
 */
import { bitsOf } from "../values/dtype.ts";
import type { ReduceSpec } from "../kernels/spec.ts";
import type { Expr } from "../table/expression.ts";
import { addPlace, Arguments } from "./arguments.ts";
import { afterLoad, beforeStore, emit } from "./expression.ts";
import { FunctionBuilder, type Local } from "./function.ts";
import { difference, lesser, storeLanes } from "./map.ts";
import { encodeModule, RUN_PARAMETERS } from "./module.ts";

/** Elements in a block. */
const BLOCK = 2048;

/** The module of a fold. Pieces of work are outputs. */
export function renderReduce(spec: ReduceSpec): Uint8Array<ArrayBuffer> {
  return encodeModule([new Fold(spec).build()]);
}

/** A fold while its function is built. */
class Fold {
  readonly #spec: ReduceSpec;
  readonly #code = new FunctionBuilder(RUN_PARAMETERS);
  readonly #args: Arguments;
  /** Address of the first element of the output that is computed. */
  readonly #address = this.#code.local("i32");
  /** Address of that output. */
  readonly #out = this.#code.local("i32");
  readonly #count = this.#code.local("v128");
  readonly #element = this.#code.local("v128");
  /** Bytes between neighbours along each reduced dim. */
  readonly #steps: Local[] = [];
  readonly #extents: Local[] = [];

  constructor(spec: ReduceSpec) {
    this.#spec = spec;
    this.#args = new Arguments(this.#code, this.#code.parameters[2], 2);
  }

  build(): FunctionBuilder {
    const { kept, reduced, lanes } = this.#spec;
    const code = this.#code;
    const [begin, end] = code.parameters;
    const offset = 3 + kept + reduced;
    this.#args.splat(offset + 1 + kept + reduced);
    code.set(this.#count);
    for (let dim = 0; dim < reduced; dim++) {
      this.#extents.push(this.#args.held(3 + kept + dim));
      const step = this.#args.held(offset + 1 + kept + dim);
      code.get(step);
      code.i32(2);
      code.op("i32.shl");
      code.set(step);
      this.#steps.push(step);
    }
    const place = code.local("i32");
    code.while(() => code.below(begin, end), () => {
      this.#args.buffer(1);
      this.#args.word(offset);
      code.i32(2);
      code.op("i32.shl", "i32.add");
      code.set(this.#address);
      code.get(begin);
      code.set(place);
      addPlace(code, this.#args, place, kept, 3, [{ address: this.#address, stride: offset + 1 }]);
      this.#args.buffer(0);
      code.get(begin);
      this.#args.word(2);
      code.op("i32.add");
      code.i32(2);
      code.op("i32.shl", "i32.add");
      code.set(this.#out);
      if (lanes === "kept") this.#outputs(begin, end);
      else this.#output(begin);
    });
    return code;
  }

  /** One output. */
  #output(begin: Local): void {
    const code = this.#code;
    const total = this.#accumulator();
    this.#nest(0, this.#spec.reduced - 1, this.#address, (address) => {
      if (this.#spec.lanes === "reduced") this.#row(address, total);
      else this.#strided(address, total);
    });
    for (const lanes of [[2, 3, 0, 1], [1, 0, 3, 2]] as const) {
      const other = this.#element;
      code.get(total);
      code.get(total);
      code.shuffle([...lanes]);
      code.set(other);
      this.#combine(total, other);
    }
    this.#finish(total);
    code.get(this.#out);
    code.get(total);
    code.lane("v128.store32_lane", 0);
    code.increase(begin, 1);
  }

  /** Outputs that lie next to one another, as far as their row goes. */
  #outputs(begin: Local, end: Local): void {
    const code = this.#code;
    const { kept } = this.#spec;
    const [left, column] = [code.local("i32"), code.local("i32")];
    const inner = this.#args.held(3 + kept - 1);
    code.get(inner);
    code.get(begin);
    code.get(inner);
    code.op("i32.div_u");
    code.get(inner);
    code.op("i32.mul");
    code.set(column);
    code.get(begin);
    code.get(column);
    code.op("i32.sub", "i32.sub");
    code.set(column);
    lesser(code, () => code.get(column), () => difference(code, end, begin), left);
    code.increase(begin, left);
    const group = (width: number): void => {
      const totals = Array.from({ length: width }, () => this.#accumulator());
      this.#nest(0, this.#spec.reduced, this.#address, (address) => {
        totals.forEach((total, i) => {
          code.get(address);
          code.memory("v128.load", 16 * i);
          this.#fold(total);
        });
      });
      for (const total of totals) this.#finish(total);
      if (width === 1) {
        code.if(() => code.below(left, 4), () => {
          storeLanes(code, this.#out, totals[0], left);
          code.i32(4);
          code.set(left);
        }, () => this.#store(totals));
      } else this.#store(totals);
      code.increase(this.#out, 16 * width);
      code.increase(this.#address, 16 * width);
      code.increase(left, -4 * width);
    };
    code.while(() => {
      code.get(left);
      code.i32(16);
      code.op("i32.ge_u");
    }, () => group(4));
    code.while(() => code.get(left), () => group(1));
  }

  #store(totals: readonly Local[]): void {
    totals.forEach((total, i) => {
      this.#code.get(this.#out);
      this.#code.get(total);
      this.#code.memory("v128.store", 16 * i);
    });
  }

  /** Runs the body at each place of the reduced dims from `dim` to `last`, the last one not included. */
  #nest(dim: number, last: number, address: Local, body: (address: Local) => void): void {
    if (dim === last) return body(address);
    const code = this.#code;
    const [counter, own] = [code.local("i32"), code.local("i32")];
    code.get(address);
    code.set(own);
    code.count(counter, this.#extents[dim], 1, () => {
      this.#nest(dim + 1, last, own, body);
      code.increase(own, this.#steps[dim]);
    });
  }

  /** A contiguous row. */
  #row(from: Local, total: Local): void {
    const code = this.#code;
    const [address, left, stop] = ["i32", "i32", "i32"].map(() => code.local("i32"));
    code.get(from);
    code.set(address);
    code.get(this.#extents.at(-1)!);
    code.set(left);
    const enough = (count: number) => (): void => {
      code.get(left);
      code.i32(count);
      code.op("i32.ge_u");
    };
    code.while(enough(16), () => {
      const parts = [0, 1, 2, 3].map(() => this.#accumulator());
      const size = code.local("i32");
      lesser(
        code,
        () => {
          code.get(left);
          code.i32(-16);
          code.op("i32.and");
        },
        () => code.i32(BLOCK),
        size,
      );
      code.get(left);
      code.get(size);
      code.op("i32.sub");
      code.set(left);
      code.get(address);
      code.get(size);
      code.i32(2);
      code.op("i32.shl", "i32.add");
      code.set(stop);
      code.repeat(() => {
        parts.forEach((part, i) => {
          code.get(address);
          code.memory("v128.load", 16 * i);
          this.#fold(part);
        });
        code.increase(address, 64);
      }, () => code.below(address, stop));
      this.#combine(parts[0], parts[1]);
      this.#combine(parts[2], parts[3]);
      this.#combine(parts[0], parts[2]);
      this.#combine(total, parts[0]);
    });
    code.while(enough(4), () => {
      code.get(address);
      code.memory("v128.load");
      this.#fold(total);
      code.increase(address, 16);
      code.increase(left, -4);
    });
    code.if(() => code.get(left), () => {
      code.get(address);
      code.memory("v128.load");
      this.#foldSome(total, left);
    });
  }

  /** A row whose elements lie apart. */
  #strided(from: Local, total: Local): void {
    const code = this.#code;
    const [address, left, vector] = [code.local("i32"), code.local("i32"), code.local("v128")];
    const step = this.#steps.at(-1)!;
    code.get(from);
    code.set(address);
    code.get(this.#extents.at(-1)!);
    code.set(left);
    code.while(() => code.get(left), () => {
      code.splat(0);
      code.set(vector);
      for (let lane = 0; lane < 4; lane++) {
        code.if(() => {
          code.get(left);
          code.i32(lane);
          code.op("i32.gt_u");
        }, () => {
          code.get(address);
          code.get(vector);
          code.lane("v128.load32_lane", lane);
          code.set(vector);
          code.increase(address, step);
        });
      }
      code.get(vector);
      this.#foldSome(total, left);
      code.if(() => code.below(left, 5), () => code.zero(left), () => code.increase(left, -4));
    });
  }

  /** Folds the elements on the stack. */
  #fold(total: Local): void {
    this.#each();
    this.#combine(total, this.#element);
  }

  /** Folds the first `left` lanes of the elements on the stack. */
  #foldSome(total: Local, left: Local): void {
    const code = this.#code;
    this.#each();
    emit(code, this.#spec.combine, [total, this.#element]);
    code.get(total);
    code.quad([0, 1, 2, 3]);
    code.get(left);
    code.op("i32x4.splat", "i32x4.lt_u", "v128.bitselect");
    code.set(total);
  }

  #each(): void {
    const code = this.#code;
    afterLoad(code, this.#spec.dtype);
    code.set(this.#element);
    emit(code, this.#spec.each, [this.#element]);
    code.set(this.#element);
  }

  #combine(total: Local, other: Local): void {
    emit(this.#code, this.#spec.combine, [total, other]);
    this.#code.set(total);
  }

  /** A new accumulator, at the identity. */
  #accumulator(): Local {
    const { combine, identity } = this.#spec;
    const local = this.#code.local("v128");
    this.#code.splat(combine.dtype === "bool" ? -identity : bitsOf(identity, combine.dtype));
    this.#code.set(local);
    return local;
  }

  /** The result of what was folded, as it is written. */
  #finish(total: Local): void {
    const finish: Expr = this.#spec.finish;
    emit(this.#code, finish, [total, this.#count]);
    beforeStore(this.#code, finish.dtype);
    this.#code.set(total);
  }
}

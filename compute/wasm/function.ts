/**
 * One function of a module, built instruction by instruction.
 *
 * @module
 */
import {
  type LaneName,
  LANES,
  MEMORY,
  type MemoryName,
  PLAIN,
  type PlainName,
  signed,
  TYPE,
  unsigned,
  type ValueType,
} from "./opcodes.ts";

/** A local variable or a parameter. */
export interface Local {
  /** Its index. */
  readonly index: number;
}

/** Pushes one value. */
export type Push = () => void;

/** The body of a function under construction. Methods append; those named after nothing in WebAssembly are short forms. */
export class FunctionBuilder {
  /** The parameters, all i32. */
  readonly parameters: readonly Local[];
  readonly #locals: ValueType[] = [];
  readonly #code: number[] = [];
  readonly #constants = new Map<number, Local>();

  /** A function of so many i32 parameters that gives nothing. */
  constructor(parameters: number) {
    this.parameters = Array.from({ length: parameters }, (_, index) => ({ index }));
  }

  /** A new local. */
  local(type: ValueType): Local {
    return { index: this.parameters.length + this.#locals.push(type) - 1 };
  }

  /** Instructions without immediates. */
  op(...names: PlainName[]): void {
    for (const name of names) this.#code.push(...PLAIN[name]);
  }

  /** A load or store; `offset` in bytes. */
  memory(name: MemoryName, offset = 0): void {
    this.#code.push(...MEMORY[name], 0, ...unsigned(offset));
  }

  /** A load or store of one lane. */
  lane(name: LaneName, lane: number, offset = 0): void {
    this.#code.push(...LANES[name], 0, ...unsigned(offset), lane);
  }

  /** Pushes a local. */
  get(local: Local): void {
    this.#code.push(0x20, ...unsigned(local.index));
  }

  /** Pops into a local. */
  set(local: Local): void {
    this.#code.push(0x21, ...unsigned(local.index));
  }

  /** Pops into a local and pushes it again. */
  tee(local: Local): void {
    this.#code.push(0x22, ...unsigned(local.index));
  }

  /** Pushes a whole number. */
  i32(value: number): void {
    this.#code.push(0x41, ...signed(value | 0));
  }

  /** Pushes the same 32 bits in four lanes. They are made once, before the body: engines make constants where they stand. */
  splat(bits: number): void {
    let local = this.#constants.get(bits | 0);
    if (local === undefined) this.#constants.set(bits | 0, local = this.local("v128"));
    this.get(local);
  }

  /** Pushes four whole numbers, one a lane. */
  quad(values: readonly [number, number, number, number]): void {
    this.#code.push(0xfd, 0x0c);
    for (const bits of values) this.#code.push(bits & 255, bits >>> 8 & 255, bits >>> 16 & 255, bits >>> 24);
  }

  /** Pops two vectors, pushes lanes of them by number: 0 to 3 of the first, 4 to 7 of the second. */
  shuffle(lanes: readonly [number, number, number, number]): void {
    this.#code.push(0xfd, 0x0d);
    for (const lane of lanes) this.#code.push(4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3);
  }

  /** Pops a vector, pushes one of its lanes. */
  extract(lane: number): void {
    this.#code.push(0xfd, 0x1b, lane);
  }

  /** Pops a vector and a number, pushes the vector with that number in a lane. */
  replace(lane: number): void {
    this.#code.push(0xfd, 0x1c, lane);
  }

  /** Calls a function of the module. */
  call(index: number): void {
    this.#code.push(0x10, ...unsigned(index));
  }

  /** Runs the body while the condition holds. */
  while(condition: Push, body: Push): void {
    this.#code.push(0x02, TYPE.nothing, 0x03, TYPE.nothing);
    condition();
    this.op("i32.eqz");
    this.#code.push(0x0d, 1);
    body();
    this.#code.push(0x0c, 0, 0x0b, 0x0b);
  }

  /** Runs the body once and again while the condition holds: no test before the first. */
  repeat(body: Push, condition: Push): void {
    this.#code.push(0x03, TYPE.nothing);
    body();
    condition();
    this.#code.push(0x0d, 0, 0x0b);
  }

  /** One of two bodies. */
  if(condition: Push, then: Push, otherwise?: Push): void {
    condition();
    this.#code.push(0x04, TYPE.nothing);
    then();
    if (otherwise) {
      this.#code.push(0x05);
      otherwise();
    }
    this.#code.push(0x0b);
  }

  /** `local = local + value`. */
  increase(local: Local, by: Local | number): void {
    this.get(local);
    if (typeof by === "number") this.i32(by);
    else this.get(by);
    this.op("i32.add");
    this.set(local);
  }

  /** `local = 0`. */
  zero(local: Local): void {
    this.i32(0);
    this.set(local);
  }

  /** Pushes whether one is below the other. */
  below(one: Local, other: Local | number): void {
    this.get(one);
    if (typeof other === "number") this.i32(other);
    else this.get(other);
    this.op("i32.lt_u");
  }

  /** Runs the body with the counter at 0, `step`, … below the bound. */
  count(counter: Local, bound: Local | number, step: number, body: Push): void {
    this.zero(counter);
    this.while(() => this.below(counter, bound), () => {
      body();
      this.increase(counter, step);
    });
  }

  /** The body as it stands in the code section. */
  encode(): number[] {
    const groups = this.#locals.map((type) => [1, TYPE[type]]);
    const body = [...unsigned(groups.length), ...groups.flat()];
    for (const [bits, { index }] of this.#constants) {
      const lane = [bits & 255, bits >>> 8 & 255, bits >>> 16 & 255, bits >>> 24];
      body.push(0xfd, 0x0c, ...lane, ...lane, ...lane, ...lane, 0x21, ...unsigned(index));
    }
    const length = body.length + this.#code.length + 1;
    const bytes = unsigned(length);
    for (const byte of body) bytes.push(byte);
    for (const byte of this.#code) bytes.push(byte);
    bytes.push(0x0b);
    return bytes;
  }
}

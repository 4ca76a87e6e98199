/**
 * Modules made of modules, and of functions.
 *
 * @module
 */
import type { Tensor } from "../tensors/tensor.ts";
import { own } from "../functions/tools/tools.ts";
import { type AnyModule, Module } from "./module.ts";

/** A function of a tensor as a module: `new Apply(relu)`. It has no state. */
export class Apply extends Module {
  readonly #run: (x: Tensor) => Tensor;

  /**
   * It holds these.
   *
   * @param run Gives a tensor of its own.
   */
  constructor(run: (x: Tensor) => Tensor) {
    super();
    this.#run = run;
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    return own(this.#run(x), x);
  }
}

/** One module after the other; functions of a tensor are taken as modules. They are named 0, 1, 2. */
export class Sequential extends Module {
  /**
   * It holds these.
   *
   * @param parts In their order.
   */
  constructor(...parts: readonly (Module | ((x: Tensor) => Tensor))[]) {
    super();
    parts.forEach((one, i) => this.child(`${i}`, one instanceof Module ? one : new Apply(one)));
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor): Tensor {
    let y = x;
    for (const one of this.children.values()) y = (one as Module).call(y);
    return own(y, x);
  }
}

/** Modules in a list, named 0, 1, 2; what is computed with them, their holder says. */
export class ModuleList<M extends AnyModule = Module> extends Module<readonly [], never> implements Iterable<M> {
  readonly #list: readonly M[];

  /**
   * It holds these.
   *
   * @param modules In their order.
   */
  constructor(modules: readonly M[]) {
    super();
    this.#list = modules.map((one, i) => this.child(`${i}`, one));
  }

  /** The module at a place, from the end for one below 0. */
  at(place: number): M | undefined {
    return this.#list.at(place);
  }

  /** How many there are. */
  get length(): number {
    return this.#list.length;
  }

  /** The modules in their order. */
  [Symbol.iterator](): Iterator<M> {
    return this.#list[Symbol.iterator]();
  }

  /** A list computes nothing. */
  override forward(): never {
    throw new TypeError("a list of modules computes nothing; call its modules");
  }
}

/** Modules by name; what is computed with them, their holder says. */
export class ModuleDict<M extends AnyModule = Module> extends Module<readonly [], never> {
  /**
   * It holds these.
   *
   * @param modules By name.
   */
  constructor(modules: Readonly<Record<string, M>>) {
    super();
    for (const [name, one] of Object.entries(modules)) this.child(name, one);
  }

  /** The module of a name. */
  get(name: string): M | undefined {
    return this.children.get(name) as M | undefined;
  }

  /** A dictionary computes nothing. */
  override forward(): never {
    throw new TypeError("a dictionary of modules computes nothing; call its modules");
  }
}

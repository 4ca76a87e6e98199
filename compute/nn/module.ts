/**
 * A module: what a network is made of. It holds parameters, which are learned, buffers, which are not, and other modules, each
 * under a name; together they are its state.
 *
 * @module
 */
import { noGrad } from "../tensors/autograd/modes.ts";
import type { Flat } from "../tensors/data.ts";
import { type Runner, Tensor } from "../tensors/tensor.ts";
import { ComputeError } from "../values/errors.ts";
import type { Generator } from "../functions/random/random.ts";

/** Where a module's parameters lie, and what they are drawn from. */
export interface Init {
  /** The engine. */
  readonly engine: Runner;
  /** What first values, and dropouts, are drawn from. */
  readonly generator: Generator;
}

/** A module of any kind. */
export type AnyModule = Module<readonly unknown[], unknown>;

/** What can be loaded into a tensor: one of the same engine, or elements that the host has. */
export type StateValue = Tensor | {
  /** Extents. */
  readonly shape: readonly number[];
  /** The elements, row by row. */
  readonly data: Flat;
};

/** How {@linkcode Module.loadStateDict} goes. */
export interface LoadOptions {
  /** Refuses names that are missing or that the module has not. Default true. */
  readonly strict?: boolean;
}

/** Names that did not fit. */
export interface LoadReport {
  /** What the module has and was not given. */
  readonly missing: readonly string[];
  /** What was given and the module has not. */
  readonly unexpected: readonly string[];
}

/** A function that sees what goes in and comes out, and may give another output in its place. */
export type ForwardHook = (inputs: readonly unknown[], output: unknown) => unknown;

interface Buffer {
  readonly tensor: Tensor;
  readonly persistent: boolean;
}

/**
 * A part of a network. Subclasses register what they hold in their constructor by {@linkcode Module.parameter},
 * {@linkcode Module.buffer} and {@linkcode Module.child}, and say in {@linkcode Module.forward} what they compute; who uses one
 * calls {@linkcode Module.call}. Names and first values are those of PyTorch.
 *
 * A module owns its tensors: it is held by `using`, or until {@linkcode Module.dispose}. Made within a scope, they go with it.
 */
export abstract class Module<I extends readonly unknown[] = readonly [Tensor], O = Tensor> implements Disposable {
  readonly #children = new Map<string, AnyModule>();
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Buffer>();
  readonly #generators = new Set<Generator>();
  readonly #hooks = new Set<ForwardHook>();
  #training = true;

  /** Computes; of subclasses. */
  abstract forward(...inputs: I): O;

  /** Computes: what was made on the way goes, and hooks see it. */
  call(...inputs: I): O {
    const runner = inputs.find((one) => one instanceof Tensor)?.runner;
    if (runner === undefined) return this.#hooked(inputs);
    return runner.scope(({ keep }) => {
      const output = this.#hooked(inputs);
      for (const one of tensorsOf(output)) keep(one);
      return output;
    });
  }

  /** Whether it is being trained, which dropouts and batch norms ask for. Default true. */
  get training(): boolean {
    return this.#training;
  }

  /** Trains it, and all below it. */
  train(on = true): this {
    for (const one of this.modules()) one.#training = on;
    return this;
  }

  /** Uses it as it is, no longer trains it. */
  eval(): this {
    return this.train(false);
  }

  /** The modules that it holds, by name. */
  get children(): ReadonlyMap<string, AnyModule> {
    return this.#children;
  }

  /** It and all below it, each once, what holds before what is held. */
  modules(): AnyModule[] {
    const seen = new Set<AnyModule>([this]);
    for (const one of seen) for (const child of one.#children.values()) seen.add(child);
    return [...seen];
  }

  /** Runs a function on all below it and then on it. */
  apply(run: (module: AnyModule) => void): this {
    for (const one of this.modules().toReversed()) run(one);
    return this;
  }

  /** Parameters by their dotted names; one that is shared, under its first. */
  namedParameters(): Map<string, Tensor> {
    const seen = new Set<Tensor>();
    const named = new Map<string, Tensor>();
    for (const [name, tensor] of this.#walk((module) => module.#parameters)) {
      if (seen.has(tensor)) continue;
      seen.add(tensor);
      named.set(name, tensor);
    }
    return named;
  }

  /** Parameters, each once. */
  parameters(): Tensor[] {
    return [...this.namedParameters().values()];
  }

  /**
   * What it has learned, by dotted names: parameters and buffers that persist. The tensors are its own, not copies; one that is
   * shared has all its names.
   */
  stateDict(): Map<string, Tensor> {
    const persistent = (module: AnyModule): Map<string, Tensor> =>
      new Map([
        ...module.#parameters,
        ...[...module.#buffers].filter(([, one]) => one.persistent)
          .map(([name, { tensor }]) => [name, tensor] as const),
      ]);
    return new Map(this.#walk(persistent));
  }

  /**
   * Takes over values by name. Nothing is written unless names and shapes fit.
   *
   * @throws {ComputeError} `E_STATE` for names that are missing or not known, unless `strict` is false; `E_SHAPE` for a value
   * of another shape, `E_DTYPE` for a tensor of another type, `E_VERSION` between a forward and its backward.
   */
  loadStateDict(
    state: ReadonlyMap<string, StateValue> | Readonly<Record<string, StateValue>>,
    options: LoadOptions = {},
  ): LoadReport {
    const given = state instanceof Map ? state as ReadonlyMap<string, StateValue> : new Map(Object.entries(state));
    const own = this.stateDict();
    const missing = [...own.keys()].filter((name) => !given.has(name));
    const unexpected = [...given.keys()].filter((name) => !own.has(name));
    if ((options.strict ?? true) && missing.length + unexpected.length > 0) {
      const some = (names: readonly string[]): string =>
        names.slice(0, 5).map((name) => JSON.stringify(name)).join(", ") + (names.length > 5 ? " …" : "");
      throw new ComputeError(
        "E_STATE",
        "load_state_dict",
        `${missing.length} names are missing (${some(missing)}), ${unexpected.length} are not known (${
          some(unexpected)
        }); load the state of such a module, or pass strict: false`,
      );
    }
    const pairs = [...given].flatMap(([name, value]) => own.has(name) ? [[name, own.get(name)!, value] as const] : []);
    for (const [name, to, { shape }] of pairs) {
      if (`${shape}` === `${to.shape}`) continue;
      throw new ComputeError(
        "E_SHAPE",
        "load_state_dict",
        `${JSON.stringify(name)} is [${shape}] there and [${to.shape}] here`,
      );
    }
    noGrad(() => {
      for (const [, to, value] of pairs) to.write(value instanceof Tensor ? value : value.data);
    });
    return { missing, unexpected };
  }

  /** What it and all below it draw from, each once. */
  generators(): Generator[] {
    return [...new Set(this.modules().flatMap((one) => [...one.#generators]))];
  }

  /** Forgets the gradients of its parameters. */
  zeroGrad(): void {
    for (const one of this.parameters()) one.clearGrad();
  }

  /** Asks for gradients of all its parameters, or no longer: frozen ones stay as they are. */
  requireGrad(wanted = true): this {
    for (const one of this.parameters()) one.requiresGrad = wanted;
    return this;
  }

  /** Has a function see each call. What is given back ends that. */
  onCall(hook: ForwardHook): Disposable {
    this.#hooks.add(hook);
    return { [Symbol.dispose]: () => void this.#hooks.delete(hook) };
  }

  /** Disposes of its tensors and those of all below it. */
  dispose(): void {
    for (const module of this.modules()) {
      for (const one of module.#parameters.values()) one.dispose();
      for (const { tensor } of module.#buffers.values()) tensor.dispose();
    }
  }

  /** See {@linkcode Module.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Registers a parameter, and asks for its gradients. A tensor that several modules register is shared. */
  protected parameter<T extends Tensor>(name: string, tensor: T): T {
    this.#checkName(name);
    if (!tensor.requiresGrad) tensor.requiresGrad = true;
    this.#parameters.set(name, tensor);
    return tensor;
  }

  /** Registers a tensor that is not learned. One that does not persist is not in the state. */
  protected buffer<T extends Tensor>(name: string, tensor: T, options: { persistent?: boolean } = {}): T {
    this.#checkName(name);
    this.#buffers.set(name, { tensor, persistent: options.persistent ?? true });
    return tensor;
  }

  /** Registers what is drawn from when it is called: a checkpoint keeps how far. */
  protected drawsFrom(generator: Generator): Generator {
    this.#generators.add(generator);
    return generator;
  }

  /** Registers a module that this one holds. */
  protected child<M extends AnyModule>(name: string, module: M): M {
    this.#checkName(name);
    if (module.modules().includes(this)) throw new RangeError(`module ${name} would hold itself`);
    this.#children.set(name, module);
    return module;
  }

  #hooked(inputs: I): O {
    let output = this.forward(...inputs);
    for (const hook of this.#hooks) {
      const other = hook(inputs, output);
      if (other !== undefined) output = other as O;
    }
    return output;
  }

  *#walk(
    of: (module: AnyModule) => ReadonlyMap<string, Tensor>,
    prefix = "",
  ): IterableIterator<readonly [string, Tensor]> {
    for (const [name, tensor] of of(this)) yield [prefix + name, tensor];
    for (const [name, child] of this.#children) yield* child.#walk(of, `${prefix}${name}.`);
  }

  #checkName(name: string): void {
    if (name === "" || name.includes(".")) throw new RangeError(`${JSON.stringify(name)} is no name: it has no dots`);
    if (this.#parameters.has(name) || this.#buffers.has(name) || this.#children.has(name)) {
      throw new RangeError(`the name ${JSON.stringify(name)} is taken`);
    }
  }
}

/** Tensors of an output, in lists to any depth. */
function tensorsOf(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output];
  return Array.isArray(output) ? output.flatMap(tensorsOf) : [];
}

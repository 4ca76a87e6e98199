/**
 * Recurrent cells, and the layers that run them over sequences. Layouts are [batch, length, width]: PyTorch's with `batch_first`.
 *
 * @module
 */
import { type CellWeights, gruCell, lstmCell, rnnCell } from "../../functions/layers/attention.ts";
import { cat, stack } from "../../functions/shapes/joining.ts";
import { select } from "../../functions/shapes/views.ts";
import { refuse } from "../../functions/tools/tools.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import { byFan, filled } from "../initial.ts";
import { type Init, Module } from "../module.ts";
import { Dropout } from "./dropouts.ts";
import type { BiasOptions } from "./linear.ts";

/** How the layers are made. */
export interface RecurrentOptions extends BiasOptions {
  /** How many, one over the other. Default 1. */
  readonly layers?: number;
  /** Runs over the sequence from its end too, and gives both. Default false. */
  readonly bidirectional?: boolean;
  /** The share that is left out between layers in training. Default 0. */
  readonly dropout?: number;
}

/** How a plain recurrent net is made. */
export interface RNNOptions extends RecurrentOptions {
  /** The function. Default tanh. */
  readonly nonlinearity?: "tanh" | "relu";
}

/** A sequence of outputs, and the last state of each layer: [layers · directions, batch, width]. */
export type Recurrence = readonly [output: Tensor, h: Tensor];

/** What cells share. */
export abstract class Cell<I extends readonly unknown[], O> extends Module<I, O> {
  /** Weights by what they are of. */
  protected readonly weights: CellWeights;
  /** Extent of the state. */
  readonly hidden: number;

  /** Of subclasses. */
  constructor(init: Init, inputs: number, hidden: number, gates: number, options: BiasOptions) {
    super();
    this.hidden = hidden;
    this.weights = registered(
      (name, shape) => this.parameter(name, byFan(init, shape, hidden)),
      inputs,
      hidden,
      gates,
      options.bias ?? true,
      "",
    );
  }
}

/** One step of a plain recurrent net. The state before is 0 by default. */
export class RNNCell extends Cell<readonly [x: Tensor, h?: Tensor | undefined], Tensor> {
  readonly #by: "tanh" | "relu";

  /**
   * Its first values are drawn from the generator.
   *
   * @param inputs Extent of x; `hidden` is that of the state.
   */
  constructor(
    init: Init,
    inputs: number,
    hidden: number,
    options: BiasOptions & Pick<RNNOptions, "nonlinearity"> = {},
  ) {
    super(init, inputs, hidden, 1, options);
    this.#by = options.nonlinearity ?? "tanh";
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor, h: Tensor = nothing(x, this.hidden)): Tensor {
    return rnnCell(x, h, this.weights, this.#by);
  }
}

/** One step of a long short-term memory. The state before is 0 by default. */
export class LSTMCell extends Cell<
  readonly [x: Tensor, state?: readonly [h: Tensor, c: Tensor] | undefined],
  readonly [h: Tensor, c: Tensor]
> {
  /**
   * Its first values are drawn from the generator.
   *
   * @param inputs Extent of x; `hidden` is that of the state.
   */
  constructor(init: Init, inputs: number, hidden: number, options: BiasOptions = {}) {
    super(init, inputs, hidden, 4, options);
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor]): readonly [h: Tensor, c: Tensor] {
    return lstmCell(x, state ?? [nothing(x, this.hidden), nothing(x, this.hidden)], this.weights);
  }
}

/** One step of a gated recurrent unit. The state before is 0 by default. */
export class GRUCell extends Cell<readonly [x: Tensor, h?: Tensor | undefined], Tensor> {
  /**
   * Its first values are drawn from the generator.
   *
   * @param inputs Extent of x; `hidden` is that of the state.
   */
  constructor(init: Init, inputs: number, hidden: number, options: BiasOptions = {}) {
    super(init, inputs, hidden, 3, options);
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor, h: Tensor = nothing(x, this.hidden)): Tensor {
    return gruCell(x, h, this.weights);
  }
}

/** What layers share: their weights, and how they run over a sequence. */
export abstract class Recurrent<I extends readonly unknown[], O> extends Module<I, O> {
  readonly #weights: (readonly CellWeights[])[] = [];
  readonly #dropout: Dropout | undefined;
  readonly #hidden: number;

  /** Of subclasses. */
  constructor(init: Init, inputs: number, hidden: number, gates: number, options: RecurrentOptions) {
    super();
    const { layers = 1, bidirectional = false, dropout = 0, bias = true } = options;
    this.#hidden = hidden;
    const directions = bidirectional ? ["", "_reverse"] : [""];
    for (let layer = 0; layer < layers; layer++) {
      const from = layer === 0 ? inputs : hidden * directions.length;
      this.#weights.push(directions.map((direction) =>
        registered(
          (name, shape) => this.parameter(name, byFan(init, shape, hidden)),
          from,
          hidden,
          gates,
          bias,
          `_l${layer}${direction}`,
        )
      ));
    }
    this.#dropout = dropout > 0 ? this.child("dropout", new Dropout(init, dropout)) : undefined;
  }

  /** Runs all layers; a state is a list of tensors, each [layers · directions, batch, width]. */
  protected run(
    x: Tensor,
    before: readonly Tensor[] | undefined,
    states: number,
    step: (x: Tensor, state: readonly Tensor[], weights: CellWeights) => readonly Tensor[],
  ): { output: Tensor; after: Tensor[] } {
    if (x.shape.length !== 3 || x.shape[1] === 0) {
      refuse("E_SHAPE", "recurrent", `shape [${x.shape}] is not [batch, length, width] with a length above 0`);
    }
    const ends: (readonly Tensor[])[] = [];
    let rows = Array.from({ length: x.shape[1] }, (_, at) => select(x, 1, at));
    this.#weights.forEach((directions, layer) => {
      if (layer > 0 && this.#dropout) {
        // One draw for the whole sequence.
        const left = this.#dropout.call(stack(rows, 1));
        rows = rows.map((_, at) => select(left, 1, at));
      }
      const ways = directions.map((weights, way) => {
        const place = ends.length;
        let state: readonly Tensor[] = before?.map((one) => select(one, 0, place)) ??
          Array.from({ length: states }, () => nothing(rows[0], this.#hidden));
        const outputs = (way === 0 ? rows : rows.toReversed()).map((row) => {
          state = step(row, state, weights);
          return state[0];
        });
        ends.push(state);
        return way === 0 ? outputs : outputs.reverse();
      });
      rows = ways.length === 1 ? ways[0] : ways[0].map((one, at) => cat([one, ways[1][at]], -1));
    });
    const after = Array.from({ length: states }, (_, one) => stack(ends.map((state) => state[one]), 0));
    return { output: stack(rows, 1), after };
  }
}

/** A plain recurrent net over a sequence. */
export class RNN extends Recurrent<readonly [x: Tensor, h?: Tensor | undefined], Recurrence> {
  readonly #by: "tanh" | "relu";

  /**
   * Its first values are drawn from the generator.
   *
   * @param inputs Extent of x; `hidden` is that of the state.
   */
  constructor(init: Init, inputs: number, hidden: number, options: RNNOptions = {}) {
    super(init, inputs, hidden, 1, options);
    this.#by = options.nonlinearity ?? "tanh";
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor, h?: Tensor): Recurrence {
    const { output, after } = this.run(x, h && [h], 1, (row, [before], w) => [rnnCell(row, before, w, this.#by)]);
    return [output, after[0]];
  }
}

/** A long short-term memory over a sequence. */
export class LSTM extends Recurrent<
  readonly [x: Tensor, state?: readonly [h: Tensor, c: Tensor] | undefined],
  readonly [output: Tensor, state: readonly [h: Tensor, c: Tensor]]
> {
  /**
   * Its first values are drawn from the generator.
   *
   * @param inputs Extent of x; `hidden` is that of the state.
   */
  constructor(init: Init, inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(init, inputs, hidden, 4, options);
  }

  /** See {@linkcode Module.forward}. */
  override forward(
    x: Tensor,
    state?: readonly [h: Tensor, c: Tensor],
  ): readonly [output: Tensor, state: readonly [h: Tensor, c: Tensor]] {
    const { output, after } = this.run(x, state, 2, (row, [h, c], weights) => lstmCell(row, [h, c], weights));
    return [output, [after[0], after[1]]];
  }
}

/** A gated recurrent unit over a sequence. */
export class GRU extends Recurrent<readonly [x: Tensor, h?: Tensor | undefined], Recurrence> {
  /**
   * Its first values are drawn from the generator.
   *
   * @param inputs Extent of x; `hidden` is that of the state.
   */
  constructor(init: Init, inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(init, inputs, hidden, 3, options);
  }

  /** See {@linkcode Module.forward}. */
  override forward(x: Tensor, h?: Tensor): Recurrence {
    const { output, after } = this.run(x, h && [h], 1, (row, [before], weights) => [gruCell(row, before, weights)]);
    return [output, after[0]];
  }
}

function registered(
  register: (name: string, shape: readonly number[]) => Tensor,
  inputs: number,
  hidden: number,
  gates: number,
  bias: boolean,
  suffix: string,
): CellWeights {
  const rows = gates * hidden;
  return {
    input: register(`weight_ih${suffix}`, [rows, inputs]),
    hidden: register(`weight_hh${suffix}`, [rows, hidden]),
    inputBias: bias ? register(`bias_ih${suffix}`, [rows]) : undefined,
    hiddenBias: bias ? register(`bias_hh${suffix}`, [rows]) : undefined,
  };
}

/** A state of zeros for a batch of rows. */
function nothing(x: Tensor, hidden: number): Tensor {
  return filled(x.runner, [...x.shape.slice(0, -1), hidden], 0);
}

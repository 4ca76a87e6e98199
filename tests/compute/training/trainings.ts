/**
 * Two trainings whose weights, data and losses PyTorch wrote down: a net of two layers and a small transformer.
 *
 * @module
 */
import { add, gelu, Generator, reshape, type Runner, tanh, type Tensor } from "@alknet/compute";
import { crossEntropy } from "@alknet/compute/layers";
import * as nn from "@alknet/compute/nn";
import { AdamW, clipGradNorm, SGD } from "@alknet/compute/optim";
import { type HeldTensor, loadState, type Training } from "@alknet/compute/saving";
import { curveFile } from "./fixtures.ts";
import type { Made } from "./optimizers.ts";

/** A training, ready for its first step. */
export interface Prepared extends Disposable {
  /** What a checkpoint of it holds. */
  readonly training: Training & { readonly optimizer: Made };
  /** The loss of each step, as PyTorch has it. */
  readonly losses: Float32Array;
  /** Weights after the last step, as PyTorch has them, of some. */
  readonly after: ReadonlyMap<string, HeldTensor>;
  /** One step; the loss before it, on the device. */
  step(): Tensor;
}

/** What makes a training. */
export type Prepare = (engine: Runner, seeds?: number) => Promise<Prepared>;

/** Tells the next token, by what came before. */
export class Transformer extends nn.Module {
  readonly #tokens: nn.Embedding;
  readonly #places: nn.Embedding;
  readonly #layers: nn.ModuleList<nn.TransformerEncoderLayer>;
  readonly #norm: nn.LayerNorm;
  readonly #head: nn.Linear;

  constructor(init: nn.Init, tokens = 12, width = 16, length = 8, dropout = 0) {
    super();
    const layer = (): nn.TransformerEncoderLayer =>
      new nn.TransformerEncoderLayer(init, width, 2, { feedForward: 32, dropout, activation: gelu, normFirst: true });
    this.#tokens = this.child("tokens", new nn.Embedding(init, tokens, width));
    this.#places = this.child("places", new nn.Embedding(init, length, width));
    this.#layers = this.child("layers", new nn.ModuleList([layer(), layer()]));
    this.#norm = this.child("norm", new nn.LayerNorm(init, width));
    this.#head = this.child("head", new nn.Linear(init, width, tokens));
  }

  override forward(x: Tensor): Tensor {
    let y: Tensor = add(this.#tokens.call(x), this.#places.weight);
    for (const layer of this.#layers) y = layer.call(y, { isCausal: true });
    return this.#head.call(this.#norm.call(y));
  }
}

/** A net of two layers: SGD that looks ahead. */
export const twoLayers: Prepare = (engine) =>
  prepared(
    engine,
    "two_layers",
    (init) => new nn.Sequential(new nn.Linear(init, 6, 24), tanh, new nn.Linear(init, 24, 3)),
    (params) => new SGD(params, { lr: 0.3, momentum: 0.9, nesterov: true }),
    crossEntropy,
  );

/** A transformer: AdamW, and gradients that are cut. */
export const transformer: Prepare = (engine) => withDropout(engine, 0);

/** The same with a share that is left out. */
export function withDropout(engine: Runner, dropout: number): Promise<Prepared> {
  return prepared(
    engine,
    "transformer",
    (init) => new Transformer(init, 12, 16, 8, dropout),
    (params) => new AdamW(params, { lr: 3e-3 }),
    (logits, y) => crossEntropy(reshape(logits, [-1, 12]), reshape(y, [-1])),
    1,
  );
}

async function prepared(
  engine: Runner,
  name: "two_layers" | "transformer",
  make: (init: nn.Init) => nn.Module,
  optimize: (params: readonly Tensor[]) => Made,
  loss: (y: Tensor, wanted: Tensor) => Tensor,
  clip?: number,
): Promise<Prepared> {
  const { tensors } = await loadState(curveFile(name));
  const under = (prefix: string): Map<string, HeldTensor> =>
    new Map([...tensors].flatMap(([key, one]) => key.startsWith(prefix) ? [[key.slice(prefix.length), one]] : []));
  using made = new DisposableStack();
  const model = made.use(make({ engine, generator: new Generator(3) }));
  model.loadStateDict(under("model."));
  const optimizer = made.use(optimize(model.parameters()));
  const [x, y] = ["x", "y"].map((key) => {
    const { shape, data } = tensors.get(key)!;
    return made.use(engine.tensor(data, { shape }));
  });
  const held = made.move();
  return {
    training: { model: model, optimizer },
    losses: tensors.get("losses")!.data as Float32Array,
    after: under("after."),
    step() {
      optimizer.zeroGrad();
      const value = engine.scope(({ keep }) => {
        const value = loss(model.call(x), y);
        value.backward();
        if (clip !== undefined) clipGradNorm(model.parameters(), clip);
        return keep(value);
      });
      optimizer.step();
      return value;
    },
    [Symbol.dispose]: () => held.dispose(),
  };
}

/** Steps, and the loss of each. */
export async function run(prepared: Prepared, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    using loss = prepared.step();
    losses.push((await loss.read())[0] as number);
  }
  return losses;
}

/**
 * Networks: modules that hold what is learned, made of the functions of `@alknet/compute/layers`.
 *
 * **Modules.** A {@linkcode Module} holds parameters and buffers under PyTorch's names, so that their states go from one to the
 * other; {@linkcode Module.call} computes. First values are drawn from a generator, as PyTorch draws them. What has no state is
 * a function, and {@linkcode Sequential} takes functions as they are: `new Sequential(new Linear(init, 2, 16), relu)`. So the losses
 * are those of `@alknet/compute/layers`.
 *
 * **Layouts** are [batch, channels, …] and [batch, length, width]: PyTorch's with `batch_first`.
 *
 * **Lifetimes.** A module is held by `using`. A step of a training runs within a scope; parameters and their gradients stay.
 *
 * @example
 * ```ts
 * import { Generator, openEngine, tanh } from "@alknet/compute";
 * import { bceWithLogits } from "@alknet/compute/layers";
 * import { Linear, Sequential } from "@alknet/compute/nn";
 * import { Adam } from "@alknet/compute/optim";
 * import assert from "node:assert/strict";
 *
 * await using engine = await openEngine({ device: "cpu" });
 * const init = { engine, generator: new Generator(1) };
 * using model = new Sequential(new Linear(init, 2, 8), tanh, new Linear(init, 8, 1));
 * using optimizer = new Adam(model.parameters(), { lr: 0.1 });
 * using x = engine.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * using y = engine.tensor([[0], [1], [1], [0]]);
 * for (let step = 0; step < 100; step++) {
 *   optimizer.zeroGrad();
 *   engine.scope(() => bceWithLogits(model.call(x), y).backward());
 *   optimizer.step();
 * }
 * using answer = model.call(x);
 * assert.deepEqual(Array.from(await answer.read(), (one) => Number(one > 0)), [0, 1, 1, 0]);
 * ```
 *
 * @module
 */
export { checkpointed } from "./checkpointed.ts";
export { Apply, ModuleDict, ModuleList, Sequential } from "./containers.ts";
export { byFan, filled, normal, uniform, xavierUniform } from "./initial.ts";
export {
  type AnyModule,
  type ForwardHook,
  type Init,
  type LoadOptions,
  type LoadReport,
  Module,
  type StateValue,
} from "./module.ts";
export {
  type AttentionModuleOptions,
  type MaskOptions,
  MultiheadAttention,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  TransformerLayer,
  type TransformerLayerOptions,
} from "./modules/attention.ts";
export {
  Conv1d,
  Conv2d,
  Conv3d,
  type ConvModuleOptions,
  Convolution,
  ConvTranspose1d,
  ConvTranspose2d,
  type ConvTransposeModuleOptions,
  type Extents,
  type Grouped,
} from "./modules/convolutions.ts";
export { Dropout, Dropout2d } from "./modules/dropouts.ts";
export {
  type BiasOptions,
  Bilinear,
  Embedding,
  EmbeddingBag,
  type EmbeddingOptions,
  Linear,
  PReLU,
} from "./modules/linear.ts";
export {
  BatchNorm,
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormModuleOptions,
  GroupNorm,
  InstanceNorm,
  LayerNorm,
  Norm,
  type NormModuleOptions,
  RMSNorm,
} from "./modules/norms.ts";
export {
  AdaptiveAvgPool,
  AvgPool,
  Flatten,
  Identity,
  LogSoftmax,
  MaxPool,
  PixelShuffle,
  Softmax,
  Unflatten,
  Upsample,
} from "./modules/plain.ts";
export {
  Cell,
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  type Recurrence,
  Recurrent,
  type RecurrentOptions,
  RNN,
  RNNCell,
  type RNNOptions,
} from "./modules/recurrent.ts";

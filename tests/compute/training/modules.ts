/**
 * How the modules are made and called here; their names are those of modules.py.
 *
 * @module
 */
import * as c from "@alknet/compute";
import * as l from "@alknet/compute/layers";
import * as nn from "@alknet/compute/nn";

/** What is made, and the results of a call. */
export type Made = readonly [module: nn.AnyModule, run: (inputs: readonly c.Tensor[]) => readonly unknown[]];

function plain<I extends readonly c.Tensor[]>(module: nn.Module<I>): Made {
  return [module, (inputs) => [module.call(...inputs as unknown as I)]];
}

function twice(module: nn.Module): Made {
  return [module, ([x]) => [module.call(x), module.eval().call(x)]];
}

function stateful<O>(module: nn.Module<readonly [c.Tensor, c.Tensor?], O>): Made {
  return [module, ([x, h]) => [module.call(x), module.call(x, h)]];
}

function withTwo<O>(module: nn.Module<readonly [c.Tensor, (readonly [c.Tensor, c.Tensor])?], O>): Made {
  return [module, ([x, h, c]) => [module.call(x), module.call(x, [h, c])]];
}

function attended(module: nn.MultiheadAttention): Made {
  return [module, ([q, k, keyPadding, mask]) => [
    module.call(q, k, k),
    module.weights(q, k),
    module.call(q, q, q, { isCausal: true }),
    module.call(q, k, k, { keyPadding: keyPadding as c.Tensor, mask }),
  ]];
}

/** What is compared with gets no gradient. */
function losses(): Made {
  return [new nn.Identity(), ([a, b, p, v, classes]) => {
    const [target, part] = [b.detach(), p.detach()];
    const signs = c.where(c.gt(classes, 2), 1, c.fullLike(c.select(target, 1, 0), -1));
    const [first, other, second] = [c.select(a, 1, 0), c.select(b, 1, 0), c.select(a, 1, 1)];
    const [weight, posWeight, share] = [0, 1, 2].map((row) => c.select(part, 0, row));
    return [
      l.crossEntropy(a, classes, { labelSmoothing: 0.1 }),
      l.crossEntropy(a, classes, { weight, reduction: "sum" }),
      l.nllLoss(a, classes, { ignoreIndex: 1 }),
      l.mseLoss(a, target),
      l.l1Loss(a, target, { reduction: "none" }),
      l.smoothL1Loss(a, target, { beta: 0.3 }),
      l.huberLoss(a, target, { delta: 0.5 }),
      l.bceLoss(p, c.flip(part, 0)),
      l.bceWithLogits(a, part, { posWeight }),
      l.klDiv(a, part, { reduction: "batchmean" }),
      l.poissonNllLoss(a, part),
      l.gaussianNllLoss(a, target, v),
      l.hingeEmbeddingLoss(first, signs),
      l.marginRankingLoss(first, other, signs, { margin: 0.3 }),
      l.softMarginLoss(second, signs),
      l.multilabelSoftMarginLoss(a, c.cast(c.gt(target, 0), "f32"), { weight: share }),
      l.cosineEmbeddingLoss(a, b, signs, { margin: 0.2 }),
      l.tripletMarginLoss(a, b, v),
      l.cosineSimilarity(a, b),
    ];
  }];
}

function stateless(): Made {
  const all = [
    new nn.AvgPool([2, 2]),
    new nn.AdaptiveAvgPool([2, 3]),
    new nn.Upsample(2),
    new nn.PixelShuffle(2),
    new nn.Softmax(1),
    new nn.Unflatten(1, [2, 2]),
  ];
  return [new nn.Identity(), ([x]) => all.map((one) => one.call(x))];
}

function decoded(module: nn.TransformerDecoderLayer): Made {
  return [
    module,
    ([x, memory]) => [module.call(x, memory, { mask: l.causalMask(x.runner, 5) }, { mask: nothingHidden(memory) })],
  ];
}

/** Keys that all are seen. */
function nothingHidden(memory: c.Tensor): c.Tensor {
  return c.logicalNot(memory.runner.tensor([false, false]));
}

/** By name, how a module is made. */
export const MODULES: Readonly<Record<string, (init: nn.Init) => Made>> = {
  "Linear": (init) => plain(new nn.Linear(init, 4, 3)),
  "Linear without": (init) => plain(new nn.Linear(init, 4, 3, { bias: false })),
  "Bilinear": (init) => plain(new nn.Bilinear(init, 4, 3, 2)),
  "Embedding": (init) => plain(new nn.Embedding(init, 6, 3, { paddingIndex: 2 })),
  "EmbeddingBag": (init) => plain(new nn.EmbeddingBag(init, 6, 3)),
  "EmbeddingBag of sums": (init) => plain(new nn.EmbeddingBag(init, 6, 3, { mode: "sum" })),
  "EmbeddingBag of the largest": (init) => plain(new nn.EmbeddingBag(init, 6, 3, { mode: "max" })),
  "PReLU": (init) => plain(new nn.PReLU(init, 4)),
  "Conv1d": (init) => plain(new nn.Conv1d(init, 4, 6, 3, { padding: 1, groups: 2 })),
  "Conv2d": (init) => plain(new nn.Conv2d(init, 4, 3, [3, 2], { stride: 2, padding: 1 })),
  "Conv2d without": (init) => plain(new nn.Conv2d(init, 4, 4, 3, { groups: 4, bias: false, dilation: 2 })),
  "Conv3d": (init) => plain(new nn.Conv3d(init, 2, 3, 2)),
  "ConvTranspose1d": (init) => plain(new nn.ConvTranspose1d(init, 4, 3, 3, { stride: 2, outputPadding: 1 })),
  "ConvTranspose2d": (init) => plain(new nn.ConvTranspose2d(init, 4, 6, 3, { stride: 2, padding: 1, groups: 2 })),
  "LayerNorm": (init) => plain(new nn.LayerNorm(init, [5, 4])),
  "RMSNorm": (init) => plain(new nn.RMSNorm(init, 4)),
  "GroupNorm": (init) => plain(new nn.GroupNorm(init, 2, 4)),
  "InstanceNorm": (init) => plain(new nn.InstanceNorm(init, 4, { affine: true })),
  "BatchNorm1d": (init) => twice(new nn.BatchNorm1d(init, 5)),
  "BatchNorm2d": (init) => twice(new nn.BatchNorm2d(init, 4, { momentum: 0.3 })),
  "BatchNorm2d of each batch": (init) =>
    twice(new nn.BatchNorm2d(init, 4, { affine: false, trackRunningStats: false })),
  "MultiheadAttention": (init) => attended(new nn.MultiheadAttention(init, 4, 2)),
  "TransformerEncoderLayer": (init) =>
    plain(new nn.TransformerEncoderLayer(init, 4, 2, { feedForward: 6, dropout: 0 }) as nn.Module),
  "TransformerEncoderLayer first": (init) =>
    plain(
      new nn.TransformerEncoderLayer(init, 4, 2, {
        feedForward: 6,
        dropout: 0,
        activation: c.gelu,
        normFirst: true,
      }) as nn.Module,
    ),
  "TransformerDecoderLayer": (init) =>
    decoded(new nn.TransformerDecoderLayer(init, 4, 2, { feedForward: 6, dropout: 0 })),
  "RNNCell": (init) => stateful(new nn.RNNCell(init, 4, 3)),
  "LSTMCell": (init) => withTwo(new nn.LSTMCell(init, 4, 3)),
  "GRUCell": (init) => stateful(new nn.GRUCell(init, 4, 3, { bias: false })),
  "RNN": (init) => stateful(new nn.RNN(init, 4, 3, { layers: 2, nonlinearity: "relu" })),
  "LSTM": (init) => withTwo(new nn.LSTM(init, 4, 3, { layers: 2, bidirectional: true })),
  "GRU": (init) => stateful(new nn.GRU(init, 4, 3, { layers: 2 })),
  "Sequential": (init) =>
    plain(
      new nn.Sequential(
        new nn.Conv2d(init, 4, 4, 3),
        c.relu,
        new nn.MaxPool([2, 2]),
        new nn.Flatten(),
        new nn.Linear(init, 8, 6),
        new nn.LogSoftmax(1),
      ),
    ),
  "losses": () => losses(),
  "without state": () => stateless(),
};

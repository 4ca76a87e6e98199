/**
 * How the cases of products, normalization, windows and losses run here.
 *
 * @module
 */
import * as compute from "@alknet/compute";
import * as layers from "@alknet/compute/layers";
import type { Cases } from "./suite.ts";

const c = { ...compute, ...layers };
const first = (x: compute.Tensor): compute.Tensor => c.select(x, 0, 0);

/** Each case: its class and the function. */
export const LAYERS: Cases = {
  "dot": ["M", ([x, y]) => c.dot(x, y)],
  "mv": ["M", ([a, x]) => c.mv(a, x)],
  "mm": ["M", ([a, b]) => c.mm(a, b)],
  "bmm": ["M", ([a, b]) => c.bmm(a, b)],
  "addmm": ["M", ([x, a, b]) => [c.addmm(x, a, b), c.addmm(x, a, b, { beta: 0.5, alpha: 2 })]],
  "addmm without": ["M", ([x, a, b]) => c.addmm(x, a, b, { beta: 0 })],
  "addmv": ["M", ([x, a, v]) => c.addmv(x, a, v)],
  "baddbmm": ["M", ([x, a, b]) => c.baddbmm(x, a, b)],
  "addbmm": ["M", ([x, a, b]) => c.addbmm(x, a, b)],
  "outer": ["R", ([x, y]) => c.outer(x, y)],
  "linear": ["M", ([x, w, b]) => [c.linear(x, w, b), c.linear(x, w), c.linear(x, first(w))]],
  "bilinear": ["M", ([x, y, w, b]) => c.bilinear(x, y, w, b)],
  "tensordot": ["M", ([p, q]) => [c.tensordot(p, q), c.tensordot(p, q.permute(2, 1, 0), [[1, 2], [2, 1]])]],
  "kron": ["R", ([a, b]) => c.kron(a, b)],
  "trace": ["S", ([x]) => c.trace(x)],
  "matrix_power": ["M", ([x]) => [0, 1, 5].map((times) => c.matrixPower(x, times))],
  "einsum": ["M", ([p, q, r]) => [
    c.einsum("ij,jk", p, q),
    c.einsum("ij,jk->ki", p, q),
    c.einsum("ii->i", r),
    c.einsum("ii", r),
    c.einsum("ij->j", p),
    c.einsum("ij,ij->i", p, p),
    c.einsum("ij,jk,il->lk", p, q, r),
    c.einsum("ij,kl->ik", p, q),
  ]],
  "einsum of stacks": ["M", ([p, q]) => [c.einsum("...ij,jk->...ik", p, q), c.einsum("b...,b...->...", p, p)]],
  "softmax": ["L", ([x]) => [c.softmax(x, 1), c.softmax(x, -1), c.softmin(x, 0)]],
  "log_softmax": ["L", ([x]) => c.logSoftmax(x, 1)],
  "softmax ends": ["L", ([x]) => [c.softmax(x, 1), c.logSoftmax(x, 1)]],
  "layer_norm": ["L", ([x, weight, bias]) => [c.layerNorm(x, [6], { weight, bias }), c.layerNorm(x, [5, 6])]],
  "layer_norm of a constant": ["L", ([x, bias]) => c.layerNorm(x, [3], { bias })],
  "rms_norm": ["L", ([x, weight]) => c.rmsNorm(x, [6], { weight, eps: 1e-5 })],
  "group_norm": [
    "L",
    ([x, weight, bias]) => [c.groupNorm(x, 3, { weight, bias }), c.instanceNorm(x, { weight, bias })],
  ],
  "batch_norm": [
    "L",
    ([x, runningMean, runningVar, weight]) => c.batchNorm(x, { runningMean, runningVar, weight }).output,
  ],
  "batch_norm training": ["L", ([x, runningMean, runningVar]) => {
    const made = c.batchNorm(x, { runningMean, runningVar, training: true });
    return [made.output, made.runningMean!, made.runningVar!];
  }],
  "local_response_norm": ["L", ([x]) => c.localResponseNorm(x, 3, { alpha: 0.5 })],
  "normalize": ["L", ([x, y]) => [c.normalize(x), c.normalize(x, { p: 1, dim: 2 }), c.normalize(y)]],
  "conv1d": ["M", ([x, w, bias]) => [
    c.conv1d(x, w, { bias }),
    c.conv1d(x, w, { stride: 2, padding: 1, dilation: 2 }),
    c.conv1d(x, w, { padding: "same" }),
    c.conv1d(first(x), w),
  ]],
  "conv1d same": ["M", ([x, w]) => c.conv1d(x, w, { padding: "same" })],
  "conv1d groups": ["M", ([x, w]) => c.conv1d(x, w, { groups: 2 })],
  "conv2d": ["M", ([x, w, bias]) => [
    c.conv2d(x, w, { bias }),
    c.conv2d(x, w, { bias, stride: [2, 1], padding: [1, 2], dilation: [2, 1] }),
  ]],
  "conv2d depthwise": ["M", ([x, w]) => c.conv2d(x, w, { padding: 1, groups: 3 })],
  "conv2d one by one": ["M", ([x, w]) => c.conv2d(x, w)],
  "conv3d": ["M", ([x, w]) => c.conv3d(x, w, { padding: 1 })],
  "conv_transpose1d": ["M", ([x, w]) => [
    c.convTranspose1d(x, w),
    c.convTranspose1d(x, w, { stride: 2, padding: 1, outputPadding: 1 }),
  ]],
  "conv_transpose2d": ["M", ([x, w, bias]) => [
    c.convTranspose2d(x, w, { stride: 2 }),
    c.convTranspose2d(x, w, { bias, stride: [2, 3], padding: 1, outputPadding: [1, 2], groups: 2, dilation: 2 }),
  ]],
  "unfold": ["E", ([x]) => [c.im2col(x, [2, 3]), c.im2col(x, [3, 2], { padding: 1, stride: 2 })]],
  "fold": ["S", ([x]) => [
    c.col2im(x.slice(2, { stop: 8 }), [5, 4], [2, 3]),
    c.col2im(x.slice(2, { stop: 6 }), [5, 4], [2, 3], { stride: 2, padding: 1 }),
  ]],
  "max_pool1d": ["E", ([x]) => [
    c.maxPool(x, [3]),
    c.maxPool(x, [3], { stride: 2, padding: 1 }),
    c.maxPool(x, [4], { stride: 3, ceilMode: true }),
    c.maxPool(x, [2], { stride: 1, dilation: 3 }),
  ]],
  "max_pool2d": ["E", ([x]) => [c.maxPool(x, [2, 2]), ...c.maxPoolWithIndices(x, [3, 2], { stride: 2, padding: 1 })]],
  "max_pool of NaN": ["E", ([x]) => c.maxPool(x, [2])],
  "avg_pool1d": ["S", ([x]) => [
    c.avgPool(x, [3]),
    c.avgPool(x, [3], { stride: 2, padding: 1, ceilMode: true }),
    c.avgPool(x, [4], { stride: 3, padding: 2, ceilMode: true, countIncludePad: false }),
  ]],
  "avg_pool2d": ["S", ([x]) => [
    c.avgPool(x, [2, 2]),
    c.avgPool(x, [3, 2], { stride: 2, padding: 1 }),
    c.avgPool(x, [3, 3], { stride: 2, padding: 1, countIncludePad: false }),
    c.avgPool(x, [2, 2], { divisorOverride: 3 }),
  ]],
  "adaptive_avg_pool": ["S", ([x]) => [
    c.adaptiveAvgPool(x, [3, 2]),
    c.adaptiveAvgPool(x, [1, 1]),
    c.adaptiveAvgPool(c.select(x, 2, 0), [3]),
  ]],
  "adaptive_max_pool": ["E", ([x]) => c.adaptiveMaxPool(x, [3, 2])],
  "lp_pool": ["A", ([x]) => c.lpPool(x, 2, [2, 2])],
  "interpolate": ["A", ([x]) => [
    c.interpolate(x, [5, 6]),
    c.interpolate(x, [2, 3], { mode: "nearest-exact" }),
    c.interpolate(x, [5, 7], { mode: "linear" }),
    c.interpolate(x, [5, 7], { mode: "linear", alignCorners: true }),
    c.interpolate(first(x), [9], { mode: "linear" }),
  ]],
  "pixel_shuffle": ["E", ([x]) => [c.pixelShuffle(x, 2), c.pixelUnshuffle(c.pixelShuffle(x, 2), 2)]],
  "cross_entropy": ["L", ([x, t, weight]) => [
    c.crossEntropy(x, t),
    c.crossEntropy(x, t, { weight }),
    c.crossEntropy(x, t, { weight, labelSmoothing: 0.2 }),
    c.crossEntropy(x, t, { reduction: "none" }),
    c.crossEntropy(x, t, { weight, reduction: "sum" }),
  ]],
  "cross_entropy of planes": ["L", ([x, t]) => c.crossEntropy(x, t)],
  "cross_entropy of probabilities": [
    "L",
    ([x, q]) => [c.crossEntropy(x, q), c.crossEntropy(x, q, { labelSmoothing: 0.1 })],
  ],
  "nll_loss": ["L", ([x, t, weight]) => [c.nllLoss(x, t, { weight }), c.nllLoss(x, t, { reduction: "none" })]],
  "nll_loss of nothing": ["L", ([x, t]) => [c.nllLoss(x, t), c.nllLoss(x, t, { reduction: "sum" })]],
  "losses of distance": ["L", ([x, y]) => [
    c.mseLoss(x, y),
    c.l1Loss(x, y),
    c.smoothL1Loss(x, y),
    c.smoothL1Loss(x, y, { beta: 0.3 }),
    c.huberLoss(x, y, { delta: 0.5 }),
    c.mseLoss(x, y, { reduction: "sum" }),
    c.l1Loss(x, y, { reduction: "none" }),
  ]],
  "bce_loss": ["L", ([x, y]) => c.bceLoss(x, y, { reduction: "none" })],
  "bce_with_logits": ["L", ([x, y, posWeight]) => [
    c.bceWithLogits(x, y, { reduction: "none" }),
    c.bceWithLogits(x, y, { posWeight, reduction: "none" }),
  ]],
  "kl_div": ["L", ([x, y]) => [
    c.klDiv(x, y, { reduction: "batchmean" }),
    c.klDiv(x, c.mul(y, c.gt(y, 0.5)), { reduction: "none" }),
    c.klDiv(x, y, { logTarget: true, reduction: "sum" }),
  ]],
  "poisson_nll and gaussian_nll": ["L", ([x, y, v]) => [c.poissonNllLoss(x, y), c.gaussianNllLoss(x, y, v)]],
  "losses of signs": ["L", ([x, y, s]) => [
    c.hingeEmbeddingLoss(x, s),
    c.marginRankingLoss(x, y, s, { margin: 0.3 }),
    c.softMarginLoss(x, s),
  ]],
  "losses of vectors": ["L", ([x, y, z, s]) => [
    c.cosineSimilarity(x, y),
    c.cosineEmbeddingLoss(x, y, s, { margin: 0.2 }),
    c.tripletMarginLoss(x, y, z),
  ]],
  "cosine_similarity of 0": ["L", ([x, y]) => c.cosineSimilarity(x, y)],
  "cdist": ["A", ([p, q]) => [c.cdist(p, q), c.cdist(p, q, 1)]],
  "scaled_dot_product_attention": ["N", ([q, k, v]) => [
    c.scaledDotProductAttention(q, k, v),
    c.scaledDotProductAttention(q, k, v, { isCausal: true }),
    c.scaledDotProductAttention(q, c.narrow(k, 1, 0, 2), c.narrow(v, 1, 0, 2)),
    c.scaledDotProductAttention(q, k, v, { scale: 0.7 }),
  ]],
  "scaled_dot_product_attention masked": ["N", ([q, k, v, added, mask]) => [
    c.scaledDotProductAttention(q, k, v, { mask: added }),
    c.scaledDotProductAttention(q, k, v, { mask }),
  ]],
  "multi_head_attention": [
    "P",
    ([x, input, inputBias, output, outputBias]) =>
      c.multiHeadAttention(x, x, x, 2, { input, inputBias, output, outputBias }),
  ],
  "rnn cells": ["T", ([x, h, input, hidden, inputBias, hiddenBias, state]) => {
    const part = (count: number): layers.CellWeights => {
      const [a, b, d, e] = [input, hidden, inputBias, hiddenBias].map((one) => one.slice(0, { stop: count }));
      return { input: a, hidden: b, inputBias: d, hiddenBias: e };
    };
    return [
      ...c.lstmCell(x, [h, state], part(20)),
      c.gruCell(x, h, part(15)),
      c.rnnCell(x, h, part(5)),
      c.rnnCell(x, h, { input: part(5).input, hidden: part(5).hidden }, "relu"),
    ];
  }],
  "arange and linspace": ["A", (_, engine) => [
    c.arange(engine, 2, 11, 3),
    c.arange(engine, 1, 0, -0.25),
    c.arange(engine, 3, 3),
    c.linspace(engine, -1, 2, 7),
    c.linspace(engine, 5, 9, 1),
    c.logspace(engine, -2, 3, 6),
    c.logspace(engine, 0, 3, 4, 2),
    c.eye(engine, 3, 4),
    c.tri(engine, 3, 5, 1),
  ]],
};

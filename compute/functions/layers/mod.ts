/**
 * What networks are made of: products, normalization, convolutions, pooling, attention and losses, forward. They are functions of
 * the tensors of `@alknet/compute`, and refuse as those do.
 *
 * @example
 * ```ts
 * import { openEngine } from "@alknet/compute";
 * import { conv2d, softmax } from "@alknet/compute/layers";
 * import assert from "node:assert/strict";
 *
 * await using engine = await openEngine({ device: "cpu" });
 * using image = engine.ones([1, 1, 4, 4]);
 * using kernel = engine.full([2, 1, 3, 3], 0.5);
 * using y = engine.scope(({ keep }) => keep(softmax(conv2d(image, kernel, { stride: 2, padding: 1 }), 1)));
 * assert.deepEqual([y.shape, (await y.read())[0]], [[1, 2, 2, 2], 0.5]);
 * ```
 *
 * @module
 */
export {
  alibiBias,
  type AttentionOptions,
  causalMask,
  type CellWeights,
  gruCell,
  lstmCell,
  multiHeadAttention,
  multiHeadWeights,
  rnnCell,
  rotaryEmbedding,
  scaledDotProductAttention,
  sinusoidalPositions,
} from "./attention.ts";
export {
  bceLoss,
  bceWithLogits,
  type ClassLossOptions,
  cosineEmbeddingLoss,
  cosineSimilarity,
  crossEntropy,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1Loss,
  type LossOptions,
  marginRankingLoss,
  mseLoss,
  multilabelSoftMarginLoss,
  nllLoss,
  poissonNllLoss,
  smoothL1Loss,
  softMarginLoss,
  tripletMarginLoss,
} from "./losses.ts";
export {
  type AffineOptions,
  batchNorm,
  type BatchNormOptions,
  type BatchNormResult,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  logSoftmax,
  maskedSoftmax,
  normalize,
  rmsNorm,
  softmax,
  softmin,
  weightNorm,
} from "./norms.ts";
export {
  adaptiveAvgPool,
  adaptiveMaxPool,
  type AveragePoolOptions,
  avgPool,
  interpolate,
  type InterpolateOptions,
  lpPool,
  maxPool,
  maxPoolWithIndices,
  pixelShuffle,
  pixelUnshuffle,
  type PoolOptions,
} from "./pooling.ts";
export {
  addbmm,
  addmm,
  addmv,
  baddbmm,
  bilinear,
  bmm,
  cdist,
  dot,
  einsum,
  kron,
  linear,
  matrixPower,
  mm,
  mv,
  outer,
  type ScaleOptions,
  tensordot,
  trace,
  vdot,
} from "./products.ts";
export {
  col2im,
  conv1d,
  conv2d,
  conv3d,
  type ConvOptions,
  convTranspose1d,
  convTranspose2d,
  type ConvTransposeOptions,
  im2col,
  type WindowOptions,
} from "./windows.ts";

/**
 * Tensors that compute, on the processor or on WebGPU.
 *
 * **Engines.** {@linkcode openEngine} opens one device: the CPU is WebAssembly with SIMD on all cores, over one shared memory;
 * the GPU is WebGPU. `auto` takes a GPU that is not made of software, and else the CPU. The same table of operations is
 * rendered for both.
 *
 * **Handles.** A {@linkcode Tensor} is a handle; its elements stay on the device until {@linkcode Tensor.read}. It is held by
 * `using`, or by {@linkcode Engine.scope}, which disposes of what was made within; what is forgotten is listed by
 * {@linkcode Engine.tensors}. Views ({@linkcode Tensor.permute}, {@linkcode Tensor.slice}) share elements.
 *
 * **Operations** are functions: {@linkcode add}, {@linkcode matmul}, {@linkcode sum}, {@linkcode gather}, {@linkcode sort},
 * {@linkcode rand} and their like; those of networks are in `@alknet/compute/layers`. They broadcast and promote as PyTorch
 * does, with NaN and infinities. {@linkcode Engine.kernel} runs a tree of one's own. On the CPU an operation is done when it returns, and the
 * thread is busy until then; on the GPU it goes on meanwhile.
 *
 * **Gradients.** A tensor whose {@linkcode Tensor.requiresGrad} is set is a leaf; what is made of it is recorded, and
 * {@linkcode Tensor.backward} adds to the {@linkcode Tensor.grad} of each leaf. {@linkcode grad} gives gradients as values;
 * {@linkcode noGrad} records nothing; {@linkcode gradcheck} compares with differences. A graph goes with the tensors that lead to
 * it, or when it was gone back through.
 *
 * **Networks** are in `@alknet/compute/nn`, optimizers in `@alknet/compute/optim`, files of what was learned in
 * `@alknet/compute/saving`.
 *
 * **Errors.** What is refused is a {@linkcode ComputeError} that names the operation, the shapes and the dim.
 *
 * @example
 * ```ts
 * import { add, matmul, openEngine } from "@alknet/compute";
 * import assert from "node:assert/strict";
 *
 * await using engine = await openEngine({ device: "cpu" });
 * using a = engine.tensor([[1, 2], [3, 4]]);
 * using y = engine.scope(({ keep }) => keep(add(matmul(a, a.transpose()), 0.5)));
 * assert.deepEqual([...await y.read()], [5.5, 11.5, 11.5, 25.5]);
 * ```
 *
 * @module
 */
export {
  celu,
  elu,
  geglu,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logsigmoid,
  mish,
  prelu,
  quickGelu,
  relu6,
  rrelu,
  selu,
  softplus,
  softshrink,
  softsign,
  swiglu,
  tanhshrink,
  threshold,
} from "./functions/elements/activations.ts";
export {
  atan2,
  bitwiseLeftShift,
  bitwiseRightShift,
  type CloseOptions,
  divTrunc,
  floatPower,
  floorDivide,
  fmod,
  gcd,
  heaviside,
  hypot,
  isclose,
  lcm,
  ldexp,
  logaddexp,
  logaddexp2,
  pow,
  remainder,
  rsub,
  xlog1py,
  xlogy,
} from "./functions/elements/arithmetic.ts";
export {
  add,
  addcdiv,
  addcmul,
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  clamp,
  copysign,
  div,
  eq,
  fmax,
  fmin,
  ge,
  gt,
  le,
  lerp,
  logicalAnd,
  logicalOr,
  logicalXor,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  type ScaledOptions,
  sub,
  where,
} from "./functions/elements/broadcasting.ts";
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cbrt,
  cos,
  cosh,
  digamma,
  erf,
  erfc,
  erfinv,
  exp2,
  type FiniteOptions,
  isneginf,
  isposinf,
  lgamma,
  logit,
  nanToNum,
  sin,
  sinc,
  sinh,
  tan,
} from "./functions/elements/functions.ts";
export {
  abs,
  bitwiseNot,
  ceil,
  deg2rad,
  exp,
  expm1,
  floor,
  frac,
  isfinite,
  isinf,
  isnan,
  log,
  log10,
  log1p,
  log2,
  logicalNot,
  neg,
  positive,
  rad2deg,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  signbit,
  silu,
  sqrt,
  square,
  tanh,
  trunc,
} from "./functions/elements/unary.ts";
export {
  all,
  amax,
  amin,
  any,
  bitcast,
  cast,
  countNonzero,
  matmul,
  mean,
  nansum,
  prod,
  sum,
} from "./functions/folding/folds.ts";
export { cummax, cummin, cumprod, cumsum, diff, logcumsumexp } from "./functions/folding/scans.ts";
export {
  aminmax,
  argmax,
  argmin,
  logsumexp,
  maxAlong,
  minAlong,
  nanmean,
  norm,
  type NormOptions,
  type SpreadOptions,
  std,
  stdMean,
  variance,
  varMean,
} from "./functions/folding/statistics.ts";
export {
  bucketize,
  embedding,
  embeddingBag,
  index,
  indexSelect,
  maskedFill,
  oneHot,
  take,
  takeAlongDim,
} from "./functions/indexing/gathering.ts";
export { gather } from "./functions/lookup/exchange.ts";
export { kthvalue, median, type OrderOptions, quantile, sort, topk, unique } from "./functions/indexing/ordering.ts";
export { argsort, type SearchOptions, searchsorted, type SortOptions } from "./functions/lookup/searching.ts";
export {
  bincount,
  indexAdd,
  indexCopy,
  indexFill,
  indexPut,
  maskedSelect,
  nonzero,
  scatter,
  scatterAdd,
  scatterReduce,
} from "./functions/indexing/scattering.ts";
export type { ScatterReduction } from "./functions/indexing/scatter_gradients.ts";
export {
  bernoulli,
  cauchy,
  dropout,
  dropout2d,
  exponential,
  Generator,
  geometric,
  gumbelSoftmax,
  logNormal,
  multinomial,
  rand,
  randint,
  randn,
  randomBits,
  randperm,
} from "./functions/random/random.ts";
export {
  arange,
  type CreationOptions,
  eye,
  fullLike,
  linspace,
  logspace,
  onesLike,
  tri,
  zerosLike,
} from "./functions/shapes/creation.ts";
export {
  cat,
  diag,
  diagEmbed,
  dstack,
  hstack,
  pad,
  type PadOptions,
  repeat,
  repeatInterleave,
  roll,
  stack,
  tile,
  tril,
  triu,
  vstack,
} from "./functions/shapes/joining.ts";
export {
  asStrided,
  broadcastTensors,
  chunk,
  contiguousOf,
  diagonal,
  expand,
  flatten,
  flip,
  meshgrid,
  movedim,
  narrow,
  reshape,
  rot90,
  select,
  split,
  squeeze,
  tensorSplit,
  unbind,
  unflatten,
  unfold,
  unsqueeze,
  view,
} from "./functions/shapes/views.ts";
export { checkpoint, type CheckpointOptions, grad, type GradOptions } from "./functions/gradients/gradients.ts";
export {
  type Checked,
  gradcheck,
  type GradcheckMiss,
  type GradcheckOptions,
  type GradcheckReport,
  gradgradcheck,
} from "./gradcheck/gradcheck.ts";
export { enableGrad, inferenceMode, noGrad } from "./tensors/autograd/modes.ts";
export type {
  BinaryName,
  CompareName,
  Expr,
  ExprNode,
  Forward,
  Meaning,
  Meant,
  UnaryName,
} from "./table/expression.ts";
export type { PadMode } from "./table/movement.ts";
export { measure, type Measurement, type MeasureOptions } from "./measure.ts";
export { type DataOptions, type Flat, type Nested } from "./tensors/data.ts";
export { type BufferStats, type Storage } from "./tensors/buffers.ts";
export type { BufferId } from "./devices/device.ts";
export { Engine } from "./tensors/engine.ts";
export { type LiveTensor } from "./tensors/leaks.ts";
export { type EngineOptions, openEngine } from "./tensors/open.ts";
export {
  type BackwardOptions,
  type FoldOptions,
  type GradientRule,
  type GraphNode,
  type Inverse,
  type KernelOperand,
  type Operand,
  type Runner,
  type Scope,
  Tensor,
} from "./tensors/tensor.ts";
export { type DataOf, type DType, DTYPES } from "./values/dtype.ts";
export { AlknetError } from "@alknet/core/handler";
export { type ComputeCode, ComputeError } from "./values/errors.ts";
export { type Layout } from "./values/shape.ts";

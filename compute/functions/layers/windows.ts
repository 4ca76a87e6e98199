/**
 * Convolutions and windows (ops.md §7, rows 153 to 157): windows are views, whose copy is multiplied as a matrix.
 *
 * Layouts are [batch, channels, …], weights [out, in/groups, …]; the batch may be left out. Each function throws a `ComputeError`:
 * `E_SHAPE`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import type { Tensor } from "../../tensors/tensor.ts";
import { sizeOf } from "../../values/shape.ts";
import { add, mul } from "../elements/broadcasting.ts";
import { matmul, sum } from "../folding/folds.ts";
import { cat, pad } from "../shapes/joining.ts";
import { overlapped } from "../shapes/inverses.ts";
import { flip, narrow, reshape, select, squeeze, unsqueeze } from "../shapes/views.ts";
import { checkDType, refuse, within } from "../tools/tools.ts";

/** How a convolution steps. A number stands for all dims. */
export interface ConvOptions {
  /** One a channel. */
  readonly bias?: Tensor;
  /** From window to window. Default 1. */
  readonly stride?: number | readonly number[];
  /** Zeros at both ends: how many, none (`valid`), or as many as keep the extent (`same`, with a stride of 1). Default 0. */
  readonly padding?: number | readonly number[] | "valid" | "same";
  /** From element to element of a window. Default 1. */
  readonly dilation?: number | readonly number[];
  /** Parts of the channels that are convolved by themselves. Default 1. */
  readonly groups?: number;
}

/** How a transposed convolution steps. */
export interface ConvTransposeOptions extends Omit<ConvOptions, "padding"> {
  /** What is cut off at both ends of what the kernel reaches. Default 0. */
  readonly padding?: number | readonly number[];
  /** Elements more at the end. Default 0. */
  readonly outputPadding?: number | readonly number[];
}

/** How windows are taken out. */
export interface WindowOptions {
  /** See {@linkcode ConvOptions}. */
  readonly stride?: number | readonly number[];
  /** See {@linkcode ConvOptions}. */
  readonly padding?: number | readonly number[];
  /** See {@linkcode ConvOptions}. */
  readonly dilation?: number | readonly number[];
}

/** A convolution along one dim. */
export function conv1d(x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor<"f32"> {
  return convolution("conv1d", 1, x, weight, options);
}

/** A convolution along two dims. */
export function conv2d(x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor<"f32"> {
  return convolution("conv2d", 2, x, weight, options);
}

/** A convolution along three dims. */
export function conv3d(x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor<"f32"> {
  return convolution("conv3d", 3, x, weight, options);
}

/** The adjoint of {@linkcode conv1d}; weights are [in, out/groups, …]. */
export function convTranspose1d(x: Tensor, weight: Tensor, options: ConvTransposeOptions = {}): Tensor<"f32"> {
  return transposed("conv_transpose1d", 1, x, weight, options);
}

/** The adjoint of {@linkcode conv2d}; weights are [in, out/groups, …]. */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTransposeOptions = {}): Tensor<"f32"> {
  return transposed("conv_transpose2d", 2, x, weight, options);
}

/** The windows of images as columns: [batch, channels · elements of a window, windows] (`torch.nn.functional.unfold`). */
export function im2col(x: Tensor, kernel: readonly [number, number], options: WindowOptions = {}): Tensor<"f32"> {
  checkDType("unfold", x, "f32");
  if (x.shape.length !== 4) refuse("E_SHAPE", "unfold", `shape [${x.shape}] has not four dims`);
  return within(x, () => {
    const beside = listed(options.padding ?? 0, 2);
    const wide = pad(x, ends(beside, beside)) as Tensor<"f32">;
    return columns("unfold", wide, kernel, listed(options.stride ?? 1, 2), listed(options.dilation ?? 1, 2));
  });
}

/** The sum of columns at their windows: the adjoint of {@linkcode im2col} (`torch.nn.functional.fold`). */
export function col2im(
  x: Tensor,
  size: readonly [number, number],
  kernel: readonly [number, number],
  options: WindowOptions = {},
): Tensor<"f32"> {
  checkDType("fold", x, "f32");
  const [stride, beside, dilation] = [options.stride ?? 1, options.padding ?? 0, options.dilation ?? 1]
    .map((one) => listed(one, 2));
  const whole = size.map((extent, dim) => extent + 2 * beside[dim]);
  const counts = whole.map((extent, dim) =>
    Math.floor((extent - dilation[dim] * (kernel[dim] - 1) - 1) / stride[dim]) + 1
  );
  const [batch, rows, windows] = x.shape;
  if (x.shape.length !== 3 || rows % sizeOf(kernel) !== 0 || windows !== sizeOf(counts)) {
    refuse("E_SHAPE", "fold", `shape [${x.shape}] is not of [${counts}] windows of [${kernel}] in [${size}]`);
  }
  return within(x, () => {
    const parts = reshape(x, [batch, rows / sizeOf(kernel), sizeOf(kernel), ...counts]);
    let total: Tensor | undefined;
    for (let place = 0; place < sizeOf(kernel); place++) {
      const from = [Math.floor(place / kernel[1]) * dilation[0], (place % kernel[1]) * dilation[1]];
      const apart = spread(select(parts, 2, place), stride);
      const after = from.map((before, dim) => whole[dim] - before - apart.shape[dim + 2]);
      const seen = pad(apart, ends(from, after));
      total = total ? add(total, seen) : seen;
    }
    return beside.reduce((y: Tensor, cut, dim) => narrow(y, dim + 2, cut, size[dim]), total!).clone() as Tensor<"f32">;
  });
}

/** Windows of the last dims as a view: [batch, channels, places …, elements …]. */
export function windowsOf(
  op: string,
  x: Tensor,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Tensor {
  const { shape, strides, offset } = x.layout;
  const places = kernel.map((size, dim) => {
    const left = shape[dim + 2] - dilation[dim] * (size - 1) - 1;
    if (!(left >= 0) || !(stride[dim] >= 1) || !(dilation[dim] >= 1) || !(size >= 1)) {
      refuse("E_SHAPE", op, `windows of [${kernel}] by [${stride}] do not lie in [${shape.slice(2)}]`);
    }
    return Math.floor(left / stride[dim]) + 1;
  });
  const steps = strides.slice(2);
  const layout = {
    shape: [...shape.slice(0, 2), ...places, ...kernel],
    strides: [
      ...strides.slice(0, 2),
      ...steps.map((step, dim) => step * stride[dim]),
      ...steps.map((step, dim) => step * dilation[dim]),
    ],
    offset,
  };
  const dims = kernel.map((_, i) => ({ dim: 2 + i, extent: shape[2 + i], step: stride[i], dilation: dilation[i] }));
  return x.runner.view(x, op, layout, (g) => overlapped(g, dims));
}

/** A number for each dim. */
export function listed(value: number | readonly number[], dims: number): readonly number[] {
  return typeof value === "number"
    ? new Array(dims).fill(value)
    : value.length === 1
    ? new Array(dims).fill(value[0])
    : value;
}

/** Sizes for {@linkcode pad}, from those of each dim in order. */
export function ends(before: readonly number[], after: readonly number[]): number[] {
  return before.flatMap((one, dim) => [after[dim], one]).reverse();
}

function convolution(op: string, dims: number, x: Tensor, weight: Tensor, options: ConvOptions): Tensor<"f32"> {
  checkDType(op, x, "f32");
  checkDType(op, weight, "f32");
  const { groups = 1, padding = 0 } = options;
  const [stride, dilation] = [listed(options.stride ?? 1, dims), listed(options.dilation ?? 1, dims)];
  if (x.shape.length === dims + 1) {
    return within(x, () => squeeze(convolution(op, dims, unsqueeze(x, 0), weight, options), 0));
  }
  const kernel = weight.shape.slice(2);
  const channels = x.shape[1];
  const fits = x.shape.length === dims + 2 && weight.shape.length === dims + 2 && groups >= 1 &&
    channels % groups === 0 && weight.shape[0] % groups === 0 && weight.shape[1] === channels / groups;
  if (!fits) {
    refuse("E_SHAPE", op, `weights [${weight.shape}] in ${groups} groups do not fit the channels of [${x.shape}]`);
  }
  const same = padding === "same";
  if (same && stride.some((one) => one !== 1)) refuse("E_SHAPE", op, "padding same takes a stride of 1");
  const reach = kernel.map((size, dim) => dilation[dim] * (size - 1));
  const before = same
    ? reach.map((one) => Math.floor(one / 2))
    : typeof padding === "string"
    ? reach.map(() => 0)
    : listed(padding, dims);
  const after = same ? reach.map((one, dim) => one - before[dim]) : before;
  return within(x, () => {
    const wide = pad(x, ends(before, after));
    const y = grouped(op, wide as Tensor<"f32">, weight, { kernel, stride, dilation, groups });
    return biased(y, options.bias);
  });
}

function grouped(
  op: string,
  x: Tensor<"f32">,
  weight: Tensor,
  form: { kernel: readonly number[]; stride: readonly number[]; dilation: readonly number[]; groups: number },
): Tensor {
  const { kernel, stride, dilation, groups } = form;
  const [each, inner] = [weight.shape[0] / groups, weight.shape[1]];
  const windows = windowsOf(op, x, kernel, stride, dilation);
  const places = windows.shape.slice(2, 2 + kernel.length);
  if (each === 1 && inner === 1 && groups > 1) {
    const own = reshape(weight, [1, groups, ...places.map(() => 1), ...kernel]);
    return sum(mul(windows, own), { dim: kernel.map((_, dim) => 2 + kernel.length + dim) });
  }
  const parts = Array.from({ length: groups }, (_, group) => {
    const matrix = reshape(narrow(weight, 0, group * each, each), [each, inner * sizeOf(kernel)]);
    return matmul(matrix, columns(op, narrow(x, 1, group * inner, inner), kernel, stride, dilation));
  });
  return reshape(cat(parts, 1), [x.shape[0], weight.shape[0], ...places]);
}

function columns(
  op: string,
  x: Tensor<"f32">,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Tensor<"f32"> {
  const windows = windowsOf(op, x, kernel, stride, dilation);
  const [places, elements] = [kernel.map((_, dim) => 2 + dim), kernel.map((_, dim) => 2 + kernel.length + dim)];
  const count = sizeOf(places.map((dim) => windows.shape[dim]));
  const ordered = windows.permute(0, 1, ...elements, ...places);
  return reshape(ordered, [x.shape[0], x.shape[1] * sizeOf(kernel), count]) as Tensor<"f32">;
}

function transposed(op: string, dims: number, x: Tensor, weight: Tensor, options: ConvTransposeOptions): Tensor<"f32"> {
  checkDType(op, x, "f32");
  if (x.shape.length === dims + 1) {
    return within(x, () => squeeze(transposed(op, dims, unsqueeze(x, 0), weight, options), 0));
  }
  const { groups = 1 } = options;
  const kernel = weight.shape.slice(2);
  const [stride, dilation, cut, more] = [
    options.stride ?? 1,
    options.dilation ?? 1,
    options.padding ?? 0,
    options.outputPadding ?? 0,
  ].map((one) => listed(one, dims));
  const fits = x.shape.length === dims + 2 && weight.shape.length === dims + 2 && x.shape[1] % groups === 0 &&
    weight.shape[0] === x.shape[1];
  if (!fits) {
    refuse("E_SHAPE", op, `weights [${weight.shape}] in ${groups} groups do not fit the channels of [${x.shape}]`);
  }
  if (more.some((one, dim) => one >= Math.max(stride[dim], dilation[dim]))) {
    refuse(
      "E_SHAPE",
      op,
      `output padding [${more}] must be less than the stride [${stride}] or the dilation [${dilation}]`,
    );
  }
  return within(x, () => {
    const inner = x.shape[1] / groups;
    const turned = flip(
      reshape(weight, [groups, inner, ...weight.shape.slice(1)]).transpose(1, 2),
      kernel.map((_, dim) => 3 + dim),
    );
    const own = reshape(turned, [groups * weight.shape[1], inner, ...kernel]);
    const reach = kernel.map((size, dim) => dilation[dim] * (size - 1) - cut[dim]);
    const wide = pad(spread(x, stride), ends(reach, reach.map((one, dim) => one + more[dim]))) as Tensor<"f32">;
    const form = { kernel, stride: kernel.map(() => 1), dilation, groups };
    return biased(grouped(op, wide, own, form), options.bias);
  });
}

/** Zeros between neighbours of the last dims. */
function spread(x: Tensor, stride: readonly number[]): Tensor {
  return stride.reduce((y: Tensor, step, i) => {
    const dim = i + 2;
    const extent = y.shape[dim];
    if (step === 1 || extent === 0) return y;
    const shape = y.shape.with(dim, extent * step);
    const apart = pad(reshape(y, [...y.shape.slice(0, dim + 1), 1, ...y.shape.slice(dim + 1)]), [
      ...new Array(2 * (y.shape.length - dim - 1)).fill(0),
      0,
      step - 1,
    ]);
    return narrow(reshape(apart, shape), dim, 0, (extent - 1) * step + 1);
  }, x);
}

function biased(y: Tensor, bias: Tensor | undefined): Tensor<"f32"> {
  if (bias === undefined) return y as Tensor<"f32">;
  return add(y, reshape(bias, [1, bias.size, ...y.shape.slice(2).map(() => 1)])) as Tensor<"f32">;
}

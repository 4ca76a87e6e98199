/**
 * Pooling and resampling (ops.md §7, rows 158 to 165): folds of windows, which are views.
 *
 * Layouts are [batch, channels, …] with one dim of windows or two, as the kernel has. Each function throws a `ComputeError`:
 * `E_SHAPE`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import type { Tensor } from "../../tensors/tensor.ts";
import { sizeOf } from "../../values/shape.ts";
import { div, lerp, where } from "../elements/broadcasting.ts";
import { pow } from "../elements/arithmetic.ts";
import { amax, mean, sum } from "../folding/folds.ts";
import { argmax, maxAlong } from "../folding/statistics.ts";
import { gather } from "../lookup/exchange.ts";
import { indexSelect } from "../indexing/gathering.ts";
import { pad, stack } from "../shapes/joining.ts";
import { expand, narrow, reshape, unsqueeze } from "../shapes/views.ts";
import { checkDType, refuse, within, withinAll } from "../tools/tools.ts";
import { ends, listed, windowsOf } from "./windows.ts";

/** How windows of a pool lie. A number stands for all dims. */
export interface PoolOptions {
  /** From window to window. Default the kernel. */
  readonly stride?: number | readonly number[];
  /** At both ends; at most half of the kernel. Default 0. */
  readonly padding?: number | readonly number[];
  /** From element to element of a window; of maxima only. Default 1. */
  readonly dilation?: number | readonly number[];
  /** Windows may reach over the end. Default false. */
  readonly ceilMode?: boolean;
}

/** How a mean is taken. */
export interface AveragePoolOptions extends Omit<PoolOptions, "dilation"> {
  /** Padding counts as elements of 0. Default true. */
  readonly countIncludePad?: boolean;
  /** What is divided by in place of the count. */
  readonly divisorOverride?: number;
}

/** How values between elements are found. */
export interface InterpolateOptions {
  /** Default `nearest`. `linear` serves one dim or two. */
  readonly mode?: "nearest" | "nearest-exact" | "linear";
  /** The first and last elements stay the first and last. Default false. */
  readonly alignCorners?: boolean;
}

/** The largest element of each window; NaN where there is one. */
export function maxPool(x: Tensor, kernel: readonly number[], options: PoolOptions = {}): Tensor<"f32"> {
  // A gradient goes to the first of equal elements, so it takes their places.
  if (x.requiresGrad) {
    const [values, places] = maxPoolWithIndices(x, kernel, options);
    places.dispose();
    return values;
  }
  const { dims, windows } = planned("max_pool", x, kernel, options);
  return within(x, () => amax(windows(x, -Infinity), { dim: dims }) as Tensor<"f32">);
}

/** The same, and the places of the largest elements, the first of equal ones, in the plane as one row. */
export function maxPoolWithIndices(
  x: Tensor,
  kernel: readonly number[],
  options: PoolOptions = {},
): readonly [Tensor<"f32">, Tensor<"i32">] {
  const { windows } = planned("max_pool", x, kernel, options);
  return withinAll(x, (runner) => {
    const joined = (view: Tensor): Tensor => reshape(view, [...view.shape.slice(0, 2 + kernel.length), sizeOf(kernel)]);
    const values = joined(windows(x, -Infinity));
    const extents = x.shape.slice(2);
    const strides = extents.map((_, dim) => sizeOf(extents.slice(dim + 1)));
    const place = { place: { shape: [1, 1, ...extents], strides: [0, 0, ...strides], offset: 0 } };
    const plane = runner.kernel("max_pool", [1, 1, ...extents], [place], (one) => one);
    const places = joined(windows(plane, 0));
    const best = argmax(values, { dim: -1, keepdim: true });
    const found = gather(expand(places, values.shape), -1, best);
    const shape = values.shape.slice(0, -1);
    return [reshape(gather(values, -1, best), shape), reshape(found, shape)] as unknown as readonly [
      Tensor<"f32">,
      Tensor<"i32">,
    ];
  });
}

/** The mean of each window. */
export function avgPool(x: Tensor, kernel: readonly number[], options: AveragePoolOptions = {}): Tensor<"f32"> {
  const { countIncludePad = true, divisorOverride } = options;
  const { dims, windows, counts } = planned("avg_pool", x, kernel, options);
  return within(x, (runner) => {
    const total = sum(windows(x, 0), { dim: dims });
    if (divisorOverride !== undefined) return div(total, divisorOverride);
    const each = counts(countIncludePad);
    const sizes = each.map((own, dim) =>
      runner.tensor(Float32Array.from(own), { shape: each.map((_, one) => one === dim ? own.length : 1) })
    );
    return sizes.reduce((y: Tensor, one) => div(y, one), total) as Tensor<"f32">;
  });
}

/** The mean of each of so many bins, which may overlap. */
export function adaptiveAvgPool(x: Tensor, size: readonly number[]): Tensor<"f32"> {
  return adaptive("adaptive_avg_pool", x, size, (part, dim) => mean(part, { dim }));
}

/** The largest element of each of so many bins. */
export function adaptiveMaxPool(x: Tensor, size: readonly number[]): Tensor<"f32"> {
  return adaptive("adaptive_max_pool", x, size, (part, dim) => maxAlong(part, dim)[0]);
}

/** (Σ xᵖ)^(1/p) of each window. */
export function lpPool(x: Tensor, p: number, kernel: readonly number[], options: PoolOptions = {}): Tensor<"f32"> {
  const { dims, windows } = planned("lp_pool", x, kernel, options);
  return within(x, (runner) => {
    const total = sum(windows(pow(x, p), 0), { dim: dims });
    // A root of 0 sends 0, not what is endless times 0.
    const nothing = runner.map("eq", [total, 0]);
    return where(nothing, 0, pow(where(nothing, 1, total), 1 / p)) as Tensor<"f32">;
  });
}

/** Another size of the last dims. */
export function interpolate(x: Tensor, size: readonly number[], options: InterpolateOptions = {}): Tensor<"f32"> {
  const { mode = "nearest", alignCorners = false } = options;
  checkDType("interpolate", x, "f32");
  const first = x.shape.length - size.length;
  if (first !== 2 || size.length < 1 || !size.every((one) => Number.isInteger(one) && one >= 1)) {
    refuse("E_SHAPE", "interpolate", `size [${size}] is not of the dims of [${x.shape}] beside batch and channels`);
  }
  return within(x, (runner) => {
    const taken = (y: Tensor, dim: number, places: readonly number[]): Tensor =>
      indexSelect(y, dim, runner.tensor(Int32Array.from(places)));
    return size.reduce((y: Tensor, wanted, i) => {
      const dim = first + i;
      const extent = y.shape[dim];
      const steps = [...Array(wanted).keys()];
      const last = (place: number): number => Math.min(Math.max(place, 0), extent - 1);
      if (mode !== "linear") {
        const shift = mode === "nearest" ? 0 : 0.5;
        return taken(y, dim, steps.map((step) => last(Math.floor((step + shift) * extent / wanted))));
      }
      const corner = wanted > 1 ? (extent - 1) / (wanted - 1) : 0;
      const places = steps.map((step) =>
        alignCorners ? step * corner : Math.max(0, (step + 0.5) * extent / wanted - 0.5)
      );
      const low = places.map((place) => last(Math.floor(place)));
      const share = runner.tensor(Float32Array.from(places, (place, step) => place - low[step]), {
        shape: y.shape.slice(dim).map((_, one) => one === 0 ? wanted : 1),
      });
      return lerp(taken(y, dim, low), taken(y, dim, low.map((place) => last(place + 1))), share);
    }, x) as Tensor<"f32">;
  });
}

/** Channels as elements of planes that are larger by a factor. */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  const [channels, height, width] = x.shape.slice(-3);
  const lead = x.shape.slice(0, -3);
  if (x.shape.length < 3 || !(factor >= 1) || channels % factor ** 2 !== 0) {
    refuse("E_SHAPE", "pixel_shuffle", `[${x.shape}] has no channels in multiples of ${factor ** 2}`);
  }
  return within(x, () => {
    const parts = reshape(x, [sizeOf(lead), channels / factor ** 2, factor, factor, height, width]);
    return reshape(parts.permute(0, 1, 4, 2, 5, 3), [...lead, channels / factor ** 2, height * factor, width * factor]);
  });
}

/** Elements of planes as channels: the inverse of {@linkcode pixelShuffle}. */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  const [channels, height, width] = x.shape.slice(-3);
  const lead = x.shape.slice(0, -3);
  if (x.shape.length < 3 || !(factor >= 1) || height % factor !== 0 || width % factor !== 0) {
    refuse("E_SHAPE", "pixel_unshuffle", `[${x.shape}] has no planes in multiples of ${factor}`);
  }
  return within(x, () => {
    const parts = reshape(x, [sizeOf(lead), channels, height / factor, factor, width / factor, factor]);
    return reshape(parts.permute(0, 1, 3, 5, 2, 4), [...lead, channels * factor ** 2, height / factor, width / factor]);
  });
}

function planned(op: string, x: Tensor, kernel: readonly number[], options: PoolOptions): {
  readonly dims: readonly number[];
  readonly windows: (x: Tensor, filler: number) => Tensor;
  readonly counts: (withPadding: boolean) => number[][];
} {
  const rank = kernel.length;
  checkDType(op, x, "f32");
  if (x.shape.length !== rank + 2) {
    refuse("E_SHAPE", op, `[${x.shape}] has not batch, channels and the dims of [${kernel}]`);
  }
  const stride = listed(options.stride ?? kernel, rank);
  const [padding, dilation] = [listed(options.padding ?? 0, rank), listed(options.dilation ?? 1, rank)];
  if (padding.some((one, dim) => one < 0 || one > kernel[dim] / 2)) {
    refuse("E_SHAPE", op, `padding [${padding}] must be at most half of the kernel [${kernel}]`);
  }
  const places = kernel.map((size, dim) => {
    const extent = x.shape[dim + 2];
    const free = extent + 2 * padding[dim] - dilation[dim] * (size - 1) - 1;
    const steps = options.ceilMode ? Math.ceil(free / stride[dim]) : Math.floor(free / stride[dim]);
    // No window begins behind the end and what is before it.
    const over = options.ceilMode && steps * stride[dim] >= extent + padding[dim];
    if (free < 0) refuse("E_SHAPE", op, `windows of [${kernel}] do not lie in [${x.shape}]`);
    return steps + 1 - (over ? 1 : 0);
  });
  const after = places.map((count, dim) =>
    Math.max(
      padding[dim],
      (count - 1) * stride[dim] + dilation[dim] * (kernel[dim] - 1) + 1 - x.shape[dim + 2] - padding[dim],
    )
  );
  return {
    dims: kernel.map((_, dim) => 2 + rank + dim),
    windows: (one, filler) => {
      const view = windowsOf(op, pad(one, ends(padding, after), { value: filler }), kernel, stride, dilation);
      return places.reduce((seen: Tensor, count, dim) => narrow(seen, 2 + dim, 0, count), view);
    },
    counts: (withPadding) =>
      places.map((count, dim) =>
        Array.from({ length: count }, (_, place) => {
          const start = place * stride[dim] - padding[dim];
          const extent = x.shape[dim + 2];
          const end = Math.min(start + kernel[dim], extent + (withPadding ? padding[dim] : 0));
          return end - Math.max(start, withPadding ? -padding[dim] : 0);
        })
      ),
  };
}

function adaptive(
  op: string,
  x: Tensor,
  size: readonly number[],
  fold: (part: Tensor<"f32">, dim: number) => Tensor,
): Tensor<"f32"> {
  checkDType(op, x, "f32");
  const first = x.shape.length - size.length;
  if (first < 1 || !size.every((one) => Number.isInteger(one) && one >= 1)) {
    refuse("E_SHAPE", op, `size [${size}] is not of the last dims of [${x.shape}]`);
  }
  return within(x, () =>
    size.reduce((y: Tensor, bins, i) => {
      const dim = first + i;
      const extent = y.shape[dim];
      const parts = Array.from({ length: bins }, (_, bin) => {
        const [start, end] = [Math.floor(bin * extent / bins), Math.ceil((bin + 1) * extent / bins)];
        return fold(narrow(y, dim, start, end - start) as Tensor<"f32">, dim);
      });
      return bins === 1 ? unsqueeze(parts[0], dim) : stack(parts, dim);
    }, x) as Tensor<"f32">);
}

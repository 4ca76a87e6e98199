/**
 * Writing over the elements of a tensor: what gradients need is refused, and those that share them see it.
 *
 * @module
 */
import type { Device } from "../devices/device.ts";
import { planMap } from "../kernels/map.ts";
import { ComputeError } from "../values/errors.ts";
import { expand, isContiguous, sizeOf } from "../values/shape.ts";
import { elementsOf, type Flat, type Nested } from "./data.ts";
import { gradMode } from "./autograd/modes.ts";
import { type Runner, Tensor } from "./tensor.ts";

/**
 * Writes.
 *
 * @param from A tensor that broadcasts to it, or as many elements of the host's.
 * @throws {ComputeError} `E_VERSION`, `E_GRAPH`, `E_SHAPE`.
 */
export function overwrite(
  runner: Runner,
  device: Device,
  to: Tensor,
  from: Tensor | Nested | Flat,
  force: boolean,
): void {
  const storage = to.storageFor("write");
  if (to.requiresGrad && gradMode() === "enabled") {
    throw new ComputeError("E_GRAPH", "write", `gradients are asked of tensor ${to.id}; write to it within noGrad`);
  }
  if (!isContiguous(to.layout) || to.layout.offset !== 0) {
    throw new ComputeError(
      "E_SHAPE",
      "write",
      `[${to.shape}] is a part of a buffer; write to the tensor that it is a view of`,
    );
  }
  if (storage && storage.saved > 0 && !force) {
    throw new ComputeError(
      "E_VERSION",
      "write",
      `a gradient needs the elements of tensor ${to.id}; go back first, clone it, or pass force`,
    );
  }
  if (from instanceof Tensor) {
    if (from.dtype !== to.dtype) {
      throw new ComputeError("E_DTYPE", "write", `${from.dtype} and ${to.dtype} differ; cast`);
    }
    const fits = from.shape.length <= to.shape.length &&
      from.shape.toReversed().every((extent, i) => extent === 1 || extent === to.shape.at(-1 - i));
    if (!fits) throw new ComputeError("E_SHAPE", "write", `[${from.shape}] does not broadcast to [${to.shape}]`);
    if (!storage) return;
    // A kernel writes to no buffer that it reads.
    using copy = from.storageFor("write") === storage ? runner.copy(from) : undefined;
    const source = copy ?? from;
    const operand = { dtype: to.dtype, layout: expand(source.layout, to.shape) };
    const launch = planMap(to.shape, [operand], [to.dtype], (x) => x);
    device.launch(launch, [storage.buffer, source.storageFor("write")!.buffer]);
  } else {
    const options = { dtype: to.dtype, ...(typeof from === "object" ? {} : { shape: [] }) };
    const { words } = elementsOf(from, options);
    if (words.length !== sizeOf(to.shape)) {
      throw new ComputeError("E_SHAPE", "write", `${words.length} elements are not those of [${to.shape}]`);
    }
    if (storage) device.write(storage.buffer, words);
  }
  if (storage) storage.version++;
}

/**
 * `alknet tensor convert`: safetensors, metatensor and NumPy into one another.
 *
 * @module
 */
import { DEFAULT_LIMITS, openSync, readNpy, readNpz, type TensorToWrite, write } from "@alknet/tensor";
import { basename, extname } from "node:path";
import { ExitCode, note } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { counted } from "../terminal/size.ts";

/** Makes one file into another. A document stays, so that structs and blobs are what they were. */
export async function convert(
  { file: path, output, align }: { file: string; output: string; align?: number },
): Promise<number> {
  using progress = new Progress(`writing ${output}`);
  const options = { align, progress: progress.report };
  const tensors = new Map<string, TensorToWrite>();
  const kind = extname(path);
  if (kind === ".npy") tensors.set(basename(path, kind), readNpy(await Deno.readFile(path)));
  else if (kind === ".npz") {
    const arrays = await readNpz(await Deno.readFile(path), DEFAULT_LIMITS.readBytes);
    for (const [name, array] of arrays) tensors.set(name, array);
  }
  if (kind === ".npy" || kind === ".npz") {
    await write(output, tensors, { ...options, document: align === undefined ? undefined : {} });
  } else {
    using file = openSync(path);
    for (const { name, dtype, shape } of file.header.ordered) {
      if (!name.startsWith("__pad__.")) tensors.set(name, { dtype, shape, data: () => file.stream(name) });
    }
    const metadata = new Map(file.metadata);
    metadata.delete("metatensor");
    const own = file.document?.value;
    const document = align === undefined ? own : { ...own, align };
    await write(output, tensors, { ...options, metadata, document });
  }
  note(`${output}: ${counted(tensors.size, "tensor")}`);
  return ExitCode.DONE;
}

/**
 * `alknet tensor extract`: one tensor, or a part of it.
 *
 * @module
 */
import { openSync, type SliceRange, write } from "@alknet/tensor";
import { ExitCode, UsageError } from "../terminal/output.ts";

/** Writes a tensor to a file of its own, or its bytes to standard output. */
export async function extract(
  { file: path, name, slice, output }: { file: string; name: string; slice?: string; output?: string },
): Promise<number> {
  using file = openSync(path);
  const { dtype, shape } = file.info(name);
  const part = slice === undefined ? undefined : sliced(() => file.slice(name, ...parseSlice(slice)));
  if (output !== undefined) {
    const data = part?.data ?? (() => file.stream(name));
    await write(output, { [name]: { dtype, shape: part?.shape ?? shape, data } });
    return ExitCode.DONE;
  }
  const bytes = part ? new Uint8Array(part.data.buffer, part.data.byteOffset, part.data.byteLength) : undefined;
  const stream = bytes ? new Blob([bytes]).stream() : file.stream(name);
  await stream.pipeTo(Deno.stdout.writable, { preventClose: true });
  return ExitCode.DONE;
}

/** `0,:,2:10:2` as ranges. */
function parseSlice(text: string): SliceRange[] {
  return text.replace(/^\[|\]$/g, "").split(",").map((part) => {
    const numbers = part.trim().split(":").map((one) => one === "" ? null : Number(one));
    if (numbers.length > 3 || !numbers.every((one) => one === null || Number.isInteger(one))) {
      throw new UsageError(`--slice ${text}: write each dimension as PLACE or FROM:TO:STEP`);
    }
    return part.includes(":") ? numbers as unknown as SliceRange : numbers[0] ?? [];
  });
}

function sliced<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--slice: ${error.message}`);
    throw error;
  }
}

/**
 * `alknet tensor head`: the first records and items of a dataset.
 *
 * @module
 */
import { openSync } from "@alknet/tensor";
import { ExitCode, note, printJson } from "../terminal/output.ts";

/** Prints them, one JSON object a line. */
export function head({ file: path, name, count }: { file: string; name: string | undefined; count: number }): number {
  using file = openSync(path);
  const wanted = name === undefined ? file.names().filter((one) => file.info(one).kind !== "flat") : [name];
  if (wanted.length === 0) note(`${path} has no records and no blobs; alknet tensor inspect lists its tensors`);
  for (const tensor of wanted) {
    const rows = file.info(tensor).kind === "blob" ? file.blobs(tensor) : file.records(tensor);
    for (let i = 0; i < Math.min(count, rows.length); i++) {
      printJson({ tensor, index: i, value: plain(rows.at(i)) });
    }
  }
  return ExitCode.DONE;
}

/** A value as JSON has it: 64-bit integers as text, typed arrays as lists. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return value.toHex();
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

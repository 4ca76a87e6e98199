/**
 * `alknet tensor inspect`: a line for each tensor, and totals.
 *
 * @module
 */
import { openSync, type TensorFile } from "@alknet/tensor";
import { ExitCode, print, printJson } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { counted } from "../terminal/size.ts";
import { statisticsOf } from "./statistics.ts";

const HEAD = ["name", "kind", "dtype", "shape", "bytes", "offset"];

/** Lists the tensors of a file. */
export function inspect({ file: path, stats, json }: { file: string; stats: boolean; json: boolean }): number {
  using file = openSync(path);
  using progress = new Progress("reading tensors");
  const names = file.names();
  const table = [stats ? [...HEAD, "min", "max", "mean", "nan"] : HEAD];
  for (const [index, name] of names.entries()) {
    const { kind, dtype, shape, range: [start, end] } = file.info(name);
    const statistics = stats && kind === "flat" ? statisticsOf(file, name) : undefined;
    progress.report((index + 1) / names.length);
    if (json) printJson({ name, kind, dtype, shape, bytes: end - start, offset: start, ...statistics });
    else {
      const numbers = statistics ? [statistics.min, statistics.max, statistics.mean, statistics.nan].map(short) : [];
      table.push([printable(name), kind, dtype, `[${shape}]`, String(end - start), String(start), ...numbers]);
    }
  }
  report(file, names.length, table, json);
  return ExitCode.DONE;
}

function report(file: TensorFile, tensors: number, table: string[][], json: boolean): void {
  const { length, dataLength } = file.header;
  const form = file.document === undefined ? "safetensors" : "metatensor";
  if (json) {
    const metadata = Object.fromEntries(file.metadata);
    return printJson({ tensors, header: length, data: dataLength, bytes: file.size, form, metadata });
  }
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  for (const row of table) print(row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
  print(`${counted(tensors, "tensor")}, ${dataLength} bytes of data, ${length} of header, ${form}`);
}

/** A name as a terminal may show it: control characters in a stranger's file would drive it. */
function printable(name: string): string {
  return JSON.stringify(name).slice(1, -1).replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "�");
}

function short(value: number | null | undefined): string {
  return value === undefined || value === null ? "" : Number.isInteger(value) ? String(value) : value.toPrecision(6);
}

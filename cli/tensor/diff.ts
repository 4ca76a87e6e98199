/**
 * `alknet tensor diff`: what differs between two files' tensors and schemas.
 *
 * @module
 */
import { diff, openSync, type TensorFile } from "@alknet/tensor";
import { ExitCode, print, printJson } from "../terminal/output.ts";

/** Prints a line for each difference; exit code 1 where there is one, as of `diff`. */
export function diffFiles({ a, b, json }: { a: string; b: string; json: boolean }): number {
  using before = openSync(a);
  using after = openSync(b);
  const lines = [...ofTensors(before, after), ...ofSchemas(before, after)];
  for (const line of lines) {
    if (json) printJson(line);
    else print(`${line.change}: ${JSON.stringify(line.name)}${line.what === undefined ? "" : `, ${line.what}`}`);
  }
  return lines.length === 0 ? ExitCode.DONE : ExitCode.FAILED;
}

type Line = Record<"change" | "name", string> & { readonly what?: string };

function* ofTensors(before: TensorFile, after: TensorFile): Generator<Line> {
  const names = after.names();
  const known = new Set(names);
  for (const name of before.names()) if (!known.has(name)) yield { change: "removed", name };
  for (const name of names) {
    if (!before.has(name)) {
      yield { change: "added", name };
      continue;
    }
    const [was, is] = [before.info(name), after.info(name)].map(({ kind, dtype, shape }) =>
      `${kind} ${dtype} [${shape}]`
    );
    if (was !== is) yield { change: "changed", name, what: `${was} → ${is}` };
    else if (before.header.entries.has(name) && !sameBytes(before, after, name)) {
      yield { change: "changed", name, what: "other data" };
    }
  }
}

function* ofSchemas(before: TensorFile, after: TensorFile): Generator<Line> {
  const [old, now] = [before, after].map(({ document }) => document?.schema?.root);
  if (!old || !now) return;
  for (const { path, class: strength, what } of diff(old, now).edits) {
    yield { change: `schema, ${strength}`, name: path, what };
  }
}

function sameBytes(before: TensorFile, after: TensorFile, name: string): boolean {
  const piece = 1 << 20;
  const { range: [start, end] } = before.info(name);
  for (let at = 0; at < end - start; at += piece) {
    const part = [at, Math.min(at + piece, end - start)] as const;
    const [a, b] = [before.bytes(name, part), after.bytes(name, part)];
    if (a.some((byte, i) => byte !== b[i])) return false;
  }
  return true;
}

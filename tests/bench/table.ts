/**
 * The table of figures, on the terminal and in BENCHMARKS.md.
 *
 * @module
 */
import { type Figure, ratio } from "./harness.ts";

const HEAD = ["figure", "ours", "in-process", "peer", "ratio", "wanted"] as const;

/** Cells of the table, the head first. The ratio is that of the default; the in-process one stands beside its value. */
export function rows(figures: readonly Figure[]): string[][] {
  return [[...HEAD], ...figures.map(cells)];
}

/** As text, in columns. */
export function plainTable(table: readonly (readonly string[])[]): string {
  return columns(table).map((row) => row.join("  ").trimEnd()).join("\n");
}

/** As Markdown, formatted as `deno fmt` does. */
export function markdownTable(table: readonly (readonly string[])[]): string {
  const [head, ...body] = columns(table);
  return [head, head.map((cell) => "-".repeat(cell.length)), ...body].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Whether a figure is what is wanted of it. */
export function isReached(figure: Figure): boolean {
  return figure.wanted === undefined || (ratio(figure) ?? 0) >= figure.wanted;
}

/** The cells, those of a column equally wide. */
function columns(table: readonly (readonly string[])[]): string[][] {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column])));
}

function cells(figure: Figure): string[] {
  const { name, unit, ours, inProcess, peer, peerName, wanted } = figure;
  const value = (number: number): string => `${significant(number)} ${unit}`;
  const times = (number: number | undefined): string => number === undefined ? "" : `${number.toFixed(2)} ×`;
  return [
    name,
    value(ours),
    inProcess === undefined ? "" : `${value(inProcess)} (${times(ratio(figure, inProcess))})`,
    peer === undefined ? "" : `${value(peer)} ${peerName}`,
    times(ratio(figure)),
    wanted === undefined ? "reported" : `${times(wanted)}${isReached(figure) ? "" : " missed"}`,
  ];
}

/** Three digits that mean something, and no more. */
function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

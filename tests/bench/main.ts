/**
 * `deno task bench`: each figure beside its peer's, from the same run, as a ratio.
 *
 * ```text
 * deno task bench [--update] [--rounds N] [--seconds S] [GROUP …]
 * ```
 *
 * Without groups it runs all; a group is named by any part of its name. `--update` rewrites the table in BENCHMARKS.md.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { ROOT } from "../support/python.ts";
import { GROUPS } from "./groups.ts";
import type { Figure, Group } from "./harness.ts";
import { markdownTable, plainTable, rows } from "./table.ts";

const MARK = "<!-- figures -->";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      update: { type: "boolean", default: false },
      rounds: { type: "string", default: "7" },
      seconds: { type: "string", default: "0.5" },
    },
  });
  const chosen = choose(positionals);
  if (chosen.length === 0) {
    console.error(`no group is named like ${positionals.join(", ")}; there are: ${GROUPS.map(({ name }) => name)}`);
    return 2;
  }
  if (values.update && chosen.length < GROUPS.length) {
    console.error("--update writes the whole table: run it without naming groups");
    return 2;
  }
  const seconds = Number(values.seconds);
  const figures: Figure[] = [];
  let failed = false;
  for (const group of chosen) {
    console.error(`measuring ${group.name}`);
    try {
      figures.push(...await group.run({ rounds: Number(values.rounds), seconds, warmUp: seconds }));
    } catch (error) {
      // Minutes of other figures are not thrown away for one.
      console.error(error);
      failed = true;
    }
  }
  const table = rows(figures);
  console.log(`${machine()}\n\n${plainTable(table)}`);
  if (failed) return 1;
  if (values.update) await update(markdownTable(table), ["deno task bench", ...args].join(" "));
  return 0;
}

function choose(names: readonly string[]): readonly Group[] {
  if (names.length === 0) return GROUPS;
  return GROUPS.filter((group) => names.some((name) => group.name.includes(name)));
}

/** Replaces what stands below the mark. */
async function update(table: string, command: string): Promise<void> {
  const path = `${ROOT}BENCHMARKS.md`;
  const text = await Deno.readTextFile(path);
  const mark = text.indexOf(MARK);
  if (mark < 0) throw new Error(`${path} lacks the line ${MARK}, below which the figures go`);
  const date = new Date().toISOString().slice(0, 10);
  const head = text.slice(0, mark + MARK.length);
  await Deno.writeTextFile(path, `${head}\n\n${date}, ${machine()}, \`${command}\`:\n\n${table}\n`);
}

/** What the figures depend on most. */
function machine(): string {
  return `${processor()}, ${navigator.hardwareConcurrency} cores, ${Deno.build.os}, Deno ${Deno.version.deno}`;
}

function processor(): string {
  try {
    return /^model name\s*: (.+)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
  } catch {
    return Deno.build.arch;
  }
}

/**
 * House rules that a program can hold: entries list names, exports have names, every file says what it is, and
 * none is left that nothing reaches.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ROOT } from "./support/python.ts";
import { members, moduleGraph, publicEntries } from "./support/workspace.ts";

/** A file above this needs a reason, which stands here; one algorithm may stay whole. */
const MOST_LINES = 400;
const LONGER_FOR_A_REASON: Readonly<Record<string, string>> = {};

/** Spellings that no file may hold, and why. Written in pieces, so that this file does not hold them. */
const FORBIDDEN: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: new RegExp("--" + "unstable"), why: "the command runs without flags" },
  { pattern: new RegExp("^export " + "default", "m"), why: "exports have names" },
  { pattern: new RegExp("^export " + "\\*", "m"), why: "an entry lists its names" },
  { pattern: new RegExp("\\b(?:TO" + "DO|FIX" + "ME|XX" + "X)\\b"), why: "work to do is an issue" },
  { pattern: new RegExp('from "' + "https?:"), why: "dependencies are mapped once, in deno.json" },
];

const sources = members().flatMap((member) => [...sourcesIn(member)]).concat("mod.ts");

Deno.test("source files: none is longer than 400 lines without a reason", () => {
  const long = sources.filter((path) => linesOf(path) > MOST_LINES && !LONGER_FOR_A_REASON[path]);
  assert.deepEqual(long, []);
});

Deno.test("source files: each begins with a module doc comment", () => {
  const bare = sources.filter((path) => !/^(?:#!.*\n)?\/\*\*[\s\S]*?@module[\s\S]*?\*\//.test(text(path)));
  assert.deepEqual(bare, []);
});

for (const { pattern, why } of FORBIDDEN) {
  Deno.test(`source files: none holds ${pattern.source}, for ${why}`, () => {
    assert.deepEqual(sources.filter((path) => pattern.test(text(path))), []);
  });
}

Deno.test("source files: names are in snake_case", () => {
  assert.deepEqual(sources.filter((path) => !/^(?:[a-z0-9_]+\/)*[a-z0-9_]+\.ts$/.test(path)), []);
});

Deno.test("deno.json: every dependency is imported by a source file, or as a peer or twin of one by a test", () => {
  const { imports } = JSON.parse(text("deno.json"));
  const everything = [...sources, ...sourcesIn("tests")].map(text).join("\n");
  assert.deepEqual(Object.keys(imports).filter((name) => !everything.includes(`"${name}`)), []);
});

Deno.test("source files: each is reached from a public entry", async () => {
  const reached = new Set<string>();
  for (const entry of publicEntries()) for (const path of (await moduleGraph(entry)).keys()) reached.add(path);
  assert.deepEqual(sources.filter((path) => !reached.has(path)), []);
});

function* sourcesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(ROOT + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourcesIn(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

function linesOf(path: string): number {
  return text(path).trimEnd().split("\n").length;
}

function text(path: string): string {
  return Deno.readTextFileSync(ROOT + path);
}

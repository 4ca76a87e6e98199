/**
 * Imports point one way. The rules are tables; the graph is what `deno info --json` says of every public entry.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type GraphModule, moduleGraph, publicEntries } from "./support/workspace.ts";

/** What each part of the house may import besides itself. The first row whose prefix fits a path is its part. */
const PARTS: readonly { readonly prefix: string; readonly may: readonly string[] }[] = [
  { prefix: "cli/", may: ["compute/", "runtime/", "tensor/", "handlers/", "vault/", "core/"] },
  { prefix: "vault/", may: [] },
  { prefix: "tensor/", may: [] },
  { prefix: "compute/", may: ["runtime/", "tensor/", "core/"] },
  // A handler never imports another handler, but for the frames of calls, which HTTP carries over WebSockets, and SOCKS, which tunnels speak.
  { prefix: "handlers/call/", may: ["core/"] },
  { prefix: "handlers/dns/", may: ["core/"] },
  { prefix: "handlers/echo/", may: ["core/"] },
  { prefix: "handlers/fs/", may: ["core/"] },
  { prefix: "handlers/git/", may: ["core/"] },
  { prefix: "handlers/http/websocket/", may: ["handlers/http/", "handlers/call/", "core/"] },
  { prefix: "handlers/http/", may: ["handlers/http/websocket/", "core/"] },
  { prefix: "handlers/mix/", may: ["core/"] },
  { prefix: "handlers/msg/", may: ["core/"] },
  { prefix: "handlers/sftp/", may: ["core/"] },
  { prefix: "handlers/socks/", may: [] },
  { prefix: "handlers/ssh/", may: ["core/"] },
  { prefix: "handlers/tunnel/", may: ["handlers/socks/", "handlers/ssh/", "core/"] },
  { prefix: "runtime/", may: ["core/"] },
  { prefix: "core/", may: [] },
  { prefix: "mod.ts", may: ["core/"] },
];

/**
 * The floors of core, ground floor first: a file imports from its own floor and those below it. The longest fitting
 * prefix counts: a file may stand on a lower floor than its folder when it is a table, or text alone.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["core/errors.ts", "core/log.ts", "core/ip.ts"],
  ["core/identity/", "core/limits/"],
  ["core/crypto/"],
  ["core/handler/"],
  ["core/operations/values/"],
  ["core/operations/authoring/"],
  ["core/operations/access/"],
  ["core/operations/layers/"],
  ["core/operations/running/"],
  ["core/operations/discovery/"],
  ["core/operations/mod.ts"],
  ["core/config/"],
  ["core/transports/"],
  ["core/endpoint/"],
  ["core/mod.ts"],
];

/** Modules that do not load a transport, and so neither the native binding nor the machinery around it. */
const WITHOUT_TRANSPORT = [
  "core/handler/mod.ts",
  "core/handler/address.ts",
  "core/operations/mod.ts",
  "core/crypto/mod.ts",
  "core/identity/mod.ts",
  "core/config/mod.ts",
];
const TRANSPORT = /^core\/(?:transports\/(?:quic|tls)\/|endpoint\/(?:endpoint|dial)\.ts$)/;

const graph = await wholeGraph();

Deno.test("imports between the parts of the house point one way (design.md, The house)", () => {
  const wrong: string[] = [];
  for (const [from, to] of arrows(graph)) {
    const part = partOf(from);
    if (part === undefined) wrong.push(`${from} belongs to no part: add it to PARTS`);
    else if (partOf(to) !== part && !part.may.some((prefix) => to.startsWith(prefix))) wrong.push(`${from} → ${to}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("imports within core go down its floors", () => {
  const wrong: string[] = [];
  for (const [from, to] of arrows(graph)) {
    if (!from.startsWith("core/") || !to.startsWith("core/")) continue;
    if (floorOf(from) < floorOf(to)) wrong.push(`${from} (floor ${floorOf(from)}) → ${to} (floor ${floorOf(to)})`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("imports form no cycle, those for types included", () => {
  assert.deepEqual(cycle(graph), undefined);
});

Deno.test("rooms of one folder form no cycle: no arrow between them runs back up", () => {
  assert.deepEqual(cycle(rooms(graph)), undefined);
});

Deno.test("handlers, identity and configuration load no transport", async () => {
  const handlers = publicEntries().filter((entry) => entry.startsWith("handlers/"));
  for (const entry of [...WITHOUT_TRANSPORT, ...handlers]) {
    for (const { path, imports } of (await moduleGraph(entry)).values()) {
      const loads = TRANSPORT.test(path) || imports.some((name) => name.includes("@matrixai"));
      assert.ok(!loads, `${entry} loads ${path}`);
    }
  }
});

Deno.test("the command starts without what only some of its commands need", async () => {
  const graph = await moduleGraph("cli/program.ts");
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    const { imports = [], lateImports = [] } = graph.get(path) ?? {};
    for (const next of imports) if (!lateImports.includes(next)) load(next);
  };
  load("cli/program.ts");
  const heavy =
    /^(?:core\/(?:operations|transports|endpoint|config)|handlers|compute|runtime|tensor|vault)\/|typebox|quickjs|ssh2|hono/;
  assert.deepEqual([...loaded].filter((path) => heavy.test(path)), []);
});

Deno.test("the rules see what is wrong: an arrow up, a cycle, a stranger", () => {
  const module = (
    path: string,
    ...imports: string[]
  ): [string, GraphModule] => [path, { path, imports, lateImports: [], typeImports: [] }];
  assert.equal(partOf("vendor/a.ts"), undefined);
  assert.ok(floorOf("core/errors.ts") < floorOf("core/endpoint/router.ts"));
  assert.ok(floorOf("core/handler/address.ts") < floorOf("core/endpoint/router.ts"), "the longest prefix counts");
  assert.throws(() => floorOf("core/elsewhere.ts"), /FLOORS/);
  const ring = new Map([module("a", "b"), module("b", "c"), module("c", "a")]);
  const ofTypes = new Map([module("a", "b"), ["b", { path: "b", imports: [], lateImports: [], typeImports: ["a"] }]]);
  assert.deepEqual(cycle(ofTypes), ["a", "b", "a"]);
  assert.deepEqual(cycle(ring), ["a", "b", "c", "a"]);
  assert.equal(cycle(new Map([module("a", "b", "c"), module("b", "c"), module("c")])), undefined);
  const upstairs = new Map([module("d/a/1", "d/b/1"), module("d/b/1"), module("d/b/2", "d/a/2"), module("d/a/2")]);
  assert.deepEqual(cycle(rooms(upstairs)), ["d/a", "d/b", "d/a"]);
});

async function wholeGraph(): Promise<Map<string, GraphModule>> {
  const whole = new Map<string, GraphModule>();
  for (const entry of publicEntries()) {
    for (const [path, module] of await moduleGraph(entry)) whole.set(path, module);
  }
  return whole;
}

/** Every import between local modules, those for types included. */
function* arrows(modules: Map<string, GraphModule>): Generator<[from: string, to: string]> {
  for (const { path, imports, typeImports } of modules.values()) {
    for (const to of [...imports, ...typeImports]) if (modules.has(to)) yield [path, to];
  }
}

/** Folders and files as modules: an import counts between the two neighbours in one folder that lead to its ends. */
function rooms(modules: Map<string, GraphModule>): Map<string, GraphModule> {
  const found = new Map<string, GraphModule & { imports: string[] }>();
  for (const [from, to] of arrows(modules)) {
    const [a, b] = [from.split("/"), to.split("/")];
    let depth = 0;
    while (a[depth] === b[depth]) depth++;
    const [room, other] = [a, b].map((path) => path.slice(0, depth + 1).join("/"));
    for (const path of [room, other]) {
      if (!found.has(path)) found.set(path, { path, imports: [], lateImports: [], typeImports: [] });
    }
    found.get(room)!.imports.push(other);
  }
  return found;
}

function partOf(path: string): typeof PARTS[number] | undefined {
  return PARTS.find(({ prefix }) => path.startsWith(prefix));
}

function floorOf(path: string): number {
  const fitting = FLOORS.flatMap((prefixes, floor) => prefixes.map((prefix) => ({ prefix, floor })))
    .filter(({ prefix }) => path.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  if (fitting.length === 0) throw new Error(`${path} is on no floor of core: add it to FLOORS`);
  return fitting[0].floor;
}

/** A cycle of imports, if there is one: the path around it. */
function cycle(modules: Map<string, GraphModule>): string[] | undefined {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    trail.push(path);
    const { imports = [], typeImports = [] } = modules.get(path) ?? {};
    for (const next of [...imports, ...typeImports]) {
      const found = modules.has(next) ? visit(next) : undefined;
      if (found) return found;
    }
    trail.pop();
    done.add(path);
    return undefined;
  };
  for (const path of modules.keys()) {
    const found = visit(path);
    if (found) return found;
  }
  return undefined;
}

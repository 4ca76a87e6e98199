/**
 * Filters and depths as clients write them (git.md §4; rows 40, 41, 59).
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { AlknetError } from "@alknet/core/handler";
import { DepthLines } from "../../../../handlers/git/wire/depth.ts";
import { parseFilter } from "../../../../handlers/git/wire/filter_spec.ts";
import { seeded } from "../../../support/random.ts";

const ALL = { treeDepth: Infinity, blobBytes: Infinity, kinds: undefined };

Deno.test("parseFilter: each filter of git's that is served, alone and combined (§4)", () => {
  const known: readonly (readonly [text: string, filter: object])[] = [
    ["blob:none", { ...ALL, blobBytes: 0 }],
    ["blob:limit=0", { ...ALL, blobBytes: 0 }],
    ["blob:limit=1k", { ...ALL, blobBytes: 1024 }],
    ["blob:limit=2M", { ...ALL, blobBytes: 2 * 1024 ** 2 }],
    ["tree:0", { ...ALL, treeDepth: 0 }],
    ["tree:3", { ...ALL, treeDepth: 3 }],
    ["object:type=tag", { ...ALL, kinds: new Set(["tag"]) }],
    ["combine:blob:none+tree:3", { ...ALL, treeDepth: 3, blobBytes: 0 }],
    ["combine:blob%3Alimit=1k+tree:5+tree:2", { ...ALL, treeDepth: 2, blobBytes: 1024 }],
    ["combine:object:type=blob+object:type=tree", { ...ALL, kinds: new Set() }],
    ["combine:combine:tree:1%2Bblob:none+tree:4", { ...ALL, treeDepth: 1, blobBytes: 0 }],
    [`combine:${Array(8).fill("tree:1").join("+")}`, { ...ALL, treeDepth: 1 }],
  ];
  for (const [text, filter] of known) deepEqual({ ...ALL, ...parseFilter(text) }, filter, text);
});

Deno.test("parseFilter: what is none, not served, or too much is refused in git's words (§4)", () => {
  const refused = [
    "",
    "blob",
    "blob:some",
    "blob:limit=",
    "blob:limit=-1",
    "blob:limit=1t",
    "blob:limit=1e3",
    "tree:",
    "tree:x",
    "object:type=",
    "object:type=note",
    "sparse:oid=main:filter",
    "sparse:path=/etc/passwd",
    "combine:",
    "combine:blob:none+",
    "combine:%zz",
    "combine:sparse:oid=x",
    `combine:${Array(9).fill("tree:1").join("+")}`,
    `combine:combine:${Array(8).fill("tree:1").join("%2B")}+tree:1`,
    `${"combine:".repeat(8000)}tree:1`,
  ];
  for (const text of refused) throws(() => parseFilter(text), { code: "GIT_REFUSED", message: "filter not supported" });
});

Deno.test("DepthLines: each line once, the last depth, bounds (§11)", () => {
  const lines = new DepthLines(2);
  const oid = "1".repeat(40);
  for (const line of [`shallow ${oid}`, `shallow ${oid}`, "deepen 1", "deepen 3"]) ok(lines.take(line));
  equal(lines.take("deepening 1"), false);
  deepEqual(lines.end(true), { shallows: [oid], commits: 3, since: undefined, not: [], relative: true });
  ok(lines.take("deepen 2147483647"));
  equal(lines.end(false).commits, Infinity);
  ok(lines.take(`shallow ${"2".repeat(40)}`));
  throws(() => lines.take(`shallow ${"3".repeat(40)}`), { code: "GIT_TOO_LARGE", message: "too many shallows" });
  for (const value of ["0", "-1", "1.5", "", "x", "9".repeat(16)]) {
    throws(() => lines.take(`deepen ${value}`), { code: "GIT_PROTOCOL" }, value);
    throws(() => lines.take(`deepen-since ${value}`), { code: "GIT_PROTOCOL" }, value);
  }
});

Deno.test("parseFilter, DepthLines: what is nearly well-formed is read or refused (row 59)", () => {
  const random = seeded("git filters and depths");
  const encoder = new TextEncoder();
  const inputs = [
    "combine:blob%3Alimit=1k+tree:5+object:type=blob",
    "blob:limit=12m",
    `shallow ${"1".repeat(40)}`,
    "deepen-since 1700000000",
    "deepen-not refs/tags/v1",
  ].map((text) => encoder.encode(text));
  const decoder = new TextDecoder();
  for (let round = 0; round < 20_000; round++) {
    const text = decoder.decode(random.mutate(inputs[round % inputs.length]));
    for (const read of [() => parseFilter(text), () => new DepthLines(10).take(text)]) {
      try {
        read();
      } catch (error) {
        ok(error instanceof AlknetError, (error as Error).stack);
      }
    }
  }
});

/**
 * The benchmarks work: each group gives its figures, at so little effort that they say nothing about speed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { GROUPS } from "./bench/groups.ts";
import { plainTable, rows } from "./bench/table.ts";

const EFFORT = { rounds: 1, seconds: 0.01, warmUp: 0 };

for (const group of GROUPS) {
  Deno.test(`bench ${group.name} measures ours beside its peer`, async () => {
    const figures = await group.run(EFFORT);
    assert.notEqual(figures.length, 0);
    for (const { name, ours, inProcess, peer } of figures) {
      // Memory may shrink and CPU time be too short to show; a rate or a time that is not there is not a figure.
      for (const value of [ours, inProcess ?? ours, peer ?? ours]) {
        assert.ok(Number.isFinite(value) && (value > 0 || group.name === "idle"), `${name}: ${value}`);
      }
    }
    assert.equal(plainTable(rows(figures)).split("\n").length, figures.length + 1);
  });
}

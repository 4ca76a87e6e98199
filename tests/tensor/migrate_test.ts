/**
 * Files written anew by another layout (tensor.md §11.3).
 *
 * @module
 */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { fileLayout, migrate, open, records, scalar, struct, tensor, text, texts } from "@alknet/tensor";
import { temporaryFolder } from "../support/temp.ts";
import "./mapping.ts";

const OLD = fileLayout(struct({
  w: tensor("f16", [3]),
  rows: records(struct({ id: scalar("Int8"), name: text(4), on: scalar("Boolean") })),
  lines: texts(),
}));
const DATA = {
  w: new Float16Array([1, 2, 3.5]),
  rows: Array.from({ length: 5000 }, (_, i) => ({ id: i % 100 - 50, name: String(i % 7), on: i % 2 === 0 })),
  lines: ["a", "bc"],
};

Deno.test("migrate: additive, layout and widening edits keep every old value, and name the parent (tensor.md §11.3)", async () => {
  await using folder = await temporaryFolder();
  await OLD.write(folder.join("old"), DATA);
  const layout = fileLayout(struct({
    w: tensor("f32", [3]),
    lines: texts(),
    rows: records(struct({
      title: { ...text(8), aliases: ["name"] },
      on: scalar("Uint32"),
      id: scalar("Int64"),
      extra: scalar("Float32", { default: 2.5 }),
    })),
  }));
  using old = await open(folder.join("old"));
  await migrate(old, folder.join("new"), layout, {}, { verify: true });
  using file = await open(folder.join("new"), { mode: "strict" });
  const view = layout.view(file);
  deepEqual([...view.w], [1, 2, 3.5]);
  deepEqual(view.lines.all(), DATA.lines);
  const expected = DATA.rows.map(({ id, name, on }) => ({ title: name, on: Number(on), id: BigInt(id), extra: 2.5 }));
  deepEqual([...view.rows], expected);
  equal(file.document?.value.parent, OLD.id);
});

Deno.test("migrate: lossy and breaking edits need a converter, and take it", async () => {
  await using folder = await temporaryFolder();
  await OLD.write(folder.join("old"), DATA);
  using old = await open(folder.join("old"));
  const rows = (id: "Uint8" | "Int8", extra: boolean) =>
    records(struct({ id: scalar(id), name: text(4), on: scalar("Boolean"), ...extra ? { n: scalar("Int8") } : {} }));
  const layoutWith = (id: "Uint8" | "Int8", extra: boolean) =>
    fileLayout(struct({ w: tensor("f16", [3]), rows: rows(id, extra), lines: texts() }));
  const target = folder.join("new");
  await rejects(migrate(old, target, layoutWith("Uint8", false)), { code: "E_LOSSY", message: /rows\.id/ });
  await rejects(migrate(old, target, layoutWith("Int8", true)), { code: "E_BREAKING", message: /rows\.n/ });
  deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["old"]);
  const converters = { "rows.id": (id: unknown) => Number(id) + 50, "rows.n": () => 7 };
  await migrate(old, target, layoutWith("Uint8", true), converters);
  using file = await open(target);
  deepEqual([file.field("rows", 0, "id"), file.field("rows", 4999, "n")], [0, 7]);
});

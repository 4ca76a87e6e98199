/**
 * Commits to a tree for as long as it lives, and says each commit that is acknowledged: a line of its number. What a commit
 * changes follows from its number and from what was there. The test kills it. `committing_program.ts FOLDER [POSTGRES]`,
 * the latter as JSON, without the password.
 *
 * @module
 */
import { openFs, PostgresPassword } from "@alknet/handlers/fs";
import { PASSWORD } from "../../../support/postgres.ts";
import { Random } from "../../../support/random.ts";
import { type Model, randomEdit, sorted } from "./model.ts";
import { allOf } from "./trees.ts";

/** What a commit changes. */
export function change(seq: number, model: Model, hash: string, edit: Parameters<typeof randomEdit>[2]): void {
  const random = new Random(seq);
  // What is picked of it depends on its order.
  const inOrder = sorted(model);
  model.clear();
  for (const [path, what] of inOrder) model.set(path, what);
  edit.putFile({ path: `/file ${seq % 50}`, hash });
  model.set(`/file ${seq % 50}`, hash);
  for (let n = random.between(1, 4); n > 0; n--) {
    randomEdit(random, model, edit, { hashes: [hash], versions: new Map() });
  }
}

if (import.meta.main) {
  const [folder, database] = Deno.args;
  const password = (): PostgresPassword => new PostgresPassword(PASSWORD);
  const postgres = database === undefined ? undefined : { ...JSON.parse(database), password };
  await using fs = await openFs({ folder, postgres });
  for (;;) {
    const seq = (await fs.tree.branch("main")).head + 1;
    await using held = await fs.blobs.add(new Blob([new Random(seq).bytes(20_000)]).stream());
    const model = await allOf(fs.tree, "main");
    await fs.tree.commit("main", "tester", (edit) => change(seq, model, held.hash, edit));
    console.log(`${seq}`);
    if (seq % 5 === 0) await fs.blobs.collect({ full: true });
  }
}

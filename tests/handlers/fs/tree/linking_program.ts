/**
 * Adds blobs, lets ten of them go and links them at once, for as long as it lives, on several branches beside each other; says
 * what became of each ten. The test collects beside it and kills it. `linking_program.ts FOLDER POSTGRES NAME TIME`
 *
 * @module
 */
import { openFs, PostgresPassword } from "@alknet/handlers/fs";
import { PASSWORD } from "../../../support/postgres.ts";
import { hurried } from "./trees.ts";

const BRANCHES = 6;

const [folder, database, name, time] = Deno.args;
const password = (): PostgresPassword => new PostgresPassword(PASSWORD);
await using fs = await openFs({
  folder,
  postgres: { ...JSON.parse(database), password },
  durability: "normal",
  now: hurried(Number(time)),
});

async function link(branch: string): Promise<never> {
  await fs.tree.fork(branch, "main@0", "tester");
  for (let i = 0;; i++) {
    const added = Array.from({ length: 10 }, (_, n) => fs.blobs.add(new Blob([`${branch} ${i} ${n}`]).stream()));
    const hashes: string[] = [];
    for (const each of added) {
      await using held = await each;
      hashes.push(held.hash);
    }
    // The next hold that is written lets those before go.
    await (await fs.blobs.add(new Blob([`other ${branch} ${i}`]).stream()))[Symbol.asyncDispose]();
    try {
      await fs.tree.commit(branch, "tester", (edit) => {
        hashes.forEach((hash, n) => edit.putFile({ path: `/${i} ${n}`, hash }));
      });
      console.log("linked");
    } catch (error) {
      if ((error as { code?: unknown }).code !== "BLOB_NOT_FOUND") throw error;
      console.log("refused");
    }
  }
}

await Promise.all(Array.from({ length: BRANCHES }, (_, n) => link(`${name}-${n}`)));

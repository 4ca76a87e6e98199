/**
 * Adds blobs, lets them go and links them at once, for as long as it lives; says what became of each. The test collects beside
 * it and kills it. `linking_program.ts FOLDER POSTGRES NAME`
 *
 * @module
 */
import { openFs, PostgresPassword } from "@alknet/handlers/fs";
import { PASSWORD } from "../../../support/postgres.ts";

const [folder, database, name] = Deno.args;
const password = (): PostgresPassword => new PostgresPassword(PASSWORD);
await using fs = await openFs({ folder, postgres: { ...JSON.parse(database), password }, durability: "normal" });
for (let i = 0;; i++) {
  let hash: string;
  {
    await using held = await fs.blobs.add(new Blob([`${name} ${i}`]).stream());
    hash = held.hash;
  }
  // The next hold that is written lets the one before go.
  await (await fs.blobs.add(new Blob([`other ${name} ${i}`]).stream()))[Symbol.asyncDispose]();
  try {
    await fs.tree.commit("main", "tester", (edit) => edit.putFile({ path: `/${name} ${i}`, hash }));
    console.log("linked");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "BLOB_NOT_FOUND") throw error;
    console.log("refused");
  }
}

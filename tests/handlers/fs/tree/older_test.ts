/**
 * A store that was made before anything looked for folders by their numbers (fs.md §5).
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { deepEqual, equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { temporaryFolder } from "../../../support/temp.ts";

Deno.test("tree: a store without the indexes of folders gets them when it is opened", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const indexes = (): unknown[] => {
    using database = new DatabaseSync(`${folder}/store.db`);
    return database.prepare("SELECT name FROM sqlite_master WHERE name LIKE '%_node' ORDER BY name").all()
      .map(({ name }) => name);
  };
  {
    await using fs = await openFs({ folder });
    await fs.tree.commit("main", "tester", (edit) => edit.mkdir({ path: "/a/b", parents: true }));
  }
  {
    using database = new DatabaseSync(`${folder}/store.db`);
    database.exec("DROP INDEX entries_node; DROP INDEX past_node");
  }
  deepEqual(indexes(), []);
  await using fs = await openFs({ folder });
  deepEqual(indexes(), ["entries_node", "past_node"]);
  const found = await Array.fromAsync(fs.tree.diff("main@0", "main"));
  equal(found.map(({ path }) => path).join(), "/a,/a/b");
});

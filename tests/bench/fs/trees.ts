/**
 * Branches in a PostgreSQL on the same machine beside those in the store itself: finding a path, and commits of one file, each
 * waited for.
 *
 * @module
 */
import { openFs, type PostgresOptions, type TreeFs } from "@alknet/handlers/fs";
import { startPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { compare, type Contestant, type Effort, type Figure, type Group } from "../harness.ts";

const PATH = "/a/b/c/d/e";

/** Branches that nodes share. */
export const sharedTrees: Group = {
  name: "trees-shared",
  async run(effort: Effort): Promise<Figure[]> {
    await using folder = await temporaryFolder();
    await using server = await startPostgres({ settings: ["fsync=on"] });
    const open = async (name: string, postgres?: PostgresOptions): Promise<TreeFs & { readonly hash: string }> => {
      const fs = await openFs({ folder: folder.join(name), postgres });
      await using held = await fs.blobs.add(new Blob(["hello"]).stream());
      await fs.blobs.setTag("kept", held);
      await fs.tree.commit("main", "bench", (edit) => edit.putFile({ path: PATH, hash: held.hash, parents: true }));
      return { ...fs, hash: held.hash, [Symbol.asyncDispose]: () => fs[Symbol.asyncDispose]() };
    };
    await using shared = await open("shared", server.options(await server.database()));
    await using own = await open("own");
    const rows: Figure[] = [];
    const finding = await compare(
      [shared, own].map(({ tree }) =>
        timed(async () => {
          const view = await tree.at("main");
          await view.stat(PATH);
        })
      ),
      { task: "find" },
      effort,
    );
    rows.push({
      name: "trees: a path of 5 is found",
      unit: "/s",
      ours: finding[0],
      peer: finding[1],
      peerName: "in SQLite",
    });
    let n = 0;
    const committing = await compare(
      [shared, own].map(({ tree, hash }) =>
        timed(async () => void await tree.commit("main", "bench", (edit) => edit.putFile({ path: `/${n++}`, hash })))
      ),
      { task: "commit" },
      effort,
    );
    rows.push({
      name: "trees: commits of a file",
      unit: "/s",
      ours: committing[0],
      peer: committing[1],
      peerName: "in SQLite",
    });
    return rows;
  },
};

function timed(work: () => Promise<void>): Contestant {
  return {
    async measure(_task, seconds) {
      const begun = performance.now();
      let rounds = 0;
      do {
        await work();
        rounds++;
      } while (performance.now() - begun < seconds * 1000);
      return rounds * 1000 / (performance.now() - begun);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

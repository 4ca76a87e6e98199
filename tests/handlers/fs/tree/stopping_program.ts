/**
 * Collects once, says `stopped` in the middle of it and waits there for its end: once the database has said that nothing links
 * what there is, or after so many files. `stopping_program.ts FOLDER POSTGRES asked|FILES`
 *
 * @module
 */
import { PostgresPassword } from "@alknet/handlers/fs";
import { DiskBlobStore } from "../../../../handlers/fs/blobs/disk/disk.ts";
import { SharedTrees } from "../../../../handlers/fs/tree/postgres/shared.ts";
import { PASSWORD } from "../../../support/postgres.ts";

const [folder, database, where] = Deno.args;

async function stop(): Promise<never> {
  console.log("stopped");
  for (;;) await new Promise((resolve) => setTimeout(resolve, 60_000));
}

const shared = new class extends SharedTrees {
  override async among(hashes: readonly Uint8Array[]): Promise<ReadonlySet<string>> {
    const found = await super.among(hashes);
    if (where === "asked") await stop();
    return found;
  }
}({ ...JSON.parse(database), password: () => new PostgresPassword(PASSWORD) });
const blobs = await DiskBlobStore.openFolder({ folder, durability: "normal" }, undefined, shared);
const { remove } = Deno;
let files = 0;
Deno.remove = async (path, options) => {
  if (`${path}`.endsWith(".data") && `${files++}` === where) await stop();
  await remove(path, options);
};
await blobs.collect({ full: true });

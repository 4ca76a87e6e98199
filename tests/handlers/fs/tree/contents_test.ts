/**
 * Files of a branch whose blobs another node has: they come when they are read (fs.md §4), by nodes that share a PostgreSQL.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { type FsOptions, fsWeb, openFs, type Provider, type TreeFs } from "@alknet/handlers/fs";
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { startPostgres } from "../../../support/postgres.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { identityOf, serving } from "../transfer/serving.ts";
import { pattern } from "../twin.ts";

/** Reads a file as an SFTP server or a mount does. */
async function read(fs: TreeFs, path: string): Promise<Uint8Array> {
  await using file = await fs.files("main").open(path, { read: true });
  const { size } = await file.stat();
  return await file.read(0, size!);
}

Deno.test({
  name: "contents: what a branch has and another node keeps comes when it is read, once for all who wait, and stays",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    await using stack = new AsyncDisposableStack();
    const postgres = server.options(await server.database());
    const nodeOf = async (name: string, options: Partial<FsOptions> = {}): Promise<TreeFs> =>
      stack.use(await openFs({ folder: temporary.join(name), durability: "normal", postgres, ...options }));
    const writer = await nodeOf("writer");
    const files = { small: pattern(9), large: pattern(300_000), later: pattern(200_000), slow: pattern(100_000) };
    for (const [name, bytes] of Object.entries(files)) {
      await using held = await writer.blobs.add(new Blob([bytes]).stream());
      await writer.tree.commit("main", "writer", (edit) => edit.putFile({ path: `/${name}`, hash: held.hash }));
    }
    const dialled: string[] = [];
    let way: "there" | "gone" | "silent" = "there";
    const provider: Provider = {
      address: "writer:1",
      dial(signal) {
        dialled.push(way);
        if (way === "gone") return Promise.reject(new AlknetError("UNREACHABLE", "nothing listens at writer:1"));
        if (way === "there") return Promise.resolve(stack.use(serving(writer, { publicBlobs: true })));
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    const reader = await nodeOf("reader", { providers: [provider] });
    await reader.tree.configure("main", { public: true });
    deepEqual(await read(reader, "/small"), files.small);
    dialled.length = 0;
    // Many at once, by files and by URL.
    const web = fsWeb(reader);
    const get = (name: string): Promise<Response> =>
      web(new Request(`http://node/fs/main/${name}`)) as Promise<Response>;
    const all = await Promise.all([
      ...Array.from({ length: 8 }, () => read(reader, "/large")),
      get("large").then((r) => r.bytes()),
    ]);
    for (const one of all) deepEqual(one, files.large);
    deepEqual(dialled, ["there"]);
    // A branch has it: it stays, and is read without anybody.
    await reader.blobs.collect({ full: true });
    way = "gone";
    deepEqual(await read(reader, "/large"), files.large);
    deepEqual(dialled, ["there"]);
    await rejects(read(reader, "/later"), {
      code: "BLOB_ABSENT",
      message: /is not here, and no other node could give it/,
    });
    equal((await get("later")).status, 503);
    // Whoever changes a file needs what it has.
    await rejects(
      (async () => {
        await using file = await reader.files("main", identityOf("ada", "admin")).open("/later", {
          read: true,
          write: true,
        });
        await file.write(5, new Uint8Array(1));
      })(),
      { code: "BLOB_ABSENT" },
    );
    way = "silent";
    const hasty = await nodeOf("hasty", { providers: [provider], limits: { fetchTime: 300 } });
    await rejects(read(hasty, "/slow"), { code: "BLOB_ABSENT", message: /it did not come within 0\.3 s/ });
    way = "there";
    deepEqual(await read(reader, "/later"), files.later);
    // The same bytes are taken by a write in the middle.
    {
      await using file = await reader.files("main", identityOf("ada", "admin")).open("/slow", {
        read: true,
        write: true,
      });
      await file.write(0, Uint8Array.of(1, 2, 3));
    }
    deepEqual(await read(reader, "/slow"), Uint8Array.of(1, 2, 3, ...files.slow.subarray(3)));

    const few = await nodeOf("few", { providers: [provider], limits: { fetches: 1, fetchTime: 600_000 } });
    way = "silent";
    dialled.length = 0;
    const first = read(few, "/large").catch((error) => error);
    while (dialled.length === 0) await new Promise((done) => setTimeout(done, 5));
    await rejects(read(few, "/later"), { code: "BLOB_ABSENT", message: /1 others are being got, which is the most/ });
    // Who waits when the store is closed is told so.
    await few[Symbol.asyncDispose]();
    match((await first).code, /STORE_CLOSED/);

    const alone = await nodeOf("alone");
    await rejects(read(alone, "/large"), { code: "BLOB_NOT_FOUND" });
  },
});

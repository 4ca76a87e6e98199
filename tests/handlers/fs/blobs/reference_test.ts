/**
 * References: files that stay where they are, and are served while they are what was hashed (fs.md §5.1, §11 row 20).
 *
 * @module
 */
import { hashOf } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, rejects } from "node:assert/strict";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { diskStore, filesBelow } from "../stores.ts";

const SIZES = [0, 100, 100_000, (4 << 20) + 16385];

Deno.test("disk store: a reference gives the bytes of its file, of which the store has no copy; collected, the file stays", async () => {
  await using store = await diskStore();
  await using folder = await temporaryFolder();
  const { blobs } = store.fs;
  for (const size of SIZES) {
    const bytes = seeded(`${size}`).bytes(size);
    const path = await folder.write(`${size}`, bytes);
    const hash = hashOf(bytes).toHex();
    {
      await using held = await blobs.add({ path, mode: "reference" });
      deepEqual([held.hash, held.size], [hash, size]);
      await using reader = await blobs.open(hash);
      deepEqual(await reader.read(0, size), bytes);
      deepEqual((await filesBelow(`${store.folder}/data`)).filter((name) => name.endsWith(".data")), []);
      deepEqual(await blobs.collect({ full: true }), { blobs: 0, bytes: 0 });
    }
    deepEqual(await blobs.collect({ full: true }), { blobs: 1, bytes: size });
    equal((await blobs.status(hash)).state, "absent");
    deepEqual(await Deno.readFile(path), bytes);
  }
});

Deno.test("disk store: a referenced file that was changed, cut, replaced or removed is absent, and no wrong byte comes (row 20)", async () => {
  await using store = await diskStore();
  await using folder = await temporaryFolder();
  const { blobs } = store.fs;
  const changes: Record<string, (path: string, bytes: Uint8Array) => Promise<unknown>> = {
    changed: (path, bytes) => Deno.writeFile(path, bytes.map((byte) => byte ^ 1)),
    cut: (path) => Deno.truncate(path, 70_000),
    "cut to nothing": (path) => Deno.truncate(path, 0),
    replaced: async (path, bytes) => {
      await Deno.writeFile(`${path}.new`, bytes.map((byte) => byte ^ 2));
      await Deno.rename(`${path}.new`, path);
    },
    removed: (path) => Deno.remove(path),
    "a folder": (path) => Deno.remove(path).then(() => Deno.mkdir(path)),
  };
  for (const [what, change] of Object.entries(changes)) {
    const bytes = seeded(what).bytes(100_000);
    const path = await folder.write(what, bytes);
    const { hash } = await blobs.add({ path, mode: "reference" });
    await blobs.setTag(what, { hash, format: "raw" });
    // Its clock says nothing: whatever it was set to, it is another one.
    await change(path, bytes);
    await Deno.utime(path, 1, 1).catch(() => {});
    equal((await blobs.status(hash)).state, "absent", what);
    await rejects(blobs.open(hash), { code: "BLOB_NOT_FOUND" }, what);
    await rejects(blobs.source(hash), { code: "BLOB_NOT_FOUND" }, what);
    await rejects(blobs.hold(hash), { code: "BLOB_NOT_FOUND" }, what);
  }
});

Deno.test("disk store: a file whose time and size are as they were, and whose bytes are not, gives no wrong byte and is believed no more", async () => {
  await using store = await diskStore();
  await using folder = await temporaryFolder();
  const { blobs } = store.fs;
  const bytes = seeded("sly").bytes(200_000);
  const path = await folder.write("sly", bytes);
  const before = (await Deno.stat(path)).mtime!;
  await Deno.utime(path, before, before);
  const { hash } = await blobs.add({ path, mode: "reference" });
  const other = bytes.slice();
  other[150_000] ^= 1;
  await Deno.writeFile(path, other);
  await Deno.utime(path, before, before);
  equal((await blobs.status(hash)).state, "complete");
  {
    await using reader = await blobs.open(hash);
    deepEqual(await reader.read(0, 100_000), bytes.subarray(0, 100_000));
    await rejects(reader.read(140_000, 20_000), { code: "BLOB_CORRUPT" });
  }
  equal((await blobs.status(hash)).state, "absent");
  // Put right and added again it is there; so it is from another place, and as a copy, which needs no file.
  await Deno.writeFile(path, bytes);
  await using _again = await blobs.add({ path, mode: "reference" });
  equal((await blobs.status(hash)).state, "complete");
  const second = await folder.write("second", bytes);
  await blobs.add({ path: second, mode: "reference" });
  await Deno.remove(path);
  equal((await blobs.status(hash)).state, "complete");
  await blobs.add({ path: second });
  await Deno.remove(second);
  await using reader = await blobs.open(hash);
  deepEqual(await reader.read(0, 200_000), bytes);
});

Deno.test("disk store: a file that changes while it is hashed in its place is not added (row 20)", async () => {
  await using store = await diskStore();
  await using folder = await temporaryFolder();
  const bytes = seeded("moving").bytes(9 << 20);
  const path = await folder.write("moving", bytes);
  for (
    const change of [() => Deno.truncateSync(path, 100), () => Deno.writeTextFileSync(path, "x", { append: true })]
  ) {
    await Deno.writeFile(path, bytes);
    let changed = false;
    const progress = (): void => {
      if (!changed) change();
      changed = true;
    };
    await rejects(store.fs.blobs.add({ path, mode: "reference" }, { progress }), { code: "CHANGED_MEANWHILE" });
  }
  for await (const { hash } of store.fs.blobs.list()) throw new Error(`${hash} was added`);
});

/**
 * A disk that is full, and one for reading only: `STORE_FULL`, and nothing that was acknowledged is lost (fs.md §11 row 23).
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { encode, MemoryOutboard } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { smallDisk } from "../../../support/small_disk.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temp.ts";
import { filesBelow, readerOfBytes, sound } from "../stores.ts";
import { joined } from "../twin.ts";

const MIB = 1 << 20;

Deno.test({
  name: "disk store: a disk that fills up while blobs are added and while parts come (row 23)",
  ...needs("linux", "root"),
  async fn(t) {
    await using folder = await temporaryFolder();
    await using disk = await smallDisk(folder, "16m");
    await t.step({
      name: "a file system of 16 MiB",
      ignore: disk === undefined,
      fn: () => fill(`${disk!.path}/fs`, folder),
    });
  },
});

async function fill(store: string, folder: TemporaryFolder): Promise<void> {
  const random = seeded("full");
  const kept = random.bytes(5 * MIB);
  const large = random.bytes(14 * MIB);
  const path = await folder.write("large", large);
  const outboard = MemoryOutboard.of(large);
  const parts: Uint8Array[] = [];
  const source = { outboard, read: (at: number, length: number) => large.subarray(at, at + length) };
  for await (const part of encode(source, [0n])) parts.push(part.slice());
  const hash = outboard.root.toHex();
  let have = 0;
  {
    await using fs = await openFs({ folder: store });
    const { blobs } = fs;
    await using held = await blobs.add(new Blob([kept]).stream());
    await blobs.setTag("kept", held);
    await rejects(blobs.add({ path }), { code: "STORE_FULL" });
    await rejects(blobs.add(new Blob([large]).stream()), { code: "STORE_FULL" });
    equal((await filesBelow(`${store}/tmp`)).length, 1, "its own lock alone");
    await rejects(blobs.receive(hash, [0n], readerOfBytes(joined(parts))), { code: "STORE_FULL" });
    await using reader = await blobs.open(held.hash);
    deepEqual(await reader.read(0, reader.size), kept);
  }
  {
    // Opened again on what room there is; then with more of it.
    await using fs = await openFs({ folder: store });
    const { blobs } = fs;
    equal((await blobs.status(MemoryOutboard.of(kept).root.toHex())).state, "complete");
    const status = await blobs.status(hash);
    ok(status.state !== "complete");
    have = status.have.length;
    await blobs.dropTag("kept");
    equal((await blobs.collect({ full: true })).blobs, 1);
    await using held = await blobs.receive(hash, [0n], readerOfBytes(joined(parts)));
    equal(held?.size, large.byteLength, `${have} boundaries were there`);
    await blobs.setTag("large", held!);
    // Small ones go into the database, which is full some time.
    const full = await fillDatabase(async (bytes) => {
      await using small = await blobs.add(new Blob([bytes]).stream());
      await blobs.setTag(small.hash, small);
      return small.hash;
    });
    ok(full.length > 0);
    for (const one of [hash, ...full]) equal((await blobs.status(one)).state, "complete");
  }
  await sound(store);
}

/** Adds small blobs until there is no room. */
async function fillDatabase(add: (bytes: Uint8Array<ArrayBuffer>) => Promise<string>): Promise<string[]> {
  const random = seeded("small");
  const hashes: string[] = [];
  for (let i = 0; i < 2000; i++) {
    try {
      hashes.push(await add(random.bytes(10_000)));
    } catch (error) {
      equal((error as { code?: string }).code, "STORE_FULL");
      return hashes;
    }
  }
  throw new Error("the disk did not fill up");
}

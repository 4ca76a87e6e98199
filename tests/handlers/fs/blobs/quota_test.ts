/**
 * Quotas: how much each identity may keep (fs.md §5.5, §11 row 23).
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { hashOf } from "@alknet/handlers/fs/bao";
import { equal, rejects } from "node:assert/strict";
import { temporaryFolder } from "../../../support/temp.ts";
import { readerOfBytes, sound } from "../stores.ts";
import { joined, pattern, slowEncoding } from "../twin.ts";

const OVER = { code: "QUOTA_EXCEEDED" };

Deno.test("disk store: one byte below, at and above a quota; what goes makes room; who has no entry has that of * (row 23)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  {
    await using fs = await openFs({ folder, quotas: { ada: { bytes: 100_000, files: 3 }, "*": { bytes: 10 } } });
    const { blobs } = fs;
    const keep = async (owner: string, tag: string, size: number): Promise<void> => {
      await using held = await blobs.add(new Blob([pattern(size)]).stream(), { owner });
      await blobs.setTag(tag, held, { owner });
    };
    await keep("ada", "a", 40_000);
    await keep("ada", "b", 59_999);
    await rejects(keep("ada", "c", 2), OVER);
    await keep("ada", "c", 1);
    await rejects(keep("ada", "d", 0), OVER);
    // The same name once more counts once, and one that is refused leaves it as it was.
    await keep("ada", "c", 0);
    await rejects(keep("ada", "c", 2), OVER);
    const names = [];
    for await (const { name, hash } of blobs.tags()) names.push(`${name} ${(await blobs.status(hash)).size}`);
    equal(names.join(), "a 40000,b 59999,c 0");
    await blobs.dropTag("a");
    await keep("ada", "d", 40_001);
    await keep("bob", "e", 10);
    await rejects(keep("eve", "f", 11), OVER);
    await rejects(blobs.add({ path: await temporary.write("file", pattern(11)) }, { owner: "eve" }), OVER);
    const bytes = pattern(50_000);
    const encoded = readerOfBytes(slowEncoding(bytes, [0n]));
    await rejects(blobs.receive(hashOf(bytes).toHex(), [0n], encoded, { owner: "ada" }), OVER);
    equal((await blobs.status(hashOf(bytes).toHex())).state, "absent");
    // Nobody's has no quota.
    await using _held = await blobs.add(new Blob([pattern(200_000)]).stream());
  }
  await sound(folder);
});

Deno.test("disk store: a sequence counts with what it lists, and is not counted when it is dropped", async () => {
  await using temporary = await temporaryFolder();
  await using fs = await openFs({ folder: temporary.join("fs"), quotas: { ada: { bytes: 1000 } } });
  const { blobs } = fs;
  const children = [pattern(400), pattern(500)];
  const holds = await Promise.all(children.map((bytes) => blobs.add(new Blob([bytes]).stream())));
  const root = joined(holds.map(({ hash }) => Uint8Array.fromHex(hash))) as Uint8Array<ArrayBuffer>;
  await using held = await blobs.add(new Blob([root]).stream(), { format: "hashSeq" });
  await blobs.setTag("it", held, { owner: "ada" });
  await using small = await blobs.add(new Blob([pattern(37)]).stream());
  await rejects(blobs.setTag("small", small, { owner: "ada" }), OVER);
  await blobs.dropTag("it");
  await blobs.setTag("small", small, { owner: "ada" });
  await using large = await blobs.add(new Blob([pattern(963)]).stream());
  await blobs.setTag("large", large, { owner: "ada" });
});

/**
 * Brings parts of blobs to a store for as long as it lives, and says each that is whole: a line of its hash and its seed. The
 * test kills it. `receiving_program.ts FOLDER SEED`
 *
 * @module
 */
import { memoryFs, openFs } from "@alknet/handlers/fs";
import { hashOf } from "@alknet/handlers/fs/bao";
import { Random } from "../../../support/random.ts";
import { PART_SIZE, readerOfBytes } from "../stores.ts";
import { joined } from "../twin.ts";

const [folder, seed] = Deno.args;
await using fs = await openFs({ folder });
await using provider = memoryFs();
for (let i = Number(seed);; i++) {
  const bytes = new Random(i).bytes(PART_SIZE);
  const hash = hashOf(bytes).toHex();
  await using _there = await provider.blobs.add(new Blob([bytes]).stream());
  console.log(`begins ${hash} ${i}`);
  // In parts, the last of which makes it whole.
  const chunks = Math.ceil(PART_SIZE / 1024);
  for (let from = 0; from < chunks; from += 640) {
    const ranges = [BigInt(from), BigInt(from + 640)];
    const parts: Uint8Array[] = [];
    for await (const part of provider.blobs.encode(hash, ranges)) parts.push(part.slice());
    await using held = await fs.blobs.receive(hash, ranges, readerOfBytes(joined(parts)));
    if (held) {
      await fs.blobs.setTag(`tag ${i}`, held);
      console.log(`whole ${hash} ${i}`);
    }
  }
}

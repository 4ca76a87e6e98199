/**
 * Adds blobs to a cold store, sends them, and collects what it does not keep; says what it acknowledged. The test kills it at
 * one of its requests. `sending_program.ts FOLDER ENDPOINT SEED`
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { Random } from "../../../support/random.ts";
import { bucketAt } from "../../../support/s3.ts";
import { SENT_SIZES } from "../stores.ts";

const [folder, endpoint, seed] = Deno.args;
await using fs = await openFs({ folder, bucket: { ...bucketAt(endpoint), mode: "cold", cacheBytes: 0 } });
for (const [i, size] of SENT_SIZES.entries()) {
  const number = Number(seed) + i;
  await using held = await fs.blobs.add(new Blob([new Random(number).bytes(size)]).stream());
  await fs.blobs.setTag(`tag ${number}`, held);
  console.log(`kept ${held.hash} ${number} ${size}`);
}
{
  await using _held = await fs.blobs.add(new Blob([new Random(Number(seed) + 99).bytes(150_000)]).stream());
}
await fs.settle();
await fs.blobs.collect({ full: true });
console.log("done");
// So that what was asked for last is not over with the process.
await new Promise((done) => setTimeout(done, 60_000));

/**
 * Adds blobs to a store for as long as it lives, and says each that is acknowledged: a line of its hash and its seed. The
 * test kills it. `adding_program.ts FOLDER SEED`
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { Random } from "../../../support/random.ts";
import { SIZES_OF_PROGRAM } from "../stores.ts";

const [folder, seed] = Deno.args;
await using fs = await openFs({ folder });
for (let i = Number(seed);; i++) {
  const random = new Random(i);
  const bytes = random.bytes(SIZES_OF_PROGRAM[i % SIZES_OF_PROGRAM.length]);
  await using held = await fs.blobs.add(new Blob([bytes]).stream());
  await fs.blobs.setTag(`tag ${i}`, held);
  console.log(`${held.hash} ${i}`);
}

/**
 * Adds blobs, keeps one of three of them, and collects, for as long as it lives; says each that it keeps: a line of its hash
 * and its seed. The test kills it. `collecting_program.ts FOLDER SEED`
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { Random } from "../../../support/random.ts";
import { SIZES_OF_PROGRAM } from "../stores.ts";

const [folder, seed] = Deno.args;
await using fs = await openFs({ folder });
for (let i = Number(seed);; i++) {
  const bytes = new Random(i).bytes(SIZES_OF_PROGRAM[i % SIZES_OF_PROGRAM.length]);
  await using held = await fs.blobs.add(new Blob([bytes]).stream());
  if (i % 4 === 0) {
    await fs.blobs.setTag(`tag ${i}`, held);
    console.log(`kept ${held.hash} ${i}`);
  }
  await held[Symbol.asyncDispose]();
  if (i % 2 === 1) await fs.blobs.collect({ full: true });
}

/**
 * Whole groups, hashed four chunks at a time, beside the same chunks one at a time.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { hashChunks, hashGroup, hashOf, hashPair } from "../../../../handlers/fs/bao/hasher.ts";
import { CHUNK, GROUP } from "../../../../handlers/fs/bao/tree.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";

/** The chaining value of a group from its halves: eight chunks are hashed one after another. */
function slowly(bytes: Uint8Array, index: number, isRoot: boolean): Uint8Array {
  const half = 8 * CHUNK;
  const pair = new Uint8Array(64);
  pair.set(hashChunks(bytes.subarray(0, half), index * 16, false));
  pair.set(hashChunks(bytes.subarray(half), index * 16 + 8, false), 32);
  return hashPair(pair, isRoot);
}

Deno.test("hashGroup(): a whole group is hashed as its chunks are, wherever it stands and however it lies", () => {
  const random = seeded("groups");
  const indexes = [0, 1, 255, 2 ** 28 - 1, 2 ** 28, 2 ** 28 + 5, 2 ** 40 + 3];
  for (let n = 0; n < 200; n++) {
    const offset = random.below(9);
    const bytes = random.bytes(GROUP + offset).subarray(offset);
    const index = random.pick(indexes);
    const isRoot = random.chance(0.5);
    equal(hashGroup(bytes, index, isRoot).toHex(), slowly(bytes, index, isRoot).toHex(), `group ${index}, ${isRoot}`);
  }
  for (const fill of [0, 0xff]) {
    const bytes = new Uint8Array(GROUP).fill(fill);
    equal(hashGroup(bytes, 0, true).toHex(), slowly(bytes, 0, true).toHex());
  }
});

Deno.test({
  name: "hashOf(): what b3sum says, about whole groups and just beside them",
  ...needs("b3sum"),
  async fn() {
    const random = seeded("blobs");
    await using folder = await temporaryFolder();
    for (const size of [GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 3 * GROUP - 1, 5 * GROUP, 17 * GROUP + 1025]) {
      const bytes = random.bytes(size);
      await Deno.writeFile(folder.join("blob"), bytes);
      const { stdout } = await runProgram("b3sum", ["--no-names", folder.join("blob")]);
      equal(hashOf(bytes).toHex(), stdout.trim(), `${size} bytes`);
    }
  },
});

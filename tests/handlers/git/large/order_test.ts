/**
 * The order of entries in a pack: as git's file says, or found without it; a broken file is as if there were none
 * (gitformat-pack; row 50).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { PackIndex } from "../../../../handlers/git/pack/index.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { fetched, gitNode } from "../client.ts";
import { closure, objectsOf } from "../histories.ts";
import { git, makeRepository } from "../repositories.ts";
import { packFiles } from "./maintained.ts";

const needed = needs("git", "linux");

Deno.test({
  name: "PackIndex: with git's order of entries, without, with a broken one, and with offsets of 64 bits (row 50)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeRepository(folder.join("work"), bare);
    await git(bare, "repack", "-a", "-d", "-q");
    const path = `${bare}/objects/pack/${packFiles(bare, ".pack")[0].slice(0, -5)}`;
    await Deno.remove(`${path}.rev`).catch(() => {});
    await Deno.chmod(`${path}.idx`, 0o600);
    await Deno.remove(`${path}.idx`);
    await git(bare, "index-pack", "--rev-index", "--index-version=2,0x200", `${path}.pack`);
    const { size } = await Deno.stat(`${path}.pack`);
    const [idx, rev] = [await Deno.readFile(`${path}.idx`), await Deno.readFile(`${path}.rev`)];
    const expected = (await git(bare, "verify-pack", "-v", `${path}.idx`)).split("\n")
      .map((line) => /^([0-9a-f]{40}) \S+ +\d+ \d+ (\d+)/.exec(line)).filter((found) => found !== null)
      .map(([, oid, offset]) => ({ oid, offset: Number(offset) })).sort((a, b) => a.offset - b.offset);
    const orderOf = (reverse?: Uint8Array) => {
      const index = new PackIndex(idx, size, () => reverse);
      const { offsets, positions } = index.order;
      return Array.from(positions, (position, rank) => ({ oid: index.oidAt(position), offset: offsets[rank] }));
    };
    const broken = (change: (bytes: Uint8Array) => void) => {
      const bytes = rev.slice();
      change(bytes);
      return bytes;
    };
    deepEqual(orderOf(rev), expected);
    const files = [
      undefined,
      rev.subarray(0, rev.byteLength - 1),
      broken((bytes) => bytes[0] ^= 1),
      broken((bytes) => bytes[rev.byteLength - 30] ^= 1),
      broken((bytes) => bytes.copyWithin(12, 16, 20)),
      broken((bytes) => bytes.fill(255, 12, 16)),
      broken((bytes) => bytes.set(rev.subarray(12, 16), 16)),
    ];
    for (const file of files) deepEqual(orderOf(file), expected);
    // Few of many, and all of them.
    const index = new PackIndex(idx, size);
    const bits = new Uint8Array(Math.ceil(index.count / 8));
    bits[0] = 1;
    deepEqual([...index.inPackOrder(bits)], [0]);
    for (let i = 0; i < index.count; i++) bits[i >> 3] |= 1 << (i & 7);
    deepEqual(index.inPackOrder(bits), index.order.positions);
    // And a node serves it.
    await using node = gitNode({ root: folder.path });
    const head = await git(bare, "rev-parse", "main");
    const { pack } = await fetched(node, "r", `want ${head}`, "ofs-delta", "done");
    equal((await objectsOf(bare, pack)).sort().join(), [...await closure(bare, [head])].sort().join());
  },
});

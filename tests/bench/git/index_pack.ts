/**
 * Indexes a pack: `index_pack.ts alknet|isomorphic-git PACK FOLDER`. Prints the seconds that it took.
 *
 * @module
 */
import fs from "node:fs";
import { GIT_LIMITS } from "../../../handlers/git/limits.ts";
import { indexPack } from "../../../handlers/git/pack/index_pack.ts";
import { writeNew } from "../../../handlers/git/store/folder/files.ts";

const [kind, pack, folder] = Deno.args;
const began = performance.now();
if (kind === "alknet") await ours();
else {
  const { default: git } = await import("npm:isomorphic-git@1.44.19");
  await Deno.mkdir(`${folder}/.git`, { recursive: true });
  await Deno.copyFile(pack, `${folder}/p.pack`);
  await git.indexPack({ fs, dir: folder, filepath: "p.pack" });
}
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000 }));

async function ours(): Promise<void> {
  using file = await Deno.open(pack);
  const piece = new Uint8Array(64 * 1024);
  const { packBytes, objects, objectBytes, deltaBytes, resolvedBytes, baseCache } = GIT_LIMITS;
  const { index, reverse } = await indexPack({
    file: `${folder}/p.pack`,
    toEnd: true,
    read: async () => {
      const length = await file.read(piece);
      return length === null ? undefined : piece.slice(0, length);
    },
    bounds: { packBytes, objects, objectBytes, deltaBytes, resolvedBytes, baseCache },
    pace: { step: () => undefined },
    check: () => undefined,
    base: () => Promise.resolve(undefined),
    turn: () => Promise.resolve({ [Symbol.dispose]: () => {} }),
  });
  await writeNew(`${folder}/p.idx`, index);
  await writeNew(`${folder}/p.rev`, reverse);
}

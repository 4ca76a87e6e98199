/**
 * Large packs are received in a thread of their own: what comes of it, and of faults, is what comes of small ones, and
 * nothing is left of a thread that is ended (git.md §5.2).
 *
 * @module
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { GIT_LIMITS } from "../../../../handlers/git/limits.ts";
import { packCaches } from "../../../../handlers/git/pack/pack_file.ts";
import { ingestInThread } from "../../../../handlers/git/store/folder/receiving/in_thread.ts";
import { FolderObjects } from "../../../../handlers/git/store/folder/objects.ts";
import { FolderRepositories } from "../../../../handlers/git/store/folder/repositories.ts";
import type { IngestOptions } from "../../../../handlers/git/mod.ts";
import { needs } from "../../../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temp.ts";
import { git } from "../repositories.ts";
import { packFiles } from "./maintained.ts";
import { makeLarge } from "./repositories.ts";

const needed = needs("git", "linux");
const MANY = { folders: 3, files: 900, bytes: 1000, commits: 5 };

/** A pack of more than 1 MiB, and a repository that has none. */
async function world(folder: TemporaryFolder): Promise<{ pack: Uint8Array; bare: string }> {
  await makeLarge(folder.join("from.git"), MANY);
  const [name] = packFiles(folder.join("from.git"), ".pack");
  const bare = folder.join("r.git");
  await git(folder.path, "init", "-q", "--bare", bare);
  return { pack: await Deno.readFile(folder.join(`from.git/objects/pack/${name}`)), bare };
}

function optionsOf(pack: Uint8Array, more: Partial<IngestOptions> = {}): IngestOptions {
  let at = 0;
  return {
    read: () => Promise.resolve(at < pack.byteLength ? pack.subarray(at, at += 10_000) : undefined),
    toEnd: true,
    bounds: { ...GIT_LIMITS },
    pace: { step: () => undefined },
    turn: () => Promise.resolve({ [Symbol.dispose]: () => {} }),
    ...more,
  };
}

async function receive(bare: string, options: IngestOptions, keep = false): Promise<{ hash: string; steps: string[] }> {
  const steps: string[] = [];
  const folders = { root: "/nowhere", elsewhere: { r: bare } };
  const caches = packCaches(GIT_LIMITS);
  const repositories = new FolderRepositories(folders, caches, GIT_LIMITS.deltaBytes, (step) => steps.push(step));
  using repository = (await repositories.open("r"))!;
  await using quarantine = await repository.receive();
  const { hash } = await quarantine.ingest(options);
  if (keep) await quarantine.commit();
  return { hash, steps };
}

/** What is open of files in a folder. */
function openIn(folder: string): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return "";
    }
  }).filter((path) => path.startsWith(folder));
}

function quarantines(bare: string): string[] {
  return [...Deno.readDirSync(`${bare}/objects`)].map(({ name }) => name).filter((name) => name.startsWith("tmp_"));
}

Deno.test({
  name: "receiving: a large pack goes to a thread, a small one does not, and stock git finds both right (§5.2)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { pack, bare } = await world(folder);
    const { hash, steps } = await receive(bare, optionsOf(pack), true);
    ok(steps.includes("thread"), steps.join());
    equal(steps.filter((step) => step === "receiving").length, 1);
    deepEqual(packFiles(bare, ".pack"), [`pack-${hash}.pack`]);
    await git(bare, "verify-pack", `objects/pack/pack-${hash}.idx`);
    deepEqual(await Deno.readFile(`${bare}/objects/pack/pack-${hash}.pack`), pack);
    const from = folder.join("from.git");
    equal(`pack-${hash}.idx`, packFiles(from, ".idx")[0]);
    deepEqual(
      await Deno.readFile(`${bare}/objects/pack/pack-${hash}.idx`),
      await Deno.readFile(`${from}/objects/pack/pack-${hash}.idx`),
    );
    const one = folder.join("one.git");
    await makeLarge(one, { folders: 1, files: 2, bytes: 20, commits: 1 });
    const small = await Deno.readFile(`${one}/objects/pack/${packFiles(one, ".pack")[0]}`);
    equal((await receive(bare, optionsOf(small))).steps.includes("thread"), false);
    // Few objects, and many bytes.
    const two = folder.join("two.git");
    await makeLarge(two, { folders: 1, files: 2, bytes: 2_000_000, commits: 1 });
    const bytes = await Deno.readFile(`${two}/objects/pack/${packFiles(two, ".pack")[0]}`);
    const large = await receive(bare, optionsOf(bytes), true);
    ok(large.steps.includes("thread"), large.steps.join());
    await git(bare, "verify-pack", `objects/pack/pack-${large.hash}.idx`);
  },
});

Deno.test({
  name: "receiving: what is wrong with a large pack is said in the same words, once (§3.7, §5.2)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { pack, bare } = await world(folder);
    const flipped = pack.slice();
    flipped[pack.byteLength - 30] ^= 1;
    const refusals: [RegExp, IngestOptions][] = [
      [/^bad pack: checksum$/, optionsOf(flipped)],
      [/^bad pack: truncated$/, optionsOf(pack.subarray(0, pack.byteLength - 5))],
      [/^bad pack: trailing bytes$/, optionsOf(new Uint8Array([...pack, 1]))],
      [/^too many objects$/, optionsOf(pack, { bounds: { ...GIT_LIMITS, objects: 2001 } })],
      [/^pack too large$/, optionsOf(pack, { bounds: { ...GIT_LIMITS, packBytes: 1_200_000 } })],
    ];
    for (const [message, options] of refusals) {
      await rejects(() => receive(bare, options), { name: "GitPackError", code: "GIT_PACK", message });
      deepEqual(quarantines(bare), []);
    }
    const failing = optionsOf(pack, { read: () => Promise.reject(new Error("the client is gone")) });
    await rejects(() => receive(bare, failing), /the client is gone/);
    await git(bare, "fsck");
  },
});

Deno.test({
  name: "receiving: a thread that is ended, while it reads or while it waits, leaves no file and no descriptor (§5.2)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { pack, bare } = await world(folder);
    for (let round = 0; round < 4; round++) {
      const ended = new AbortController();
      const whole = optionsOf(pack);
      const never = new Promise<never>(() => {});
      let read = 0;
      const options = round % 2 === 0
        ? { read: () => ++read < 130 ? whole.read() : (ended.abort(new Error("over")), never) }
        : { turn: () => (ended.abort(new Error("over")), never) };
      await rejects(() => receive(bare, { ...whole, ...options, signal: ended.signal }), /^Error: over$/);
      deepEqual(quarantines(bare), []);
    }
    // The system takes a moment to end a thread.
    for (let tries = 0; openIn(bare).length > 0 && tries < 500; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    deepEqual(openIn(bare), []);
    equal((await receive(bare, optionsOf(pack))).hash.length, 40);
  },
});

Deno.test({
  name: "receiving: where there are no threads nothing is read, so that it can be done here (§5.2)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { pack, bare } = await world(folder);
    const caches = packCaches(GIT_LIMITS);
    using store = new FolderObjects(`${bare}/objects`, caches, GIT_LIMITS.deltaBytes);
    const settings = { fsckObjects: true, fsck: {} };
    const place = { folder: `${bare}/objects`, store, caches, limit: GIT_LIMITS.deltaBytes, settings };
    const options = optionsOf(pack, { read: () => Promise.reject(new Error("read")) });
    const throws = await folder.write("throws.ts", "throw new Error('no');\n");
    for (const thread of [`file://${folder.join("nowhere.ts")}`, `file://${throws}`, "nonsense"]) {
      equal(await ingestInThread(place, folder.path, options, thread), undefined, thread);
    }
  },
});

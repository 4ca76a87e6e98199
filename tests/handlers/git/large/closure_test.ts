/**
 * The record of what refs reach: what is fetched with it is what is fetched without, and whatever of it is missing, old or
 * broken costs time and nothing else (git.md §5.4; rows 42, 43, 46).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { ByteCache } from "../../../../handlers/git/pack/byte_cache.ts";
import { packCaches, PackFile } from "../../../../handlers/git/pack/pack_file.ts";
import { formatClosure, parseClosure } from "../../../../handlers/git/store/folder/closure/record.ts";
import { needs } from "../../../support/programs.ts";
import { type Random, seeded } from "../../../support/random.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temp.ts";
import { fetched, type GitNode, gitNode } from "../client.ts";
import { closure, history, objectsOf } from "../histories.ts";
import { commit, git, gitWith, makeRepository } from "../repositories.ts";
import { maintained, packFiles } from "./maintained.ts";

const needed = needs("git", "linux");
const RECORD = "alknet/closure";

async function world(folder: TemporaryFolder): Promise<{ work: string; bare: string }> {
  const [work, bare] = [folder.join("work"), folder.join("r.git")];
  await makeRepository(work, bare);
  return { work, bare };
}

async function tipsOf(bare: string): Promise<string[]> {
  const text = await git(bare, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags");
  return [...new Set(text.split("\n"))].sort();
}

/** A clone of all branches and tags, as the objects that it gets, each as often as it gets it. */
async function cloned(node: GitNode, bare: string, ...args: string[]): Promise<string[]> {
  const wants = (await tipsOf(bare)).map((oid) => `want ${oid}`);
  const { pack } = await fetched(node, "r", ...wants, ...args, "ofs-delta", "done");
  return (await objectsOf(bare, pack)).sort();
}

async function everything(bare: string): Promise<string[]> {
  return [...await closure(bare, await tipsOf(bare))].sort();
}

Deno.test("parseClosure(): takes what formatClosure() writes, and nothing that differs from it (§5.4)", () => {
  const [tip, pack] = ["1".repeat(40), "2".repeat(40)];
  const text = formatClosure({ tips: [tip, tip], bodies: [{ pack, end: 852, count: 3 }] });
  match(text, /^alknet-closure 1\ntip 1{40}\npack 2{40} 852 3\nsum [0-9a-f]{40}\n$/);
  deepEqual(parseClosure(text), { tips: [tip], bodies: [{ pack, end: 852, count: 3 }] });
  for (let at = 0; at < text.length; at++) {
    equal(
      parseClosure(text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)),
      undefined,
    );
    equal(parseClosure(text.slice(0, at)), undefined);
  }
});

Deno.test({
  name: "closure: a clone has each object once, after packing, after thin pushes, and of what came beside (row 46)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { work, bare } = await world(folder);
    equal(await maintained(bare), "repacked");
    equal(packFiles(bare, ".pack").length, 1);
    await using node = gitNode({ root: folder.path, maintenance: true });
    deepEqual(await cloned(node, bare), await everything(bare));
    // What stock git brings, a thin push each time, with its bases appended to it.
    await git(bare, "config", "receive.unpackLimit", "1");
    const records = new Set<string>();
    for (let i = 0; i < 20; i++) {
      await commit(work, `a folder/träume ${i % 3}.txt`, `line ${i}\n`.repeat(200), 1_700_001_000 + i);
      await git(work, "push", "-q", "--thin", bare, "main");
      equal(await maintained(bare), "closure", `push ${i}`);
      records.add(await Deno.readTextFile(`${bare}/${RECORD}`));
      deepEqual(await cloned(node, bare), await everything(bare), `push ${i}`);
    }
    equal(records.size, 20);
    // Loose, and so not in it: found by walking from what is wanted down to it.
    await git(bare, "config", "receive.unpackLimit", "1000");
    await commit(work, "loose/two", "two\n", 1_700_002_000);
    await git(work, "tag", "-a", "late", "-m", "late");
    await git(work, "push", "-q", bare, "main", "late");
    equal(await maintained(bare), "nothing");
    deepEqual(await cloned(node, bare), await everything(bare));
    deepEqual(await cloned(node, bare, "include-tag", "thin-pack"), await everything(bare));
    const pack = folder.join("strict.pack");
    const wants = (await tipsOf(bare)).map((oid) => `want ${oid}`);
    await Deno.writeFile(pack, (await fetched(node, "r", ...wants, "ofs-delta", "done")).pack);
    await git(folder.path, "index-pack", "--strict", pack);
    await git(bare, "fsck", "--strict");
  },
});

Deno.test({
  name: "closure: random histories: pushes, forced ones, deletions and fetches between (§5.4; row 6)",
  ...needed,
  async fn() {
    const random: Random = seeded("git closures");
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(folder.path, "init", "-q", "--bare", bare);
    await git(bare, "config", "fastimport.unpackLimit", "1");
    await gitWith(bare, history(random, 40), "fast-import", "--quiet");
    const all = (await git(bare, "for-each-ref", "--format=%(refname) %(objectname)")).split("\n");
    await using node = gitNode({ root: folder.path });
    for (let round = 0; round < 12; round++) {
      const [name, oid] = all[random.below(all.length)].split(" ");
      const [, other] = all[random.below(all.length)].split(" ");
      // Later names are those of later commits: a branch goes on, back, aside, or away.
      if (random.below(3) === 0) await git(bare, "update-ref", "-d", name);
      else await git(bare, "update-ref", name, random.below(2) === 0 ? oid : other);
      ok(["nothing", "closure", "repacked"].includes(await maintained(bare, { full: random.below(6) === 0 })));
      deepEqual(await cloned(node, bare), await everything(bare), `round ${round}`);
      const tips = await tipsOf(bare);
      const [want, have] = [tips[random.below(tips.length)], tips[random.below(tips.length)]];
      const { pack } = await fetched(node, "r", `want ${want}`, `have ${have}`, "ofs-delta", "done");
      const held = await closure(bare, [have]);
      const sent = new Set(await objectsOf(bare, pack));
      deepEqual([...await closure(bare, [want])].filter((one) => !held.has(one) && !sent.has(one)), [], `${round}`);
    }
    await git(bare, "fsck", "--strict");
  },
});

Deno.test({
  name: "closure: a branch that was merged and deleted leaves it valid; one that was not does not (§5.4)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { bare } = await world(folder);
    const tree = await git(bare, "rev-parse", "main^{tree}");
    const next = async (name: string, message: string, ...parents: string[]) => {
      const flags = parents.flatMap((parent) => ["-p", parent]);
      await git(bare, "update-ref", name, await git(bare, "commit-tree", "-m", message, ...flags, tree));
    };
    await next("refs/heads/topic", "topic", "main");
    await next("refs/heads/main", "merge", "main", "topic");
    await next("refs/heads/alone", "alone", "main");
    equal(await maintained(bare, { full: true }), "repacked");
    await git(bare, "update-ref", "-d", "refs/heads/topic");
    equal(await maintained(bare), "closure");
    await using node = gitNode({ root: folder.path });
    deepEqual(await cloned(node, bare), await everything(bare));
    const { tips } = parseClosure(await Deno.readTextFile(`${bare}/${RECORD}`))!;
    deepEqual(tips, await tipsOf(bare));
    await git(bare, "update-ref", "-d", "refs/heads/alone");
    deepEqual(await cloned(node, bare), await everything(bare));
    equal(await maintained(bare), "repacked");
    await git(bare, "update-ref", "-d", "refs/tags/v1");
    deepEqual(await cloned(node, bare), await everything(bare));
  },
});

Deno.test({
  name:
    "closure: wants that no ref points at are proved by it, however deep, and only what the client sees (rows 42, 43)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { work, bare } = await world(folder);
    const secret = await (async () => {
      await git(work, "checkout", "-q", "-b", "secret", "main");
      await commit(work, "secret", "secret\n", 1_700_000_200);
      await git(work, "push", "-q", bare, "secret:refs/heads/secret");
      return await git(bare, "rev-parse", "secret:secret");
    })();
    // What no walk of one step can find.
    await using node = gitNode({ root: folder.path, limits: { wantWalk: 1 } });
    const old = await Promise.all(
      ["v1~5^{tree}", "v1~5", "v1~5:a folder/träume 2.txt"].map((name) => git(bare, "rev-parse", name)),
    );
    const refused = async (oid: string) =>
      /not our ref/.test((await fetched(node, "r", `want ${oid}`, "done")).lines[0]);
    for (const oid of old) ok(await refused(oid), "too deep");
    equal(await maintained(bare), "repacked");
    for (const oid of [...old, secret]) {
      const { pack } = await fetched(node, "r", `want ${oid}`, "done");
      ok((await objectsOf(bare, pack)).includes(oid));
    }
    // The record is of what all heads reach: whoever is not shown one of them is not helped by it.
    await git(bare, "config", "transfer.hideRefs", "refs/heads/secret");
    for (const oid of [...old, secret]) ok(await refused(oid), "hidden");
    equal(await maintained(bare), "repacked");
    ok(await refused(secret), "hidden");
    for (const oid of old) equal(await refused(oid), false);
    // Forced away: the record is of other tips then.
    await git(bare, "config", "--unset", "transfer.hideRefs");
    equal(await maintained(bare, { full: true }), "repacked");
    equal(await refused(secret), false);
    await git(bare, "update-ref", "refs/heads/secret", "main");
    ok(await refused(secret), "forced away");
    equal((await cloned(node, bare)).includes(secret), false);
  },
});

Deno.test({
  name: "closure: a record that is torn, of packs that are gone or of other lengths is as if there were none (§5.4)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { bare } = await world(folder);
    equal(await maintained(bare), "repacked");
    await using node = gitNode({ root: folder.path });
    const expected = await everything(bare);
    const file = `${bare}/${RECORD}`;
    const record = parseClosure(await Deno.readTextFile(file))!;
    const [body] = record.bodies;
    const texts = [
      "",
      "nonsense\n",
      formatClosure(record).slice(0, -10),
      formatClosure({ ...record, bodies: [] }).replace(/sum .*/, "sum " + "0".repeat(40)),
      ...[{ end: body.end - 1 }, { end: body.end + 1 }, { end: 12 }, { count: body.count - 1 }, {
        pack: "0".repeat(40),
      }]
        .map((change) => formatClosure({ ...record, bodies: [{ ...body, ...change }] })),
      formatClosure({ ...record, tips: [...record.tips, "1".repeat(40)] }),
    ];
    for (const text of texts) {
      await Deno.writeTextFile(file, text);
      deepEqual(await cloned(node, bare), expected, text);
      // The next run writes a whole one.
      ok(["closure", "repacked"].includes(await maintained(bare)), text);
      equal(await Deno.readTextFile(file), formatClosure(record));
      deepEqual(await cloned(node, bare), expected);
    }
    // Stock git packs anew, and the pack of the record is gone.
    await commit(folder.join("work"), "more", "more\n", 1_700_009_000);
    await git(folder.join("work"), "push", "-q", bare, "main");
    await git(bare, "repack", "-a", "-d", "-f", "-q");
    await git(bare, "prune-packed");
    deepEqual(await cloned(node, bare), await everything(bare));
    ok(["closure", "repacked"].includes(await maintained(bare)));
    deepEqual(await cloned(node, bare), await everything(bare));
  },
});

Deno.test({
  name: "closure: a pack that is read through is kept nowhere, and costs one buffer however long it is (row 60)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { work, bare } = await world(folder);
    await Deno.writeFile(`${work}/large`, seeded("large").bytes(1 << 20));
    await git(work, "add", "large");
    await commit(work, "small", "small\n", 1_700_001_000);
    await git(work, "push", "-q", bare, "main");
    equal(await maintained(bare), "repacked");
    const [pack] = packFiles(bare, ".pack");
    const path = `${bare}/objects/pack/${pack.replace(/\.pack$/, "")}`;
    let kept = 0;
    class Counting extends ByteCache<Uint8Array> {
      override set(...args: Parameters<ByteCache<Uint8Array>["set"]>): void {
        kept++;
        super.set(...args);
      }
    }
    const caches = packCaches({ blockCache: 0, baseCache: 1 << 20, indexCache: 1 << 20 });
    using file = new PackFile(path, { ...caches, blocks: new Counting(64 << 20) });
    const before = kept;
    const buffers = new Set<ArrayBufferLike>();
    const whole = await Deno.readFile(`${path}.pack`);
    let at = 12;
    for (const piece of file.through(12, file.size - 20)) {
      deepEqual(piece, whole.subarray(at, at += piece.byteLength));
      buffers.add(piece.buffer);
    }
    equal(at, whole.byteLength - 20);
    ok(whole.byteLength > 1 << 20);
    deepEqual([buffers.size, kept - before], [1, 0]);
  },
});

/**
 * index-pack: the files that git makes of the same pack, thin packs, and packs that are refused (git.md §5.2; rows 25, 27,
 * 28).
 *
 * @module
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { GitPackError } from "../../../handlers/git/errors.ts";
import { formatEntryHead } from "../../../handlers/git/pack/entry.ts";
import type { StoredObject } from "../../../handlers/git/pack/pack_file.ts";
import { needs } from "../../support/programs.ts";
import { runProgram } from "../../support/process.ts";
import { seeded } from "../../support/random.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";
import { joined } from "./client.ts";
import { BOUNDS, bytesOf, delta, indexed, oidOf, packOf, signed } from "./packs.ts";
import { commit, git, GIT_ENV, lines, makeRepository } from "./repositories.ts";

const needed = needs("git", "linux");

async function packObjects(bare: string, revs: string, ...args: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("git", {
    args: ["pack-objects", "--stdout", "--revs", "-q", ...args],
    cwd: bare,
    env: { ...GIT_ENV },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(bytesOf(revs));
  await writer.close();
  return (await output).stdout;
}

/** What stock git makes of a file that is a whole pack. */
async function gitIndex(folder: TemporaryFolder, pack: string): Promise<{ idx: string; rev: string }> {
  await git(folder.path, "index-pack", "--rev-index", "-o", pack.replace(/pack$/, "idx"), pack);
  const read = async (ending: string) => (await Deno.readFile(pack.replace(/pack$/, ending))).toHex();
  return { idx: await read("idx"), rev: await read("rev") };
}

Deno.test({
  name: "index-pack: index and order are git's bytes, however the pack arrives (row 50)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeRepository(folder.join("work"), bare);
    for (const args of [["--delta-base-offset"], []]) {
      const pack = await packObjects(bare, "", "--all", ...args);
      for (const piece of [1, 7, 1000, 65_536]) {
        const file = folder.join(`${args.length}-${piece}.pack`);
        const { index, reverse, count, bases, bodyEnd } = await indexed(file, pack, { piece });
        deepEqual(await Deno.readFile(file), pack);
        const { idx, rev } = await gitIndex(folder, file);
        equal(index.toHex(), idx, `pieces of ${piece}`);
        equal(reverse.toHex(), rev);
        equal(bodyEnd, pack.byteLength - 20);
        deepEqual(bases, []);
        ok(count > 30);
      }
    }
  },
});

Deno.test({
  name: "index-pack: a thin pack gets its bases, and is sound for git; with little memory too (row 25)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeRepository(folder.join("work"), bare);
    await commit(folder.join("work"), "a folder/träume 0.txt", lines(90), 1_700_000_200);
    await git(folder.join("work"), "push", "-q", bare, "main");
    const parent = await git(bare, "rev-parse", "main~1");
    const read = async (oid: string): Promise<StoredObject | undefined> => {
      const { code, stdout } = await runProgram("git", ["cat-file", "-t", oid], { cwd: bare, env: GIT_ENV });
      if (code !== 0) return undefined;
      const kind = stdout.trim() as StoredObject["kind"];
      const raw = await new Deno.Command("git", { args: ["cat-file", kind, oid], cwd: bare, env: { ...GIT_ENV } })
        .output();
      return { kind, bytes: raw.stdout };
    };
    const thin = await packObjects(bare, `main\n^${parent}\n`, "--thin", "--delta-base-offset");
    const file = folder.join("thin.pack");
    const { bases, index, count, bodyEnd, hash } = await indexed(file, thin, {
      base: read,
      bounds: { ...BOUNDS, baseCache: 1 },
    });
    ok(bases.length > 0, "the pack is thin");
    equal(bodyEnd, thin.byteLength - 20);
    equal((await gitIndex(folder, file)).idx, index.toHex());
    const listed = (await git(folder.path, "verify-pack", "-v", folder.join("thin.idx"))).split("\n");
    equal(listed.filter((line) => /^[0-9a-f]{40} /.test(line)).length, count + bases.length);
    equal((await Deno.readFile(file)).subarray(-20).toHex(), hash);
    await rejects(indexed(folder.join("alone.pack"), thin), { message: "unresolved deltas" });
  },
});

Deno.test({
  name: "index-pack: chains of 4095 deltas with bases let go, deltas before their bases, large blobs (§5.2)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const text = bytesOf("0123456789".repeat(10));
    const entries = [{ type: 3, data: text }] as { type: number; data: Uint8Array; base?: string | number }[];
    let content: Uint8Array = text;
    for (let i = 0; i < 4095; i++) {
      const next = joined([content.subarray(0, 96), bytesOf(i.toString().padStart(4, "0"))]);
      // Copies all but the end, and inserts that.
      const data = delta(100, 100, 0x90, 96, 4, ...next.subarray(96));
      entries.push({ type: 7, data, base: oidOf("blob", content) });
      content = next;
    }
    entries.reverse();
    const deep = packOf(entries);
    const { entries: found, index } = await indexed(folder.join("deep.pack"), deep, {
      bounds: { ...BOUNDS, baseCache: 1000 },
    });
    equal(found.count, 4096);
    equal((await gitIndex(folder, folder.join("deep.pack"))).idx, index.toHex());
    const more = packOf([
      {
        type: 7,
        data: delta(100, 100, 0x90, 100),
        base: oidOf("blob", joined([content.subarray(0, 96), bytesOf("last")])),
      },
      { type: 7, data: delta(100, 100, 0x90, 96, 4, ...bytesOf("last")), base: oidOf("blob", content) },
      ...entries,
    ]);
    await rejects(indexed(folder.join("deeper.pack"), more), { message: "bad pack: delta" });
    const large = new Uint8Array(40 * 1024 * 1024).fill(7);
    const random = seeded("git index-pack");
    const noise = random.bytes(3 * 1024 * 1024);
    const pack = packOf([{ type: 3, data: large }, { type: 3, data: noise }, { type: 3, data: bytesOf("") }]);
    const shown: (number | undefined)[] = [];
    const check = (_: string, __: Uint8Array, bytes: Uint8Array | undefined) => void shown.push(bytes?.byteLength);
    const done = await indexed(folder.join("large.pack"), pack, { piece: 10_000, check });
    deepEqual(shown, [undefined, noise.byteLength, 0]);
    equal((await gitIndex(folder, folder.join("large.pack"))).idx, done.index.toHex());
  },
});

const A = bytesOf("some content that is long enough to copy of\n");
const OID = oidOf("blob", A);
const blob = { type: 3, data: A };
const onBlob = (data: Uint8Array, from = 1) => [blob, { type: 6, data, base: distanceOf(from) }];
/** The first entry begins at 12; the second one behind it. */
function distanceOf(first: number): number {
  return first === 1 ? formatEntryHead(3, A.byteLength).byteLength + deflateSync(A).byteLength : first;
}
const size = A.byteLength;
const whole = packOf([blob]);
const good = delta(size, 4, 0x90, 4);

/** Packs that are refused, and the words. */
const FAULTS: readonly (readonly [name: string, pack: Uint8Array, words: string, bounds?: Partial<typeof BOUNDS>])[] = [
  ["no signature", packOf([blob], { magic: "KCAP" }), "bad pack: header"],
  ["version 3", packOf([blob], { version: 3 }), "bad pack: header"],
  ["version 0", packOf([blob], { version: 0 }), "bad pack: header"],
  ["nothing", new Uint8Array(), "bad pack: truncated"],
  ["half of a header", whole.subarray(0, 7), "bad pack: truncated"],
  ["count one too many", packOf([blob], { count: 2 }), "bad pack: truncated"],
  ["count 2^32-1", packOf([blob], { count: 2 ** 32 - 1 }), "too many objects"],
  ["count of what is allowed, and nothing there", packOf([], { count: 1_000_000 }), "bad pack: truncated"],
  ["count one too few", packOf([blob, { type: 3, data: bytesOf("b") }], { count: 1 }), "bad pack: checksum"],
  ["a trailer of zeros", joined([whole.subarray(0, -20), new Uint8Array(20)]), "bad pack: checksum"],
  ["no trailer", whole.subarray(0, -20), "bad pack: truncated"],
  ["half a trailer", whole.subarray(0, -10), "bad pack: truncated"],
  ["bytes after the trailer", joined([whole, new Uint8Array(1)]), "bad pack: trailing bytes"],
  ["two packs", joined([whole, whole]), "bad pack: trailing bytes"],
  ["type 0", packOf([{ type: 0, data: A }]), "bad pack: type"],
  ["type 5", packOf([{ type: 5, data: A }]), "bad pack: type"],
  ["a size beyond 2^53", signed(joined([whole.subarray(0, 12), new Uint8Array(60).fill(0xbf)])), "bad pack: size"],
  ["a size without end", signed(joined([whole.subarray(0, 12), new Uint8Array(60).fill(0xb0)])), "bad pack: size"],
  ["more than the size", packOf([{ ...blob, size: size - 1 }]), "bad pack: size"],
  ["less than the size", packOf([{ ...blob, size: size + 1 }]), "bad pack: size"],
  ["size 0 and content", packOf([{ ...blob, size: 0 }]), "bad pack: size"],
  ["a size of a GiB, and nothing", packOf([{ ...blob, size: 2 ** 30 - 1 }]), "bad pack: size"],
  ["a size above the bound", packOf([{ ...blob, size: 2 ** 30 + 1 }]), "object too large"],
  ["a tree above the bound", packOf([{ ...blob, type: 2, size: 2 ** 28 + 1 }]), "object too large"],
  ["no zlib stream", packOf([{ ...blob, deflated: bytesOf("no zlib stream at all") }]), "bad pack: checksum"],
  ["an adler that is another", packOf([{ ...blob, deflated: flipped(deflateSync(A), -1) }]), "bad pack: checksum"],
  ["a stream that does not end", packOf([{ ...blob, deflated: deflateSync(A).subarray(0, -4) }]), "bad pack: checksum"],
  ["a distance of 0", packOf([blob, { type: 6, data: good, base: 0 }]), "bad pack: base"],
  ["a distance before the pack", packOf(onBlob(good, 5000)), "bad pack: base"],
  ["a distance into an entry", packOf(onBlob(good, 5)), "bad pack: base"],
  [
    "a distance beyond 2^53",
    packOf([blob, { type: 6, data: good, deflated: new Uint8Array(40).fill(0xff) }]),
    "bad pack: base",
  ],
  ["a delta of another base", packOf(onBlob(delta(size - 1, 4, 0x90, 4))), "bad pack: delta"],
  ["a delta that makes more", packOf(onBlob(delta(size, 3, 0x90, 4))), "bad pack: delta"],
  ["a delta that makes less", packOf(onBlob(delta(size, 5, 0x90, 4))), "bad pack: delta"],
  ["a copy outside of the base", packOf(onBlob(delta(size, 4, 0x91, size - 3, 4))), "bad pack: delta"],
  ["a copy of 64 KiB", packOf(onBlob(delta(size, 65_536, 0x80))), "bad pack: delta"],
  ["an insertion that ends early", packOf(onBlob(delta(size, 4, 4, 1, 2))), "bad pack: delta"],
  ["instruction 0", packOf(onBlob(delta(size, 4, 0, 0x90, 4))), "bad pack: delta"],
  ["a copy that ends early", packOf(onBlob(delta(size, 4, 0x90))), "bad pack: delta"],
  ["a delta of nothing", packOf(onBlob(new Uint8Array())), "bad pack: delta"],
  ["an unknown base", packOf([{ type: 7, data: good, base: "1".repeat(40) }]), "unresolved deltas"],
  [
    "a circle",
    packOf([{ type: 7, data: delta(4, 4, 0x90, 4), base: "1".repeat(40) }, {
      type: 7,
      data: delta(4, 4, 0x90, 4),
      base: "2".repeat(40),
    }]),
    "unresolved deltas",
  ],
  ["an object twice", packOf([blob, blob]), `duplicate object ${OID}`],
  ["an object twice, once a delta", packOf(onBlob(delta(size, size, 0x90, size))), `duplicate object ${OID}`],
  [
    "a bomb of deltas",
    packOf(onBlob(delta(size, 100_000, ...new Array(2500).fill([0x90, 40]).flat()))),
    "pack too large",
    { resolvedBytes: 50_000 },
  ],
  ["a delta that claims a GiB", packOf(onBlob(delta(size, 2 ** 30, 0x90, 4))), "object too large"],
  ["more objects than allowed", packOf([blob, { type: 3, data: bytesOf("b") }]), "too many objects", { objects: 1 }],
  ["more bytes than allowed", whole, "pack too large", { packBytes: whole.byteLength - 1 }],
];

function flipped(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  copy[at < 0 ? copy.byteLength + at : at] ^= 1;
  return copy;
}

Deno.test("index-pack: what is wrong with a pack is said in fixed words (row 27)", async () => {
  await using folder = await temporaryFolder();
  equal((await indexed(folder.join("good.pack"), packOf(onBlob(good)))).count, 2);
  for (const [i, [name, pack, words, bounds]] of FAULTS.entries()) {
    for (const piece of [1, 100_000]) {
      const file = folder.join(`${i}-${piece}.pack`);
      const work = indexed(file, pack, { piece, bounds: { ...BOUNDS, ...bounds } });
      await rejects(work, (error) => {
        ok(error instanceof GitPackError, `${name}: ${(error as Error).stack}`);
        equal(`${name}, ${piece}: ${error.message}`, `${name}, ${piece}: ${words}`);
        return true;
      });
    }
  }
});

Deno.test({
  name: "index-pack: a pack cut anywhere, or with a byte changed, is refused as git refuses it (row 27)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    await makeRepository(folder.join("work"), folder.join("r.git"));
    const pack = await packObjects(folder.join("r.git"), "", "--all", "--delta-base-offset");
    const random = seeded("git packs");
    for (let i = 0; i < 200; i++) {
      const at = i < 40 ? i : i < 80 ? pack.byteLength - 1 - (i - 40) : random.below(pack.byteLength);
      await rejects(indexed(folder.join(`c${i}`), pack.subarray(0, at), { piece: 500 }), {
        message: "bad pack: truncated",
      });
      await rejects(indexed(folder.join(`f${i}`), flipped(pack, at), { piece: 500 }), GitPackError, `byte ${at}`);
    }
  },
});

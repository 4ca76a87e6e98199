/**
 * receive-pack, said byte by byte: what the pack of a push holds and lacks (git.md §5.2, §7; rows 25, 27 to 30, 32).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { joined } from "../client.ts";
import { bytesOf, delta, oidOf, type PackEntry, packOf } from "../packs.ts";
import { commit, git, GIT_ENV, gitWith, lines } from "../repositories.ts";
import {
  BLOB,
  CAPABILITIES,
  commands,
  commitOf,
  CREATE,
  ENTRIES,
  filesOf,
  HEAD,
  push,
  TREE,
  treeOf,
  world,
  ZERO,
} from "./pushes.ts";

const needed = needs("git", "linux");

/** Pushes of packs that lack something, or have too much, and what is said. */
const LACKING: readonly (readonly [name: string, entries: PackEntry[], tip: string])[] = [
  ["no blob", ENTRIES.slice(0, 2), HEAD],
  ["no tree", [ENTRIES[0], ENTRIES[2]], HEAD],
  ["no tip", ENTRIES.slice(1), HEAD],
  ["nothing", [], HEAD],
  [
    "no parent",
    [{ type: 1, data: commitOf(oidOf("tree", TREE), "1".repeat(40)) }, ...ENTRIES.slice(1)],
    oidOf("commit", commitOf(oidOf("tree", TREE), "1".repeat(40))),
  ],
  ["a parent that is a blob", [
    { type: 1, data: commitOf(oidOf("tree", TREE), oidOf("blob", BLOB)) },
    ...ENTRIES.slice(1),
  ], oidOf("commit", commitOf(oidOf("tree", TREE), oidOf("blob", BLOB)))],
  [
    "a tree that is a blob",
    [{ type: 1, data: commitOf(oidOf("blob", BLOB)) }, ENTRIES[2]],
    oidOf("commit", commitOf(oidOf("blob", BLOB))),
  ],
];

Deno.test({
  name: "receive-pack: what is not connected does not move a ref, and leaves nothing (row 29)",
  ...needed,
  async fn() {
    await using at = await world();
    const before = await filesOf(at.bare);
    for (const [name, entries, tip] of LACKING) {
      const { report, progress } = await push(
        at.node,
        commands(CAPABILITIES, `${ZERO} ${tip} refs/heads/main`),
        packOf(entries),
      );
      deepEqual(report, ["unpack ok", "ng refs/heads/main missing necessary objects", "flush"], name);
      match(progress, /^alknet: refs\/heads\/main: missing necessary objects: /);
      deepEqual(await filesOf(at.bare), before, name);
    }
    // Of two tips one is whole.
    const [, , bad] = LACKING[4];
    const both = commands(CAPABILITIES, `${ZERO} ${HEAD} refs/heads/good`, `${ZERO} ${bad} refs/heads/bad`);
    const { report } = await push(at.node, both, packOf([...ENTRIES, LACKING[4][1][0]]));
    deepEqual(report, ["unpack ok", "ok refs/heads/good", "ng refs/heads/bad missing necessary objects", "flush"]);
    await git(at.bare, "fsck", "--no-dangling");
  },
});

Deno.test({
  name: "receive-pack: objects that are there but that no ref reaches do not count for more than they are (row 29)",
  ...needed,
  async fn() {
    await using at = await world();
    // A commit that stands alone in the folder: its tree is not there.
    const orphan = await gitWith(
      at.bare,
      commitOf(oidOf("tree", TREE)),
      "hash-object",
      "-w",
      "--literally",
      "-t",
      "commit",
      "--stdin",
    );
    equal(orphan, HEAD);
    const { report } = await push(at.node, CREATE, packOf([]));
    equal(report[1], "ng refs/heads/main missing necessary objects");
    const child = commitOf(oidOf("tree", TREE), HEAD);
    const on = commands(CAPABILITIES, `${ZERO} ${oidOf("commit", child)} refs/heads/main`);
    const whole = await push(at.node, on, packOf([{ type: 1, data: child }, ...ENTRIES.slice(1)]));
    equal(whole.report[1], "ok refs/heads/main");
    await git(at.bare, "fsck", "--strict");
  },
});

Deno.test({
  name: "receive-pack: packs that are refused leave the folder as it was, and the words say why (rows 27, 28, 30, 32)",
  ...needed,
  async fn() {
    await using at = await world({
      packBytes: 1_000_000,
      objects: 1000,
      resolvedBytes: 1_000_000,
      objectBytes: 2_000_000,
    });
    await gitWith(at.bare, "held", "hash-object", "-w", "--stdin");
    const before = await filesOf(at.bare);
    const evil = treeOf(["100644", ".git", oidOf("blob", BLOB)]);
    const modules = bytesOf('[submodule "a"]\n\turl = -u./x\n\tpath = a\n');
    const withModules = treeOf(["100644", ".gitmodules", oidOf("blob", modules)]);
    const bomb = new Uint8Array(deflateSync(new Uint8Array(1_500_000)));
    const base = bytesOf("x".repeat(1000));
    const copies = delta(1000, 100_000_000, ...new Array(100).fill([0xb0, 0xe8, 0x03]).flat());
    const refused: readonly (readonly [name: string, pack: Uint8Array, words: RegExp | string])[] = [
      ["no pack", new Uint8Array(), "bad pack: truncated"],
      ["a pack cut in the middle", packOf(ENTRIES).subarray(0, 100), "bad pack: truncated"],
      ["a wrong sum", joined([packOf(ENTRIES).subarray(0, -1), new Uint8Array(1)]), "bad pack: checksum"],
      ["count 2^32-1", packOf(ENTRIES, { count: 2 ** 32 - 1 }), "too many objects"],
      ["a tree with .git", packOf([{ type: 2, data: evil }, ...ENTRIES]), `object ${oidOf("tree", evil)}: hasDotgit`],
      [
        "a .gitmodules that harms",
        packOf([{ type: 2, data: withModules }, { type: 3, data: modules }, ...ENTRIES]),
        `object ${oidOf("blob", modules)}: gitmodulesUrl`,
      ],
      [
        "a .gitmodules that is a tree",
        packOf([{ type: 2, data: treeOf(["100644", ".gitmodules", oidOf("tree", TREE)]) }, ...ENTRIES]),
        /gitmodulesBlob$/,
      ],
      [
        "a commit without author",
        packOf([{ type: 1, data: bytesOf(`tree ${ZERO}\n\nx`) }, ...ENTRIES]),
        /missingAuthor$/,
      ],
      ["a blob above the bound", packOf([{ type: 3, data: bomb, size: 2_000_001 }, ...ENTRIES]), "object too large"],
      [
        "a bomb that claims less",
        packOf([{ type: 3, data: bomb, size: 1000, deflated: bomb }, ...ENTRIES]),
        "bad pack: size",
      ],
      [
        "a bomb of deltas",
        packOf([{ type: 3, data: base }, { type: 7, data: copies, base: oidOf("blob", base) }, ...ENTRIES]),
        "pack too large",
      ],
      [
        "a pack that is too large",
        packOf([
          { type: 3, data: crypto.getRandomValues(new Uint8Array(65_536)) },
          ...Array.from(
            { length: 20 },
            () => ({ type: 3, data: crypto.getRandomValues(new Uint8Array(65_536)) }),
          ),
        ]),
        "pack too large",
      ],
    ];
    for (const [name, pack, words] of refused) {
      const { report, lines: said } = await push(at.node, CREATE, pack);
      const [, unpack] = /^unpack (.*)$/.exec(report[0] ?? "") ?? [];
      if (typeof words === "string") equal(unpack, words, `${name}: ${said}`);
      else match(unpack, words, name);
      equal(report[1], "ng refs/heads/main unpacker error");
      deepEqual(await filesOf(at.bare), before, name);
    }
    const settings: readonly (readonly [key: string, value: string, pack: PackEntry[]])[] = [
      ["receive.fsck.hasDotgit", "warn", [{ type: 2, data: evil }, ...ENTRIES]],
      ["receive.fsckObjects", "false", [{ type: 2, data: treeOf(["100644", "..", oidOf("blob", BLOB)]) }, ...ENTRIES]],
    ];
    for (const [i, [key, value, entries]] of settings.entries()) {
      await git(at.bare, "config", key, value);
      const request = commands(CAPABILITIES, `${ZERO} ${HEAD} refs/heads/s${i}`);
      const { report, progress } = await push(at.node, request, packOf(entries));
      deepEqual(report, ["unpack ok", `ok refs/heads/s${i}`, "flush"]);
      if (value === "warn") match(progress, /^alknet: warning: object [0-9a-f]{40}: hasDotgit$/m);
    }
  },
});

Deno.test({
  name:
    "receive-pack: an object that is held with other bytes refuses the push; with the same it may come again (row 27)",
  ...needed,
  async fn() {
    await using at = await world();
    // Nobody has two contents of one name to show: what is held is damaged on the disk instead.
    const held = await gitWith(at.bare, "the content that was here first\n", "hash-object", "-w", "--stdin");
    const first = bytesOf("the content that was here first\n");
    equal(held, oidOf("blob", first));
    const tree = treeOf(["100644", "f", held]);
    const tip = commitOf(oidOf("tree", tree));
    const entries: PackEntry[] = [{ type: 1, data: tip }, { type: 2, data: tree }, { type: 3, data: first }];
    const request = commands(CAPABILITIES, `${ZERO} ${oidOf("commit", tip)} refs/heads/main`);
    const path = `${at.bare}/objects/${held.slice(0, 2)}/${held.slice(2)}`;
    const other = bytesOf("blob 32\0THE CONTENT that was here first\n");
    await Deno.chmod(path, 0o600);
    await Deno.writeFile(path, new Uint8Array(deflateSync(other)));
    const { report } = await push(at.node, request, packOf(entries));
    deepEqual(report, [`unpack object ${held} differs from ours`, "ng refs/heads/main unpacker error", "flush"]);
    await Deno.writeFile(path, new Uint8Array(deflateSync(joined([bytesOf("blob 32\0"), first]))));
    equal((await push(at.node, request, packOf(entries))).report[1], "ok refs/heads/main");
    // The same pack once more: its name is there already, and so is all that is in it.
    const again = commands(CAPABILITIES, `${ZERO} ${oidOf("commit", tip)} refs/heads/again`);
    equal((await push(at.node, again, packOf(entries))).report[1], "ok refs/heads/again");
    await git(at.bare, "fsck", "--strict");
  },
});

Deno.test({
  name: "receive-pack: thin packs are completed from packed, delta and loose bases (row 25)",
  ...needed,
  async fn() {
    await using at = await world();
    const work = at.folder.join("work");
    await git(".", "init", "-q", "--initial-branch=main", work);
    for (let i = 0; i < 4; i++) await commit(work, "f", lines(i), 1_700_000_000 + i);
    await commit(work, "loose", `loose ${lines(7)}`, 1_700_000_010);
    await git(work, "push", "-q", at.bare, "main~1:refs/heads/main");
    await git(at.bare, "repack", "-adfq");
    await git(work, "push", "-q", at.bare, "main");
    const old = await git(work, "rev-parse", "main");
    await Deno.writeTextFile(`${work}/loose`, `loose ${lines(8)}`);
    await commit(work, "f", lines(5), 1_700_000_020);
    const head = await git(work, "rev-parse", "main");
    const child = new Deno.Command("git", {
      args: ["pack-objects", "--stdout", "--revs", "-q", "--thin"],
      cwd: work,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.output();
    const writer = child.stdin.getWriter();
    await writer.write(bytesOf(`${head}\n^${old}\n`));
    await writer.close();
    const { stdout } = await output;
    const { report } = await push(at.node, commands(CAPABILITIES, `${old} ${head} refs/heads/main`), stdout);
    deepEqual(report, ["unpack ok", "ok refs/heads/main", "flush"]);
    await git(at.bare, "fsck", "--strict", "--full");
    for await (const { name } of Deno.readDir(`${at.bare}/objects/pack`)) {
      if (!name.endsWith(".idx")) continue;
      const { code } = await runProgram("git", ["verify-pack", `${at.bare}/objects/pack/${name}`], { env: GIT_ENV });
      equal(code, 0, name);
    }
    ok((await git(at.bare, "rev-list", "--objects", "--all")).length > 0);
  },
});

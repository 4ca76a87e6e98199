/**
 * receive-pack, said byte by byte (git.md §3.6, §5.2, §7; rows 20, 23, 24, 26 to 30, 32).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { deflateSync } from "node:zlib";
import type { Identity } from "@alknet/core/handler";
import type { GitLimits } from "../../../handlers/git/mod.ts";
import { FLUSH, pktLine, PktReader } from "../../../handlers/git/wire/pkt_line.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { answers, type GitNode, gitNode, joined, READER, requestLine, textOf } from "./client.ts";
import { bytesOf, delta, oidOf, type PackEntry, packOf } from "./packs.ts";
import { commit, contentsOf, git, GIT_ENV, gitWith, lines, makeRepository } from "./repositories.ts";

const needed = needs("git", "linux");
const ZERO = "0".repeat(40);
const WRITER: Identity = { id: "writer", scopes: ["git:write"], resources: {} };
const CAPABILITIES = "report-status side-band-64k object-format=sha1 agent=test";

/** A request to move refs: each `OLD NEW NAME`, with capabilities after the first. */
function commands(capabilities: string, ...updates: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts = updates.map((update, i) => pktLine(bytesOf(i === 0 ? `${update}\0 ${capabilities}` : update)));
  return joined([...parts, FLUSH]);
}

/** What a push came to: bands apart. */
interface Result {
  readonly report: string[];
  readonly progress: string;
  readonly lines: string[];
}

/** Pushes over a stream, and reads the report in its side band. */
async function push(node: GitNode, request: Uint8Array, pack: Uint8Array = new Uint8Array()): Promise<Result> {
  const sent = joined([requestLine("/r", 0, "git-receive-pack"), request, pack]);
  const packets = await answers(node, sent, WRITER);
  const rest = packets.slice(packets.indexOf("flush") + 1);
  const band = (number: number) =>
    joined(
      rest.filter((part) => typeof part !== "string" && part[0] === number).map((part) =>
        (part as Uint8Array).subarray(1)
      ),
    );
  const inner = new PktReader(ReadableStream.from([band(1)]));
  const report: string[] = [];
  for (let packet = await inner.next(); packet !== undefined; packet = await inner.next()) {
    report.push(...textOf([packet]));
  }
  return { report, progress: new TextDecoder().decode(band(2)), lines: textOf(rest) };
}

/** Everything in a folder, to see that it is unchanged. */
async function filesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory && name !== "alknet") found.push(...await filesOf(path));
    else if (!isDirectory) found.push(`${path} ${(await Deno.stat(path)).size}`);
  }
  return found.sort();
}

async function world(limits: Partial<GitLimits> = {}) {
  const folder = await temporaryFolder();
  const bare = folder.join("r.git");
  await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
  const node = gitNode({ root: folder.path, limits });
  return { folder, bare, node, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const BLOB = bytesOf("content\n");
const treeOf = (...entries: readonly [mode: string, name: string, oid: string][]) =>
  joined(entries.map(([mode, name, oid]) => joined([bytesOf(`${mode} ${name}\0`), Uint8Array.fromHex(oid)])));
const WHO = "A <a@example.org> 1700000000 +0000";
const commitOf = (tree: string, ...parents: readonly string[]) =>
  bytesOf(
    `tree ${tree}\n${parents.map((parent) => `parent ${parent}\n`).join("")}author ${WHO}\ncommitter ${WHO}\n\nx\n`,
  );
const TREE = treeOf(["100644", "f", oidOf("blob", BLOB)]);
const COMMIT = commitOf(oidOf("tree", TREE));
const HEAD = oidOf("commit", COMMIT);
const ENTRIES: PackEntry[] = [{ type: 1, data: COMMIT }, { type: 2, data: TREE }, { type: 3, data: BLOB }];
const CREATE = commands(CAPABILITIES, `${ZERO} ${HEAD} refs/heads/main`);

Deno.test({
  name: "receive-pack: the refs and what it can do; nothing to move is no error (§3.4, §3.6)",
  ...needed,
  async fn() {
    await using at = await world();
    const shown = async (version: number) =>
      textOf(await answers(at.node, requestLine("/r", version, "git-receive-pack"), WRITER));
    const able = "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 " +
      "agent=alknet/0.1.0";
    deepEqual(await shown(0), [`${ZERO} capabilities^{}\0${able}`, "flush"]);
    deepEqual(await push(at.node, CREATE, packOf(ENTRIES)), {
      report: ["unpack ok", "ok refs/heads/main", "flush"],
      progress: "",
      lines: ["\x01000eunpack ok\n0017ok refs/heads/main\n0000", "flush"],
    });
    for (const version of [0, 2]) deepEqual(await shown(version), [`${HEAD} refs/heads/main\0${able}`, "flush"]);
    deepEqual(await shown(1), ["version 1", `${HEAD} refs/heads/main\0${able}`, "flush"]);
    deepEqual((await push(at.node, FLUSH)).lines, []);
    const refused = textOf(await answers(at.node, requestLine("/r", 0, "git-receive-pack"), READER));
    deepEqual(refused, ["ERR service not enabled: git-receive-pack"]);
    await git(at.bare, "fsck", "--strict");
  },
});

Deno.test({
  name: "receive-pack: reports are git's bytes: versions 1 and 2, without side band, quiet, no report (row 26)",
  ...needed,
  async fn() {
    await using at = await world();
    const peer = at.folder.join("peer.git");
    await git(".", "init", "-q", "--bare", peer);
    await git(peer, "config", "receive.denyDeleteCurrent", "ignore");
    await git(at.bare, "config", "alknet.protected", "!HEAD");
    await git(at.bare, "config", "receive.denyDeleteCurrent", "ignore");
    const raw = async (request: Uint8Array): Promise<string> => {
      const packets = await answers(at.node, joined([requestLine("/r", 0, "git-receive-pack"), request]), WRITER);
      return packets.slice(packets.indexOf("flush") + 1)
        .map((part) => typeof part === "string" ? "0000" : new TextDecoder().decode(pktLine(part))).join("");
    };
    const gits = async (request: Uint8Array<ArrayBuffer>): Promise<string> =>
      (await runProgram("git", ["receive-pack", "--stateless-rpc", peer], { env: GIT_ENV, stdin: request })).stdout;
    const pack = packOf(ENTRIES);
    const made = `${ZERO} ${HEAD} refs/heads/`;
    const gone = (name: string) => `${HEAD} ${ZERO} refs/heads/${name}`;
    const abilities = [
      "report-status",
      "report-status-v2",
      "report-status report-status-v2 side-band-64k",
      "report-status side-band-64k quiet atomic",
      "side-band-64k",
      "quiet",
      "",
    ];
    for (const [i, capabilities] of abilities.entries()) {
      for (const [updates, bytes] of [[[`${made}a${i}`, `${made}b${i}`], pack], [[gone(`a${i}`)], []]] as const) {
        const request = joined([commands(capabilities, ...updates), new Uint8Array(bytes)]);
        equal(await raw(request), await gits(request), `${capabilities}: ${updates}`);
      }
    }
    deepEqual(await contentsOf(at.bare), await contentsOf(peer));
  },
});

Deno.test({
  name: "receive-pack: requests that are none, or ask for what is not served, are ERR and move nothing (§3.6, §11)",
  ...needed,
  async fn() {
    await using at = await world({ commands: 2 });
    const pack = packOf(ENTRIES);
    const made = `${ZERO} ${HEAD} refs/heads/`;
    const wrong: readonly (readonly [request: Uint8Array, words: RegExp])[] = [
      [commands("", `${ZERO} ${HEAD}`), /expected old\/new\/ref/],
      [commands("", `x ${HEAD} refs/heads/a`), /expected old\/new\/ref/],
      [commands("push-options", `${made}a`), /push-options is not served/],
      [commands("side-band", `${made}a`), /side-band is not served/],
      [commands("object-format=sha256", `${made}a`), /mismatched object format/],
      [commands("", `${made}a`, `${made}a`), /multiple updates for ref 'refs\/heads\/a' not allowed/],
      [commands("", `${made}a`, `${made}b`, `${made}c`), /too many commands/],
      [joined([pktLine("push-cert\0 push-cert=x"), FLUSH]), /push-cert is not served/],
      [joined([pktLine(bytesOf(`${made}a`)), bytesOf("0001")]), /unexpected delim/],
      [pktLine(bytesOf(`${made}a`)), /ends inside of a request/],
      [bytesOf("fff1"), /bad line length/],
    ];
    for (const [request, words] of wrong) {
      const { lines: said } = await push(at.node, request, words.source.includes("inside") ? undefined : pack);
      match(said.at(-1) ?? "", words);
      match(said.at(-1) ?? "", /^ERR /);
    }
    equal(await git(at.bare, "for-each-ref"), "");
    equal(await git(at.bare, "count-objects"), "0 objects, 0 kilobytes");
    // Shallow lines are passed over: the push is connected without them.
    const shallow = joined([pktLine(`shallow ${"1".repeat(40)}`), CREATE]);
    deepEqual((await push(at.node, shallow, pack)).report, ["unpack ok", "ok refs/heads/main", "flush"]);
  },
});

Deno.test({
  name: "receive-pack: names of refs get git check-ref-format's verdict (row 23)",
  ...needed,
  async fn() {
    await using at = await world();
    await git(at.bare, "config", "alknet.protected", "!HEAD");
    await git(at.bare, "config", "receive.denyDeleteCurrent", "ignore");
    const parts = [
      "a",
      "a.b",
      ".a",
      "a.",
      "a.lock",
      "a.lock.b",
      "a..b",
      "a b",
      "a~",
      "a^",
      "a:",
      "a?",
      "a*",
      "a[",
      "a\\",
    ];
    const more = ["a@{", "@", "a@", "@{", "-a", "a-", "日本", "a\x7f", "a\x01", "a\t", "{", "a]", "$(id)", "a;b", "'"];
    const paths = ["a/b", "a//b", "/a", "a/", "a/.b", "a/b.lock", "a/b.lock/c", "a/./b", "a/../b", "b/c/d/e/f", "HEAD"];
    const names = [...parts, ...more, ...paths].flatMap((name) => [`refs/heads/${name}`, `refs/x/${name}`]);
    const alone = [
      "HEAD",
      "refs",
      "refs/",
      "refs/heads",
      "refs/x",
      "heads/a",
      "main",
      "refs/heads/",
      "refs//a/b",
      "/refs/a/b",
    ];
    const short = (name: string) => name.split("/").length >= 3 && name.startsWith("refs/");
    for (const name of [...names, ...alone]) {
      const { code } = await runProgram("git", ["check-ref-format", name], { env: GIT_ENV });
      const { report } = await push(at.node, commands(CAPABILITIES, `${ZERO} ${HEAD} ${name}`), packOf(ENTRIES));
      const expected = code === 0 && short(name) ? `ok ${name}` : `ng ${name} funny refname`;
      equal(report[1], expected);
      if (code === 0 && short(name)) {
        const gone = await push(at.node, commands(CAPABILITIES, `${HEAD} ${ZERO} ${name}`));
        equal(gone.report[1], `ok ${name}`);
      }
    }
    equal(await git(at.bare, "for-each-ref"), "");
    const long = `refs/heads/${"n".repeat(300)}`;
    match((await push(at.node, commands(CAPABILITIES, `${ZERO} ${HEAD} ${long}`), packOf(ENTRIES))).report[1], /funny/);
  },
});

Deno.test({
  name: "receive-pack: symbolic and hidden refs do not move, hidden ones are not shown (row 24)",
  ...needed,
  async fn() {
    await using at = await world();
    await push(at.node, CREATE, packOf(ENTRIES));
    await git(at.bare, "symbolic-ref", "refs/heads/link", "refs/heads/main");
    await git(at.bare, "update-ref", "refs/secret/a", HEAD);
    await git(at.bare, "config", "receive.hideRefs", "refs/secret");
    const shown = textOf(await answers(at.node, requestLine("/r", 0, "git-receive-pack"), WRITER));
    deepEqual(shown.map((line) => line.slice(41).split("\0")[0]), ["refs/heads/link", "refs/heads/main", ""]);
    for (
      const [name, reason] of [
        ["refs/heads/link", "funny refname"],
        ["refs/secret/a", "hidden"],
        ["refs/secret/b", "hidden"],
        ["refs/internal/a", "funny refname"],
      ]
    ) {
      for (const update of [`${HEAD} ${ZERO}`, `${ZERO} ${HEAD}`]) {
        const { report } = await push(at.node, commands(CAPABILITIES, `${update} ${name}`), packOf(ENTRIES));
        deepEqual(report, ["unpack ok", `ng ${name} ${reason}`, "flush"]);
      }
    }
    equal((await git(at.bare, "for-each-ref")).split("\n").length, 3);
  },
});

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

Deno.test({
  name: "receive-pack: a lock that another program holds refuses its ref alone, and none of ours is left (row 48)",
  ...needed,
  async fn() {
    await using at = await world();
    await Deno.writeTextFile(`${at.bare}/refs/heads/busy.lock`, "");
    const both = commands(CAPABILITIES, `${ZERO} ${HEAD} refs/heads/busy`, `${ZERO} ${HEAD} refs/heads/free`);
    const { report } = await push(at.node, both, packOf(ENTRIES));
    deepEqual(report, ["unpack ok", "ng refs/heads/busy failed to lock", "ok refs/heads/free", "flush"]);
    const atomic = commands(
      `atomic ${CAPABILITIES}`,
      `${ZERO} ${HEAD} refs/heads/busy`,
      `${ZERO} ${HEAD} refs/heads/more`,
    );
    const none = await push(at.node, atomic, packOf(ENTRIES));
    deepEqual(none.report.slice(1, 3), [
      "ng refs/heads/busy failed to lock",
      "ng refs/heads/more atomic push failure",
    ]);
    await Deno.remove(`${at.bare}/refs/heads/busy.lock`);
    equal((await push(at.node, atomic, packOf(ENTRIES))).report[1], "ok refs/heads/busy");
    equal((await git(at.bare, "for-each-ref")).split("\n").length, 3);
    deepEqual([...Deno.readDirSync(`${at.bare}/refs/heads`)].map(({ name }) => name).sort(), ["busy", "free", "more"]);
    await git(at.bare, "pack-refs", "--all");
    await git(at.bare, "config", "alknet.protected", "!HEAD");
    await git(at.bare, "config", "receive.denyDeleteCurrent", "ignore");
    await Deno.writeTextFile(`${at.bare}/packed-refs.lock`, "");
    const packed = await push(
      at.node,
      commands(
        CAPABILITIES,
        `${HEAD} ${ZERO} refs/heads/free`,
        `${ZERO} ${HEAD} refs/heads/free/d`,
        `${ZERO} ${HEAD} refs/heads/x`,
      ),
      packOf(ENTRIES),
    );
    deepEqual(packed.report, [
      "unpack ok",
      "ng refs/heads/free failed to lock",
      "ng refs/heads/free/d D/F conflict",
      "ok refs/heads/x",
      "flush",
    ]);
    await Deno.remove(`${at.bare}/packed-refs.lock`);
    equal(
      (await push(at.node, commands(CAPABILITIES, `${HEAD} ${ZERO} refs/heads/free`))).report[1],
      "ok refs/heads/free",
    );
    await git(at.bare, "fsck", "--strict");
  },
});

Deno.test({
  name: "receive-pack: a repository with all its history, twice at once and over each other (rows 20, 21)",
  ...needed,
  async fn() {
    await using at = await world();
    const other = at.folder.join("other.git");
    await makeRepository(at.folder.join("work"), other);
    const pack = (await new Deno.Command("git", {
      args: ["pack-objects", "--stdout", "--all", "-q"],
      cwd: other,
      stdin: "null",
      stdout: "piped",
    }).output()).stdout;
    const head = await git(other, "rev-parse", "main");
    const names = Array.from({ length: 8 }, (_, i) => `refs/heads/p${i % 4}`);
    const results = await Promise.all(
      names.map((name) => push(at.node, commands(CAPABILITIES, `${ZERO} ${head} ${name}`), pack)),
    );
    for (const i of [0, 1, 2, 3]) {
      const told = [results[i], results[i + 4]].map(({ report }) => report[1]).sort();
      deepEqual(told, [`ng refs/heads/p${i} stale info`, `ok refs/heads/p${i}`]);
    }
    await git(at.bare, "fsck", "--strict");
    equal((await git(at.bare, "for-each-ref")).split("\n").length, 4);
    deepEqual([...Deno.readDirSync(`${at.bare}/alknet/tmp`), ...Deno.readDirSync(`${at.bare}/alknet/holders`)], []);
  },
});

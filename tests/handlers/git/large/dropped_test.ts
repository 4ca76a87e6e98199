/**
 * What nothing reaches is kept for 14 days and then goes; nothing that anybody still needs goes with it (git.md §5.5;
 * row 51).
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { PktReader } from "../../../../handlers/git/wire/pkt_line.ts";
import { joined, requestLine, textOf } from "../client.ts";
import { bytesOf, oidOf, packOf } from "../packs.ts";
import { CAPABILITIES, commands, commitOf, push, WRITER, ZERO } from "../push/pushes.ts";
import { commit, git, makeRepository } from "../repositories.ts";
import { gitNode } from "../client.ts";
import { maintained, packFiles } from "./maintained.ts";

const needed = needs("git", "linux");
const DAY = 86_400;
const NOW = 1_800_000_000;

/** A repository of which a commit is adrift, others are reached by a note, a hidden ref and a log alone. */
async function world() {
  const folder = await temporaryFolder();
  const [work, bare] = [folder.join("work"), folder.join("r.git")];
  await makeRepository(work, bare);
  await git(bare, "config", "core.logAllRefUpdates", "always");
  await git(bare, "config", "transfer.hideRefs", "refs/secret");
  await git(bare, "config", "receive.unpackLimit", "1");
  const made: Record<string, string> = {};
  for (const [i, name] of ["adrift", "noted", "secret", "logged"].entries()) {
    await git(work, "checkout", "-q", "-B", name, "main");
    await commit(work, name, `${name}\n`, NOW - 1000 + i);
    made[name] = await git(work, "rev-parse", "HEAD");
    await git(work, "push", "-q", bare, `${name}:refs/heads/${name}`);
  }
  await git(bare, "update-ref", "refs/notes/n", made.noted);
  await git(bare, "update-ref", "refs/secret/s", made.secret);
  for (const name of ["notes", "secret"]) await Deno.remove(`${bare}/logs/refs/${name}`, { recursive: true });
  await git(bare, "update-ref", "refs/heads/logged", "main");
  for (const name of ["adrift", "noted", "secret"]) await git(bare, "update-ref", "-d", `refs/heads/${name}`);
  const has = (name: string) => git(bare, "cat-file", "-e", made[name]).then(() => true, () => false);
  return {
    ...{ folder, work, bare, made, has },
    full: (days: number, options = {}) => maintained(bare, { full: true, now: NOW + days * DAY, ...options }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test({
  name:
    "maintenance: what nothing reaches is there after 13 days and gone after 15; what anything reaches stays (row 51)",
  ...needed,
  async fn() {
    await using at = await world();
    equal(await at.full(0), "repacked");
    const record = await Deno.readTextFile(`${at.bare}/alknet/dropped`);
    match(record, new RegExp(`^[0-9a-f]{40} ${NOW}\n$`));
    // It says since when, however often all is packed anew, also without looking for what nothing reaches.
    equal(await at.full(13), "repacked");
    await git(at.bare, "repack", "-q");
    equal(await Deno.readTextFile(`${at.bare}/alknet/dropped`), record);
    ok(await at.has("adrift"));
    const objects = await git(at.bare, "rev-list", "--all", "--objects");
    equal(await at.full(15), "repacked");
    equal(await at.has("adrift"), false);
    for (const name of ["noted", "secret", "logged"]) ok(await at.has(name), name);
    equal(await git(at.bare, "rev-list", "--all", "--objects"), objects);
    equal(await git(at.bare, "fsck", "--strict", "--full"), "");
    equal(await Deno.readTextFile(`${at.bare}/alknet/dropped`), "");
    deepEqual(packFiles(at.bare, "aside"), []);
    // What comes back in time begins anew.
    await git(at.work, "push", "-q", at.bare, "adrift:refs/heads/again");
    await git(at.bare, "update-ref", "-d", "refs/heads/again");
    await at.full(20);
    await git(at.bare, "update-ref", "refs/heads/again", at.made.adrift);
    await at.full(40);
    ok(await at.has("adrift"));
    await git(at.bare, "update-ref", "-d", "refs/heads/again");
    await at.full(41);
    await at.full(50);
    ok(await at.has("adrift"));
    await at.full(56);
    equal(await at.has("adrift"), false);
  },
});

Deno.test({
  name: "maintenance: a ref that comes to reach it at the last moment keeps it; who dies over it has it found again",
  ...needed,
  async fn() {
    await using at = await world();
    await at.full(0);
    const dies = (now: string) => {
      if (now === "set aside") throw new Error("dies");
    };
    await rejects(at.full(15, { onStep: dies }), /dies/);
    equal(await at.has("adrift"), false);
    const back = (now: string) => {
      if (now === "set aside") Deno.writeTextFileSync(`${at.bare}/refs/heads/back`, `${at.made.adrift}\n`);
    };
    equal(await at.full(15, { onStep: back }), "repacked");
    ok(await at.has("adrift"));
    equal(await git(at.bare, "fsck", "--strict", "--full"), "");
    await git(at.bare, "update-ref", "-d", "refs/heads/back");
    equal(await at.full(15), "repacked");
    equal(await at.has("adrift"), false);
  },
});

Deno.test({
  name: "maintenance: pushes that are under way are waited for, and one that takes too long keeps what it may need",
  ...needed,
  async fn() {
    await using at = await world();
    await at.full(0);
    await using node = gitNode({ root: at.folder.path });
    await using connection = node.connect(WRITER);
    const tree = await git(at.bare, "rev-parse", `${at.made.adrift}^{tree}`);
    const child = commitOf(tree, at.made.adrift);
    const update = commands(CAPABILITIES, `${ZERO} ${oidOf("commit", child)} refs/heads/child`);
    const pack = packOf([{ type: 1, data: child }]);
    const stream = await connection.open(
      joined([requestLine("/r", 0, "git-receive-pack"), update, pack.subarray(0, 30)]),
    );
    const incoming = () => [...Deno.readDirSync(`${at.bare}/objects`)].filter(({ name }) => /incoming/.test(name));
    while (incoming().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    equal(await at.full(15, { patience: 100 }), "repacked");
    ok(await at.has("adrift"));
    const dropping = at.full(16, {
      onStep: (step: string) => {
        if (step !== "set aside") return;
        const writer = stream.writable.getWriter();
        writer.write(pack.subarray(30)).then(() => writer.close());
      },
    });
    const said = await new Response(stream.readable).text();
    equal(await dropping, "repacked");
    // It was waited for, and looked again for what had been set aside meanwhile.
    match(said, /unpack ok.*ng refs\/heads\/child missing necessary objects/s);
    equal(await at.has("adrift"), false);
    equal(await git(at.bare, "fsck", "--strict", "--no-dangling"), "");
  },
});

Deno.test({
  name: "a push does not count on what another process has dropped since it opened the repository",
  ...needed,
  async fn() {
    await using at = await world();
    await at.full(0);
    await using node = gitNode({ root: at.folder.path });
    await using connection = node.connect(WRITER);
    const stream = await connection.open(requestLine("/r", 0, "git-receive-pack"));
    const reader = new PktReader(stream.readable);
    for (let packet = await reader.next(); packet !== "flush"; packet = await reader.next());
    await at.full(15);
    const child = commitOf(oidOf("tree", new Uint8Array()), at.made.adrift);
    const objects = [{ type: 1, data: child }, { type: 2, data: new Uint8Array() }];
    const name = `${ZERO} ${oidOf("commit", child)} refs/heads/child`;
    const writer = stream.writable.getWriter();
    await writer.write(joined([commands("report-status", name), packOf(objects)]));
    await writer.close();
    const said: string[] = [];
    for (let packet = await reader.next(); packet !== undefined; packet = await reader.next()) {
      said.push(...textOf([packet]));
    }
    deepEqual(said.slice(0, 2), ["unpack ok", "ng refs/heads/child missing necessary objects"]);
    equal(await git(at.bare, "fsck", "--strict", "--no-dangling"), "");
    // One whose history is there is taken.
    const other = commitOf(oidOf("tree", new Uint8Array()), await git(at.bare, "rev-parse", "main"));
    const { report } = await push(
      node,
      commands(CAPABILITIES, `${ZERO} ${oidOf("commit", other)} refs/heads/other`),
      packOf([{ type: 1, data: other }, { type: 2, data: bytesOf("") }]),
    );
    deepEqual(report.slice(0, 2), ["unpack ok", "ok refs/heads/other"]);
  },
});

Deno.test({
  name: "maintenance: all is packed anew after a week, and not before; not where somebody works",
  ...needed,
  async fn() {
    await using at = await world();
    equal(await maintained(at.bare, { now: NOW }), "repacked");
    const since = async (seconds: number) => await Deno.utime(`${at.bare}/alknet/dropped`, seconds, seconds);
    await since(NOW);
    equal(await maintained(at.bare, { now: NOW + 6 * DAY }), "nothing");
    equal(await maintained(at.bare, { now: NOW + 8 * DAY, mayRepack: false }), "nothing");
    equal(await maintained(at.bare, { now: NOW + 8 * DAY }), "repacked");
    match(await Deno.readTextFile(`${at.bare}/alknet/dropped`), new RegExp(` ${NOW + 8 * DAY}\n$`));
    // Of a working tree the index counts too, which is not read.
    const inside = `${at.work}/.git`;
    await git(at.work, "checkout", "-q", "main");
    await git(at.work, "repack", "-a", "-d", "-q");
    await git(at.work, "branch", "-q", "-D", "adrift");
    await git(at.work, "reflog", "expire", "--expire=now", "--all");
    equal(await maintained(at.work, { full: true, now: NOW }), "repacked");
    equal(await maintained(at.work, { full: true, now: NOW + 15 * DAY }), "repacked");
    equal(await git(inside, "cat-file", "-t", at.made.adrift), "commit");
  },
});

/**
 * receive-pack beside others: locks, and many pushes at once (git.md §6; rows 20, 21, 48).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { packOf } from "../packs.ts";
import { git, makeRepository } from "../repositories.ts";
import { CAPABILITIES, commands, ENTRIES, HEAD, push, world, ZERO } from "./pushes.ts";

const needed = needs("git", "linux");

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

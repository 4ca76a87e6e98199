/**
 * Stock git in versions 0 and 1 of its protocol, and behind `core.gitProxy` (git.md §3.1, §3.4; rows 2, 3, 5, 34, 35).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { commit, contentsOf, git, GIT_ENV, gitWith, lines, makeRepository } from "../handlers/git/repositories.ts";
import { runProgram } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { configure, gitHome, MAIN, VIA_HTTPS, well } from "./git_home.ts";

const needed = needs("git", "linux");

async function world() {
  const home = await gitHome();
  const bare = `${home.path}/git/notes.git`;
  await Deno.remove(bare, { recursive: true });
  const work = `${home.path}/work`;
  await makeRepository(work, bare);
  await git(bare, "config", "alknet.public", "true");
  await git(bare, "config", "alknet.owner", "me");
  await git(".", "init", "-q", "--bare", "--initial-branch=trunk", `${home.path}/git/empty.git`);
  await git(`${home.path}/git/empty.git`, "config", "alknet.public", "true");
  await configure(home, { anonymous: true });
  await home.run("authorize", home.nodeId, "--name", "me");
  return { home, bare, work };
}

Deno.test({
  name: "protocol.version 0 and 1: clone, ls-remote, fetch in rounds over HTTPS and alknet:// (rows 2, 3, 5, 34)",
  ...needed,
  async fn() {
    const { home, bare, work } = await world();
    await using _home = home;
    await using node = await home.serve();
    const { path } = home;
    const quic = `alknet://${home.nodeId}@${node.address}`;
    const ways: readonly (readonly [url: string, ...told: readonly string[]])[] = [
      [`https://${node.address}`, ...VIA_HTTPS],
      [quic, "-c", "alknet.transport=quic"],
      [quic, "-c", "alknet.transport=tls"],
    ];
    const own = Array.from({ length: 400 }, (_, i) => {
      const from = i === 0 ? "from refs/remotes/origin/main^0\n" : "";
      return `commit refs/heads/own\ncommitter A <a@example.org> ${1_700_002_000 + i} +0000\ndata 1\nx\n${from}`;
    }).join("");
    const judged = await git(path, "ls-remote", bare);
    const clients = ways.flatMap((way) => ["0", "1"].map((version) => ({ way, version })));
    for (const [i, { way: [url, ...told], version }] of clients.entries()) {
      const all = [...told, "-c", `protocol.version=${version}`];
      const name = `${all.join(" ")} ${url}`;
      equal((await well(home, [...all, "ls-remote", `${url}/notes`])).trimEnd(), judged, name);
      await well(home, [...all, "clone", "-q", "--mirror", `${url}/notes`, `m${i}`]);
      deepEqual(await contentsOf(`${path}/m${i}`), await contentsOf(bare), name);
      await well(home, [...all, "clone", "-q", `${url}/empty`, `e${i}`]);
      await well(home, [...all, "clone", "-q", `${url}/notes`, `c${i}`]);
      await gitWith(`${path}/c${i}`, own, "fast-import", "--quiet");
    }
    await commit(work, "new", "new\n", 1_700_003_000);
    await git(work, "push", "-q", bare, "main");
    for (const [i, { way: [, ...told], version }] of clients.entries()) {
      await well(home, [...told, "-c", `protocol.version=${version}`, "fetch", "-q"], `${path}/c${i}`);
      equal(await git(`${path}/c${i}`, "rev-parse", "origin/main"), await git(bare, "rev-parse", "main"));
      match(await node.child.errorLine(/objects=3 /), /outcome=done/);
      await git(`${path}/c${i}`, "fsck", "--strict");
    }
  },
});

Deno.test({
  name: "core.gitProxy with alknet dial: git:// clones, fetches and pushes (row 35)",
  ...needed,
  async fn() {
    const { home, bare, work } = await world();
    await using _home = home;
    await using node = await home.serve();
    const proxy = `${home.path}/bin/proxy`;
    const dial = `${Deno.execPath()} run -A ${MAIN} dial alknet/git`;
    await Deno.writeTextFile(proxy, `#!/bin/sh\nexec ${dial} "${home.nodeId}@$1:$2" --home ${home.path}\n`, {
      mode: 0o700,
    });
    const via = async (cwd: string, ...args: string[]) => {
      const { code, stderr } = await runProgram("git", ["-c", `core.gitProxy=${proxy}`, ...args], {
        cwd,
        env: GIT_ENV,
      });
      equal(code, 0, `git ${args.join(" ")}\n${stderr}`);
    };
    const url = `git://${node.address}/notes`;
    const copy = `${home.path}/copy`;
    await via(home.path, "clone", "-q", "--mirror", url, copy);
    deepEqual(await contentsOf(copy), await contentsOf(bare));
    await commit(work, "main", lines(3), 1_700_004_000);
    await via(work, "push", "-q", url, "main", "main~1:refs/heads/proxied");
    equal(await git(bare, "rev-parse", "main"), await git(work, "rev-parse", "main"));
    await via(copy, "-c", "protocol.version=0", "fetch", "-q");
    deepEqual(await contentsOf(copy), await contentsOf(bare));
    await git(bare, "fsck", "--strict", "--no-dangling");
  },
});

/**
 * Negotiations with stock git whose own history is long: rounds, `ready`, `done`, and no more than it takes
 * (git.md §3.5; row 39).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { commit, git, GIT_ENV, gitWith } from "../../handlers/git/repositories.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { well } from "../git_home.ts";
import type { TestHome } from "../home.ts";
import { servedHome, waysTo } from "./served.ts";

const needed = needs("git", "linux");
const OWN = 3000;

/** What git says and hears, while it does well: lines such as `fetch> have OID`. */
async function traced(home: TestHome, cwd: string, ...args: string[]): Promise<{ out: string; said: string[] }> {
  const trace = `${home.path}/trace`;
  await Deno.remove(trace).catch(() => {});
  const env = {
    ...GIT_ENV,
    PATH: `${home.path}/bin:${Deno.env.get("PATH")}`,
    ALKNET_HOME: home.path,
    GIT_TRACE_PACKET: trace,
  };
  const { code, stdout, stderr } = await runProgram("git", args, { cwd, env });
  equal(code, 0, stderr);
  const text = await Deno.readTextFile(trace);
  return {
    out: stdout,
    said: [...text.matchAll(/packet: +((?:fetch|clone)(?:-pack)?[<>] .*)/g)].map(([, line]) => line),
  };
}

/** How many of some lines there are. */
function count(said: readonly string[], line: RegExp): number {
  return said.filter((one) => line.test(one)).length;
}

Deno.test({
  name:
    "fetch of a client with 3 000 commits of its own: rounds that grow, ready, and the three objects that are new (row 39)",
  ...needed,
  async fn() {
    const { home, bare, work } = await servedHome();
    await using _home = home;
    await using node = await home.serve();
    const { path } = home;
    const ways = waysTo(home, node.address).slice(0, 2);
    const clients = ways.flatMap(([url, ...told]) => ["2", "0"].map((version) => ({ url, told, version })));
    const own = Array.from({ length: OWN }, (_, i) => {
      const from = i === 0 ? "from refs/remotes/origin/main^0\n" : "";
      return `commit refs/heads/own\ncommitter A <a@example.org> ${1_700_002_000 + i} +0000\ndata 1\nx\n${from}`;
    }).join("");
    for (const [i, { url, told }] of clients.entries()) {
      await well(home, [...told, "clone", "-q", url, `c${i}`]);
      await gitWith(`${path}/c${i}`, own, "fast-import", "--quiet");
      // What the node has is reached through all that is the client's own.
      await git(`${path}/c${i}`, "update-ref", "-d", "refs/heads/main");
      for (const name of (await git(`${path}/c${i}`, "for-each-ref", "--format=%(refname)")).split("\n")) {
        if (name !== "refs/heads/own") await git(`${path}/c${i}`, "update-ref", "-d", name);
      }
    }
    const old = await git(work, "rev-parse", "main");
    await commit(work, "new", "new\n", 1_700_009_000);
    await git(work, "push", "-q", bare, "main");
    for (const [i, { told, version }] of clients.entries()) {
      const all = [...told, "-c", `protocol.version=${version}`];
      const name = `${i} ${all.join(" ")}`;
      const fetch = await traced(home, `${path}/c${i}`, ...all, "fetch", "origin", "main");
      ok(count(fetch.said, /> have /) > OWN, name);
      ok(count(fetch.said, /< (NAK|acknowledgments)/) >= 8, `${name}: rounds`);
      // Version 2 says ready once; versions before it name what they are ready for.
      ok(count(fetch.said, version === "2" ? /< ready/ : new RegExp(`< ACK ${old} (common|ready)`)) >= 1, name);
      match(await node.child.errorLine(/objects=3 /), /outcome=done/);
      await git(`${path}/c${i}`, "fsck", "--strict");
      if (version !== "2") continue;
      const told2 = ["fetch", "--negotiate-only", "--negotiation-tip=own", "origin"];
      const only = await traced(home, `${path}/c${i}`, ...all, ...told2);
      const judged = await git(`${path}/c${i}`, "-c", "protocol.version=2", ...told2.slice(0, -1), `file://${bare}`);
      deepEqual(only.out.trimEnd(), judged, name);
      ok(judged.includes(old), judged);
      equal(count(only.said, /> wait-for-done/) > 0, true);
      deepEqual([count(only.said, /< ready/), count(only.said, /< packfile/), count(only.said, /> want /)], [0, 0, 0]);
    }
  },
});

Deno.test({
  name: "fetch of a history apart: the client gives up after 256 commits in vain, and gets it whole (row 39)",
  ...needed,
  async fn() {
    const { home, bare, work } = await servedHome();
    await using _home = home;
    await using node = await home.serve();
    const { path } = home;
    const own = Array.from({ length: OWN }, (_, i) => {
      const from = i === 0 ? "from refs/remotes/origin/main^0\n" : "";
      return `commit refs/heads/own\ncommitter A <a@example.org> ${1_600_000_000 + i} +0000\ndata 1\nx\n${from}`;
    }).join("");
    const ways = waysTo(home, node.address).slice(0, 2);
    const clients = ways.flatMap(([url, ...told]) =>
      ["consecutive", "skipping"].map((algorithm) => ({ url, told, algorithm }))
    );
    for (const [i, { url, told }] of clients.entries()) {
      await well(home, [...told, "clone", "-q", url, `c${i}`]);
      await gitWith(`${path}/c${i}`, own, "fast-import", "--quiet");
    }
    await git(work, "checkout", "-q", "--orphan", "apart");
    await git(work, "rm", "-rfq", ".");
    await commit(work, "apart", "apart\n", 1_700_009_000);
    await git(work, "push", "-q", bare, "apart");
    for (const [i, { told, algorithm }] of clients.entries()) {
      const all = [...told, "-c", `fetch.negotiationAlgorithm=${algorithm}`, "fetch", "-q", "origin", "apart"];
      const { said } = await traced(home, `${path}/c${i}`, ...all);
      const haves = new Set(said.filter((line) => /> have /.test(line)));
      ok(haves.size > 10 && haves.size < OWN / 2, `${told} ${algorithm}: ${haves.size}`);
      deepEqual([count(said, /> done/), count(said, /< ready/)], [1, 0]);
      match(await node.child.errorLine(/objects=3 /), /outcome=done/);
      await git(`${path}/c${i}`, "fsck", "--strict");
    }
  },
});

/**
 * Shallow clones by stock git: what it gets of a node is what it gets of a folder (git.md §3.5, §4; rows 34, 40).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { history } from "../../handlers/git/histories.ts";
import { commit, git, gitWith, lines } from "../../handlers/git/repositories.ts";
import { needs } from "../../support/programs.ts";
import { seeded } from "../../support/random.ts";
import { stock, VIA_HTTPS, well } from "../git_home.ts";
import { servedHome, waysTo } from "./served.ts";

const needed = needs("git", "linux");

/** Where a clone's history ends, and all that is in it. */
async function stateOf(clone: string): Promise<Record<string, readonly string[]>> {
  await git(clone, "fsck", "--strict", "--connectivity-only");
  await git(clone, "fsck", "--strict");
  const shallow = await Deno.readTextFile(`${clone}/.git/shallow`).catch(() => "");
  const objects = await git(clone, "rev-list", "--objects", "--all");
  return {
    shallow: shallow.trimEnd().split("\n").sort(),
    objects: objects.split("\n").map((line) => line.slice(0, 40)).sort(),
    refs: (await git(clone, "for-each-ref")).split("\n"),
  };
}

/** What clients do, one after the other; between `fetch` and `fetch` others push. */
const STEPS: readonly (readonly string[] | "push")[] = [
  ["fetch", "-q", "--deepen=1"],
  "push",
  ["fetch", "-q"],
  ["fetch", "-q", "--depth=4"],
  "push",
  ["fetch", "-q", "--depth=1"],
  ["fetch", "-q", "--shallow-since=1700000010"],
  ["fetch", "-q", "--shallow-exclude=v1"],
  ["fetch", "-q", "--deepen=2"],
  ["fetch", "-q", "--unshallow"],
  "push",
  ["fetch", "-q"],
];

Deno.test({
  name: "shallow clones: depth, deepen, since, exclude, unshallow end where those of file:// end (rows 34, 40)",
  ...needed,
  async fn() {
    const { home, bare, work } = await servedHome();
    await using _home = home;
    await using node = await home.serve();
    const { path } = home;
    const versions = ["2", "0", "1"];
    const ways = waysTo(home, node.address);
    // Every way in the version that is used today; every version on one way that is stateless and one that is not.
    const clients = [
      ...ways.map((way) => ({ way, version: "2" })),
      ...ways.slice(0, 2).flatMap((way) => versions.slice(1).map((version) => ({ way, version }))),
    ].map(({ way: [url, ...told], version }, i) => ({
      url,
      told: [...told, "-c", `protocol.version=${version}`],
      folder: `${path}/c${i}`,
      judge: false,
    })).concat(versions.map((version) => ({
      url: `file://${bare}`,
      told: ["-c", `protocol.version=${version}`],
      folder: `${path}/judge${version}`,
      judge: true,
    })));
    const compare = async (step: string): Promise<void> => {
      const judged = await stateOf(clients.at(-3)!.folder);
      for (const { folder, told, judge } of clients) {
        if (!judge) deepEqual(await stateOf(folder), judged, `${step}: ${told.join(" ")}`);
      }
    };
    for (const { url, told, folder } of clients) {
      await well(home, [...told, "clone", "-q", "--depth=2", "--no-single-branch", url, folder]);
    }
    await compare("clone");
    for (const [i, step] of STEPS.entries()) {
      if (step === "push") {
        await commit(work, "main", lines(20 + i), 1_700_001_000 + i);
        await git(work, "push", "-q", bare, "main");
        continue;
      }
      for (const { told, folder } of clients) await well(home, [...told, ...step], folder);
      await compare(step.join(" "));
    }
    equal((await stateOf(`${path}/c0`)).shallow.join(), "");
  },
});

Deno.test({
  name:
    "shallow clones: since, exclude and one branch at once; what selects nothing, or a ref that is none, is told (row 40)",
  ...needed,
  async fn() {
    const { home, bare } = await servedHome();
    await using _home = home;
    await using node = await home.serve();
    const { path } = home;
    const [[url]] = waysTo(home, node.address);
    const cases = [
      ["--shallow-since=1700000005"],
      ["--shallow-exclude=v1"],
      ["--shallow-exclude=refs/tags/light", "--shallow-since=1500000000"],
      ["--depth=1", "--branch=side/日本"],
      ["--depth=100", "--branch=v1"],
      ["--shallow-exclude=v1", "--branch=side/日本", "--bare"],
    ];
    for (const [i, args] of cases.entries()) {
      await well(home, [...VIA_HTTPS, "clone", "-q", ...args, url, `o${i}`]);
      await well(home, ["clone", "-q", ...args, `file://${bare}`, `t${i}`]);
      if (args.includes("--bare")) { for (const one of ["o", "t"]) await Deno.symlink(".", `${path}/${one}${i}/.git`); }
      deepEqual(await stateOf(`${path}/o${i}`), await stateOf(`${path}/t${i}`), args.join(" "));
    }
    const refused: readonly (readonly [RegExp, ...string[]])[] = [
      [/remote error: no commits selected for shallow requests/, "--shallow-since=2100000000"],
      [/remote error: no commits selected for shallow requests/, "--shallow-exclude=main"],
      [/remote error: ambiguous deepen-not: none/, "--shallow-exclude=none"],
    ];
    for (const version of ["2", "0"]) {
      for (const [words, ...args] of refused) {
        const told = [...VIA_HTTPS, "-c", `protocol.version=${version}`, "clone", "-q", ...args, url, "no"];
        const { code, stderr } = await stock(home, told);
        notEqual(code, 0);
        match(stderr, words, `${version} ${args}`);
      }
    }
  },
});

Deno.test({
  name: "shallow clones: random histories and random fetches of them end where those of file:// end (rows 6, 40)",
  ...needed,
  async fn() {
    const random = seeded("git shallow fetches");
    const { home, bare } = await servedHome(async (_work, bare) => {
      await git(".", "init", "-q", "--bare", "--initial-branch=c40", bare);
      await gitWith(bare, history(random, 40), "fast-import", "--quiet");
    });
    await using _home = home;
    await using node = await home.serve();
    const { path } = home;
    const [[url]] = waysTo(home, node.address);
    const clones = [[url, `${path}/ours`], [`file://${bare}`, `${path}/theirs`]];
    for (const [from, to] of clones) await well(home, [...VIA_HTTPS, "clone", "-q", "--depth=2", from, to]);
    const branch = () => `c${random.between(1, 40)}`;
    const kinds: readonly (() => string[])[] = [
      () => [`--depth=${random.between(1, 6)}`],
      () => [`--deepen=${random.between(1, 4)}`],
      () => [`--shallow-since=${1_700_000_000 + random.between(-100, 40) * 60}`],
      () => [`--shallow-exclude=${branch()}`],
      () => [],
    ];
    for (let round = 0; round < 20; round++) {
      const version = random.below(3);
      const more = kinds[random.below(kinds.length)]();
      const what = Array.from({ length: random.between(1, 3) }, () => branch()).map((one) =>
        `+refs/heads/${one}:refs/remotes/origin/${one}`
      );
      const args = [...VIA_HTTPS, "-c", `protocol.version=${version}`, "fetch", "-q", ...more, "origin", ...what];
      const [ours, theirs] = await Promise.all(clones.map(([, clone]) => stock(home, args, clone)));
      equal(ours.code, theirs.code, `${args.join(" ")}\n${ours.stderr}\n${theirs.stderr}`);
      deepEqual(await stateOf(clones[0][1]), await stateOf(clones[1][1]), args.join(" "));
    }
  },
});

Deno.test({
  name: "shallow clones push: a commit onto a history whose beginning they lack (row 40)",
  ...needed,
  async fn() {
    const { home, bare } = await servedHome();
    await using _home = home;
    await git(bare, "config", "alknet.owner", "me");
    await home.run("authorize", home.nodeId, "--name", "me");
    await using node = await home.serve();
    const clone = `${home.path}/c`;
    const [, [url, ...told]] = waysTo(home, node.address);
    await well(home, [...told, "clone", "-q", "--depth=1", url, clone]);
    await commit(clone, "pushed", "pushed\n", 1_700_001_000);
    await well(home, [...told, "push", "-q", "origin", "main"], clone);
    equal(await git(bare, "rev-parse", "main"), await git(clone, "rev-parse", "main"));
    await git(bare, "fsck", "--strict", "--no-dangling");
    await well(home, [...told, "fetch", "-q", "--unshallow"], clone);
    await git(clone, "fsck", "--strict");
  },
});

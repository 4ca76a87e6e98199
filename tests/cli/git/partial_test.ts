/**
 * Partial clones by stock git: what is left out, and what it fetches when it needs it (git.md §4; rows 41, 43).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { commit, contentsOf, git, lines } from "../../handlers/git/repositories.ts";
import { needs } from "../../support/programs.ts";
import { stock, VIA_HTTPS, well } from "../git_home.ts";
import { servedHome, waysTo } from "./served.ts";

const needed = needs("git", "linux");

/** Objects that a partial clone knows of and does not have. */
async function missingIn(clone: string): Promise<string[]> {
  const text = await git(clone, "rev-list", "--objects", "--all", "--missing=print");
  return text.split("\n").filter((line) => line.startsWith("?")).map((line) => line.slice(1)).sort();
}

Deno.test({
  name:
    "partial clones: blob:none over every way: checkout and log -p fetch what they need, refetch gets all (rows 41, 43)",
  ...needed,
  async fn() {
    const { home, bare, work } = await servedHome();
    await using _home = home;
    await using node = await home.serve();
    const { path } = home;
    const all = await contentsOf(bare);
    for (const [i, [url, ...told]] of waysTo(home, node.address).entries()) {
      const clone = `${path}/c${i}`;
      await well(home, [...told, "clone", "-q", "--no-checkout", "--filter=blob:none", url, clone]);
      const missing = await missingIn(clone);
      ok(missing.length > 5, `${missing}`);
      deepEqual(new Set(await typesOf(bare, missing)), new Set(["blob"]));
      for (const arg of told.filter((one) => one.includes("="))) await git(clone, "config", ...arg.split("="));
      await well(home, ["checkout", "-q", "main"], clone);
      equal(await git(clone, "status", "--porcelain"), "");
      equal(await Deno.readTextFile(`${clone}/loose/file`), await Deno.readTextFile(`${work}/loose/file`));
      const left = await missingIn(clone);
      ok(left.length < missing.length && left.length > 0, "a checkout gets what it checks out, and no more");
      const log = await well(home, ["log", "-p", "--format=%H", "v1~2"], clone);
      equal(log.trimEnd(), await git(work, "log", "-p", "--format=%H", "v1~2"));
      ok((await missingIn(clone)).length < left.length);
      await well(home, ["fsck", "--strict"], clone);
      await well(home, ["fetch", "-q", "--refetch", "--no-filter"], clone);
      deepEqual(await missingIn(clone), []);
      const { objects } = await contentsOf(clone);
      deepEqual(objects.filter((oid) => !all.objects.includes(oid)), []);
    }
  },
});

/** Filters, and the kinds of what is missing after a clone. */
const FILTERS: readonly (readonly [filter: string, kinds: readonly string[]])[] = [
  ["blob:limit=1k", ["blob"]],
  ["tree:0", ["tree"]],
  ["tree:2", ["blob"]],
  ["combine:blob:none+tree:2", ["blob"]],
  ["object:type=commit", ["tree"]],
];

Deno.test({
  name: "partial clones: limits, levels and combinations; new commits are fetched with the same filter (row 41)",
  ...needed,
  async fn() {
    const { home, bare, work } = await servedHome();
    await using _home = home;
    await using node = await home.serve();
    const { path } = home;
    const [[url]] = waysTo(home, node.address);
    const clients = FILTERS.flatMap(([filter, kinds]) => ["2", "0"].map((version) => ({ filter, kinds, version })));
    for (const [i, { filter, kinds, version }] of clients.entries()) {
      const clone = `${path}/c${i}`;
      const told = [...VIA_HTTPS, "-c", `protocol.version=${version}`];
      await well(home, [...told, "clone", "-q", "--no-checkout", "--no-tags", `--filter=${filter}`, url, clone]);
      await git(clone, "config", "http.sslVerify", "false");
      await git(clone, "config", "protocol.version", version);
      const missing = await missingIn(clone);
      deepEqual([...new Set(await typesOf(bare, missing))].sort(), kinds, `${filter} ${version}`);
    }
    await commit(work, "main", lines(20), 1_700_001_000);
    await git(work, "push", "-q", bare, "main");
    for (const [i, { filter }] of clients.entries()) {
      const clone = `${path}/c${i}`;
      await well(home, ["fetch", "-q"], clone);
      await well(home, ["checkout", "-q", "origin/main"], clone);
      equal(await Deno.readTextFile(`${clone}/main`), lines(20), filter);
      equal(await git(clone, "status", "--porcelain"), "");
      await well(home, ["fsck", "--strict"], clone);
      await well(home, ["log", "--oneline", "--", "side"], clone);
    }
  },
});

Deno.test({
  name:
    "partial clones: shallow ones too; sparse filters and objects that no visible ref reaches are refused (rows 41 to 43)",
  ...needed,
  async fn() {
    const { home, bare, work } = await servedHome();
    await using _home = home;
    await git(work, "push", "-q", bare, "v1~2:refs/heads/old");
    await git(work, "checkout", "-q", "-b", "away", "main");
    await commit(work, "away", "away\n", 1_700_001_000);
    await git(work, "push", "-q", bare, "away", "away:refs/hidden/away");
    await git(bare, "config", "transfer.hideRefs", "refs/hidden");
    await git(bare, "update-ref", "refs/heads/away", "main");
    await using node = await home.serve();
    const { path } = home;
    const [[url]] = waysTo(home, node.address);
    const clone = `${path}/c`;
    await well(home, [...VIA_HTTPS, "clone", "-q", "--depth=1", "--filter=blob:none", url, clone]);
    await git(clone, "config", "http.sslVerify", "false");
    equal(await Deno.readTextFile(`${clone}/main`), "main\n");
    await well(home, ["fetch", "-q", "--unshallow"], clone);
    await well(home, ["log", "-p", "--", "side"], clone);
    await well(home, ["fsck", "--strict"], clone);
    for (const version of ["2", "1", "0"]) {
      const told = ["-c", `protocol.version=${version}`, ...VIA_HTTPS];
      const sparse = await stock(home, [...told, "clone", "--filter=sparse:oid=main:main", url, `${path}/sparse`]);
      notEqual(sparse.code, 0);
      match(sparse.stderr, /filter not supported/);
      await git(path, "init", "-q", "--bare", `b${version}`);
      for (const name of ["away", "away^{tree}", "away:away"]) {
        const oid = await git(work, "rev-parse", name);
        const { code, stderr } = await stock(home, [...told, "fetch", "-q", url, oid], `${path}/b${version}`);
        notEqual(code, 0, `${version} ${name}`);
        match(stderr, new RegExp(`not our ref ${oid}`));
      }
      for (const name of ["v1~4", "v1~4^{tree}", "v1~4:a folder/träume 1.txt"]) {
        const oid = await git(work, "rev-parse", name);
        await well(home, [...told, "fetch", "-q", url, oid], `${path}/b${version}`);
        equal(await git(`${path}/b${version}`, "rev-parse", "FETCH_HEAD"), oid);
        await git(`${path}/b${version}`, "fsck", "--strict");
      }
    }
  },
});

async function typesOf(bare: string, oids: readonly string[]): Promise<string[]> {
  return await Promise.all(oids.map((oid) => git(bare, "cat-file", "-t", oid)));
}

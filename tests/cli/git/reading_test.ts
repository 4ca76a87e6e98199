/**
 * `alknet git log`, `show` and `files` beside stock git's own words (git.md §9; row 56).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { commit, git, gitWith, makeRepository } from "../../handlers/git/repositories.ts";
import { runAlknet } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { gitHome } from "../git_home.ts";

const needed = needs("git", "linux");

Deno.test({
  name: "alknet git log TARGET REV: the commits, order and dates of git log, of folders, working copies and the home",
  ...needed,
  async fn() {
    await using home = await gitHome();
    const [work, bare] = [`${home.path}/work`, `${home.path}/git/notes.git`];
    await Deno.remove(bare, { recursive: true });
    await makeRepository(work, bare);
    const commits = async (...args: string[]): Promise<Record<string, unknown>[]> => {
      const { code, stdout, stderr } = await home.run("git", "log", ...args, "--json");
      equal(code, 0, stderr);
      return stdout.trim().split("\n").map((line) => JSON.parse(line));
    };
    for (
      const rev of ["HEAD", "v1", "nested", "light", "side/日本", "main~2", "main~1^2", "main~1^2~1", "refs/tags/v1"]
    ) {
      const expected = (await git(bare, "log", "-n", "50", "--format=%H %an %aI", `${rev}`)).split("\n");
      const found = (await commits(bare, rev)).map(({ oid, author }) => {
        const { name, at } = author as { name: string; at: string };
        return `${oid} ${name} ${at}`;
      });
      deepEqual(found, expected, rev);
    }
    const head = await git(bare, "rev-parse", "main");
    for (const target of ["notes", work, bare]) {
      deepEqual((await commits(target, head.slice(0, 7), "-n", "1")).map(({ oid }) => oid), [head], target);
    }
    const path = "a folder/träume 1.txt";
    const expected = (await git(bare, "log", "--format=%H", "main", "--", path)).split("\n");
    deepEqual((await commits(bare, "main", "--path", path)).map(({ oid }) => oid), expected);
    const { stdout } = await home.run("git", "log", work, "-n", "1");
    equal(stdout, `${head.slice(0, 12)}  2023-11-14  Ada  change loose/file\n`);
  },
});

Deno.test({
  name: "alknet git show and files: what git diff-tree and ls-tree say, names that are no UTF-8 in git's quotes",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const [work, bare] = [folder.join("work"), folder.join("r.git")];
    await makeRepository(work, bare);
    const blob = await gitWith(work, "odd\n", "hash-object", "-w", "--stdin");
    const tree = await gitWith(
      work,
      Uint8Array.from([...`100644 blob ${blob}\ta`].map((c) => c.charCodeAt(0)).concat(0xc3, 0x0a)),
      "mktree",
    );
    const odd = await git(work, "commit-tree", "-m", "odd", "-p", "main", tree);
    await git(work, "update-ref", "refs/heads/odd", odd);
    for (const rev of ["main", "main~1", "main~2"]) {
      const lines = (await runAlknet(["git", "files", work, rev, "--json"])).stdout.trim().split("\n");
      const listed = (await git(work, "-c", "core.quotePath=false", "ls-tree", "-r", "-l", rev)).split("\n");
      deepEqual(
        lines.map((line) => JSON.parse(line)).map(({ mode, type, oid, size, path }) =>
          `${mode} ${type} ${oid} ${size}\t${path}`
        ),
        listed.map((line) => line.replace(/ +(\d+)\t/, " $1\t")),
        rev,
      );
      const shown = JSON.parse((await runAlknet(["git", "show", work, rev, "--json"])).stdout);
      const args = [
        "diff-tree",
        "-r",
        "--no-renames",
        "--no-commit-id",
        "--first-parent",
        "-m",
        "--raw",
        "--no-abbrev",
      ];
      const raw = (await git(work, "-c", "core.quotePath=false", ...args, `${rev}^1`, rev, "--")).split("\n").filter((
        line,
      ) => line !== "");
      deepEqual(
        shown.changes.map((
          { change, path, mode = "000000", oid = "0".repeat(40), oldMode = "000000", oldOid = "0".repeat(40) }: Record<
            string,
            string
          >,
        ) => `:${oldMode} ${mode} ${oldOid} ${oid} ${{ added: "A", removed: "D", changed: "M" }[change]}\t${path}`),
        raw,
        rev,
      );
    }
    const { stdout } = await runAlknet(["git", "show", work, "odd"]);
    match(
      stdout,
      /^commit [0-9a-f]{40}\nauthor Ada <ada@example\.org>\ndate {3}2023-11-14T22:13:20\+00:00\n\n {4}odd\n\n/,
    );
    match(stdout, /^A {2}"a\\303"$/m);
    equal((await runAlknet(["git", "files", work, "odd", "--path", '"a\\303"'])).stdout, '100644  4  "a\\303"\n');
  },
});

Deno.test({
  name:
    "alknet git log: what is no repository, no revision or no path is said in one line; what commits say drives no terminal",
  ...needed,
  async fn() {
    await using home = await gitHome();
    const failing = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await home.run("git", ...args);
      deepEqual([code, stdout], [1, ""], stderr);
      return stderr;
    };
    match(await failing("log", "notes"), /^alknet: there is no revision "HEAD": its branch main has no commit yet\n$/);
    match(await failing("log", "nothing"), /^alknet: there is no repository "nothing"\n$/);
    match(await failing("log", home.path), /is no git repository\n$/);
    match(await failing("log", "../x"), /is no folder, no ADDRESS\/NAME and no name of a repository\n$/);
    const work = `${home.path}/work`;
    await git(home.path, "init", "-q", "--initial-branch=main", work);
    await commit(work, "f", "f\n", 1_700_000_000);
    await git(work, "commit", "-q", "--allow-empty", "-m", "a\x1b[31mred\tb");
    match((await home.run("git", "log", work, "-n", "1")).stdout, /a\\u001b\[31mred\\u0009b\n$/);
    match(await failing("show", work, "no-such"), /there is no ref of that name/);
    match(await failing("show", work, "main~9"), /history is shorter than that/);
    match(await failing("show", work, "main^2"), /has 1 parents/);
    match(await failing("show", work, "main^{tree}"), /it is an id, a ref or HEAD, with ~N and \^N after it/);
    match(await failing("show", work, "0123456789"), /neither a ref nor an object is called so/);
    match(await failing("files", work, "--path", "g"), /there is no "g" in that revision/);
  },
});

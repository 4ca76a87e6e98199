/**
 * `alknet git init NAME --import FOLDER`: the commit that stock git would make (git.md §9).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { git } from "../../handlers/git/repositories.ts";
import { needs } from "../../support/programs.ts";
import { initHome } from "../home.ts";

const needed = needs("git", "linux");

Deno.test({
  name: "alknet git init --import: the tree that git makes of the folder, without .git; what has no file makes nothing",
  ...needed,
  async fn() {
    await using home = await initHome();
    const folder = `${home.path}/files`;
    for (const name of ["a", "a.b", "a-b", "x/y/z", "empty/none", "x/.git"]) {
      await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    }
    for (const name of ["a/f", "a.b/f", "a-b/f", "ä", "x/y/z/träume", "x/.git/config", "same"]) {
      await Deno.writeTextFile(`${folder}/${name}`, `${name}\n`);
    }
    await Deno.writeTextFile(`${folder}/again`, "same\n");
    await Deno.writeTextFile(`${folder}/run`, "#!/bin/sh\n", { mode: 0o755 });
    await Deno.writeFile(`${folder}/large`, new Uint8Array(17 * 1024 * 1024).fill(7));
    await Deno.symlink("a/f", `${folder}/link`);
    await Deno.symlink("/nowhere", `${folder}/x/dangling`);
    const { code, stdout, stderr } = await home.run("git", "init", "thesis", "--import", folder, "--json");
    equal(code, 0, stderr);
    const { folder: bare } = JSON.parse(stdout);
    await git(bare, "fsck", "--strict");
    await Deno.remove(`${folder}/x/.git`, { recursive: true });
    await git(folder, "init", "-q");
    await git(folder, "add", "--all");
    equal(await git(bare, "rev-parse", "main^{tree}"), await git(folder, "write-tree"));
    equal(await git(bare, "rev-list", "--count", "--all"), "1");
    match((await home.run("git", "log", "thesis")).stdout, /^[0-9a-f]{12} {2}\d{4}-\d\d-\d\d {2}alknet {2}import\n$/);
    equal((await home.run("git", "fsck", "thesis")).code, 0);
    equal((await home.run("git", "maintain", "thesis", "--full")).code, 0);
    await git(bare, "fsck", "--strict");
    const none = await home.run("git", "init", "none", "--import", `${folder}/empty`);
    deepEqual([none.code, none.stdout], [1, ""]);
    match(none.stderr, /holds no file; nothing was made/);
    equal((await home.run("git", "list", "--json")).stdout.trim().split("\n").length, 1);
    deepEqual([...Deno.readDirSync(`${home.path}/git/.new`)], []);
  },
});

/**
 * A node that looks after its repositories while stock git pushes to them, clones them and collects beside it (git.md §5.5;
 * rows 45, 46, 47, 51).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { commit, contentsOf, git, lines } from "../../handlers/git/repositories.ts";
import { packFiles } from "../../handlers/git/large/maintained.ts";
import { needs } from "../../support/programs.ts";
import { gitHome, VIA_HTTPS, well } from "../git_home.ts";

const needed = needs("git", "linux");
const PUSHES = 40;

Deno.test({
  name:
    "alknet serve: forty pushes leave few packs and a record; every clone between is whole; git collects beside it (row 51)",
  ...needed,
  async fn() {
    await using home = await gitHome();
    equal((await home.run("git", "init", "r")).code, 0);
    const [bare, work] = [`${home.path}/git/r.git`, `${home.path}/work`];
    const token = (await home.run("token", "create", "--scope", "git:write:r")).stdout.trim();
    await git(home.path, "init", "-q", "--initial-branch=main", work);
    {
      await using node = await home.serve();
      const url = `https://x:${token}@${node.address}/r`;
      for (let i = 0; i < PUSHES; i++) {
        await commit(work, `folder/${i % 5}`, lines(i), 1_700_000_000 + i);
        // Aside, and forced, from time to time.
        const to = i % 8 === 7 ? "+main~2:refs/heads/side" : i % 8 === 3 ? "main:refs/heads/side" : "main";
        await well(home, [...VIA_HTTPS, "push", "-q", url, "main", ...to === "main" ? [] : [to]], work);
        if (i % 10 === 9) {
          const clone = `${home.path}/c${i}`;
          await well(home, [...VIA_HTTPS, "-c", "transfer.fsckObjects=true", "clone", "-q", "--mirror", url, clone]);
          deepEqual(await contentsOf(clone), await contentsOf(bare), `after push ${i}`);
          await git(clone, "fsck", "--strict");
        }
        // It declines where we are at it, which is well too. Thirty packs come after it.
        if (i % 15 === 14) {
          await git(bare, "gc", "-q", "--prune=now").catch((error) => match(`${error}`, /already running/));
        }
      }
    }
    ok(packFiles(bare, ".pack").length <= 24, `${packFiles(bare, ".pack").length} packs`);
    ok(/^alknet-closure 1\n/.test(await Deno.readTextFile(`${bare}/alknet/closure`)));
    deepEqual([...Deno.readDirSync(bare)].map(({ name }) => name).filter((name) => name.startsWith("gc.pid")), []);
    for (const place of ["tmp", "holders"]) deepEqual([...Deno.readDirSync(`${bare}/alknet/${place}`)], [], place);
    await git(bare, "fsck", "--strict");
    equal((await contentsOf(work)).objects.length > PUSHES * 2, true);
  },
});

Deno.test({
  name: "alknet serve with handlers.git.maintenance false: nothing is recorded and nothing packed anew",
  ...needed,
  async fn() {
    await using home = await gitHome();
    const config = await home.config() as { handlers: Record<string, unknown> };
    config.handlers.git = { maintenance: false };
    await home.writeConfig(config);
    equal((await home.run("git", "init", "r")).code, 0);
    const [bare, work] = [`${home.path}/git/r.git`, `${home.path}/work`];
    const token = (await home.run("token", "create", "--scope", "git:write:r")).stdout.trim();
    await git(home.path, "init", "-q", "--initial-branch=main", work);
    {
      await using node = await home.serve();
      for (let i = 0; i < 3; i++) {
        await commit(work, "f", lines(i), 1_700_000_000 + i);
        await well(home, [...VIA_HTTPS, "push", "-q", `https://x:${token}@${node.address}/r`, "main"], work);
      }
    }
    equal(packFiles(bare, ".pack").length, 3);
    deepEqual([...Deno.readDirSync(`${bare}/alknet`)].map(({ name }) => name).filter((name) => name === "closure"), []);
  },
});

/**
 * `alknet git mirror` and a node that goes on with it: one home follows a repository of another (git.md §7, §9; row 57).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { commit, git, makeRepository } from "../../handlers/git/repositories.ts";
import { runAlknet } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { until } from "../../handlers/ssh/node_process.ts";
import { configure, gitHome } from "../git_home.ts";
import { initHome } from "../home.ts";

const needed = needs("git", "linux");

function refsOf(folder: string): Promise<string> {
  return git(folder, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags");
}

Deno.test({
  name: "alknet git mirror NAME URL: fetches with what the vault keeps, the node goes on, --off ends it",
  ...needed,
  async fn() {
    await using there = await gitHome();
    const [origin, work] = [`${there.path}/git/notes.git`, `${there.path}/work`];
    await Deno.remove(origin, { recursive: true });
    await makeRepository(work, origin);
    await configure(there, {});
    const token = (await there.run("token", "create", "--scope", "git:read")).stdout.trim();
    await using node = await there.serve();
    await using here = await initHome();
    const copy = `${here.path}/git/team/copy.git`;
    const url = `alknet://${there.nodeId}@${node.address}/notes`;
    const nobody = await here.run("git", "mirror", "team/copy", url);
    equal(nobody.code, 1);
    match(nobody.stderr, /^alknet: 127\.0\.0\.1:\d+: it says: access denied or repository not exported: \/notes\n$/);
    equal(await Deno.stat(copy).then(() => true, () => false), false, "nothing was made");
    const name = `git/${node.address}`;
    const sealed = await runAlknet(["vault", "seal", name, "--home", here.path], { stdin: `${token}\n` });
    equal(sealed.code, 0, sealed.stderr);
    const first = await here.run("git", "mirror", "team/copy", url, "--every", "2m");
    equal(first.code, 0, first.stderr);
    const count = (await refsOf(origin)).split("\n").length;
    match(first.stdout, new RegExp(`^mirrored ${count} refs, \\d+ objects\n$`));
    equal(await refsOf(copy), await refsOf(origin));
    equal(await git(copy, "fsck", "--strict", "--full"), "");
    const shown = await here.run("git", "mirror", "team/copy");
    match(shown.stdout, /^team\/copy follows alknet:\S+\/notes every 2m \(refs\/heads\/, refs\/tags\/\): \S+Z ok\n$/);
    const { mirror } = JSON.parse((await here.run("git", "mirror", "team/copy", "--json")).stdout);
    deepEqual([mirror.url, mirror.every, mirror.last.ok], [url, 120, true]);
    // The node goes on, once the time has come.
    await commit(work, "later", "later\n", 1_700_000_500);
    await git(work, "push", "-q", origin, "main");
    const file = `${copy}/alknet/mirror.json`;
    await Deno.writeTextFile(file, JSON.stringify({ ...mirror, last: { at: 0, ok: true } }));
    {
      await using _serving = await here.serve();
      await until(async () => await refsOf(copy) === await refsOf(origin), "what was pushed");
    }
    const off = await here.run("git", "mirror", "team/copy", "--off");
    match(off.stdout, /^team\/copy follows \S+ no longer; its refs stay\n$/);
    equal((await here.run("git", "mirror", "team/copy")).stdout, "team/copy follows no other repository\n");
  },
});

Deno.test({
  name: "alknet git mirror: what is wrong is said in one line, and what was followed before is followed on",
  ...needed,
  async fn() {
    await using home = await gitHome();
    const cases: [args: string[], code: number, says: RegExp][] = [
      [["notes", "http://a.test/x"], 1, /write https:\/\/HOST\/PATH or alknet:/],
      [["notes", "https://ada:secret@a.test/x"], 1, /alknet vault seal git\/HOST:PORT/],
      [["notes", "alknet://127.0.0.1:1/x"], 1, /127\.0\.0\.1:1/],
      [["notes", "https://127.0.0.1:1/x.git"], 1, /^alknet: 127\.0\.0\.1:1: no answer/],
      [["notes", "https://a.test/x", "--every", "5s"], 1, /every 60 to 604800 seconds, not 5/],
      [["notes", "https://a.test/x", "--refs", "main"], 1, /begins no ref/],
      [["notes", "https://a.test/x", "--off"], 2, /give one/],
      [["notes", "--every", "5m"], 2, /need the URL/],
      [["../x", "https://a.test/x"], 2, /no name of a repository/],
      [["none", "--off"], 1, /there is no repository "none"/],
    ];
    for (const [args, code, says] of cases) {
      const said = await home.run("git", "mirror", ...args);
      equal(said.code, code, `${args}: ${said.stderr}`);
      match(said.stderr, says);
      equal(said.stderr.trim().split("\n").length, 1, said.stderr);
    }
    equal((await home.run("git", "mirror", "notes")).stdout, "notes follows no other repository\n");
  },
});

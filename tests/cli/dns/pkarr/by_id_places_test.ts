/**
 * A node's id alone, wherever an address stands before a name: repositories, branches, blobs.
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { commit, git, lines, makeRepository } from "../../../handlers/git/repositories.ts";
import { configure, gitHome, well } from "../../git_home.ts";
import { initHome } from "../../home.ts";

Deno.test({
  name: "a node that its network knows: git clone alknet://ID/NAME, files at ID/BRANCH, a blob of ID",
  ...needs("git", "linux"),
  async fn() {
    await using home = await gitHome();
    const bare = `${home.path}/git/notes.git`;
    await Deno.remove(bare, { recursive: true });
    await makeRepository(`${home.path}/work`, bare);
    await git(bare, "config", "alknet.public", "true");
    await configure(home, { anonymous: true });
    const config = await home.config() as { handlers: Record<string, unknown> };
    await home.writeConfig({ ...config, handlers: { ...config.handlers, dns: { pkarr: { mdns: true } } } });
    await Deno.writeTextFile(`${home.path}/hello`, "hello\n");
    for (
      const args of [["add", `${home.path}/hello`, "main:/hello"], ["branch", "publish", "main"]]
    ) {
      const { code, stderr } = await home.run("fs", ...args);
      equal(code, 0, stderr);
    }
    await using _node = await home.serve();
    const { nodeId: id, path } = home;
    await well(home, ["clone", "-q", `alknet://${id}/notes.git`, `${path}/clone`]);
    await commit(`${path}/work`, "more", lines(1), 1_700_001_000);
    await git(`${path}/work`, "push", "-q", bare, "main");
    await well(home, ["pull", "-q"], `${path}/clone`);
    equal(await git(`${path}/clone`, "rev-parse", "HEAD"), await git(bare, "rev-parse", "main"));
    await using guest = await initHome();
    const runs: readonly (readonly [args: readonly string[], shown: RegExp])[] = [
      [["git", "log", `${id}/notes`], /more/],
      [["fs", "cat", `${id}/main:/hello`], /^hello$/m],
      [["fs", "branch", id], /^main\b/m],
      [["fs", "stat", `${id}/main:/hello`], /[0-9a-f]{64}/],
    ];
    let shown = "";
    for (const [args, words] of runs) {
      const { code, stdout, stderr } = await guest.run(...args);
      equal(code, 0, `${args.join(" ")}\n${stderr}`);
      match(stdout, words, args.join(" "));
      shown = stdout;
    }
    const hash = /[0-9a-f]{64}/.exec(shown)![0];
    const got = await guest.run("blob", "get", hash, "--from", id, "-o", "-");
    equal(got.code, 0, got.stderr);
    equal(got.stdout, "hello\n");
  },
});

/**
 * A node of the command whose repositories pushes make and keys sign: stock git over SSH and HTTPS, and the operations by
 * the call protocol, HTTP and `alknet git` (git.md §9; rows 52, 54, 56).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { commit, git } from "../../handlers/git/repositories.ts";
import { runAlknet, runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { configure, gitHome, stock, VIA_HTTPS, well } from "../git_home.ts";

const needed = needs("git", "ssh-keygen", "curl", "linux");

Deno.test({
  name: "alknet serve with push_to_create and signed_push: made, signed, followed and read back by every way",
  ...needed,
  async fn() {
    await using home = await gitHome();
    await configure(home, { push_to_create: true, signed_push: "accept" });
    const [work, key] = [`${home.path}/work`, `${home.path}/key`];
    await git(home.path, "init", "-q", "--initial-branch=main", work);
    await commit(work, "a folder/f", "f\n", 1_700_000_000);
    const made = await runProgram("ssh-keygen", ["-q", "-N", "", "-C", "", "-t", "ed25519", "-f", key], {});
    equal(made.code, 0, made.stderr);
    const line = (await Deno.readTextFile(`${key}.pub`)).trim();
    const scopes = ["--scope", "git:create", "--scope", "git:read"];
    const known = await home.run("authorize", line, "--name", "ada", ...scopes);
    equal(known.code, 0, known.stderr);
    const admin = (await home.run("token", "create", "--scope", "admin")).stdout.trim();
    const config = await home.config() as { auth: { peers: { fingerprints: string[] }[] } };
    // The node's own key, with which git's helper shows who pushes, is ada's too.
    const own = JSON.parse((await home.run("id", "--json")).stdout);
    config.auth.peers[0].fingerprints.push(own.fingerprint);
    await home.writeConfig(config as never);
    await using node = await home.serve();
    const url = `alknet://${home.nodeId}@${node.address}/team/new`;
    const sign = ["-c", "gpg.format=ssh", "-c", `user.signingkey=${key}`];
    const pushed = await stock(home, [...sign, "push", "--signed", url, "main"], work);
    equal(pushed.code, 0, pushed.stderr);
    const bare = `${home.path}/git/team/new.git`;
    equal(await git(bare, "config", "alknet.owner"), "ada");
    equal([...Deno.readDirSync(`${bare}/alknet/certificates`)].length, 1);
    // By the call protocol.
    const to = [`${home.nodeId}@${node.address}`];
    const log = await home.run("git", "log", `${to[0]}/team/new`, "main", "--token", admin);
    equal(log.code, 0, log.stderr);
    match(log.stdout, /^[0-9a-f]{12} {2}2023-11-14 {2}Ada {2}change a folder\/f\n$/);
    const files = await home.run("git", "files", `${to[0]}/team/new`, "--token", admin);
    equal(files.stdout, "100644  2  a folder/f\n");
    const none = await home.run("git", "show", `${to[0]}/team/none`, "--token", admin);
    equal(none.code, 1);
    match(none.stderr, /NO_SUCH_REPOSITORY: there is no repository "team\/none"/);
    // Over HTTP, with and without a right.
    const curl = async (...args: string[]) => {
      const { stdout } = await runProgram("curl", ["-sk", "-w", "\n%{http_code}", ...args], {});
      return stdout;
    };
    const ask = (operation: string, input: unknown, ...more: string[]) =>
      curl(
        `https://${node.address}/call`,
        "-H",
        "content-type: application/json",
        "-d",
        JSON.stringify({ operation, input }),
        ...more,
      );
    const bearer = ["-H", `authorization: Bearer ${admin}`];
    match(await ask("git/refs", { repo: "team/new" }, ...bearer), /refs\/heads\/main[\s\S]*\n200$/);
    match(await ask("git/refs", { repo: "team/new" }), /NO_SUCH_REPOSITORY[\s\S]*\n404$/);
    // Over HTTPS another repository, which is its own.
    const token = (await home.run("token", "create", "--scope", "git:create")).stdout.trim();
    await well(home, [...VIA_HTTPS, "push", "-q", `https://x:${token}@${node.address}/mine`, "main"], work);
    const settings = await home.run("git", "settings", "mine", "--json");
    equal(JSON.parse(settings.stdout).owner, token.slice(0, 8));
    const created = await runAlknet([
      "call",
      to[0],
      "git/create",
      JSON.stringify({ repo: "by-call" }),
      "--token",
      token,
      "--home",
      home.path,
      "--json",
    ]);
    deepEqual(JSON.parse(created.stdout).output.name, "by-call");
    equal(JSON.parse(created.stdout).output.urls.length, 2);
  },
});

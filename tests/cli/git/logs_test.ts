/**
 * What a node logs of git, with all that it can be asked to log: who did what to which repository, and nothing that is
 * somebody's secret (row 60).
 *
 * @module
 */
import { equal, match, notEqual, ok } from "node:assert/strict";
import { commit, git, makeRepository } from "../../handlers/git/repositories.ts";
import { runAlknet, runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { configure, gitHome, stock, VIA_HTTPS, well } from "../git_home.ts";
import { initHome } from "../home.ts";

/** What a commit says and holds, what a push brings with it, and a token that there is not. */
const SECRETS = {
  message: "the-message-of-a-commit",
  content: "the-content-of-a-file",
  option: "the-option-of-a-push",
  wrong: "alk_00000000000000000000000000000000000000000000",
} as const;

Deno.test({
  name: "a node's log tells who fetched, pushed and was refused, and holds no token, content or option (row 60)",
  ...needs("git", "curl", "linux"),
  async fn() {
    await using home = await gitHome();
    await using other = await initHome();
    const work = `${home.path}/work`;
    await makeRepository(work, `${home.path}/start.git`);
    equal((await home.run("git", "init", "r")).code, 0);
    equal((await home.run("git", "settings", "r", "protected=refs/heads/kept")).code, 0);
    await configure(home, {});
    const token = (await home.run("token", "create", "--scope", "git:write:r")).stdout.trim();
    await home.run("authorize", home.nodeId, "--name", "ada", "--scope", "git:write:r");
    await using node = await home.serve("--verbose");
    const url = (secret: string): string => `https://x:${secret}@${node.address}/r`;
    const key = `alknet://${home.nodeId}@${node.address}/r`;
    const printed: string[] = [];
    const refused = async (...args: Parameters<typeof stock>): Promise<void> => {
      const { code, stdout, stderr } = await stock(...args);
      notEqual(code, 0, args[1].join(" "));
      printed.push(stdout, stderr);
    };

    await commit(work, "secret", `${SECRETS.content}\n`, 1_700_009_000);
    await git(work, "commit", "-q", "--amend", "-m", SECRETS.message);
    await well(
      home,
      [...VIA_HTTPS, "push", "-q", "-o", SECRETS.option, url(token), "main", "main:refs/heads/kept"],
      work,
    );
    await well(home, ["clone", "-q", key, `${home.path}/copy`]);
    await well(home, [...VIA_HTTPS, "clone", "-q", url(token), `${home.path}/again`]);
    // A wrong token, a branch that is protected, a repository that there is not, and a pack that is none.
    await refused(home, [...VIA_HTTPS, "clone", "-q", url(SECRETS.wrong), `${home.path}/never`]);
    await refused(home, [...VIA_HTTPS, "push", "-q", url(token), "+main~1:refs/heads/kept"], work);
    await refused(home, ["clone", "-q", key.replace(/r$/, "nowhere"), `${home.path}/never`]);
    const old = "0".repeat(40);
    const line = `${old} ${await git(work, "rev-parse", "main")} refs/heads/new\0report-status\n`;
    const body = `${(line.length + 4).toString(16).padStart(4, "0")}${line}0000PACK${SECRETS.content}`;
    await Deno.writeTextFile(`${home.path}/body`, body);
    const posted = await runProgram("curl", [
      ...["-sk", "-u", `x:${token}`, "-H", "content-type: application/x-git-receive-pack-request"],
      ...["--data-binary", `@${home.path}/body`, `https://${node.address}/r/git-receive-pack`],
    ]);
    match(posted.stdout, /unpack /);
    // Another node follows, with the token that its vault keeps.
    const sealed = await runAlknet(["vault", "seal", `git/${node.address}`, "--home", other.path], {
      stdin: `${token}\n`,
    });
    equal(sealed.code, 0, sealed.stderr);
    const mirrored = await other.run("git", "mirror", "copy", key, "--every", "2m");
    equal(mirrored.code, 0, mirrored.stderr);
    const maintained = await home.run("git", "maintain", "r", "--full");
    equal(maintained.code, 0, maintained.stderr);
    printed.push(posted.stdout, mirrored.stdout, mirrored.stderr, maintained.stdout, maintained.stderr);

    node.child.kill();
    await node.child.status;
    for (
      const what of [
        /service=upload-pack repo=r front=http identity=alk_/,
        /service=receive-pack repo=r front=http .*refused=1/,
        /service=upload-pack repo=r front=stream identity=ada outcome=done/,
        /service=upload-pack repo=r front=stream identity=alk_\S+ outcome=done/,
      ]
    ) match(node.child.errors, what);
    const all = [node.child.output, node.child.errors, ...printed].join("\n");
    ok(all.length > 1000);
    for (const [name, secret] of Object.entries({ ...SECRETS, token, basic: btoa(`x:${token}`) })) {
      equal(all.includes(secret), false, `the ${name} stands in what was printed:\n${all}`);
    }
  },
});

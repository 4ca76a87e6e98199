/**
 * Signed pushes over SSH, with the key that logs in (git.md §3.6; row 52).
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { commit, git } from "../../handlers/git/repositories.ts";
import { needs } from "../../support/programs.ts";
import { gitOverSsh } from "../git_ssh_home.ts";

const needed = needs("git", "ssh", "ssh-keygen", "openssl", "linux");

Deno.test({
  name: "git push --signed over ssh with signed_push require: by the key that logs in, and no other, and not without",
  ...needed,
  async fn() {
    await using at = await gitOverSsh({ signed_push: "require" });
    const { home, work, bare } = at;
    await commit(work, "main", "signed\n", 1_700_001_000);
    const push = async (...signing: string[]) =>
      await at.git({ key: "writer", way: "openssl" }, [...signing, "box:notes.git", "main"], work);
    const signed = (key: string): string[] => [
      ...["-c", "gpg.format=ssh", "-c", `user.signingkey=${home.path}/${key}`],
      ...["push", "--signed"],
    ];
    match((await push("push")).stderr, /main -> main \(signature required\)/);
    match((await push(...signed("reader"))).stderr, /main -> main \(signature wrong\)/);
    const { code, stderr } = await push(...signed("writer"));
    equal(code, 0, stderr);
    equal(await git(bare, "rev-parse", "main"), await git(work, "rev-parse", "main"));
    equal([...Deno.readDirSync(`${bare}/alknet/certificates`)].length, 1);
  },
});

/**
 * Repositories over SSH, with OpenSSH and stock git as clients (git.md §3.2, §3.7; rows 1, 18, 34, 36, 37, 61; ssh.md rows 8,
 * 15, 16).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { joined, request } from "../handlers/git/client.ts";
import { commit, contentsOf, git, gitWith, lines } from "../handlers/git/repositories.ts";
import { runProgram } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { Random } from "../support/random.ts";
import { type GitOverSsh, gitOverSsh } from "./git_ssh_home.ts";

const needed = needs("git", "ssh", "ssh-keygen", "openssl", "linux");

async function well(at: GitOverSsh, ...args: Parameters<GitOverSsh["git"]>): Promise<string> {
  const { code, stdout, stderr } = await at.git(...args);
  equal(code, 0, `git ${args[1].join(" ")}\n${stderr}\n${at.node.child.errors}`);
  return stdout;
}

Deno.test({
  name: "git over ssh: clone, fetch, push with OpenSSH over alknet dial and over OpenSSL alone (rows 1, 18, 36)",
  ...needed,
  async fn() {
    await using at = await gitOverSsh();
    const { home, work, bare } = at;
    for (const [i, way] of (["alknet", "openssl"] as const).entries()) {
      const copy = `${home.path}/copy-${way}`;
      await well(at, { key: "reader", way }, ["clone", "-q", "--mirror", "ssh://box/notes", copy]);
      deepEqual(await contentsOf(copy), await contentsOf(bare), way);
      await git(copy, "fsck", "--strict", "--no-dangling");
      await commit(work, "main", lines(i), 1_700_001_000 + i);
      await well(
        at,
        { key: "writer", way },
        ["push", "-q", "box:notes.git", "main", `main:refs/heads/by-${way}`],
        work,
      );
      equal(await git(bare, "rev-parse", `by-${way}`), await git(work, "rev-parse", "main"));
      await well(at, { key: "reader", way }, ["fetch", "-q"], copy);
      deepEqual(await contentsOf(copy), await contentsOf(bare), `${way}, fetched`);
    }
    await git(bare, "fsck", "--strict", "--no-dangling");
    match(await git(bare, "reflog", "show", "main"), /push/);
    match(await at.node.child.errorLine(/service=upload-pack/), /repo=notes front=ssh identity=reader outcome=done/);
    match(await at.node.child.errorLine(/service=receive-pack/), /repo=notes front=ssh identity=writer outcome=done/);
  },
});

Deno.test({
  name: "git over ssh in versions 0, 1 and 2: the same refs and objects; shallow and partial clones (rows 34, 40, 41)",
  ...needed,
  async fn() {
    await using at = await gitOverSsh();
    for (const version of ["0", "1", "2"]) {
      const copy = `${at.home.path}/copy-${version}`;
      const told = ["-c", `protocol.version=${version}`];
      await well(at, { key: "reader" }, [...told, "clone", "-q", "--mirror", "ssh://box/notes", copy]);
      deepEqual(await contentsOf(copy), await contentsOf(at.bare), version);
      const some = `${copy}-some`;
      const less = ["--depth=1", "--filter=blob:none"];
      await well(at, { key: "reader" }, [...told, "clone", "-q", ...less, "ssh://box/notes", some]);
      equal(await git(some, "rev-list", "--count", "HEAD"), "1");
      equal(await Deno.readTextFile(`${some}/loose/file`), lines(50));
      await well(at, { key: "reader" }, [...told, "fetch", "-q", "--unshallow"], some);
      equal(await git(some, "rev-list", "--count", "HEAD"), await git(at.bare, "rev-list", "--count", "main"));
      await git(some, "fsck", "--strict");
    }
  },
});

Deno.test({
  name: "git over ssh: what is refused is a line for people and exit code 128, and git's too (rows 36, 61)",
  ...needed,
  async fn() {
    await using at = await gitOverSsh();
    const refused = async (key: string, says: RegExp, args: readonly string[]) => {
      const { code, stderr } = await at.git({ key }, args, at.work);
      match(stderr, says, `${key}: ${args.join(" ")}\n${stderr}`);
      equal(code === 0, false);
      return code;
    };
    const unknown = /^alknet: no repository \/other, or no right to it\n.*fatal: Could not read from remote/ms;
    equal(await refused("writer", unknown, ["ls-remote", "ssh://box/other"]), 128);
    const unread = /^alknet: no repository \/notes, or no right to it\n/m;
    equal(await refused("nobody", unread, ["clone", "ssh://box/notes", `${at.home.path}/none`]), 128);
    await refused("nobody", unread, ["push", "ssh://box/notes", "main:new"]);
    await refused("reader", /^alknet: no right to write to \/notes\n/m, ["push", "ssh://box/notes", "main:new"]);
    const archive = /^alknet: upload-archive is not served\n.*the remote end hung up unexpectedly/ms;
    await refused("reader", archive, ["archive", "--remote=ssh://box/notes", "main"]);
    const kept = /remote: alknet: refs\/heads\/main: protected: .*\[remote rejected\] main~1 -> main \(protected\)/s;
    equal(await refused("writer", kept, ["push", "ssh://box/notes", "+main~1:main"]), 1);
    match(await at.node.child.errorLine(/not allowed/), /what=git identity=writer reason=rights/);
  },
});

/** What is asked for, and what the client hears; `policy`: that it may run no command. */
const COMMANDS: readonly (readonly [command: string, hears: "policy" | RegExp])[] = [
  ["id", "policy"],
  ["sh", "policy"],
  ["git", "policy"],
  ["git --version", "policy"],
  ["git clone /notes", "policy"],
  ["git-upload-pack", "policy"],
  ["git upload-pack", "policy"],
  ["git-shell -c \"git-upload-pack '/notes'\"", "policy"],
  ["/usr/bin/git-upload-pack '/notes'", "policy"],
  ["GIT_DIR=/ git-upload-pack /notes", "policy"],
  ["git-upload-pack --help", "policy"],
  ["git-upload-pack --strict /notes", "policy"],
  ["git-upload-pack /notes --timeout=1", "policy"],
  ["git upload-pack --upload-pack=touch /notes", "policy"],
  ["git -c core.sshCommand=CANARY upload-pack /notes", "policy"],
  ["git-upload-pack '/notes'; CANARY", "policy"],
  ["git-upload-pack /notes && CANARY", "policy"],
  ["git-upload-pack /notes | CANARY", "policy"],
  ["git-upload-pack /notes & CANARY", "policy"],
  ["git-upload-pack $(CANARY)", "policy"],
  ["git-upload-pack `CANARY`", "policy"],
  ['git-upload-pack "$(CANARY)"', "policy"],
  ["git-upload-pack /notes > CANARY", "policy"],
  ["git-upload-pack '/notes", "policy"],
  ['git-upload-pack "/notes\nCANARY"', /^alknet: no repository \/notes\?touch /m],
  ["git-upload-pack '$(CANARY)'", /^alknet: no repository \$\(touch /m],
  ["git-upload-pack '/../git/notes'", /^alknet: no repository \/\.\.\/git\/notes, or no right/m],
  ["git-upload-pack '~/notes'", /^alknet: no repository ~\/notes, or no right/m],
  ["git-upload-pack ''", /^alknet: no repository , or no right/m],
  ["git-receive-pack '/notes'", /^alknet: no right to write to \/notes\n/m],
  ["git upload-archive '/notes'", /^alknet: upload-archive is not served\n/m],
];

Deno.test({
  name: "git over ssh: who may read repositories and nothing else gets no command and no process (row 37)",
  ...needed,
  async fn() {
    await using at = await gitOverSsh();
    const { home, node } = at;
    const canary = `${home.path}/canary`;
    const [ssh, ...options] = at.ssh("reader", "openssl");
    const asked = (command: string) =>
      runProgram(ssh, [...options, "box", command.replaceAll("CANARY", `touch ${canary}`)]);
    const children = () => Deno.readTextFileSync(`/proc/${node.child.pid}/task/${node.child.pid}/children`);
    const before = children();
    for (const [command, hears] of COMMANDS) {
      const { code, stdout, stderr } = await asked(command);
      equal(stdout, "", command);
      if (hears === "policy") {
        notEqual(code, 0, command);
        match(stderr, /exec request failed/, command);
      } else {
        equal(code, 128, command);
        match(stderr, hears, `${command}\n${stderr}`);
      }
    }
    const shell = await runProgram(ssh, [...options, "box"]);
    notEqual(shell.code, 0);
    equal(shell.stdout, "");
    equal(children(), before);
    deepEqual(await Deno.stat(canary).catch((error) => error.name), "NotFound");
    // The same login has served nothing by then, and does.
    match((await asked('git upload-pack "/notes.git"')).stdout, /^[0-9a-f]{44} HEAD\0multi_ack /);
  },
});

Deno.test({
  name:
    "git over ssh: one who has as many services as he may is told so; who is killed in a pack leaves nothing (row 44)",
  ...needed,
  async fn() {
    await using at = await gitOverSsh({ limits: { services_per_identity: 1 } });
    const { node, bare } = at;
    // Far more than sockets and windows hold.
    const content = new Random(3).bytes(24 * 1024 * 1024);
    const head = `commit refs/heads/large\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\n` +
      `M 100644 inline f\ndata ${content.byteLength}\n`;
    await gitWith(bare, joined([new TextEncoder().encode(head), content]), "fast-import", "--quiet");
    const want = `want ${await git(bare, "rev-parse", "large")} side-band-64k ofs-delta`;
    const [ssh, ...options] = at.ssh("reader", "alknet");
    for (const sent of [request(want, "0000", "done"), request(want, "0000")]) {
      // It reads the refs, and nothing after them.
      const child = new Deno.Command(ssh, {
        args: [...options, "box", "git-upload-pack 'notes'"],
        env: at.env,
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      await using _child = {
        async [Symbol.asyncDispose]() {
          await child.stdin.close().catch(() => {});
          await child.stdout.cancel();
          await child.status;
        },
      };
      const reader = child.stdout.getReader();
      match(new TextDecoder().decode((await reader.read()).value), / HEAD\0/);
      reader.releaseLock();
      const writer = child.stdin.getWriter();
      await writer.write(sent);
      writer.releaseLock();
      const { code, stderr } = await at.git({ key: "reader" }, ["ls-remote", "ssh://box/notes"]);
      equal(code, 128);
      match(stderr, /^alknet: too many services; try again\n/m);
      await well(at, { key: "writer" }, ["ls-remote", "ssh://box/notes"]);
      await node.child.errorLine(/service=upload-pack.* identity=writer .*outcome=done/);
      child.kill("SIGKILL");
      match(await node.child.errorLine(/service=upload-pack/), /identity=reader outcome=left/);
    }
    await well(at, { key: "reader" }, ["ls-remote", "ssh://box/notes"]);
    const open: string[] = [];
    for (const { name } of Deno.readDirSync(`/proc/${node.child.pid}/fd`)) {
      // A connection's may go meanwhile.
      const path = await Deno.readLink(`/proc/${node.child.pid}/fd/${name}`).catch(() => "");
      if (path.includes(bare)) open.push(path);
    }
    deepEqual(open, []);
  },
});

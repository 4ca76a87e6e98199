/**
 * Repositories of a node for stock git: over HTTPS with nothing but git, over `alknet://` with the remote helper
 * (git.md §3, §7, §8, §13).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { joined, request, requestLine } from "../handlers/git/client.ts";
import { commit, contentsOf, git, gitWith, lines, makeRepository } from "../handlers/git/repositories.ts";
import { runAlknet, runProgram, start, startAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { Random } from "../support/random.ts";
import { temporaryFolder } from "../support/temp.ts";
import { configure, gitHome, MAIN, stock, VIA_HTTPS, well } from "./git_home.ts";
import { initHome } from "./home.ts";

Deno.test({
  name: "git clone, fetch, ls-remote over HTTPS and alknet://: the same objects and refs (rows 1, 3, 5)",
  ...needs("git", "linux"),
  async fn() {
    await using home = await gitHome();
    const { path } = home;
    const bare = `${path}/git/notes.git`;
    await Deno.remove(bare, { recursive: true });
    await makeRepository(`${path}/work`, bare);
    await git(bare, "config", "alknet.public", "true");
    await configure(home, { anonymous: true });
    await using node = await home.serve();
    const urls = {
      https: `https://${node.address}/notes.git`,
      quic: `alknet://${home.nodeId}@${node.address}/notes`,
      tls: `alknet://${home.nodeId}@${node.address}/notes`,
    };
    const options = { https: VIA_HTTPS, quic: ["-c", "alknet.transport=quic"], tls: ["-c", "alknet.transport=tls"] };
    const refs = await git(".", "ls-remote", bare);
    for (const [way, url] of Object.entries(urls)) {
      const with_ = options[way as keyof typeof options];
      await well(home, [...with_, "clone", "-q", "--mirror", url, `${path}/${way}`]);
      await git(`${path}/${way}`, "fsck", "--strict");
      deepEqual(await contentsOf(`${path}/${way}`), await contentsOf(bare), way);
      equal((await well(home, [...with_, "ls-remote", url])).trimEnd(), refs, way);
    }
    for (let i = 0; i < 3; i++) await commit(`${path}/work`, `more ${i}`, lines(i), 1_700_001_000 + i);
    // git's own protocol, carried by `alknet dial` (row 35).
    const proxy = `#!/bin/sh\nexec ${Deno.execPath()} run -A ${MAIN} dial alknet/git "${home.nodeId}@$1:$2"\n`;
    await Deno.writeTextFile(`${path}/proxy`, proxy, { mode: 0o700 });
    await well(home, [
      "-c",
      `core.gitProxy=${path}/proxy`,
      "clone",
      "-q",
      "--bare",
      `git://${node.address}/notes`,
      "p",
    ]);
    deepEqual((await contentsOf(`${path}/p`)).objects.length > 0, true);
    await git(`${path}/work`, "tag", "-a", "v2", "-m", "second");
    await git(`${path}/work`, "push", "-q", bare, "main", "v2");
    for (const way of Object.keys(urls)) {
      await well(home, [...options[way as keyof typeof options], "fetch", "-q"], `${path}/${way}`);
      await git(`${path}/${way}`, "fsck", "--strict");
      deepEqual(await contentsOf(`${path}/${way}`), await contentsOf(bare), way);
      // What was fetched is new, and nothing else: three commits with two objects each, and a tag.
      match(await node.child.errorLine(/outcome=done requests=\d+ objects=10 /), /repo=notes/);
    }
  },
});

Deno.test({
  name: "git clone of an empty repository: its unborn branch (row 2)",
  ...needs("git", "linux"),
  async fn() {
    await using home = await gitHome();
    const { path } = home;
    equal((await home.run("git", "init", "team/empty", "--head", "trunk", "--public")).code, 0);
    await configure(home, { anonymous: true });
    await using node = await home.serve();
    await well(home, [...VIA_HTTPS, "clone", "-q", `https://${node.address}/team/empty`, "a"]);
    await well(home, ["clone", "-q", `alknet://${home.nodeId}@${node.address}/team/empty`, "b"]);
    for (const clone of ["a", "b"]) equal(await git(`${path}/${clone}`, "symbolic-ref", "HEAD"), "refs/heads/trunk");
    await git(`${path}/git/team/empty.git`, "fsck", "--strict");
  },
});

Deno.test({
  name: "git fetch of a client with hundreds of commits of its own: several rounds, requests in gzip (rows 5, 17)",
  ...needs("git", "linux"),
  async fn() {
    await using home = await gitHome();
    const { path } = home;
    const bare = `${path}/git/notes.git`;
    await Deno.remove(bare, { recursive: true });
    await makeRepository(`${path}/work`, bare);
    await git(bare, "config", "alknet.public", "true");
    await configure(home, { anonymous: true });
    await using node = await home.serve();
    const urls = [`https://${node.address}/notes`, `alknet://${home.nodeId}@${node.address}/notes`];
    const own = Array.from({ length: 400 }, (_, i) => {
      const from = i === 0 ? "from refs/remotes/origin/main^0\n" : "";
      return `commit refs/heads/own\ncommitter A <a@example.org> ${1_700_002_000 + i} +0000\ndata 1\nx\n${from}`;
    });
    for (const [i, url] of urls.entries()) {
      await well(home, [...VIA_HTTPS, "clone", "-q", url, `c${i}`]);
      await gitWith(`${path}/c${i}`, own.join(""), "fast-import", "--quiet");
    }
    await commit(`${path}/work`, "new", "new\n", 1_700_003_000);
    await git(`${path}/work`, "push", "-q", bare, "main");
    for (const i of urls.keys()) {
      await well(home, [...VIA_HTTPS, "fetch", "-q"], `${path}/c${i}`);
      equal(await git(`${path}/c${i}`, "rev-parse", "origin/main"), await git(bare, "rev-parse", "main"));
      match(await node.child.errorLine(/objects=3 /), /outcome=done/);
      await git(`${path}/c${i}`, "fsck", "--strict");
    }
  },
});

Deno.test({
  name: "rights: who has none is told that there is no such repository, by every way (row 13)",
  ...needs("git", "curl", "linux"),
  async fn() {
    await using home = await gitHome();
    await using friend = await initHome();
    equal((await home.run("git", "init", "secret")).code, 0);
    const token = async (...scopes: string[]) => (await home.run("token", "create", ...scopes)).stdout.trim();
    const [right, wrong] = [await token("--scope", "git:read:secret"), await token("--scope", "notes:read")];
    await home.run("authorize", friend.nodeId, "--name", "friend", "--scope", "git:read:secret");
    await using node = await home.serve();
    const { address } = node;
    const https = (name: string) => `https://${address}/${name}`;
    const advertisement = (name: string) => `${https(name)}/info/refs?service=git-upload-pack`;
    const status = async (url: string, ...args: string[]) => {
      const written = ["-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Git-Protocol: version=2"];
      return (await runProgram("curl", [...written, ...args, url])).stdout;
    };
    const bearer = (text: string) => ["-H", `Authorization: Bearer ${text}`];
    // Nobody: private, public and unknown look alike.
    for (const name of ["secret", "notes", "none", "a%2fb", "..%2fnotes", "notes/../secret"]) {
      equal(await status(advertisement(name), "--path-as-is"), "401", name);
    }
    equal(await status(advertisement("secret"), ...bearer(right)), "200");
    equal(await status(advertisement("secret"), "-u", `ada:${right}`), "200");
    equal(await status(advertisement("secret"), "-u", `${right}:`), "200");
    for (const name of ["secret", "none"]) equal(await status(advertisement(name), ...bearer(wrong)), "404", name);
    equal(await status(advertisement("notes"), ...bearer(wrong)), "200", "public: whoever is known");
    const push = `${https("secret")}/info/refs?service=git-receive-pack`;
    equal(await status(push, ...bearer(right)), "403");
    equal(await status(`${https("notes")}/info/refs?service=git-other`), "403");
    equal(await status(`${https("notes")}/info/refs`), "404", "dumb HTTP gets the decoy");
    const post = [...bearer(right), "-d", "0000"];
    equal(await status(`${https("secret")}/git-upload-pack`, ...post), "415");
    const type = ["-H", "Content-Type: application/x-git-upload-pack-request"];
    equal(await status(`${https("secret")}/git-upload-pack`, ...post, ...type, "-H", "Content-Encoding: br"), "415");
    equal(await status(`${https("secret")}/git-upload-pack`, ...post, ...type), "200");
    const url = (name: string) => `alknet://${home.nodeId}@${address}/${name}`;
    await well(home, ["ls-remote", url("secret")], home.path, friend.path);
    for (const name of ["secret", "none"]) {
      const { code, stderr } = await stock(home, ["ls-remote", url(name)]);
      equal(code, 128);
      equal(stderr, `fatal: remote error: access denied or repository not exported: /${name}\n`);
    }
    await Deno.writeTextFile(`${home.path}/token`, right);
    await well(home, ["-c", `alknet.tokenFile=${home.path}/token`, "ls-remote", url("secret")]);
    const guesses: string[] = [];
    for (let i = 0; i < 8; i++) guesses.push(await status(advertisement("secret"), ...bearer("wrong")));
    equal(guesses[0], "401");
    equal(guesses.at(-1), "429");
  },
});

Deno.test({
  name: "clients that are killed in the middle of a pack, over HTTPS and alknet/git, leave no descriptor (row 44)",
  ...needs("git", "curl", "linux"),
  async fn() {
    await using home = await gitHome();
    const bare = `${home.path}/git/notes.git`;
    // Far more than sockets and windows hold.
    const content = new Random(3).bytes(48 * 1024 * 1024);
    const head = new TextEncoder().encode(
      `commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\n` +
        `M 100644 inline f\ndata ${content.byteLength}\n`,
    );
    await gitWith(bare, joined([head, content]), "fast-import", "--quiet");
    await git(bare, "repack", "-a", "-d", "-q");
    await configure(home, { anonymous: true });
    await using node = await home.serve();
    const want = `want ${await git(bare, "rev-parse", "main")}`;
    const asked = request("command=fetch", "0001", want, "done", "0000");
    await Deno.writeFile(`${home.path}/asked`, asked);
    const headers = ["-H", "Git-Protocol: version=2", "-H", "Content-Type: application/x-git-upload-pack-request"];
    const url = `https://${node.address}/notes/git-upload-pack`;
    const address = `${home.nodeId}@${node.address}`;
    const clients = [
      () => start("curl", ["-skN", ...headers, "--limit-rate", "200k", "--data-binary", `@${home.path}/asked`, url]),
      () => startAlknet(["dial", "alknet/git", address, "--transport", "tls", "--home", home.path]),
    ];
    await well(home, [...VIA_HTTPS, "ls-remote", `https://${node.address}/notes`]);
    await node.child.errorLine(/outcome=done/);
    for (const client of clients) {
      await using child = client();
      await child.write(joined([requestLine("/notes"), asked]));
      await child.line(/./);
      child.kill("SIGKILL");
      await child.status;
      match(await node.child.errorLine(/service=upload-pack/), /outcome=left/);
    }
    const packs = [...Deno.readDirSync(`/proc/${node.child.pid}/fd`)]
      .map(({ name }) => Deno.readLinkSync(`/proc/${node.child.pid}/fd/${name}`)).filter((path) => path.includes(bare));
    deepEqual(packs, []);
    await well(home, [...VIA_HTTPS, "ls-remote", `https://${node.address}/notes`]);
  },
});

Deno.test({
  name: "what is not served is refused in words: archives, others' nodes, names that are none (rows 10, 15)",
  ...needs("git", "linux"),
  async fn() {
    await using home = await gitHome();
    const bare = `${home.path}/git/notes.git`;
    await Deno.remove(bare, { recursive: true });
    await makeRepository(`${home.path}/work`, bare);
    await git(bare, "config", "alknet.owner", "me");
    await home.run("authorize", home.nodeId, "--name", "me");
    await using node = await home.serve();
    const url = `alknet://${home.nodeId}@${node.address}/notes`;
    const refused = async (says: RegExp, ...args: string[]) => {
      const { code, stderr } = await stock(home, args, `${home.path}/work`);
      notEqual(code, 0, args.join(" "));
      match(stderr, says);
    };
    await refused(/archive|fallback|not support/i, "archive", `--remote=${url}`, "main");
    const other = url.replace(/@.*/, "@127.0.0.1:1/notes");
    await refused(/^alknet: cannot reach 127\.0\.0\.1:1/m, "ls-remote", other);
    await refused(/alknet: .*key|node id|fingerprint/i, "ls-remote", url.replace(/\/\/[^@]*/, `//${"y".repeat(52)}`));
    await refused(/alknet: URL .* names no repository/, "ls-remote", `alknet://${node.address}/../notes`);
  },
});

Deno.test({
  name: "alknet git init, add, list, install-helper: what they print and refuse (row 16)",
  ...needs("git", "linux"),
  async fn() {
    await using home = await gitHome();
    await using folder = await temporaryFolder();
    const made = await home.run("git", "init", "a/b", "--json");
    equal(made.code, 0, made.stderr);
    const { name, urls } = JSON.parse(made.stdout);
    equal(name, "a/b");
    match(urls[0], /^https:\/\/.*:4433\/a\/b$/);
    match(urls[1], new RegExp(`^alknet://${home.nodeId}@.*:4433/a/b$`));
    equal(urls.length, 2);
    const config = await home.config() as { handlers: Record<string, unknown> };
    await home.writeConfig({ ...config, handlers: { ...config.handlers, ssh: {} } });
    match((await home.run("git", "init", "over-ssh")).stdout, /^https:.*\nalknet:.*\nssh:\/\/.*:4433\/over-ssh\n$/);
    match((await home.run("git", "init", "a/b")).stderr, /already; nothing was changed/);
    for (const wrong of ["..", "a/../b", ".x", "a.git", "a//b", "~a", "a/b/c/d/e"]) {
      match((await home.run("git", "init", wrong)).stderr, /is no name of a repository/, wrong);
    }
    await git(folder.path, "init", "-q", "copy");
    await commit(`${folder.path}/copy`, "f", "f\n", 1_700_000_000);
    match((await home.run("git", "add", "copy", `${folder.path}/copy`)).stdout, /^added copy; .*after a restart\n$/);
    match((await home.run("git", "add", "copy", `${folder.path}/copy`)).stderr, /already/);
    match((await home.run("git", "add", "none", folder.path)).stderr, /no git repository/);
    const listed = (await home.run("git", "list")).stdout.trimEnd().split("\n");
    deepEqual(listed.map((line) => line.split("  ").slice(0, 3).join(" ")), [
      "a/b main private",
      "copy master private",
      "notes main public",
      "over-ssh main private",
    ]);
    match(listed[2], / {2}0 B {2}my notes$/);
    const install = () => runAlknet(["git", "install-helper", "--dir", folder.path]);
    match((await install()).stderr, /not on the search path/);
    equal((await install()).code, 0, "twice");
    await Deno.writeTextFile(`${folder.path}/git-remote-alknet`, "#!/bin/sh\n");
    match((await install()).stderr, /not Alknet's; nothing was changed/);
    equal(await Deno.readTextFile(`${folder.path}/git-remote-alknet`), "#!/bin/sh\n");
  },
});

/** Configurations that are none, and what the one line says. */
const WRONG: readonly (readonly [name: string, options: Record<string, unknown>, says: RegExp])[] = [
  ["a folder that is no repository", { repositories: { a: "/nowhere" } }, /handlers\.git\.repositories\.a: .*needed/],
  ["a name that is none", { repositories: { "../a": "/" } }, /handlers\.git\.repositories: "\.\.\/a"/],
  ["a limit that is none", { limits: { wishes: 3 } }, /handlers\.git\.limits: .*wishes/],
  ["a field that is none", { push_to_make: true }, /handlers\.git/],
  [
    "a hook that is no operation",
    { hooks: { update: "no/such" } },
    /hooks\.update: the node has no operation "no\/such"/,
  ],
];

for (const [name, options, says] of WRONG) {
  Deno.test({
    name: `alknet serve with handlers.git: ${name} is one line that names it`,
    ...needs("linux"),
    async fn() {
      await using home = await initHome();
      await configure(home, options);
      const { code, stderr } = await runAlknet(["serve", "--json", "--home", home.path, "--listen", "127.0.0.1:0"]);
      notEqual(code, 0);
      match(stderr, says);
    },
  });
}

/**
 * Pushes of stock git to a node, over HTTPS and over `alknet://` (git.md §3.6, §3.7, §7; rows 13, 17 to 23, 61, 62).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { commit, contentsOf, git, gitWith, lines, makeRepository } from "../handlers/git/repositories.ts";
import { pktLine } from "../../handlers/git/wire/pkt_line.ts";
import { joined, request, requestLine } from "../handlers/git/client.ts";
import { packOf } from "../handlers/git/packs.ts";
import { runProgram, startAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { until } from "../handlers/ssh/node_process.ts";
import { Random } from "../support/random.ts";
import { configure, gitHome, stock, VIA_HTTPS, well } from "./git_home.ts";
import { initHome, type TestHome } from "./home.ts";

const needed = needs("git", "linux");

/** A home with the empty repository `r`, a token that may write to it, and a working copy with history. */
async function world() {
  const home = await gitHome();
  equal((await home.run("git", "init", "r")).code, 0);
  await makeRepository(`${home.path}/work`, `${home.path}/other.git`);
  const made = await home.run("token", "create", "--scope", "git:write:r");
  const token = made.stdout.trim();
  await home.run("authorize", home.nodeId, "--name", "me", "--scope", "git:write:r");
  return { home, work: `${home.path}/work`, bare: `${home.path}/git/r.git`, token };
}

/** Ways to a repository, with what git needs to be told. */
function ways(
  home: TestHome,
  node: { address: string },
  token: string,
): Record<string, { url: string; with: string[] }> {
  const url = `alknet://${home.nodeId}@${node.address}/r`;
  return {
    https: { url: `https://x:${token}@${node.address}/r`, with: [...VIA_HTTPS] },
    quic: { url, with: ["-c", "alknet.transport=quic"] },
    tls: { url, with: ["-c", "alknet.transport=tls"] },
  };
}

/** The folder is sound, and nothing is left lying in it once maintenance, which follows a push, has come to its end. */
export async function sound(bare: string): Promise<void> {
  await git(bare, "fsck", "--strict", "--no-dangling");
  let left: string[] | undefined;
  // A folder may go while it is looked into.
  await until(async () => (left = await lyingIn(bare).catch(() => undefined))?.length === 0).catch(() => {});
  deepEqual(left, []);
}

/** What of pushes and of maintenance lies in a folder. */
async function lyingIn(folder: string): Promise<string[]> {
  const left: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (/^tmp_|\.lock$|\.keep$|^refs\.(?:prepare|commit)$/.test(name)) left.push(path);
    if (folder.endsWith("/alknet/tmp") || folder.endsWith("/alknet/holders")) left.push(path);
    if (isDirectory) left.push(...await lyingIn(path));
  }
  return left;
}

Deno.test({
  name:
    "git push over HTTPS and alknet://: create, fast-forward, force, delete, tags; stock git finds all sound (row 18)",
  ...needed,
  async fn() {
    const { home, work, bare, token } = await world();
    await using _home = home;
    await using node = await home.serve();
    const clients = ways(home, node, token);
    const push = async (way: string, ...args: string[]) => {
      const { url, with: told } = clients[way];
      return await well(home, [...told, "push", "-q", url, ...args], work);
    };
    await push("https", "main");
    equal(await git(bare, "rev-parse", "main"), await git(work, "rev-parse", "main"));
    await push("https", "--all");
    await push("https", "--tags");
    deepEqual(await contentsOf(bare), await contentsOf(`${home.path}/other.git`));
    await sound(bare);
    for (const [i, way] of Object.keys(clients).entries()) {
      await commit(work, "a folder/träume 1.txt", lines(60 + i), 1_700_005_000 + i);
      await push(way, "main", `main~1:refs/heads/old-${way}`, `main:refs/tags/t-${way}`);
      equal(await git(bare, "rev-parse", "main"), await git(work, "rev-parse", "main"), way);
      equal(await git(bare, "rev-parse", `old-${way}`), await git(work, "rev-parse", "main~1"));
      await push(way, "+main~3:refs/heads/old-https");
      equal(await git(bare, "rev-parse", "old-https"), await git(work, "rev-parse", "main~3"));
      await push(way, "--delete", `refs/heads/old-${way}`, `refs/tags/t-${way}`);
      if (way !== "https") equal(await git(bare, "for-each-ref", `refs/heads/old-${way}`), "");
      await push(way, "main~1:refs/heads/old-https");
      await sound(bare);
    }
    match(await git(bare, "reflog", "show", "main"), /push/);
    match(await node.child.errorLine(/service=receive-pack/), /repo=r front=http .*outcome=done commands=1 refused=0/);
    await git(bare, "gc", "-q");
    await push("tls", "main:refs/heads/after-gc", "+main~2:refs/tags/light");
    await push("tls", "--delete", "side/日本");
    await sound(bare);
    await well(home, [...clients.quic.with, "clone", "-q", "--mirror", clients.quic.url, `${home.path}/copy`]);
    deepEqual(await contentsOf(`${home.path}/copy`), await contentsOf(bare));
  },
});

Deno.test({
  name: "git push of an empty repository's first branch makes it the one that a clone checks out (row 54)",
  ...needed,
  async fn() {
    const { home, work, bare, token } = await world();
    await using _home = home;
    await using node = await home.serve();
    const { url, with: told } = ways(home, node, token).https;
    await well(home, [...told, "push", "-q", url, "main:refs/heads/trunk", "main~1:refs/heads/other"], work);
    match(await git(bare, "symbolic-ref", "HEAD"), /^refs\/heads\/(?:trunk|other)$/);
    await well(home, [...told, "push", "-q", url, "main:refs/heads/main"], work);
    match(await git(bare, "symbolic-ref", "HEAD"), /^refs\/heads\/(?:trunk|other)$/);
    await sound(bare);
  },
});

Deno.test({
  name: "git push of 20 MB over HTTPS: in chunks, after a probe, with Expect, gzip (row 17)",
  ...needs("git", "curl", "linux"),
  async fn() {
    const { home, work, bare, token } = await world();
    await using _home = home;
    await using node = await home.serve();
    const { url, with: told } = ways(home, node, token).https;
    const random = new Random(11);
    await Deno.writeFile(`${work}/large`, random.bytes(20 * 1024 * 1024));
    await commit(work, "beside", "x\n", 1_700_006_000);
    await well(home, [...told, "push", "-q", url, "main"], work);
    await sound(bare);
    await commit(work, "small", "x\n", 1_700_006_001);
    await well(home, [...told, "-c", "http.postBuffer=65536", "push", "-q", url, "main"], work);
    await Deno.writeFile(`${work}/large`, random.bytes(2 * 1024 * 1024));
    await commit(work, "beside", "y\n", 1_700_006_002);
    for (const version of ["HTTP/1.1", "HTTP/2"]) {
      const args = [...told, "-c", "http.postBuffer=65536", "-c", `http.version=${version}`];
      await well(home, [...args, "push", "-q", url, `main:refs/heads/${version.slice(5)}`], work);
    }
    await sound(bare);
    // The same, said by curl: a deletion with gzip and with Expect.
    const { address } = node;
    const oid = await git(bare, "rev-parse", "refs/heads/1.1");
    const line = `${oid} ${"0".repeat(40)} refs/heads/1.1\0 report-status side-band-64k`;
    const body = `${(line.length + 4).toString(16).padStart(4, "0")}${line}0000`;
    await Deno.writeTextFile(`${home.path}/body`, body);
    const zipped = new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(`${home.path}/body.gz`, new Uint8Array(await new Response(zipped).arrayBuffer()));
    const post = async (file: string, ...headers: string[]) => {
      const type = "Content-Type: application/x-git-receive-pack-request";
      const args = ["-sk", "-u", `x:${token}`, "-H", type, ...headers.flatMap((header) => ["-H", header])];
      return (await runProgram("curl", [...args, "--data-binary", `@${file}`, `https://${address}/r/git-receive-pack`]))
        .stdout;
    };
    match(await post(`${home.path}/body.gz`, "Content-Encoding: gzip"), /unpack ok\n.*ok refs\/heads\/1\.1\n/s);
    match(await post(`${home.path}/body`, "Expect: 100-continue"), /ng refs\/heads\/1\.1 stale info/);
    await Deno.writeTextFile(`${home.path}/probe`, "0000");
    equal(await post(`${home.path}/probe`), "");
    await sound(bare);
  },
});

Deno.test({
  name:
    "rights: who may not write is told so, by every way; a token of one repository is none of another (rows 13, 61)",
  ...needs("git", "curl", "linux"),
  async fn() {
    const { home, work, bare, token } = await world();
    await using _home = home;
    await using friend = await initHome();
    await home.run("git", "init", "other");
    await home.run("authorize", friend.nodeId, "--name", "friend", "--scope", "git:read:r");
    const reading = (await home.run("token", "create", "--scope", "git:read:r")).stdout.trim();
    await using node = await home.serve();
    const { address } = node;
    const fails = async (says: RegExp, url: string, who = home.path, told: readonly string[] = VIA_HTTPS) => {
      const { code, stderr } = await stock(home, [...told, "push", url, "main"], work, who);
      notEqual(code, 0);
      match(stderr, says);
    };
    const pinned = `alknet://${home.nodeId}@${address}`;
    await fails(/could not read Username|Authentication failed/, `https://${address}/r`);
    await fails(/Authentication failed/, `https://x:wrong@${address}/r`);
    await fails(/returned error: 403/, `https://x:${reading}@${address}/r`);
    await fails(/repository .* not found/, `https://x:${token}@${address}/other`);
    await fails(/remote error: service not enabled: git-receive-pack/, `${pinned}/r`, friend.path);
    await fails(/remote error: access denied or repository not exported: \/other/, `${pinned}/other`, friend.path);
    await fails(/remote error: service not enabled: git-receive-pack/, `${pinned}/notes`, home.path);
    equal(await git(bare, "for-each-ref"), "");
    const status = async (...args: string[]) =>
      (await runProgram("curl", ["-sk", "-o", "/dev/null", "-w", "%{http_code}", "-u", `x:${token}`, ...args])).stdout;
    const post = `https://${address}/r/git-receive-pack`;
    equal(await status("-d", "0000", post), "415");
    const type = ["-H", "Content-Type: application/x-git-receive-pack-request"];
    equal(await status(...type, "-H", "Content-Encoding: br", "-d", "0000", post), "415");
    equal(await status(...type, "-d", "0000", post), "200");
    await sound(bare);
  },
});

Deno.test({
  name:
    "git push of what is refused: its reason in git's own words, and lines that begin with alknet: (rows 19, 20, 22, 24)",
  ...needed,
  async fn() {
    const { home, work, bare, token } = await world();
    await using _home = home;
    await git(bare, "config", "alknet.protected", "refs/heads/release/*");
    await git(bare, "config", "receive.hideRefs", "refs/hidden");
    await using node = await home.serve();
    const { url, with: told } = ways(home, node, token).https;
    const tls = ways(home, node, token).tls;
    await well(home, [...told, "push", "-q", url, "main", "main:refs/heads/release/1", "main:refs/heads/a"], work);
    const refused = async (reason: string, ...args: string[]) => {
      for (const way of [{ url, with: told }, tls]) {
        const { code, stderr } = await stock(home, [...way.with, "push", way.url, ...args], work);
        equal(code, 1, `${args}: ${stderr}`);
        ok(stderr.includes(`(${reason})`), `${reason}: ${stderr}`);
      }
    };
    await refused("protected", "+main~1:refs/heads/main");
    await refused("protected", "+main~1:refs/heads/release/1");
    await refused("protected", "--delete", "refs/heads/release/1");
    await refused("protected", "--delete", "refs/heads/main");
    await refused("hidden", "main:refs/hidden/a");
    await refused("funny refname", "main:refs/internal/x");
    await refused("D/F conflict", "main:refs/heads/a/b");
    await refused("D/F conflict", "main:refs/heads/release");
    await refused("not a commit", "main^{tree}:refs/heads/tree");
    await refused("atomic push failure", "--atomic", "main:refs/heads/new", "+main~1:refs/heads/main");
    equal(await git(bare, "for-each-ref", "refs/heads/new"), "");
    const { code, stderr } = await stock(
      home,
      [...told, "push", url, "main:refs/heads/n1", "main:refs/heads/n2", "main:refs/heads/a/c", "main:refs/heads/n3"],
      work,
    );
    equal(code, 1);
    match(stderr, /^remote: alknet: refs\/heads\/a\/c: D\/F conflict: .*in the way *$/m);
    equal((await git(bare, "for-each-ref", "--format=%(refname:short)", "refs/heads/n*")).split("\n").length, 3);
    // Deletions come first within one push.
    await well(home, [...told, "push", "-q", url, ":refs/heads/a", "main:refs/heads/a/b"], work);
    await well(home, [...tls.with, "push", "-q", tls.url, ":refs/heads/a/b", "main:refs/heads/a"], work);
    await git(bare, "pack-refs", "--all");
    await well(home, [...told, "push", "-q", url, ":refs/heads/a", "main:refs/heads/a/b"], work);
    await git(bare, "pack-refs", "--all");
    await well(home, [...tls.with, "push", "-q", tls.url, ":refs/heads/a/b", "main:refs/heads/a"], work);
    await git(bare, "config", "alknet.requireSigned", "true");
    await refused("signature required", "main:refs/heads/unsigned");
    await git(bare, "config", "alknet.requireSigned", "false");
    await git(bare, "config", "receive.denyNonFastForwards", "true");
    await refused("non-fast-forward", "+main~1:refs/heads/n1");
    await git(bare, "config", "receive.denyDeletes", "true");
    await refused("deletion prohibited", "--delete", "refs/heads/n1");
    await git(bare, "config", "alknet.quota", "1k");
    await commit(work, "more", "more\n", 1_700_007_000);
    await refused("quota exceeded", "main:refs/heads/over");
    await git(bare, "config", "--unset", "alknet.quota");
    await git(bare, "config", "receive.maxInputSize", "100");
    await refused("unpacker error", "main:refs/heads/over");
    const large = await stock(home, [...told, "push", url, "main:refs/heads/over"], work);
    match(large.stderr, /remote unpack failed: pack too large/);
    await sound(bare);
  },
});

Deno.test({
  name: "two who push to one ref at once: one wins each round, and the reflog has them all (row 21)",
  ...needed,
  async fn() {
    const { home, work, bare, token } = await world();
    await using _home = home;
    await configure(home, {});
    await using node = await home.serve();
    const clients = ways(home, node, token);
    await well(home, [...clients.https.with, "push", "-q", clients.https.url, "main"], work);
    await git(".", "clone", "-q", work, `${home.path}/second`);
    let tip = await git(work, "rev-parse", "main");
    const rounds = 12;
    for (let round = 0; round < rounds; round++) {
      const pushes = [[work, clients.https], [`${home.path}/second`, clients.tls]] as const;
      const commits: string[] = [];
      for (const [i, [folder]] of pushes.entries()) {
        const tree = await git(folder, "rev-parse", `${tip}^{tree}`);
        commits.push(await gitWith(folder, `round ${round} by ${i}`, "commit-tree", tree, "-p", tip));
      }
      const done = await Promise.all(
        pushes.map(([folder, { url, with: told }], i) =>
          stock(home, [...told, "push", "-q", url, `${commits[i]}:refs/heads/main`], folder)
        ),
      );
      equal(done.filter(({ code }) => code === 0).length, 1, done.map(({ stderr }) => stderr).join("\n"));
      tip = commits[done.findIndex(({ code }) => code === 0)];
      equal(await git(bare, "rev-parse", "main"), tip);
      for (const folder of [work, `${home.path}/second`]) await git(folder, "fetch", "-q", bare, "main");
    }
    equal((await git(bare, "reflog", "show", "main")).split("\n").length, rounds + 1);
    await sound(bare);
  },
});

Deno.test({
  name: "a node that is killed in the middle of a push: nothing has moved, and the next node clears up (rows 31, 62)",
  ...needed,
  async fn() {
    const { home, work, bare, token } = await world();
    await using _home = home;
    const receiving = () => [...Deno.readDirSync(`${bare}/objects`)].some(({ name }) => name.startsWith("incoming-"));
    {
      await using node = await home.serve();
      const address = `${home.nodeId}@${node.address}`;
      await using client = startAlknet(["dial", "alknet/git", address, "--transport", "tls", "--home", home.path]);
      const line = `${"0".repeat(40)} ${"1".repeat(40)} refs/heads/main\0 report-status`;
      await client.write(joined([
        requestLine("/r", 0, "git-receive-pack"),
        pktLine(new TextEncoder().encode(line)),
        request("0000"),
        packOf([{ type: 3, data: new Uint8Array(1000) }]).subarray(0, 20),
      ]));
      while (!receiving()) await new Promise((resolve) => setTimeout(resolve, 10));
      node.child.kill("SIGKILL");
      await node.child.status;
    }
    ok(receiving());
    await using node = await home.serve();
    const { url, with: told } = ways(home, node, token).https;
    await well(home, [...told, "push", "-q", url, "main"], work);
    equal(await git(bare, "rev-parse", "main"), await git(work, "rev-parse", "main"));
    await sound(bare);
  },
});

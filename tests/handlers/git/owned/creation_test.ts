/**
 * Repositories that a push makes (git.md §7; row 54).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import type { Identity } from "@alknet/core/handler";
import { needs } from "../../../support/programs.ts";
import { contextOf } from "../../context.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { answers, gitNode, joined, requestLine, textOf } from "../client.ts";
import { packOf } from "../packs.ts";
import { CREATE, ENTRIES } from "../push/pushes.ts";
import { git } from "../repositories.ts";
import { ownedNode, PEOPLE } from "./node.ts";

const needed = needs("git", "linux");

/** Repositories and folders below the root. */
function made(node: { readonly folder: string }): string[] {
  return [...Deno.readDirSync(`${node.folder}/git`)].map(({ name }) => name).filter((name) => name !== "r.git").sort();
}

Deno.test({
  name: "pushToCreate: a push by git:create makes a private repository of its own, whose HEAD is the first branch",
  ...needed,
  async fn() {
    await using node = await ownedNode({ pushToCreate: true });
    const url = node.url("team/new", "token-cy");
    const { code, stderr } = await node.stock("push", url, "main:refs/heads/trunk", "main:refs/heads/main2");
    equal(code, 0, stderr);
    const bare = `${node.folder}/git/team/new.git`;
    equal(await git(bare, "symbolic-ref", "HEAD"), "refs/heads/trunk");
    equal(await git(bare, "config", "alknet.owner"), "cy");
    equal(await git(bare, "config", "alknet.public"), "false");
    equal(await git(bare, "rev-parse", "trunk"), await git(node.work, "rev-parse", "main"));
    await git(bare, "fsck", "--strict");
    equal((await Deno.stat(bare)).mode! & 0o777, 0o700);
    equal((await node.stock("push", url, "main:refs/heads/more")).code, 0);
    equal((await node.stock("ls-remote", url)).code, 0);
    // Not those of others, nor where the scope is not.
    match((await node.stock("push", node.url("r", "token-cy"), "main")).stderr, /not found/);
    match((await node.stock("push", node.url("other", "token-bob"), "main")).stderr, /not found/);
    match((await node.stock("push", node.url("other", "wrong"), "main")).stderr, /Authentication failed/);
    match((await node.stock("ls-remote", node.url("other", "token-cy"))).stderr, /not found/);
    deepEqual(made(node), [".new", "team"]);
  },
});

Deno.test({
  name: "pushToCreate: a push that fails leaves no repository; off, none is made",
  ...needed,
  async fn() {
    await using node = await ownedNode({
      pushToCreate: true,
      hooks: { preReceive: () => Promise.resolve("no") },
    });
    const { code, stderr } = await node.stock("push", node.url("new", "token-cy"), "main");
    equal(code, 1);
    match(stderr, /pre-receive hook declined/);
    deepEqual(made(node), [".new"]);
    const request = new Request("https://n.example/new/git-receive-pack", {
      method: "POST",
      headers: { authorization: "Bearer token-cy", "content-type": "text/plain" },
      body: "x",
    });
    const resolveToken = (): Identity => PEOPLE["token-cy"];
    const context = contextOf(AbortSignal.abort(), { resolveToken, resolveFingerprint: () => undefined });
    equal((await node.served.http(request, { peer: {}, context }))?.status, 415);
    deepEqual(made(node), [".new"]);
    await using off = await ownedNode();
    match((await off.stock("push", off.url("new", "token-cy"), "main")).stderr, /not found/);
    deepEqual(made(off), []);
  },
});

Deno.test({
  name: "pushToCreate: a client that looks and leaves, or is killed in its pack, leaves no repository",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    await using node = gitNode({ root: folder.path, pushToCreate: true });
    const line = requestLine("/new", 0, "git-receive-pack");
    const looked = await answers(node, line, PEOPLE["token-cy"]);
    match(textOf(looked)[0], /^0{40} capabilities\^\{\}/);
    const pack = packOf(ENTRIES);
    const half = joined([line, CREATE, pack.subarray(0, pack.byteLength >> 1)]);
    match(textOf(await answers(node, half, PEOPLE["token-cy"])).join("\n"), /unpack bad pack: truncated/);
    deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), [".new"]);
    const whole = joined([line, CREATE, pack]);
    match(textOf(await answers(node, whole, PEOPLE["token-cy"])).join("\n"), /ok refs\/heads\/main/);
    deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [".new", "new.git"]);
  },
});

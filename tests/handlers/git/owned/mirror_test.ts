/**
 * `git/mirror`, and pushes to what follows another repository (git.md §7, §9; row 57).
 *
 * @module
 */
import type { JsonObject } from "@alknet/core/operations";
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { until } from "../../ssh/node_process.ts";
import { backend, ORIGIN } from "../mirror/backend.ts";
import { git, makeRepository } from "../repositories.ts";
import { ownedNode, PEOPLE } from "./node.ts";

const needed = needs("git", "linux");
const { "token-ada": ADA, "token-cy": CY, "token-root": ROOT } = PEOPLE;

Deno.test({
  name: "git/mirror: set, asked and ended by who may; a push to a mirror is refused, and the node tells what moved",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const there = folder.path;
    await using server = backend(there);
    await using node = await ownedNode({ mirrors: { fetch: server.fetch } });
    await makeRepository(`${node.folder}/work2`, `${there}/origin.git`);
    const url = `${ORIGIN}/origin.git`;
    const ask = (input: JsonObject, who = ROOT) => node.call("git/mirror", { repo: "r", ...input }, who);
    equal(await ask({}), null);
    await rejects(ask({}, ADA), { code: "FORBIDDEN" });
    // An owner of a repository does not make the node ask other hosts.
    await node.call("git/create", { repo: "own" }, CY);
    await rejects(ask({ repo: "own", url }, CY), { code: "FORBIDDEN", message: /git:admin/ });
    equal(await ask({ repo: "own" }, CY), null);
    await rejects(ask({ url: "http://a.test/x" }), { code: "INVALID_MIRROR" });
    await rejects(ask({ every: 100 }), { code: "INVALID_MIRROR" });
    const moved: JsonObject[] = [];
    const following = new AbortController();
    const events = node.dispatcher.subscribe(
      { operation: "git/push", input: { repo: "r" }, identity: ROOT },
      following.signal,
    );
    const listening = (async () => {
      for await (const event of events) moved.push(event as JsonObject);
    })().catch(() => {});
    deepEqual(await ask({ url, every: 60 }), { url, every: 60, refs: ["refs/heads/", "refs/tags/"] });
    const refsOf = (folder: string) => git(folder, "for-each-ref", "--format=%(objectname) %(refname)");
    await until(async () => await refsOf(node.bare) === await refsOf(`${there}/origin.git`), "the first fetch");
    await until(() => moved.length > 0, "the event");
    equal(moved[0].identity, "mirror");
    following.abort();
    await listening;
    const pushed = await node.stock("push", node.url("r"), "main:refs/heads/new");
    equal(pushed.code, 1);
    match(pushed.stderr, /\(mirror\)/);
    match(pushed.stderr, /it follows another repository; push there/);
    const oid = await git(node.bare, "rev-parse", "main");
    const updates = [{ name: "refs/heads/x", new: oid }];
    deepEqual(await node.call("git/update-refs", { repo: "r", updates }, ADA), [{
      name: "refs/heads/x",
      refused: "mirror",
    }]);
    equal(await ask({ off: true }), null);
    deepEqual(await node.call("git/update-refs", { repo: "r", updates }, ADA), [{ name: "refs/heads/x" }]);
  },
});

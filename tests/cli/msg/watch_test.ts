/**
 * `alknet msg watch` and `read --follow`: what comes while they run, over lost mailboxes, until ctrl-C (msg.md §6; rows 31, 36).
 *
 * @module
 */
import assert from "node:assert/strict";
import { startAlknet } from "../../support/process.ts";
import { again, mailboxHome, personHome, well } from "./home.ts";

for (const transport of ["quic", "tls"]) {
  Deno.test(`alknet msg watch: messages as they come, over a mailbox that goes and comes, until ctrl-C is 130, over ${transport} (rows 31, 36)`, async () => {
    await using post = await mailboxHome();
    let node = await post.serve();
    const address = `${post.nodeId}@127.0.0.1:${node.port}`;
    try {
      await using ann = await personHome(address);
      await using bob = await personHome(address);
      const by = ["--transport", transport];
      await well(ann, ["contact", "add", "bob", "-"], await well(bob, ["id", ...by]));
      await well(ann, ["send", "bob", ...by], "before\n");
      await using watch = startAlknet(["msg", "watch", "--json", "--home", bob.path, ...by]);
      const short = `${ann.nodeId.slice(0, 4)}…${ann.nodeId.slice(-4)}`;
      assert.deepEqual(await watch.json(), { event: "request", contact: ann.nodeId });
      const text = async () => {
        const { event, message } = await watch.json<{ event: string; message: { content: { text: string } } }>();
        return `${event} ${message.content.text}`;
      };
      assert.equal(await text(), "message before");
      // Another program of the same home is no reader of its own: what it takes in is told too.
      await using follow = startAlknet(["msg", "read", "--follow", "--home", bob.path, ...by]);
      assert.match(await follow.line(/before/), new RegExp(`${short} \\(request\\) {2}before$`));
      await well(ann, ["send", "bob", "now\x1b[31m\n2026", ...by]);
      assert.equal(await text(), "message now\x1b[31m\n2026");
      assert.match(await follow.line(/now/), / {2}now\\u001b\[31m\\u000a2026$/);
      // Over TCP the system says at once that a program is gone.
      if (transport === "tls") node.child.kill("SIGKILL");
      await node[Symbol.asyncDispose]();
      // The one that came last is the one that listens.
      await follow.errorLine(/^alknet: note: /);
      node = await again(post, node);
      await well(ann, ["send", "bob", "later", ...by]);
      assert.equal(await text(), "message later");
      await follow.line(/ {2}later$/);
      for (const child of [watch, follow]) {
        child.kill("SIGINT");
        assert.equal((await child.status).code, 130, child.errors);
      }
      // What was followed was shown; all of it is there once.
      assert.equal(await well(bob, ["read", "--unread", ...by]), "");
      assert.equal((await well(bob, ["read", ...by])).split("\n").length, 3);
    } finally {
      await node[Symbol.asyncDispose]();
    }
  });
}

Deno.test("alknet msg watch: what waits is sent when the mailbox comes, and that is a line", async () => {
  await using post = await mailboxHome();
  let node = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${node.port}`;
  try {
    await using ann = await personHome(address);
    await using bob = await personHome(address);
    await well(ann, ["contact", "add", "bob", await well(bob, ["id"])]);
    await node[Symbol.asyncDispose]();
    const by = ["--transport", "tls"];
    const id = JSON.parse(await well(ann, ["send", "bob", "later", "--queue", "--json", ...by])).id as string;
    await using watch = startAlknet(["msg", "watch", "--home", ann.path, ...by]);
    await watch.errorLine(/^alknet: note: /);
    node = await again(post, node);
    const line = await watch.line(/stored$/);
    assert.match(line, new RegExp(`^\\d\\d:\\d\\d ${id.slice(0, 4)}… stored$`));
    assert.match(await well(bob, ["read"]), / {2}later$/);
  } finally {
    await node[Symbol.asyncDispose]();
  }
});

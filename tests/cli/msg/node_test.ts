/**
 * A node with a messenger: it receives by itself, sends what waits, and answers `msg/…` to whoever has the scope (msg.md §6).
 *
 * @module
 */
import assert from "node:assert/strict";
import { runAlknet, startAlknet } from "../../support/process.ts";
import type { TestHome } from "../home.ts";
import { mailboxHome, personHome, well } from "./home.ts";

const by = ["--transport", "tls"];

Deno.test("alknet serve with handlers.messenger: messages come to it, and go by msg/…, as the scope of the caller is", async () => {
  await using post = await mailboxHome();
  await using mail = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${mail.port}`;
  await using ann = await personHome(address);
  await using bob = await personHome(address);
  await using stranger = await personHome(address);
  await bob.run(
    "authorize",
    ann.nodeId,
    "--name",
    "ann",
    "--scope",
    "msg:read",
    "--scope",
    "msg:send",
    "--scope",
    "msg:admin",
  );
  await bob.run("authorize", stranger.nodeId, "--name", "reader", "--scope", "msg:read");
  await using node = await bob.serve();
  const at = `${bob.nodeId}@${node.address}`;
  const call = async (home: TestHome, name: string, input: unknown, code = 0): Promise<string> => {
    const args = ["call", at, name, JSON.stringify(input), "--home", home.path, ...by];
    const done = await runAlknet(args);
    assert.equal(done.code, code, `${name}\n${done.stdout}${done.stderr}`);
    return code === 0 ? done.stdout : done.stderr;
  };
  const { token } = JSON.parse(await call(ann, "msg/token", {}));
  await well(ann, ["contact", "add", "bob", token]);
  await using watching = startAlknet(["subscribe", at, "msg/watch", "--home", ann.path, ...by]);
  await well(ann, ["send", "bob", "hello", ...by]);
  // It comes by itself, without a command in bob's home.
  let messages: { contact: string; content: { text: string } }[] = [];
  const end = Date.now() + 60_000;
  while (messages.length === 0 && Date.now() < end) ({ messages } = JSON.parse(await call(stranger, "msg/list", {})));
  assert.deepEqual(messages.map(({ content }) => content), [{ type: "text", text: "hello" }]);
  const { contacts } = JSON.parse(await call(stranger, "msg/contacts", {}));
  assert.deepEqual([contacts.length, contacts[0].state, contacts[0].nodeId], [1, "request", ann.nodeId]);
  for (const [name, input] of [["msg/send", { to: ann.nodeId, text: "x" }], ["msg/token", {}]] as const) {
    assert.match(await call(stranger, name, input, 1), /FORBIDDEN|scope/);
  }
  assert.match(await call(stranger, "msg/contact", { name: ann.nodeId, action: "accept" }, 1), /FORBIDDEN|scope/);
  const accepted = JSON.parse(await call(ann, "msg/contact", { name: ann.nodeId, action: "accept" }));
  assert.equal(accepted.state, "accepted");
  const sent = JSON.parse(await call(ann, "msg/send", { to: ann.nodeId, text: "back" }));
  assert.equal(sent.state, "stored");
  assert.match(await well(ann, ["read", "--unread", ...by]), / bob {2}back$/);
  await watching.line(/"state"|"message"|"request"/);
  // Its receipt comes to the node by itself as well.
  let state = "";
  while (state !== "delivered" && Date.now() < end) {
    const page = JSON.parse(
      await call(stranger, "msg/list", { after: JSON.parse(await call(stranger, "msg/list", {})).messages[0].id }),
    );
    state = page.messages.at(-1)?.state;
  }
  assert.equal(state, "delivered");
  assert.match(await call(ann, "msg/send", { to: "nobody", text: "x" }, 1), /NO_CONTACT|no contact/);
  assert.match(await call(ann, "msg/send", { to: ann.nodeId }, 1), /give a text or a file/);
  assert.match(await call(ann, "msg/contact", { name: "x", token: "alkmsg:AAAA" }, 1), /token cannot be used/);
  await call(ann, "msg/token", { revoke: true });
  assert.equal(JSON.parse(await call(ann, "msg/contact", { name: ann.nodeId, action: "remove" })).name, ann.nodeId);
  assert.deepEqual(JSON.parse(await call(stranger, "msg/list", {})), { messages: [] });
  // Neither texts nor names are in its log.
  assert.ok(!/hello|back|alkmsg/.test(node.child.errors));
});

/**
 * `alknet msg`: two homes and a mailbox node, over QUIC and TLS (msg.md §6; rows 20, 36, 57, 63, 65).
 *
 * @module
 */
import assert from "node:assert/strict";
import { runAlknet } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { again, mailboxHome, personHome, well } from "./msg/home.ts";

for (const transport of ["quic", "tls"]) {
  Deno.test(`alknet msg: to one who is away, read and answered, the mailbox restarted between, over ${transport} (rows 36, 57)`, async () => {
    await using post = await mailboxHome();
    let node = await post.serve();
    const address = `${post.nodeId}@127.0.0.1:${node.port}`;
    try {
      await using ann = await personHome(address);
      await using bob = await personHome(address);
      const by = ["--transport", transport];
      const { token, ...made } = JSON.parse(await well(bob, ["id", "work", "--json", ...by]));
      assert.deepEqual(made, { name: "work", mailbox: address, once: false, queue: "made" });
      assert.equal(await well(bob, ["id", "work", ...by]), token);
      const added = await well(ann, ["contact", "add", "bob", "-"], token);
      assert.match(
        added,
        new RegExp(`^added bob, ${bob.nodeId.slice(0, 4)}…${bob.nodeId.slice(-4)} at 127.0.0.1:${node.port}$`),
      );
      assert.match(await well(ann, ["send", "bob", ...by], "hi\n"), /^[\w-]{4}… stored$/);
      assert.match(await well(ann, ["send", "bob", "two\n2026-01-01 00:00 eve  \x1b[31mlines", ...by]), / stored$/);
      await node[Symbol.asyncDispose]();
      node = await again(post, node);
      const short = `${ann.nodeId.slice(0, 4)}…${ann.nodeId.slice(-4)}`;
      const lines = (await well(bob, ["read", "--unread", ...by])).split("\n");
      assert.match(lines[0], new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d ${short} \\(request\\)  hi$`));
      // Line breaks and escapes of a message forge no line and drive no terminal.
      assert.equal(lines.length, 2);
      assert.match(lines[1], /two\\u000a2026-01-01 00:00 eve {2}\\u001b\[31mlines$/);
      assert.equal(await well(bob, ["read", "--unread", ...by]), "");
      assert.match(await well(bob, ["contact", "accept", short]), / {2}accepted {2}unverified$/);
      assert.match(await well(bob, ["send", short, "hello", ...by]), / stored$/);
      assert.equal(await well(ann, ["sync", ...by]), "1 received, 0 sent, 0 waiting");
      const read = (await well(ann, ["read", "bob", "--json", ...by])).split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(
        read.map(({ mine, contact, state, content }) => ({ mine, contact, state, text: content.text })),
        [
          { mine: true, contact: "bob", state: "delivered", text: "hi" },
          { mine: true, contact: "bob", state: "delivered", text: "two\n2026-01-01 00:00 eve  \x1b[31mlines" },
          { mine: false, contact: "bob", state: "delivered", text: "hello" },
        ],
      );
      const { name, state, mailbox } = JSON.parse(await well(ann, ["contact", "list", "--json"]));
      assert.deepEqual([name, state, mailbox], ["bob", "accepted", address]);
    } finally {
      await node[Symbol.asyncDispose]();
    }
  });
}

Deno.test("alknet msg: the mailbox away: id is pending and 0; send fails and is 1; --queue waits and is 0, sent later (rows 57, 63)", async () => {
  await using post = await mailboxHome();
  let node = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${node.port}`;
  await node[Symbol.asyncDispose]();
  try {
    await using ann = await personHome(address);
    await using bob = await personHome(address);
    const pending = await bob.run("msg", "id", "--json", "--transport", "tls");
    const { token, queue } = JSON.parse(pending.stdout);
    assert.deepEqual([pending.code, queue], [0, "pending"]);
    assert.match(pending.stderr, /asked again by alknet msg sync/);
    await well(ann, ["contact", "add", "bob", token]);
    const failed = await ann.run("msg", "send", "bob", "lost", "--transport", "tls");
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /^[\w-]{4}… failed\n$/);
    assert.match(failed.stderr, /^alknet: not sent: /);
    const waiting = await ann.run("msg", "send", "bob", "later", "--queue", "--transport", "tls", "--json");
    assert.deepEqual([waiting.code, JSON.parse(waiting.stdout).state], [0, "waiting"]);
    const { id } = JSON.parse(waiting.stdout);
    assert.match(await well(ann, ["outbox"]), new RegExp(`^${id.slice(0, 4)}… {2}bob {2}1 try, next now$`));
    const { due, ...rest } = JSON.parse(await well(ann, ["outbox", "--json"]));
    assert.deepEqual([rest, typeof due], [{ id, contact: "bob", tries: 1 }, "number"]);
    node = await again(post, node);
    assert.equal(await well(bob, ["sync"]), "0 received, 0 sent, 0 waiting");
    assert.equal(await well(ann, ["sync"]), "0 received, 1 sent, 0 waiting");
    assert.equal(await well(ann, ["outbox"]), "");
    assert.match(await well(bob, ["read"]), /\(request\) {2}later$/);
  } finally {
    await node[Symbol.asyncDispose]();
  }
});

Deno.test("alknet msg: a mailbox takes no queues of strangers unless it is told to; wrong words, and what is not made yet", async () => {
  await using post = await mailboxHome({});
  await using node = await post.serve();
  await using ann = await personHome(`${post.nodeId}@127.0.0.1:${node.port}`);
  const { code, stderr } = await ann.run("msg", "id");
  assert.equal(code, 0);
  assert.match(stderr, /lets us make no queues; its operator may/);
  // The node's own key may.
  assert.equal(
    JSON.parse(await well(post, ["id", "--json", "--mailbox", `${post.nodeId}@${node.address}`])).queue,
    "made",
  );
  assert.equal((await post.run("authorize", ann.nodeId, "--name", "ann", "--scope", "mailbox:create")).code, 0);
  await node.child.line(/"event":"reloaded"/);
  assert.equal(await well(ann, ["sync"]), "0 received, 0 sent, 0 waiting");
  assert.equal(JSON.parse(await well(ann, ["id", "--json"])).queue, "made");
  const refused = async (args: string[], expected: number, said: RegExp) => {
    const { code, stderr } = await ann.run("msg", ...args);
    assert.equal(code, expected, stderr);
    assert.match(stderr, said);
  };
  await refused(["send", "nobody", "x"], 1, /there is no contact nobody/);
  await refused(["contact", "add", "bob", "alkmsg:AAAA"], 1, /token cannot be used/);
  await refused(["contact", "add", "me", await well(ann, ["id"])], 1, /the token is your own/);
  await refused(
    ["contact", "add", "a b", await well(post, ["id", "--mailbox", `${post.nodeId}@${node.address}`])],
    1,
    /no spaces/,
  );
  await refused(["id", "--once"], 2, /--once/);
  await refused(["send", "nobody", "x", "--via", "mix"], 2, /--via/);
  await refused(["id", "--mailbox", "127.0.0.1:1"], 1, /names no key/);
  // Who makes a queue is not written down, and nothing of a token is.
  const { stdout: token } = await ann.run("msg", "id");
  for (const name of ["mailbox.sqlite", "mailbox.sqlite-wal"]) {
    const text = (await Deno.readFile(`${post.path}/mailbox/${name}`)).toHex();
    assert.ok(
      !text.includes(Uint8Array.fromBase64(token.trim().slice(7), { alphabet: "base64url" }).subarray(90, 122).toHex()),
    );
  }
  assert.ok(!node.child.errors.includes("alkmsg"));
});

Deno.test("alknet msg: a database put back from a copy is told once, and the conversation goes on (row 20)", async () => {
  await using post = await mailboxHome();
  await using node = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${node.port}`;
  await using ann = await personHome(address);
  await using bob = await personHome(address);
  await well(ann, ["contact", "add", "bob", await well(bob, ["id"])]);
  await well(bob, ["contact", "add", "ann", await well(ann, ["id"])]);
  await well(ann, ["send", "bob", "one"]);
  assert.match(await well(bob, ["read", "--unread"]), / one$/);
  await well(bob, ["send", "ann", "two"]);
  await Deno.copyFile(`${bob.path}/msg.sqlite`, `${bob.path}/copy`);
  await well(bob, ["send", "ann", "three"]);
  await Deno.rename(`${bob.path}/copy`, `${bob.path}/msg.sqlite`);
  const told = await bob.run("msg", "sync");
  assert.equal(told.code, 0);
  assert.match(told.stderr, /msg\.sqlite was put back from a copy/);
  assert.match(told.stderr, /a new session begins with 1/);
  const texts = (lines: string): string[] => lines.split("\n").map((line) => line.split("  ").at(-1)!);
  assert.deepEqual(texts(await well(ann, ["read", "--unread"])), ["two", "three"]);
  await well(ann, ["send", "bob", "four"]);
  const read = await bob.run("msg", "read", "--unread");
  assert.deepEqual([read.code, read.stderr, texts(read.stdout.trim())], [0, "", ["four"]]);
});

Deno.test("alknet msg: without a vault it says how to make one; a limit that there is not is no configuration (row 65)", async () => {
  await using folder = await temporaryFolder();
  const { code, stderr } = await runAlknet(["msg", "id", "--home", folder.join("none")]);
  assert.equal(code, 1);
  assert.match(stderr, /messages need a vault.*alknet vault new/);
  await using post = await mailboxHome({ limits: { queue_itms: 1 } });
  const served = await post.run("serve", "--listen", "127.0.0.1:0");
  assert.equal(served.code, 1);
  assert.match(served.stderr, /handlers\.mailbox\.limits: there is no limit queueItms/);
});

/**
 * A mailbox node, asked by its operators, and by those who guess (msg.md §6, §7; rows 29, 37, 60).
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemBytes } from "@alknet/core/crypto";
import { connect } from "@alknet/core/dial";
import { NodeKey } from "@alknet/core/identity";
import { mailboxClient } from "@alknet/handlers/msg";
import { start } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { envelope, newQueue } from "../../handlers/msg/mailbox/serving.ts";
import { initHome, type ServingNode, type TestHome } from "../home.ts";

const stop = { signal: new AbortController().signal };
const b64 = (bytes: Uint8Array): string => bytes.toBase64({ alphabet: "base64url", omitPadding: true });

async function mailboxNode(handlers: Record<string, unknown>): Promise<{ home: TestHome; node: ServingNode }> {
  const home = await initHome();
  await home.writeConfig({ ...await home.config(), handlers: { ...handlers, mailbox: { open: true } } });
  return { home, node: await home.serve() };
}

/** Asks it as nobody, by a key that is made for each connection. */
function clientOf({ home, node }: { home: TestHome; node: ServingNode }) {
  const address = `${home.nodeId}@127.0.0.1:${node.port}`;
  return mailboxClient({
    dial: (_, alpn, { signal }) => connect(address, alpn, { transport: "tls", key: NodeKey.generate(), signal }),
  });
}

Deno.test({
  name:
    "mailbox/watch by SSE: counts alone, to whoever has the capability; mailbox/status: to whoever has the scope (row 37)",
  ...needs("curl"),
  async fn() {
    const there = await mailboxNode({ call: {}, http: {} });
    await using home = there.home;
    await using node = there.node;
    const address = `${home.nodeId}@127.0.0.1:${node.port}`;
    const queue = newQueue();
    await using client = clientOf(there);
    await client.create(address, queue, stop);
    const subscribe = (rid: Uint8Array, rcap: Uint8Array) => {
      const body = { operation: "mailbox/watch", input: { rid: b64(rid), rcap: b64(rcap) } };
      const post = ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
      return start("curl", ["-ksSN", "-w", "\n%{http_code}\n", ...post, `https://127.0.0.1:${node.port}/subscribe`]);
    };
    const said: string[] = [];
    await using watching = subscribe(queue.rid, queue.read.cap);
    const next = async () => said.push(await watching.line(/^data: /));
    await next();
    await client.send(queue.write, envelope(1), stop);
    await next();
    // What changes within a second is one number.
    await Promise.all([2, 3, 4].map((n) => client.send(queue.write, envelope(n), stop)));
    for (let waiting = said.at(-1); !waiting!.includes("4"); waiting = said.at(-1)) await next();
    for await (const { ack } of client.receive([queue.read], stop)) await ack();
    for (let waiting = said.at(-1); !waiting!.includes("0"); waiting = said.at(-1)) await next();
    assert.deepEqual(said.slice(0, 2), ['data: {"waiting":0}', 'data: {"waiting":1}']);
    for (const line of said) assert.match(line, /^data: \{"waiting":[0-4]\}$/);
    // The queue gone, it ends.
    await client.drop(queue.read, stop);
    await watching.line(/^200$/);
    for (const [rid, rcap] of [[queue.rid, queue.read.cap], [systemBytes(24), systemBytes(32)]]) {
      await using refused = subscribe(rid, rcap);
      await refused.line(/^event: error$/);
      assert.match(await refused.line(/^data: /), /^data: \{"code":"NO_QUEUE"/);
    }
    const denied = await home.run("call", address, "mailbox/status");
    assert.notEqual(denied.code, 0);
    const token = (await home.run("token", "create", "--scope", "mailbox:admin")).stdout.trim();
    await node.child.line(/"event":"reloaded"/);
    const { code, stdout, stderr } = await home.run("call", address, "mailbox/status", "--token", token);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { queues: 0, items: 0, bytes: 0, refused: 0 });
  },
});

Deno.test("wrong capabilities in a flood: each refused alike, the address is refused in the end; a line a connection, which fail2ban counts (row 60)", async () => {
  const there = await mailboxNode({});
  await using _ = there.home;
  await using node = there.node;
  const queue = newQueue();
  {
    await using client = clientOf(there);
    await client.create("m", queue, stop);
    await client.send(queue.write, envelope(1), stop);
  }
  const codes: string[] = [];
  const isRefused = (): boolean => codes.length > 0 && codes.at(-1) !== "MAILBOX_NO_QUEUE";
  while (!isRefused() && codes.length < 100) {
    await using guesser = clientOf(there);
    for (const cap of [systemBytes(32), systemBytes(32)]) {
      await guesser.send({ ...queue.write, cap }, envelope(2), stop).catch((error) => codes.push(error.code));
    }
  }
  assert.equal(codes[0], "MAILBOX_NO_QUEUE");
  assert.ok(isRefused(), codes.join());
  await node.child.errorLine("refused src=127.0.0.1 reason=authentication-failures");
  const lines = node.child.errors;
  // The filter of fail2ban counts these.
  const counted = lines.split("\n").filter((line) =>
    line.includes("authentication failed src=127.0.0.1 reason=bad-capability")
  );
  assert.ok(counted.length > 0 && counted.length <= codes.length / 2 + 1, `${counted.length} of ${codes.length}`);
  // Nothing of it tells queues, capabilities or who asked.
  for (const secret of [queue.rid, queue.sid, queue.write.cap, queue.read.cap]) {
    assert.ok(!lines.includes(b64(secret)) && !lines.includes(secret.toHex()));
  }
});

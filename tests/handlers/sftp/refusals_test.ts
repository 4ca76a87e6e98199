/**
 * Who is not served, and what the log says of it: one line, with address, key and reason, and no path.
 *
 * @module
 */
import { memoryPair } from "@alknet/core/handler";
import { sftp } from "@alknet/handlers/sftp";
import assert from "node:assert/strict";
import { OpenFlag, PacketType } from "../../../handlers/sftp/codec/numbers.ts";
import type { FieldWriter } from "../../../handlers/sftp/codec/fields.ts";
import { keepLogs } from "../../support/logs.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { contextOf } from "../context.ts";
import { sshNode } from "../ssh/node.ts";
import { said, TestSftpClient } from "./client.ts";

const refusals = (lines: readonly string[]): string[] => lines.filter((line) => line.includes("not allowed src="));

Deno.test({
  name: "alknet/ssh: the subsystem sftp without a folder in the policy, and a subsystem that is none, are refused",
  ...needs("ssh", "ssh-keygen"),
  async fn() {
    for (const [subsystem, what] of [["sftp", "sftp"], ["netconf", "subsystem"]]) {
      await using logs = await keepLogs();
      await using node = await sshNode({ policy: { shell: true, exec: true } });
      const { code, stdout } = await node.ssh(["-s"], [subsystem]);
      assert.deepEqual([code, stdout], [255, ""]);
      const [line, ...more] = refusals(logs.lines);
      assert.deepEqual(more, []);
      assert.match(line, new RegExp(`127\\.0\\.0\\.1.*"what":"${what}","key":"SHA256:`));
    }
  },
});

Deno.test({
  name: "alknet/ssh: a policy with sftp alone gives no shell and no command; a session of sftp ends with status 0",
  ...needs("linux", "ssh", "ssh-keygen"),
  async fn() {
    await using folder = await temporaryFolder();
    await using node = await sshNode({ policy: { sftp: { root: folder.path } } });
    for (const command of [["true"], []]) assert.equal((await node.ssh([], command)).code, 255);
    const init = Uint8Array.of(0, 0, 0, 5, 1, 0, 0, 0, 3);
    const { code, stdout } = await node.ssh(["-s"], ["sftp"], init);
    assert.equal(code, 0);
    assert.match(stdout, /posix-rename@openssh\.com/);
  },
});

Deno.test({
  name: "alknet/ssh: what is no SFTP ends the subsystem with a line in the log, and the connection's others go on",
  ...needs("linux", "ssh", "ssh-keygen"),
  async fn() {
    await using logs = await keepLogs();
    await using folder = await temporaryFolder();
    await using node = await sshNode({ policy: { exec: true, sftp: { root: folder.path } } });
    await using other = node.start([], ["cat"]);
    const { stdout } = await node.ssh(["-s"], ["sftp"], "GET / HTTP/1.1\r\n\r\n");
    assert.equal(stdout, "");
    const [line] = refusals(logs.lines);
    assert.match(line, /"what":"sftp","key":"SHA256:.*"reason":"malformed"/);
    await other.write("still here\n");
    await other.line("still here");
  },
});

Deno.test({
  name: "alknet/sftp: who is not known, or has no policy, is refused with one line",
  async fn() {
    for (const identity of [undefined, { id: "other", scopes: ["admin"], resources: {} }]) {
      await using logs = await keepLogs();
      const handler = sftp({ policies: { me: { root: "/" } } });
      const [near, far] = memoryPair("alknet/sftp", { client: { fingerprint: "ed25519:aa" } });
      if (identity) far.identity = identity;
      await handler.handle(far, contextOf(new AbortController().signal));
      near.close();
      far.close();
      const [line, ...more] = refusals(logs.lines);
      assert.deepEqual(more, []);
      assert.match(line, /127\.0\.0\.1.*"what":"sftp","key":"ed25519:aa","reason":"policy"/);
    }
  },
});

Deno.test({
  name: "alknet/sftp: a way out is one line however often it is tried, with the reason and without the path",
  ...needs("linux"),
  async fn() {
    await using logs = await keepLogs();
    await using folder = await temporaryFolder();
    const handler = sftp({ policies: { me: { root: folder.path } } });
    const [near, far] = memoryPair("alknet/sftp", { client: { fingerprint: "ed25519:aa" } });
    far.identity = { id: "me", scopes: [], resources: {} };
    const handled = Promise.resolve(handler.handle(far, contextOf(new AbortController().signal)));
    {
      await using client = new TestSftpClient(near, await near.open(), handled, true);
      await client.begin();
      for (let time = 0; time < 3; time++) {
        const answer = await client.must(
          PacketType.OPEN,
          (fields: FieldWriter) => fields.name("../secret name").uint32(OpenFlag.READ).uint32(0),
        );
        assert.match(said(answer), /^PERMISSION_DENIED/);
      }
    }
    const [line, ...more] = refusals(logs.lines);
    assert.deepEqual(more, []);
    assert.match(line, /"key":"ed25519:aa","reason":"leads out of the folder"/);
    assert.ok(!logs.lines.join().includes("secret name"));
  },
});

Deno.test({
  name: "alknet/sftp: a folder that is not there is the operator's line, and the client's end",
  ...needs("linux"),
  async fn() {
    await using logs = await keepLogs();
    await using folder = await temporaryFolder();
    const handler = sftp({ policies: { me: { root: folder.join("none") } } });
    const [near, far] = memoryPair("alknet/sftp");
    far.identity = { id: "me", scopes: [], resources: {} };
    const handled = Promise.resolve(handler.handle(far, contextOf(new AbortController().signal)));
    await using client = new TestSftpClient(near, await near.open(), handled, true);
    assert.equal(await client.says(PacketType.STAT, (fields: FieldWriter) => fields.name("/")), "END");
    await handled;
    assert.equal(refusals(logs.lines).length, 1);
    assert.ok(logs.lines.some((line) => line.includes("sftp is not served")));
  },
});

Deno.test({
  name: "alknet/sftp: a drain ends who has nothing open, and who has opened no stream",
  ...needs("linux"),
  async fn() {
    await using folder = await temporaryFolder();
    const handler = sftp({ policies: { me: { root: folder.path } } });
    for (const opens of [true, false]) {
      const drain = new AbortController();
      const [near, far] = memoryPair("alknet/sftp");
      far.identity = { id: "me", scopes: [], resources: {} };
      const handled = Promise.resolve(handler.handle(far, contextOf(drain.signal)));
      if (opens) {
        await using client = new TestSftpClient(near, await near.open(), handled, true);
        await client.begin();
        assert.equal(await client.says(PacketType.STAT, (fields: FieldWriter) => fields.name("/")), "ATTRS");
        drain.abort();
        await handled;
      } else {
        drain.abort();
        await handled;
      }
      near.close();
    }
  },
});

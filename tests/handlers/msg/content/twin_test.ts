/**
 * What contents hold that is signed, against a second implementation in Python, made from the specification's text alone
 * (msg.md §3.2; row 23).
 *
 * @module
 */
import assert from "node:assert/strict";
import { messageKeys } from "../../../../handlers/msg/agreement/keys.ts";
import { b64 } from "../../../../handlers/msg/content/bytes.ts";
import { devicesJson, readDevices, signDevices } from "../../../../handlers/msg/content/devices.ts";
import { digestOf, membersJson, readMembers, signMembers } from "../../../../handlers/msg/content/members.ts";
import { needs } from "../../../support/programs.ts";
import { startPeer } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";

const random = seeded("lists");

Deno.test({
  name: "twin: lists of devices and of members, and what members compare, are the same bytes; altered ones are none",
  ...needs("python"),
  async fn() {
    await using twin = startPeer("msg_reference.py");
    for (let round = 0; round < 50; round++) {
      const [ed, ik] = [random.bytes(32), random.bytes(32)];
      using keys = messageKeys({ ed, ik, store: random.bytes(32) });
      await twin.ask({ do: "person", ed: ed.toHex(), ik: ik.toHex() });
      const others = Array.from({ length: random.below(4) }, () => ({ ed: random.bytes(32), ik: random.bytes(32) }));
      const devices = signDevices(keys, [{ ed: keys.ed, ik: keys.ik }, ...others]);
      const [eds, iks] = [devices.list.map(({ ed }) => ed.toHex()), devices.list.map(({ ik }) => ik.toHex())];
      const theirs = await twin.ask<{ signature: string }>({ do: "devices", eds, iks });
      assert.equal(theirs.signature, devices.signature.toHex());
      const json = devicesJson(devices);
      assert.deepEqual(readDevices(json)?.list.map(({ ed }) => ed.toHex()), eds);
      assert.equal(
        readDevices({ ...json, list: (json.list as unknown[]).toReversed().concat(json.list as unknown[]) }),
        undefined,
      );
      assert.equal(readDevices({ ...json, signature: b64(random.bytes(64)) }), undefined);
      const list = [keys.ed, ...Array.from({ length: random.below(32) }, () => random.bytes(32))];
      const [id, version] = [random.bytes(16), 1 + random.below(2 ** 31)];
      const members = signMembers(keys, { id, version, list });
      const group = await twin.ask<{ signature: string; digest: string }>({
        do: "group",
        id: id.toHex(),
        version,
        eds: list.map((ed) => ed.toHex()),
      });
      assert.deepEqual([members.signature.toHex(), digestOf(members).toHex()], [group.signature, group.digest]);
      assert.equal(readMembers(id, membersJson(members))?.version, version);
      assert.equal(readMembers(id, membersJson({ ...members, version: version + 1 })), undefined);
      assert.equal(readMembers(random.bytes(16), membersJson(members)), undefined);
    }
  },
});

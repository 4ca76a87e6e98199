/**
 * What comes out of an envelope, whoever sealed it (msg.md §3.2; row 25).
 *
 * @module
 */
import assert from "node:assert/strict";
import { NodeKey } from "@alknet/core/identity";
import { messageKeys } from "../../../../handlers/msg/agreement/keys.ts";
import { b64 } from "../../../../handlers/msg/content/bytes.ts";
import {
  type Content,
  formatContent,
  readContent,
  type TextContent,
} from "../../../../handlers/msg/content/content.ts";
import { signDevices } from "../../../../handlers/msg/content/devices.ts";
import { digestOf, signMembers } from "../../../../handlers/msg/content/members.ts";
import { seeded } from "../../../support/random.ts";

const ID = b64(new Uint8Array(16).fill(7));
const MAILBOX = `${NodeKey.generate().id}@mail.example:4433`;
const ALSO = { mailbox: MAILBOX, sid: new Uint8Array(24).fill(1), t: new Uint8Array(32).fill(2) };
const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const receipt = { v: 1, id: ID, at: 5, type: "receipt", of: [ID], state: "read" };
const file = {
  v: 1,
  id: ID,
  at: 5,
  type: "file",
  name: "a",
  size: 3,
  mime: "text/plain",
  data: b64(new Uint8Array(3)),
};
const text = { v: 1, id: ID, at: 5, type: "text", text: "hi" };

Deno.test("content: a text, with and without what it answers and where it is answered, there and back", () => {
  const cases: (Content & TextContent)[] = [
    { type: "text", id: ID, at: 0, text: "" },
    { type: "text", id: ID, at: 8.64e15, text: "ü\n\u0000👋", reply: b64(new Uint8Array(16)) },
    { type: "text", id: ID, at: 1, text: "x", also: ALSO },
  ];
  for (const one of cases) {
    assert.deepEqual(JSON.parse(JSON.stringify(readContent(formatContent(one)))), JSON.parse(JSON.stringify(one)));
  }
  assert.deepEqual(readContent(formatContent(cases[2])).also, ALSO);
});

Deno.test("content: a receipt and a file, there and back, without what is not known", () => {
  for (const one of [receipt, file]) {
    const { v: _, ...read } = one;
    const whole = readContent(bytes({ ...one, more: 1, constructor: 2 }));
    assert.deepEqual(JSON.parse(new TextDecoder().decode(formatContent(whole))), one);
    assert.deepEqual(Object.keys(whole).sort(), ["also", ...Object.keys(read)].sort());
  }
});

Deno.test("content: every cut, other versions, kinds, ids and times are BAD_CONTENT", () => {
  const whole = formatContent({ type: "text", id: ID, at: 1, text: "hello", also: ALSO });
  for (let length = 0; length < whole.byteLength; length++) {
    assert.throws(() => readContent(whole.subarray(0, length)), { code: "BAD_CONTENT" });
  }
  const wrong: unknown[] = [
    { ...text, v: 2 },
    { ...text, v: "1" },
    { ...text, id: "AAAA" },
    { ...text, id: 7 },
    { ...text, at: -1 },
    { ...text, at: "5" },
    { ...text, at: 9e15 },
    { ...text, at: null },
    { ...text, type: 1 },
    { ...text, text: ["hi"] },
    { ...receipt, of: "x" },
    { ...receipt, of: [ID, "AAAA"] },
    { ...receipt, of: [7] },
    { ...receipt, of: Array(65).fill(ID) },
    { ...receipt, state: "stored" },
    { ...file, size: 2 },
    { ...file, size: "3" },
    { ...file, data: "!" },
    { ...file, data: undefined },
    { ...file, name: "" },
    { ...file, name: "x".repeat(256) },
    { ...file, mime: 1 },
    { v: 1, id: ID, at: 5, type: "queue", mailbox: "mail.example:4433", sid: b64(ALSO.sid), t: b64(ALSO.t) },
    "[1]",
    '"{}"',
    "\u0001{}",
    " {}",
    '{"v":1',
    "{}\u0000",
    "{".repeat(16_000),
  ];
  for (const one of wrong) assert.throws(() => readContent(bytes(one)), { code: "BAD_CONTENT" }, JSON.stringify(one));
  assert.throws(() => readContent(Uint8Array.of(0x7b, 0xff, 0x7d)), { code: "BAD_CONTENT" });
});

Deno.test("content: a profile, what went to another and what goes to a group, in each other as far as they may be (row 25)", () => {
  const secrets = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
  using keys = messageKeys({ ed: secrets[0], ik: secrets[1], store: secrets[2] });
  const id = new Uint8Array(16).fill(9);
  const members = signMembers(keys, { id, version: 3, list: [new Uint8Array(32).fill(5), keys.ed] });
  const devices = signDevices(keys, [{ ed: keys.ed, ik: keys.ik }]);
  const head = { id: ID, at: 5, also: ALSO };
  const hi: Content = { ...head, type: "text", text: "hi" };
  const profile: Content = { ...head, type: "profile", name: "ann", devices };
  const group = (body: Content): Content => ({
    ...{ type: "group", id: b64(id), at: 5, members, digest: digestOf(members), body },
  });
  const sync = (body: Content): Content => ({ ...head, type: "sync", to: keys.ed, body });
  const json = (content: Content): string => new TextDecoder().decode(formatContent(content));
  for (const one of [profile, sync(hi), sync(profile), group(hi), group(profile), sync(group(hi))]) {
    assert.equal(json(readContent(formatContent(one))), json(one));
  }
  for (const one of [sync(sync(hi)), group(group(hi)), group(sync(hi)), sync(group(sync(hi))), sync(sync(sync(hi)))]) {
    assert.throws(() => readContent(formatContent(one)), { code: "BAD_CONTENT" });
  }
  const whole = JSON.parse(json(profile));
  const groupWhole = JSON.parse(json(group(hi)));
  const listed = whole.devices.list[0];
  const wrong: unknown[] = [
    { ...whole, name: "x".repeat(65) },
    { ...whole, name: undefined },
    { ...whole, devices: null },
    { ...whole, devices: { ...whole.devices, list: [] } },
    { ...whole, devices: { ...whole.devices, list: [listed, listed] } },
    { ...whole, devices: { ...whole.devices, list: Array(5).fill(listed) } },
    { ...whole, devices: { ...whole.devices, list: [null] } },
    { ...whole, devices: { ...whole.devices, signature: "AA" } },
    { ...groupWhole, digest: "AA" },
    { ...groupWhole, body: [groupWhole.body] },
    { ...groupWhole, body: null },
    { ...groupWhole, body: { ...groupWhole.body, id: "AA" } },
    { ...groupWhole, members: { ...groupWhole.members, version: 0 } },
    { ...groupWhole, members: { ...groupWhole.members, version: 1.5 } },
    { ...groupWhole, members: { ...groupWhole.members, list: {} } },
    { ...JSON.parse(json(sync(hi))), to: "AA" },
  ];
  for (const one of wrong) assert.throws(() => readContent(bytes(one)), { code: "BAD_CONTENT" }, JSON.stringify(one));
  const random = seeded("msg lists");
  const texts = [json(profile), json(sync(group(hi)))];
  for (let i = 0; i < 500; i++) {
    // Of what is signed no other bit opens; all else is read or refused, and nothing else happens.
    const altered = bytes(texts[i % 2]).map((byte) => random.chance(0.003) ? random.below(256) : byte);
    try {
      assert.equal(readContent(altered).id.length, 22);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "BAD_CONTENT");
    }
  }
});

Deno.test("content: unknown members and types are passed over; names such as __proto__ are members and nothing else", () => {
  const hostile =
    `{"v":1,"id":"${ID}","at":5,"type":"text","text":"hi","__proto__":{"type":"queue","also":1},"constructor":7}`;
  assert.deepEqual({ ...readContent(bytes(hostile)) }, { type: "text", id: ID, at: 5, text: "hi", also: undefined });
  assert.equal(({} as Record<string, unknown>).also, undefined);
  // What only a prototype says is not said.
  assert.throws(() => readContent(bytes(`{"__proto__":${JSON.stringify(text)}}`)), { code: "BAD_CONTENT" });
  assert.equal(readContent(bytes({ ...text, type: "dance" })).type, "unknown");
  assert.equal(readContent(bytes({ ...text, also: { ...ALSO, sid: "no" } })).also, undefined);
  assert.equal((readContent(bytes({ ...text, reply: "no" })) as TextContent).reply, undefined);
  const deep = `{"v":1,"id":"${ID}","at":5,"type":"text","text":"hi","x":${"[".repeat(5000)}${"]".repeat(5000)}}`;
  assert.equal(readContent(bytes(deep)).type, "text");
  const random = seeded("msg content");
  for (let i = 0; i < 5000; i++) {
    const altered = bytes(text).map((byte) => random.chance(0.05) ? random.below(256) : byte);
    try {
      const { id, at } = readContent(altered);
      assert.ok(id.length === 22 && at >= 0);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "BAD_CONTENT");
    }
  }
});

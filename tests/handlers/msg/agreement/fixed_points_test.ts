/**
 * Every byte that the agreement makes, as the specification has it (msg.md §5.1; rows 1, 3, 12, 61).
 *
 * @module
 */
import assert from "node:assert/strict";
import { ascii, ed25519Public, joined, x25519Public } from "../../../../core/crypto/mod.ts";
import { answer } from "../../../../handlers/msg/agreement/agreement.ts";
import { readBundleAnswer } from "../../../../handlers/msg/agreement/bundle.ts";
import { readFirst } from "../../../../handlers/msg/agreement/envelope.ts";
import { identityBlock, readIdentity, safetyNumber } from "../../../../handlers/msg/agreement/identity.ts";
import { u32 } from "../../../../handlers/msg/agreement/labels.ts";
import { open, seal } from "../../../../handlers/msg/agreement/ratchet.ts";
import { Session } from "../../../../handlers/msg/agreement/state.ts";
import { formatToken, parseToken } from "../../../../handlers/msg/agreement/token.ts";
import { SealedColumn } from "../../../../handlers/msg/store/sealed_column.ts";
import * as pair from "./pair.ts";

const { alice, bob, DAY, drawing, none, OTHER, point, QUEUE, times } = pair;

Deno.test("bundle: B's, and what its mailbox answers for two queues (row 1)", () => {
  const opk = joined(Uint8Array.of(1), u32(9), x25519Public(times(0xb3)));
  const bundle = pair.bundleOf(QUEUE);
  assert.equal(bundle.byteLength, 234);
  assert.equal(point(joined(bundle, opk)), "3a839cc8fb38b323a65e1a1174280418");
  assert.equal(point(pair.answerOf(QUEUE)), "eec814952502ba1d8d06e0a5014928a3");
  assert.equal(point(pair.answerOf(OTHER)), "de90c54dff63705169982c96fc6018dd");
  const hybrid = pair.bundleOf(QUEUE, 2);
  assert.equal(hybrid.byteLength, 1418);
  assert.equal(point(hybrid), "535817dc0d6ab06e5f7b66c4bd8ba266");
  assert.equal(point(pair.answerOf(QUEUE, false, 2)), "428b7a36f95413e5f5daa6769039f296");
  const { ed, ik, spk } = readBundleAnswer(pair.answerOf(QUEUE), { ...QUEUE, ed: bob.ed }, DAY);
  assert.deepEqual([ed, ik, spk], [bob.ed, bob.ik, { id: 7, key: x25519Public(times(0xb2)) }]);
});

Deno.test("token and safety number: the specification's (row 1)", () => {
  const token = {
    once: false,
    ed: bob.ed,
    mailboxKey: ed25519Public(times(0xc0)),
    sid: QUEUE.sid,
    t: QUEUE.t,
    address: "mail.example:4433",
    name: "bob",
  };
  const text = formatToken(token);
  assert.equal(text.length, 205);
  assert.equal(point(ascii(text)), "315a63f3de78caf685d5ae2e2865a7c9");
  assert.deepEqual(parseToken(text), token);
  const number = "99206 90693 32839 35941 31936 85092 52260 08117 60648 73449 63077 11879";
  assert.equal(safetyNumber(alice, bob), number);
  assert.equal(safetyNumber(bob, alice), number);
  assert.deepEqual(readIdentity(identityBlock(alice)), { ed: alice.ed, ik: alice.ik });
});

Deno.test("first message: with opk, without, in both suites, to the other queue, which has its own keys of the same ids (rows 3, 61)", () => {
  const cases = [
    [QUEUE, true, 1, "78848f99865004e790bc02c965b1731b", "ae194497"],
    [QUEUE, false, 1, "eed04ece9ece52aa68ff9918dc8b9b68", "e9a423f4"],
    [QUEUE, true, 2, "db31c94821b25bb9da81a581e0c2c428", "b37a5ada"],
    [OTHER, true, 1, "568a6042cfc4116dcaa2538543a87f4c", "c4697ebe"],
  ] as const;
  for (const [queue, withOpk, suite, expected, sk] of cases) {
    const { envelope } = pair.firstOf(queue, withOpk, suite);
    assert.equal(envelope.byteLength, 2048);
    assert.equal(point(envelope), expected);
    const { content, from } = pair.taken(envelope, queue);
    assert.deepEqual(content, ascii('{"t":"text"}'));
    assert.deepEqual(from, { ed: alice.ed, ik: alice.ik });
    // B's root key, before anything was opened, is SK.
    const first = readFirst(envelope)!;
    const pq = suite === 2 ? pair.PQ : undefined;
    const { session } = answer(bob, { spk: queue.spk, opk: withOpk ? queue.opk : undefined, pq }, first);
    assert.equal(session.toBytes().subarray(78, 82).toHex(), sk);
    // Keys of the other queue, though their ids are the same, do not open it.
    assert.throws(() => pair.taken(envelope, queue === QUEUE ? OTHER : QUEUE), { code: "UNREADABLE" });
  }
  assert.throws(() => readBundleAnswer(pair.answerOf(QUEUE), { ...QUEUE, sid: OTHER.sid, ed: bob.ed }, DAY), {
    code: "BAD_BUNDLE",
  });
  assert.throws(() => readBundleAnswer(pair.answerOf(QUEUE), { ...QUEUE, t: OTHER.t, ed: bob.ed }, DAY), {
    code: "BAD_BUNDLE",
  });
});

Deno.test("ratchet: A's state, B's answer and state, and A's state as it lies in the store (row 12)", () => {
  const first = pair.firstOf();
  const state = first.session.toBytes();
  assert.equal(state.byteLength, 522);
  assert.equal(point(state), "8407f461c52bfe9edc58dcc095a691f9");
  const b = pair.taken(first.envelope, QUEUE, drawing(times(0xb5)));
  const answer = seal(b.session, ascii("hello"), { size: 1024, random: drawing(times(0xb6, 12)) });
  assert.equal(
    answer.envelope.subarray(0, 69).toHex(),
    "02b6b6b6b6b6b6b6b6b6b6b6b623119255723c4c8960ad4910db40e5976afbf90ab833ee35751151b41410b888c482d783f68fbf9e34" +
      "c64297d649c2bc629cca4eb91372e4",
  );
  assert.equal(answer.envelope.subarray(-16).toHex(), "925f497bb1520136300650badeee9a40");
  assert.equal(point(answer.envelope), "29eb7ea45baae4a892b12597658f3482");
  assert.equal(answer.session.toBytes().byteLength, 336);
  assert.equal(point(answer.session.toBytes()), "2e0fa8a46dd10986451b9d3acd7c9f3f");
  const read = open(first.session, answer.envelope, { skipped: none, random: drawing(times(1)) });
  assert.deepEqual(read.content, ascii("hello"));
  assert.ok(!read.session.isUnanswered);
  const again = Session.fromBytes(first.session.id, first.session.peer, state);
  assert.deepEqual(again.toBytes(), state);
  using column = new SealedColumn(times(0xe0), times(0xe1), drawing(times(0xe3, 12)));
  const sealed = column.seal("session", [times(0xe2, 16)], state);
  assert.equal(point(sealed), "b8d497e6df61c9c9291fc691cf6c2cd0");
  assert.deepEqual(column.open("session", [times(0xe2, 16)], sealed), state);
  for (const [table, id] of [["session", 0xe1], ["contact", 0xe2]] as const) {
    assert.throws(() => column.open(table, [times(id, 16)], sealed), { code: "MESSAGE_STORE" });
  }
});

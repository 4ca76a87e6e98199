/**
 * What the agreement refuses, and what a conversation survives (msg.md rows 2, 5, 6, 12, 15, 21, 59).
 *
 * @module
 */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { ascii, joined, systemBytes, x25519Public } from "../../../../core/crypto/mod.ts";
import { answer, begin } from "../../../../handlers/msg/agreement/agreement.ts";
import { makeBundle, readBundle, readBundleAnswer } from "../../../../handlers/msg/agreement/bundle.ts";
import { readFirst } from "../../../../handlers/msg/agreement/envelope.ts";
import { signFor } from "../../../../handlers/msg/agreement/identity.ts";
import { messageKeys } from "../../../../handlers/msg/agreement/keys.ts";
import { SIZES, smallestSize } from "../../../../handlers/msg/agreement/padding.ts";
import { open, seal, sizeFor } from "../../../../handlers/msg/agreement/ratchet.ts";
import { Session } from "../../../../handlers/msg/agreement/state.ts";
import { formatToken, parseToken } from "../../../../handlers/msg/agreement/token.ts";
import * as pair from "./pair.ts";

const { bob, DAY, none, QUEUE, Skipped, times } = pair;
const random = systemBytes;
const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.with(bit >> 3, bytes[bit >> 3] ^ 1 << (bit & 7)) as Uint8Array;

Deno.test("bundle: any bit, any cut, another's, an expired one, another suite or version, in both suites (row 2)", () => {
  for (const [suite, sealed, step] of [[1, 262, 3], [2, 1446, 7]] as const) {
    const answer = pair.answerOf(QUEUE, true, suite);
    const of = { ...QUEUE, ed: bob.ed };
    for (let bit = 0; bit < sealed * 8; bit += step) {
      assert.throws(() => readBundleAnswer(flipped(answer, bit), of, DAY), { code: "BAD_BUNDLE" });
    }
    for (let length = 0; length < answer.byteLength; length++) {
      assert.throws(() => readBundleAnswer(answer.subarray(0, length), of, DAY), { code: "BAD_BUNDLE" });
    }
    const bundle = pair.bundleOf(QUEUE, suite);
    for (let bit = 0; bit < bundle.byteLength * 8; bit += suite) {
      assert.throws(() => readBundle(flipped(bundle, bit), bob.ed, DAY), { code: "BAD_BUNDLE" });
    }
    for (let length = 0; length < bundle.byteLength; length += suite) {
      assert.throws(() => readBundle(bundle.subarray(0, length), bob.ed, DAY), { code: "BAD_BUNDLE" });
    }
  }
  const bundle = pair.bundleOf(QUEUE);
  assert.throws(() => readBundle(bundle, pair.alice.ed, DAY), /another key than the token/);
  assert.equal(readBundle(bundle, bob.ed, DAY + 1).spk.id, 7);
  assert.throws(() => readBundle(bundle, bob.ed, DAY + 2), /expired/);
  assert.throws(() => readBundle(bundle.with(1, 3) as Uint8Array, bob.ed, DAY), /suite 3 is not known/);
});

Deno.test("suites: no way down: a bundle cut to suite 1, an old one of suite 1, a first message of less than the keys (row 2)", () => {
  const hybrid = pair.bundleOf(QUEUE, 2);
  // Without its key of ML-KEM, with the signature over all of it, over the wrong bytes, or of another bundle.
  const cut = joined(hybrid.with(1, 1).subarray(0, 170), hybrid.subarray(-64));
  assert.throws(() => readBundle(cut, bob.ed, DAY), { code: "BAD_BUNDLE" });
  const spliced = joined(pair.bundleOf(QUEUE).subarray(0, 170), hybrid.subarray(170));
  assert.throws(() => readBundle(spliced, bob.ed, DAY), { code: "BAD_BUNDLE" });
  const of = { ...QUEUE, ed: bob.ed };
  assert.equal(readBundleAnswer(pair.answerOf(QUEUE, true, 2), { ...of, least: 2 }, DAY).suite, 2);
  assert.equal(readBundleAnswer(pair.answerOf(QUEUE, true, 2), { ...of, least: 1 }, DAY).suite, 2);
  assert.throws(() => readBundleAnswer(pair.answerOf(QUEUE), { ...of, least: 2 }, DAY), /stronger ones before/);
  for (const [suite, pq] of [[1, pair.PQ], [2, undefined]] as const) {
    const first = readFirst(pair.firstOf(QUEUE, true, suite).envelope)!;
    assert.throws(() => answer(bob, { spk: QUEUE.spk, opk: QUEUE.opk, pq }, first), { code: "UNREADABLE" });
  }
});

Deno.test("token: any character, any cut, anything behind; other versions and flags (row 1)", () => {
  const parts = {
    once: true,
    ed: bob.ed,
    mailboxKey: times(1),
    sid: QUEUE.sid,
    t: QUEUE.t,
    address: "[::1]:1",
    name: "bób",
  };
  const text = formatToken(parts);
  assert.deepEqual(parseToken(text), parts);
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === "A" ? "B" : "A";
    assert.throws(() => parseToken(text.slice(0, at) + other + text.slice(at + 1)), { code: "BAD_TOKEN" }, `${at}`);
    assert.throws(() => parseToken(text.slice(0, at)), { code: "BAD_TOKEN" });
  }
  for (const more of ["A", "=", " ", "\n", "AAAA"]) assert.throws(() => parseToken(text + more), { code: "BAD_TOKEN" });
  assert.throws(() => parseToken(`alkmsg:${"A".repeat(5000)}`), { code: "BAD_TOKEN" });
  assert.throws(() => formatToken({ ...parts, name: "x".repeat(65) }), RangeError);
});

Deno.test("first message: any bit of bytes 0 to Q, in both suites, opens nothing (row 5)", () => {
  for (const [suite, end, step] of [[1, 186, 1], [2, 1274, 13]] as const) {
    const { envelope } = pair.firstOf(QUEUE, true, suite);
    assert.deepEqual(pair.taken(envelope).content, ascii('{"t":"text"}'));
    for (let bit = 0; bit < end * 8; bit += step) {
      const altered = flipped(envelope, bit);
      // Which signed key it is for decides the queue's keys: a wrong id has none, and is refused before anything opens.
      assert.throws(
        () => {
          const first = readFirst(altered);
          if (!first) throw Object.assign(new Error(), { code: "UNREADABLE" });
          if (first.opkId !== 9 && first.opkId !== 0) throw Object.assign(new Error(), { code: "UNREADABLE" });
          const pq = suite === 2 ? pair.PQ : undefined;
          const { session } = answer(bob, { spk: QUEUE.spk, pq, opk: first.opkId ? QUEUE.opk : undefined }, first);
          open(session, altered, { skipped: none, random });
        },
        { code: "UNREADABLE" },
        `suite ${suite}, bit ${bit}`,
      );
    }
  }
});

Deno.test("low order: of ek, spk, opk, ik and ratchet keys nothing is agreed on; a ciphertext altered opens nothing (row 6)", () => {
  // RFC 7748 §6.1, and what https://cr.yp.to/ecdh.html#validate names.
  const points = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ].map((hex) => Uint8Array.fromHex(hex));
  const good = readBundle(pair.bundleOf(QUEUE, 2), bob.ed, DAY);
  for (const point of points) {
    for (const suite of [1, 2] as const) {
      const { envelope } = pair.firstOf(QUEUE, true, suite);
      const low = joined(envelope.subarray(0, 10), point, envelope.subarray(42));
      assert.throws(() => pair.taken(low), { code: "UNREADABLE" });
    }
    for (const bad of [{ spk: { id: 7, key: point } }, { opk: { id: 9, key: point } }, { ik: point }]) {
      assert.throws(() => begin(pair.alice, { ...good, ...bad }, random), { code: "LOW_ORDER" });
    }
  }
  const { envelope } = pair.firstOf(QUEUE, true, 2);
  for (const at of [42, 600, 1129]) {
    const altered = envelope.with(at, envelope[at] ^ 1) as Uint8Array;
    assert.throws(() => pair.taken(altered), { code: "UNREADABLE" });
  }
  // Coefficients that are not reduced are no key of ML-KEM, whoever signed them.
  const pq = new Uint8Array(1184).fill(0xff);
  const body = joined(pair.bundleOf(QUEUE, 2).subarray(0, 170), pq);
  assert.throws(() => readBundle(joined(body, signFor(bob, "prekey", body)), bob.ed, DAY), /ML-KEM is none/);
});

Deno.test("envelope: any bit, any cut, another class, dirty padding: UNREADABLE, and the state stays (row 15)", () => {
  const first = pair.firstOf();
  const b = pair.taken(first.envelope);
  const { envelope } = seal(b.session, ascii("hello"), { size: 1024, random });
  const before = first.session.toBytes();
  const refused = (bytes: Uint8Array) =>
    assert.throws(() => open(first.session, bytes, { skipped: none, random }), { code: "UNREADABLE" });
  for (let bit = 8; bit < envelope.byteLength * 8; bit += 5) refused(flipped(envelope, bit));
  for (let length = 0; length < envelope.byteLength; length++) refused(envelope.subarray(0, length));
  refused(joined(envelope, new Uint8Array(1024)));
  for (const type of [0, 3, 255]) {
    assert.throws(() => readFirst(envelope.with(0, type) as Uint8Array), { code: "UNREADABLE" });
  }
  assert.throws(() => readFirst(first.envelope.with(1, 3) as Uint8Array), { code: "UNREADABLE" });
  assert.deepEqual(first.session.toBytes(), before);
  assert.deepEqual(open(first.session, envelope, { skipped: none, random }).content, ascii("hello"));
});

Deno.test("ratchet: 20 messages in 3 turns with losses; each of the late ones once, a repeat is REPLAYED (row 12)", () => {
  const first = pair.firstOf();
  let [a, b] = [first.session, pair.taken(first.envelope).session];
  const [ofA, ofB] = [new Skipped(), new Skipped()];
  const late: (() => void)[] = [];
  for (let turn = 0, n = 0; turn < 3; turn++) {
    for (let i = 0; i < 7 && n < 20; i++, n++) {
      const fromA = turn % 2 === 1;
      const text = ascii(`message ${n}`);
      const sealed = seal(fromA ? a : b, text, { size: sizeFor(fromA ? a : b, text.byteLength), random });
      if (fromA) a = sealed.session;
      else b = sealed.session;
      const deliver = () => {
        const skipped = fromA ? ofB : ofA;
        const opened = open(fromA ? b : a, sealed.envelope, { skipped, random });
        assert.deepEqual(opened.content, text);
        skipped.change(opened.skipped);
        if (fromA) b = opened.session;
        else a = opened.session;
        const again = () => open(fromA ? b : a, sealed.envelope, { skipped, random });
        assert.throws(again, ({ code }) => code === "REPLAYED" || code === "UNREADABLE");
      };
      if (n % 3 === 1) late.push(deliver);
      else deliver();
    }
  }
  assert.ok(ofA.kept.length > 0 && ofB.kept.length > 0);
  for (const deliver of late.reverse()) deliver();
  assert.deepEqual([ofA.kept.length, ofB.kept.length], [0, 0]);
});

Deno.test("state: every cut, other versions and flags are refused; secrets print as [redacted] and are wiped (row 59)", () => {
  const { session } = pair.firstOf();
  const bytes = session.toBytes();
  for (let length = 0; length < bytes.byteLength; length++) {
    assert.throws(() => Session.fromBytes(session.id, session.peer, bytes.subarray(0, length)), {
      code: "INVALID_SESSION",
    });
  }
  for (const [at, value] of [[0, 2], [1, 32]] as const) {
    const other = bytes.with(at, value) as Uint8Array;
    assert.throws(() => Session.fromBytes(session.id, session.peer, other), { code: "INVALID_SESSION" });
  }
  const keys = messageKeys({ ed: times(1), ik: times(2), store: times(3) });
  for (const secret of [session, keys]) {
    for (const text of [inspect(secret), Deno.inspect(secret), JSON.stringify(secret)]) {
      assert.match(text, /\[redacted\]/);
    }
  }
  session[Symbol.dispose]();
  assert.ok(session.toBytes().subarray(14, 334).every((byte) => byte === 0));
  const { store } = keys;
  keys[Symbol.dispose]();
  assert.ok(store.every((byte) => byte === 0));
});

Deno.test("sizes: the smallest class that has room; more is TOO_LONG (row 21)", () => {
  const { session } = pair.firstOf();
  assert.equal(sizeFor(session, 0), 2048);
  assert.equal(sizeFor(session, 1774), 2048);
  assert.equal(sizeFor(session, 1775), 4096);
  const { session: hybrid } = pair.firstOf(QUEUE, true, 2);
  assert.deepEqual([sizeFor(hybrid, 686), sizeFor(hybrid, 687)], [2048, 4096]);
  const { session: answering } = pair.taken(pair.firstOf().envelope);
  for (const size of SIZES) {
    assert.equal(sizeFor(answering, size - 89), size);
    if (size < 16384) assert.equal(sizeFor(answering, size - 88), size * 2);
  }
  assert.throws(() => sizeFor(answering, 16296), { code: "TOO_LONG" });
  assert.equal(smallestSize(0, 89), 1024);
  assert.equal(makeBundle(bob, { id: 1, spk: times(9) }, DAY).byteLength, 234);
  assert.equal(x25519Public(times(9)).byteLength, 32);
});

/**
 * What a conversation survives, and what keys that were stolen are good for (msg.md rows 13, 14, 16, 17).
 *
 * @module
 */
import assert from "node:assert/strict";
import { ascii, systemBytes } from "../../../../core/crypto/mod.ts";
import {
  open,
  seal,
  sizeFor,
  type SkippedChange,
  type SkippedKeys,
} from "../../../../handlers/msg/agreement/ratchet.ts";
import { Session } from "../../../../handlers/msg/agreement/state.ts";
import { seeded } from "../../../support/random.ts";
import * as pair from "./pair.ts";

const { none, Skipped, times } = pair;
const random = systemBytes;

/** The last 2000 in memory, found at once. */
class KeptKeys implements SkippedKeys {
  readonly #kept = new Map<string, { hk: Uint8Array; mk: Uint8Array }>();

  headerKeys(): Uint8Array[] {
    const newest = new Map<string, Uint8Array>();
    for (const { hk } of [...this.#kept.values()].reverse()) newest.set(hk.toHex(), hk);
    return [...newest.values()];
  }

  find(hk: Uint8Array, n: number): Uint8Array | undefined {
    return this.#kept.get(`${n} ${hk.toHex()}`)?.mk;
  }

  change({ add, used }: SkippedChange): void {
    if (used) this.#kept.delete(`${used.n} ${used.hk.toHex()}`);
    for (const { hk, n, mk } of add) this.#kept.set(`${n} ${hk.toHex()}`, { hk, mk });
    for (const key of this.#kept.keys()) if (this.#kept.size > 2000) this.#kept.delete(key);
  }
}

Deno.test("ratchet: 20 000 steps of conversations with loss, reorder and copies: each once, by a model (row 13, fewer)", () => {
  const chance = seeded("msg conversations");
  let [sent, got] = [0, 0];
  for (let round = 0; round < 20; round++) {
    const first = pair.firstOf(pair.QUEUE, true, round % 2 === 0 ? 1 : 2);
    const ends = [first.session, pair.taken(first.envelope).session]
      .map((session) => ({ session, skipped: new KeptKeys(), got: new Set<string>() }));
    const way: { to: number; envelope: Uint8Array; text: string }[] = [];
    for (let n = 0; n < 1000; n++) {
      if (chance.chance(0.5)) {
        const from = chance.below(2);
        const text = `${from} ${n}`;
        const end = ends[from];
        const sealed = seal(end.session, ascii(text), { size: sizeFor(end.session, text.length), random });
        end.session = sealed.session;
        sent++;
        if (chance.chance(0.9)) way.push({ to: 1 - from, envelope: sealed.envelope, text });
        if (chance.chance(0.1)) way.push({ to: 1 - from, envelope: sealed.envelope, text });
      } else if (way.length > 0) {
        const [{ to, envelope, text }] = way.splice(chance.below(Math.min(way.length, 5)), 1);
        const end = ends[to];
        // What came before does not open again; all else does, once.
        if (end.got.has(text)) {
          assert.throws(() => open(end.session, envelope, { skipped: end.skipped, random }));
          continue;
        }
        const opened = open(end.session, envelope, { skipped: end.skipped, random });
        end.skipped.change(opened.skipped);
        end.session = opened.session;
        assert.equal(new TextDecoder().decode(opened.content), text);
        end.got.add(text);
        got++;
      }
    }
  }
  assert.ok(sent > 8000 && got > 6000, `${sent} ${got}`);
});

Deno.test("ratchet: a gap of 1000 opens, of 1001 is GAP and changes nothing (row 14)", () => {
  const first = pair.firstOf();
  const b = pair.taken(first.envelope);
  let session = b.session;
  const envelopes: Uint8Array[] = [];
  for (let n = 0; n <= 1001; n++) {
    const sealed = seal(session, ascii("x"), { size: 1024, random });
    session = sealed.session;
    envelopes.push(sealed.envelope);
  }
  const before = first.session.toBytes();
  assert.throws(() => open(first.session, envelopes[1001], { skipped: none, random }), { code: "GAP" });
  assert.deepEqual(first.session.toBytes(), before);
  assert.equal(open(first.session, envelopes[1000], { skipped: none, random }).skipped.add.length, 1000);
});

Deno.test("ratchet: of skipped header keys the newest eight are tried, and no more (row 14)", () => {
  const first = pair.firstOf();
  let [a, b] = [first.session, pair.taken(first.envelope).session];
  const skipped = new Skipped();
  const late: Uint8Array[] = [];
  // In each turn B sends two, of which the first is late: a header key for each.
  for (let turn = 0; turn < 9; turn++) {
    for (let n = 0; n < 2; n++) {
      const sealed = seal(b, ascii(`${turn}`), { size: 1024, random });
      b = sealed.session;
      if (n === 0) late.push(sealed.envelope);
      else {
        const opened = open(a, sealed.envelope, { skipped, random });
        skipped.change(opened.skipped);
        a = opened.session;
      }
    }
    const sealed = seal(a, ascii("back"), { size: 1024, random });
    a = sealed.session;
    b = open(b, sealed.envelope, { skipped: none, random }).session;
  }
  assert.equal(skipped.headerKeys().length, 9);
  assert.throws(() => open(a, late[0], { skipped, random }), { code: "UNREADABLE" });
  for (const [turn, envelope] of late.entries()) {
    if (turn > 0) assert.deepEqual(open(a, envelope, { skipped, random }).content, ascii(`${turn}`));
  }
});

Deno.test("ratchet: what comes in order looks at no skipped key; what comes late in its chain at that key alone", () => {
  const first = pair.firstOf();
  let [a, b] = [first.session, pair.taken(first.envelope).session];
  const unasked: SkippedKeys = { headerKeys: () => assert.fail("asked"), find: () => assert.fail("asked") };
  const sealed: Uint8Array[] = [];
  for (let n = 0; n < 3; n++) {
    const { session, envelope } = seal(b, ascii(`${n}`), { size: 1024, random });
    b = session;
    sealed.push(envelope);
  }
  const late = open(a, sealed[1], { skipped: unasked, random });
  a = open(late.session, sealed[2], { skipped: unasked, random }).session;
  const [key] = late.skipped.add;
  const found = { ...unasked, find: (_: Uint8Array, n: number) => n === key.n ? key.mk : undefined };
  const opened = open(a, sealed[0], { skipped: found, random });
  assert.deepEqual([opened.content, opened.skipped.used], [ascii("0"), { hk: key.hk, n: 0 }]);
  assert.throws(() => open(a, sealed[1], { skipped: found, random }), { code: "REPLAYED" });
});

Deno.test("ratchet: a state put back seals another text with another key and nonce; each opens (row 16)", () => {
  const { session, envelope } = pair.firstOf();
  const b = pair.taken(envelope, pair.QUEUE, pair.drawing(times(0xb5))).session;
  const kept = session.toBytes();
  const again = (): Session => Session.fromBytes(session.id, session.peer, kept);
  const sealed = [["one", 0xd0], ["two", 0xd1], ["one", 0xd2]].map(([text, hn]) =>
    seal(again(), ascii(text as string), { size: 2048, random: pair.drawing(times(hn as number, 12)) }).envelope
  );
  const bodies = sealed.map((bytes) => bytes.subarray(186 + 68));
  // With one key stream the difference of two would be that of their texts, which is zeros from the ninth byte on.
  for (const [i, j] of [[0, 1], [0, 2], [1, 2]]) {
    const zeros = bodies[i].subarray(8).filter((byte, at) => byte === bodies[j][8 + at]).length;
    assert.ok(zeros < 40, `${zeros} of ${bodies[i].byteLength}`);
  }
  for (const [i, text] of ["one", "two", "one"].entries()) {
    assert.deepEqual(open(b, sealed[i], { skipped: none, random }).content, ascii(text));
  }
});

Deno.test("ratchet: a stolen state opens nothing that came before it, and nothing after the next round trip (row 17)", () => {
  const first = pair.firstOf();
  let [a, b] = [first.session, pair.taken(first.envelope).session];
  const before: { fromA: boolean; envelope: Uint8Array }[] = [{ fromA: true, envelope: first.envelope }];
  const says = (fromA: boolean): Uint8Array => {
    const sealed = seal(fromA ? a : b, ascii("secret"), { size: 2048, random });
    const opened = open(fromA ? b : a, sealed.envelope, { skipped: none, random });
    if (fromA) [a, b] = [sealed.session, opened.session];
    else [a, b] = [opened.session, sealed.session];
    return sealed.envelope;
  };
  for (const fromA of [false, false, true, true, false, true]) before.push({ fromA, envelope: says(fromA) });
  const stolen = { a: a.toBytes(), b: b.toBytes() };
  const opens = (end: "a" | "b", envelope: Uint8Array): boolean => {
    try {
      open(Session.fromBytes(a.id, a.peer, stolen[end]), envelope, { skipped: none, random });
      return true;
    } catch {
      return false;
    }
  };
  for (const { envelope } of before) assert.deepEqual([opens("a", envelope), opens("b", envelope)], [false, false]);
  // What was stolen is good for what comes next, until both have drawn anew.
  assert.ok(opens("b", says(true)));
  says(false);
  says(true);
  for (const fromA of [false, true, false, true]) {
    const envelope = says(fromA);
    assert.deepEqual([opens("a", envelope), opens("b", envelope)], [false, false]);
  }
});

/**
 * The agreement and the ratchet against a second implementation, in Python, made from the specification's text alone
 * (msg.md rows 3, 4, 12, 16).
 *
 * @module
 */
import assert from "node:assert/strict";
import { ascii, joined, systemBytes, x25519Public } from "../../../../core/crypto/mod.ts";
import { answer, begin } from "../../../../handlers/msg/agreement/agreement.ts";
import { makeBundle, readBundle } from "../../../../handlers/msg/agreement/bundle.ts";
import { readFirst } from "../../../../handlers/msg/agreement/envelope.ts";
import { encapsulate, kemPublic } from "../../../../handlers/msg/agreement/kem.ts";
import { messageKeys } from "../../../../handlers/msg/agreement/keys.ts";
import { u32 } from "../../../../handlers/msg/agreement/labels.ts";
import { open, seal, sizeFor } from "../../../../handlers/msg/agreement/ratchet.ts";
import type { Session } from "../../../../handlers/msg/agreement/state.ts";
import { cut, readPart } from "../../../../handlers/msg/content/part.ts";
import { needs } from "../../../support/programs.ts";
import { type Peer, startPeer } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";
import * as pair from "./pair.ts";

const { fromHex } = Uint8Array;
/** Conversations, of 30 steps each. */
const ROUNDS = 1000;

/** Asks the twin, which has to do it. */
async function ask(peer: Peer, request: Record<string, string | number>): Promise<Record<string, string>> {
  const said = await peer.ask<Record<string, string>>(request);
  assert.equal(said.error, undefined, JSON.stringify(request).slice(0, 200));
  return said;
}

Deno.test({
  name:
    "twin: the same bundle, first message, 20 messages in 3 turns, byte for byte, from the same random bytes (rows 3, 12)",
  ...needs("python"),
  async fn() {
    for (const [withOpk, suite] of [[true, 1], [false, 1], [true, 2], [false, 2]] as const) {
      await using twin = startPeer("msg_reference.py");
      await using other = startPeer("msg_reference.py");
      const hex = (byte: number, count?: number) => pair.times(byte, count).toHex();
      const pq: Record<string, string> = suite === 2 ? { pq: pair.PQ.toHex() } : {};
      // Its library draws what it encapsulates itself; that it decapsulates the same secret, its other half shows.
      const { ciphertext, secret } = encapsulate(kemPublic(pair.PQ), pair.times(0xa5));
      const kem: Record<string, string> = suite === 2 ? { ciphertext: ciphertext.toHex(), secret: secret.toHex() } : {};
      await ask(twin, { do: "person", ed: hex(0xa0), ik: hex(0xa1) });
      await ask(other, { do: "person", ed: hex(0xb0), ik: hex(0xb1) });
      const { bundle } = await ask(other, { do: "bundle", id: 7, spk: hex(0xb2), day: pair.DAY, ...pq });
      assert.equal(bundle, pair.bundleOf(pair.QUEUE, suite).toHex());
      const rest = withOpk ? joined(Uint8Array.of(1), u32(9), x25519Public(pair.QUEUE.opk)) : Uint8Array.of(0);
      await ask(twin, { do: "begin", bundle, rest: rest.toHex(), ek: hex(0xa2), dhs: hex(0xa3), ...kem });
      const content = ascii('{"t":"text"}').toHex();
      const { envelope } = await ask(twin, { do: "seal", content, size: 2048, hn: hex(0xa4, 12) });
      const first = pair.firstOf(pair.QUEUE, withOpk, suite);
      assert.equal(envelope, first.envelope.toHex());
      await ask(other, { do: "answer", spk: hex(0xb2), envelope, ...pq, ...withOpk && { opk: hex(0xb3) } });
      assert.equal((await ask(other, { do: "open", envelope, dhs: hex(0xb5) })).content, content);
      // The same bytes at both ends, in turns; every fifth is lost.
      let a = first.session;
      let b = pair.taken(first.envelope, pair.QUEUE, pair.drawing(pair.times(0xb5))).session;
      for (let n = 0; n < 20; n++) {
        const fromB = Math.floor(n / 7) % 2 === 0;
        const [hn, dhs] = [hex(n + 1, 12), hex(n + 0x40)];
        const text = ascii(`message ${n}`);
        const ours = seal(fromB ? b : a, text, { size: 2048, random: pair.drawing(fromHex(hn)) });
        const theirs = await ask(fromB ? other : twin, { do: "seal", content: text.toHex(), size: 2048, hn });
        assert.equal(theirs.envelope, ours.envelope.toHex(), `message ${n}`);
        if (fromB) b = ours.session;
        else a = ours.session;
        if (n % 5 === 3) continue;
        const opened = open(fromB ? a : b, ours.envelope, { skipped: pair.none, random: () => fromHex(dhs) });
        assert.deepEqual(opened.content, text);
        await ask(fromB ? twin : other, { do: "open", envelope: theirs.envelope, dhs });
        if (fromB) a = opened.session;
        else b = opened.session;
      }
    }
  },
});

Deno.test({
  name: "twin: a state put back seals two texts, and one of them again, byte for byte as the other does (row 16)",
  ...needs("python"),
  async fn() {
    const hex = (byte: number, count?: number) => pair.times(byte, count).toHex();
    const first = pair.firstOf(pair.QUEUE, false);
    const sealed = new Set<string>();
    for (const [text, hn] of [["one", 0xd0], ["two", 0xd1], ["one", 0xd2]] as const) {
      await using twin = startPeer("msg_reference.py");
      await ask(twin, { do: "person", ed: hex(0xa0), ik: hex(0xa1) });
      const bundle = pair.bundleOf(pair.QUEUE).toHex();
      await ask(twin, { do: "begin", bundle, rest: "00", ek: hex(0xa2), dhs: hex(0xa3) });
      await ask(twin, { do: "seal", content: ascii('{"t":"text"}').toHex(), size: 2048, hn: hex(0xa4, 12) });
      const content = ascii(text);
      const ours = seal(first.session, content, { size: 2048, random: pair.drawing(pair.times(hn, 12)) });
      const theirs = await ask(twin, { do: "seal", content: content.toHex(), size: 2048, hn: hex(hn, 12) });
      assert.equal(theirs.envelope, ours.envelope.toHex());
      sealed.add(theirs.envelope.slice(-2 * 1774));
    }
    assert.equal(sealed.size, 3);
  },
});

Deno.test({
  name:
    `twin: random conversations in both suites, either begins, with loss and reorder: each opens what the other seals (row 4, ${ROUNDS} of them)`,
  ...needs("python"),
  async fn() {
    const random = seeded("msg twin");
    await using twin = startPeer("msg_reference.py");
    for (let round = 0; round < ROUNDS; round++) {
      const mine = messageKeys({ ed: random.bytes(32), ik: random.bytes(32), store: random.bytes(32) });
      const { ed } = await ask(twin, { do: "person", ed: random.bytes(32).toHex(), ik: random.bytes(32).toHex() });
      const spk = random.bytes(32);
      const pq = random.chance(0.5) ? random.bytes(64) : undefined;
      const opk = random.chance(0.5) ? random.bytes(32) : undefined;
      const secrets: Record<string, string> = { spk: spk.toHex(), ...pq && { pq: pq.toHex() } };
      let session: Session | undefined;
      let twinHas = false;
      if (round % 2 === 0) {
        const { bundle } = await ask(twin, { do: "bundle", id: 3, day: 30_000, ...secrets });
        const read = readBundle(fromHex(bundle), fromHex(ed), 20_000);
        session = begin(mine, { ...read, ...opk && { opk: { id: 4, key: x25519Public(opk) } } }, systemBytes);
      } else {
        const bundle = makeBundle(mine, { id: 3, spk, pq }, 30_000).toHex();
        const rest = opk ? joined(Uint8Array.of(1), u32(4), x25519Public(opk)).toHex() : "00";
        await ask(twin, { do: "begin", bundle, rest });
        twinHas = true;
      }
      const skipped = new pair.Skipped();
      const way: { toTwin: boolean; envelope: Uint8Array; text: string }[] = [];
      for (let n = 0; n < 30; n++) {
        const content = random.bytes(random.between(0, 900));
        const text = content.toHex();
        if (random.chance(0.5) ? session?.canSend : !twinHas && session?.canSend) {
          const sealed = seal(session!, content, { size: sizeFor(session!, content.byteLength), random: systemBytes });
          session = sealed.session;
          way.push({ toTwin: true, envelope: sealed.envelope, text });
        } else if (twinHas) {
          const { envelope } = await ask(twin, { do: "seal", content: text, size: 4096 });
          way.push({ toTwin: false, envelope: fromHex(envelope), text });
        }
        if (way.length === 0 || random.chance(0.2)) continue;
        const [{ toTwin, envelope, text: expected }] = way.splice(random.below(Math.min(3, way.length)), 1);
        if (random.chance(0.1)) continue;
        if (toTwin) {
          if (!twinHas) {
            await ask(twin, { do: "answer", ...secrets, ...opk && { opk: opk.toHex() }, envelope: envelope.toHex() });
          }
          twinHas = true;
          assert.equal((await ask(twin, { do: "open", envelope: envelope.toHex() })).content, expected);
        } else {
          session ??= answer(mine, { spk, pq, opk }, readFirst(envelope)!).session;
          const opened = open(session, envelope, { skipped, random: systemBytes });
          assert.equal(opened.content.toHex(), expected);
          skipped.change(opened.skipped);
          session = opened.session;
        }
      }
    }
  },
});

Deno.test({
  name: "twin: contents of every kind of length in the same parts, and each joins the other's in any order",
  ...needs("python"),
  async fn() {
    const random = seeded("msg parts");
    await using twin = startPeer("msg_reference.py");
    for (let round = 0; round < 60; round++) {
      const room = random.between(1600, 16_295);
      const length = round < 4 ? [1, room - 21, room - 20, 98_304][round] : random.between(1, 98_304);
      const [id, content] = [random.bytes(16), random.bytes(length)];
      const ours = cut(id, content, room);
      const theirs = await ask(twin, { do: "cut", id: id.toHex(), content: content.toHex(), room });
      assert.deepEqual(Object.values(theirs), ours.map((part) => part.toHex()));
      const mixed = ours.map((part) => [random.uint32(), part] as const).sort(([a], [b]) => a - b).map(([, part]) =>
        part
      );
      const parts = Object.fromEntries(mixed.map((part, i) => [`${i}`, part.toHex()]));
      assert.equal((await ask(twin, { do: "join", parts: mixed.length, ...parts })).content, content.toHex());
      const read = ours.map((part) => readPart(part)!);
      assert.deepEqual(joined(...read.map(({ bytes }) => bytes)), content);
      assert.deepEqual(read.map(({ index }) => index), ours.map((_, i) => i));
      assert.ok(read.every((part) => part.count === ours.length && part.id.toHex() === id.toHex()));
    }
  },
});

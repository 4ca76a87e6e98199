/**
 * Bytes that nobody made, and such as were made and altered: an answer or a refusal that is told, never anything else (msg.md
 * rows 2, 5, 15).
 *
 * @module
 */
import assert from "node:assert/strict";
import { AlknetError, systemBytes } from "../../../../core/crypto/mod.ts";
import { answer } from "../../../../handlers/msg/agreement/agreement.ts";
import { readBundle, readBundleAnswer } from "../../../../handlers/msg/agreement/bundle.ts";
import { readFirst } from "../../../../handlers/msg/agreement/envelope.ts";
import { open } from "../../../../handlers/msg/agreement/ratchet.ts";
import { Session } from "../../../../handlers/msg/agreement/state.ts";
import { parseToken } from "../../../../handlers/msg/agreement/token.ts";
import { readContent } from "../../../../handlers/msg/content/content.ts";
import { seeded } from "../../../support/random.ts";
import * as pair from "./pair.ts";

const { bob, DAY, none, QUEUE } = pair;
const ROUNDS = 3000;

Deno.test("fuzz: bundles, first messages, envelopes, states, tokens, contents: opened, or refused with their codes", () => {
  const random = seeded("msg fuzz");
  const firsts = ([1, 2] as const).map((suite) => pair.firstOf(QUEUE, true, suite));
  const state = firsts[0].session.toBytes();
  const readers: [name: string, codes: string[], samples: Uint8Array[], read: (bytes: Uint8Array) => unknown][] = [
    [
      "answer",
      ["BAD_BUNDLE"],
      [1, 2].map((suite) => pair.answerOf(QUEUE, true, suite as 1 | 2)),
      (bytes) => readBundleAnswer(bytes, { ...QUEUE, ed: bob.ed }, DAY),
    ],
    [
      "bundle",
      ["BAD_BUNDLE"],
      [1, 2].map((suite) => pair.bundleOf(QUEUE, suite as 1 | 2)),
      (bytes) => readBundle(bytes, bob.ed, DAY),
    ],
    ["first", ["UNREADABLE", "GAP"], firsts.map(({ envelope }) => envelope), (bytes) => {
      const first = readFirst(bytes);
      if (!first) return;
      const pq = first.suite === 2 ? pair.PQ : undefined;
      const { session } = answer(bob, { spk: QUEUE.spk, pq, opk: first.opkId ? QUEUE.opk : undefined }, first);
      open(session, bytes, { skipped: none, random: systemBytes });
    }],
    [
      "later",
      ["UNREADABLE", "GAP", "REPLAYED"],
      firsts.map(({ envelope }) => envelope.with(0, 2)),
      (bytes) => open(firsts[0].session, bytes, { skipped: none, random: systemBytes }),
    ],
    [
      "state",
      ["INVALID_SESSION", "UNREADABLE", "LOW_ORDER"],
      [state],
      (bytes) =>
        open(Session.fromBytes("00", bob.ed, bytes), firsts[0].envelope, { skipped: none, random: systemBytes }),
    ],
    [
      "token",
      ["BAD_TOKEN"],
      [systemBytes(150)],
      (bytes) => parseToken(`alkmsg:${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`),
    ],
    ["content", ["BAD_CONTENT"], [
      new TextEncoder().encode('{"v":1,"id":"AAAAAAAAAAAAAAAAAAAAAA","at":1,"type":"text","text":"x"}'),
    ], readContent],
  ];
  for (const [name, codes, samples, read] of readers) {
    const before = state.slice();
    for (let n = 0; n < ROUNDS / (name === "first" ? 3 : 1); n++) {
      const bytes = altered(random, random.pick(samples));
      try {
        read(bytes);
      } catch (error) {
        assert.ok(error instanceof AlknetError && codes.includes(error.code), `${name}: ${error} for ${bytes.toHex()}`);
      }
    }
    assert.deepEqual(firsts[0].session.toBytes(), before, name);
  }
});

/** Flipped, overwritten, cut, joined or made up. */
function altered(random: ReturnType<typeof seeded>, sample: Uint8Array): Uint8Array {
  const bytes = sample.slice();
  switch (random.below(6)) {
    case 0:
      return random.bytes(random.below(sample.byteLength * 2));
    case 1:
      return bytes.subarray(0, random.below(bytes.byteLength + 1));
    case 2:
      return Uint8Array.from([...bytes, ...random.bytes(random.below(64))]);
    case 3:
      bytes.set(random.bytes(Math.min(4, bytes.byteLength)), random.below(Math.max(1, bytes.byteLength - 4)));
      return bytes;
    case 4:
      bytes[random.below(Math.min(12, bytes.byteLength))] = random.pick([0, 1, 2, 3, 0x7f, 0xff]);
      return bytes;
    default:
      for (let n = random.between(1, 4); n > 0; n--) bytes[random.below(bytes.byteLength)] ^= 1 << random.below(8);
      return bytes;
  }
}

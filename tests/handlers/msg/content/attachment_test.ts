/**
 * Files in chunks, each proven before it is given out (msg.md §3.2; row 24).
 *
 * @module
 */
import assert from "node:assert/strict";
import { joined } from "@alknet/core/crypto";
import { CHUNK, openAttachment, sealAttachment, sealedLength } from "../../../../handlers/msg/content/attachment.ts";
import { needs } from "../../../support/programs.ts";
import { startPeer } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";

const random = seeded("attachments");
const SEALED = CHUNK + 16;
const KEY = random.bytes(32);

/** In pieces of many lengths, as a file or a network gives them. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength;) {
    const length = random.below(2) === 0 ? random.below(1000) : random.below(3 * CHUNK);
    yield bytes.subarray(at, at + length);
    at += length;
    await Promise.resolve();
  }
}

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return joined(...await Array.fromAsync(stream));
}

const sealed = (bytes: Uint8Array, size = bytes.byteLength): Promise<Uint8Array> =>
  whole(sealAttachment(KEY, size, pieces(bytes)));

/** What was given out before it failed. */
async function until(code: string, size: number, bytes: Uint8Array): Promise<Uint8Array> {
  const out: Uint8Array[] = [];
  await assert.rejects(async () => {
    for await (const piece of openAttachment(KEY, size, pieces(bytes))) out.push(piece);
  }, { code });
  return joined(...out);
}

Deno.test({
  name: "attachment: of every length around a chunk, there and back, the same bytes as a second implementation's",
  ...needs("python"),
  async fn() {
    await using twin = startPeer("msg_reference.py");
    for (const length of [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 77]) {
      const bytes = random.bytes(length);
      const ours = await sealed(bytes);
      assert.equal(ours.byteLength, sealedLength(length));
      assert.deepEqual(await whole(openAttachment(KEY, length, pieces(ours))), bytes);
      const theirs = await twin.ask<{ sealed: string }>({ do: "attach", key: KEY.toHex(), content: bytes.toHex() });
      assert.equal(theirs.sealed, ours.toHex());
    }
  },
});

Deno.test("attachment: a chunk altered, cut, swapped, repeated, left out or added fails before a bad byte (row 24)", async () => {
  const size = 3 * CHUNK + 500;
  const bytes = random.bytes(size);
  const good = await sealed(bytes);
  const chunk = (index: number): Uint8Array => good.subarray(index * SEALED, (index + 1) * SEALED);
  const flipped = good.slice();
  flipped[2 * SEALED + 9] ^= 1;
  const cases: readonly (readonly [string, Uint8Array, chunks: number])[] = [
    ["altered", flipped, 2],
    ["cut within", good.subarray(0, 2 * SEALED + 1000), 2],
    ["cut between", good.subarray(0, 2 * SEALED), 2],
    ["nothing", new Uint8Array(), 0],
    ["swapped", joined(chunk(0), chunk(2), chunk(1), chunk(3)), 1],
    ["repeated", joined(chunk(0), chunk(0), chunk(1), chunk(2), chunk(3)), 1],
    ["left out", joined(chunk(0), chunk(1), chunk(3)), 2],
    ["first left out", good.subarray(SEALED), 0],
    ["the last once more", joined(good, chunk(3)), 4],
    ["a byte more", joined(good, Uint8Array.of(0)), 4],
  ];
  for (const [what, altered, chunks] of cases) {
    const out = await until("BAD_ATTACHMENT", size, altered);
    assert.deepEqual(out, bytes.subarray(0, Math.min(size, chunks * CHUNK)), what);
  }
});

Deno.test("attachment: another size, another key, another file's chunk are BAD_ATTACHMENT; what is not zero behind the end too", async () => {
  const bytes = random.bytes(CHUNK + 500);
  const good = await sealed(bytes);
  for (const size of [CHUNK, CHUNK + 499, 3 * CHUNK, 0]) await until("BAD_ATTACHMENT", size, good);
  const other = await whole(sealAttachment(random.bytes(32), bytes.byteLength, pieces(bytes)));
  assert.equal((await until("BAD_ATTACHMENT", bytes.byteLength, other)).byteLength, 0);
});

Deno.test("attachment: a file that grows or shrinks as it is read is refused", async () => {
  for (const [length, size] of [[10, 11], [11, 10], [CHUNK, 2 * CHUNK], [2 * CHUNK + 1, 2 * CHUNK], [0, 1], [1, 0]]) {
    await assert.rejects(sealed(random.bytes(length), size), { code: "CHANGED_MEANWHILE" });
  }
});

/**
 * Many pushes that are damaged, and many that are left in the middle (fs.md §11 rows 58, 59).
 *
 * @module
 */
import { memoryFs } from "@alknet/handlers/fs";
import { hashOf, RAW, WITH_CHILDREN, writeRequest } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, match } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { diskStore } from "../stores.ts";
import { joined, pattern, slowEncoding } from "../twin.ts";
import { ask, identityOf, serving } from "./serving.ts";

const WRITER = identityOf("ada", "blobs:write");

Deno.test("fs: 5000 pushes, each damaged somewhere: cut, refused, or stored as what they are; others are taken (row 58)", async () => {
  const random = seeded("pushes");
  const bytes = pattern(40_000);
  const root = joined([hashOf(bytes)]);
  const head = (hash: Uint8Array, seq: typeof RAW): Uint8Array =>
    writeRequest({ type: "push", hash, seq, encodings: 0 });
  const pushes = [
    joined([head(hashOf(bytes), RAW), slowEncoding(bytes, [0n])]),
    joined([head(hashOf(root), WITH_CHILDREN), slowEncoding(root, [0n]), slowEncoding(bytes, [0n])]),
  ];
  await using taker = memoryFs();
  const below = (most: number): number => random.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) % most;
  let connection = serving(taker, { identity: WRITER, limits: { malformed: 1e6 } });
  for (let i = 0; i < 5000; i++) {
    const whole = pushes[i % 2];
    const push = i % 5 === 0 ? whole.slice(0, below(whole.byteLength)) : whole.slice();
    // Most of the damage is where it is read first.
    if (push.byteLength > 0) {
      push[below(i % 3 === 0 ? push.byteLength : Math.min(60, push.byteLength))] ^= 1 + below(255);
    }
    match(await ask(connection, push), /^$|^reset [123]$|^[0-9a-f]+$/);
    if (i % 1000 > 0) continue;
    await connection[Symbol.asyncDispose]();
    connection = serving(taker, { identity: WRITER, limits: { malformed: 1e6 } });
  }
  for await (const { hash, state } of taker.blobs.list()) {
    if (state === "partial") continue;
    await using reader = await taker.blobs.open(hash);
    equal(hashOf(await reader.read(0, reader.size)).toHex(), hash);
  }
  for (const push of pushes) equal(await ask(connection, push), "");
  await connection[Symbol.asyncDispose]();
});

Deno.test({
  name: "fs: pushers that leave in the middle free their places and the files that were open for them (row 59)",
  ...needs("linux"),
  async fn() {
    await using taker = await diskStore();
    await using connection = serving(taker.fs, { identity: WRITER, limits: { streams: 1 } });
    const open = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
    const push = (n: number): Uint8Array => {
      const bytes = pattern(100_000 + n);
      return joined([
        writeRequest({ type: "push", hash: hashOf(bytes), seq: RAW, encodings: 0 }),
        slowEncoding(bytes, [0n]),
      ]);
    };
    const taken = async (request: Uint8Array): Promise<void> => {
      for (let answer = "reset 2"; answer !== "";) {
        answer = await ask(connection, request);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    };
    await taken(push(0));
    const before = open();
    const left: string[] = [];
    for (let i = 1; i <= 20; i++) {
      const stream = await connection.open();
      const writer = stream.writable.getWriter();
      await writer.write(push(i).subarray(0, 60_000));
      stream.reset(0);
      stream.stop(0);
      left.push(hashOf(pattern(100_000 + i)).toHex());
      // There is one place: the next is taken once it is free.
      await taken(push(0));
    }
    equal(open(), before);
    const states = new Set(
      (await Promise.all(left.map((hash) => taker.fs.blobs.status(hash)))).map(({ state }) => state),
    );
    deepEqual(states.has("complete"), false);
  },
});

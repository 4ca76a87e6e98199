import assert from "node:assert/strict";
import { limitsWith } from "../../../../../core/limits/limits.ts";
import { Account, FLOOR } from "../../../../../core/handler/account.ts";
import { StallWatch } from "../../../../../core/transports/quic/connection/stall_watch.ts";
import { ADDRESS_BYTES, Holdings, STRANGER_BYTES, TRUSTED_BYTES } from "../../../../../core/handler/holdings.ts";
import { ENGINES, quicServer, ROOMY } from "../support.ts";

/** Windows of a peer that asks for much and reads nothing: the connection's is full at once. */
const TINY = limitsWith({
  ...ROOMY,
  streamWindow: 2000,
  maxStreamWindow: 2000,
  connectionWindow: 60_000,
  maxConnectionWindow: 60_000,
});

for (const { name, ...quic } of ENGINES) {
  Deno.test(`${name}: what a peer asks for and does not read is bounded for the connection, and more for one that is known`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair({ limits: TINY });
    let written = 0;
    const streams = 100;
    const part = new Uint8Array(64 * 1024);
    const serving = (async () => {
      let served = 0;
      for await (const stream of accepted) {
        const writer = stream.writable.getWriter();
        (async () => {
          for (let i = 0; i < 16; i++) await writer.write(part).then(() => written += part.byteLength);
        })().catch(() => {});
        if (++served === streams) return;
      }
    })();
    for (let i = 0; i < streams; i++) await (await client.open()).writable.close();
    await serving;
    // What the other end has let in lies there.
    const held = () => written - client.stats().bytesReceived;
    const stranger = await standing(held);
    assert.ok(stranger >= STRANGER_BYTES / 2, `${stranger} bytes`);
    assert.ok(stranger <= STRANGER_BYTES + 60_000, `${stranger} bytes of ${streams} MiB`);
    accepted.trust();
    const known = await standing(held);
    assert.ok(known >= 4 * STRANGER_BYTES, `${known} bytes`);
    assert.ok(known <= TRUSTED_BYTES + 60_000, `${known} bytes`);
  });

  Deno.test(`${name}: writers that wait for room in the account all go on when the peer reads`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    const size = 512 * 1024;
    const streams = 32;
    const serving = (async () => {
      const writing: Promise<void>[] = [];
      for await (const stream of accepted) {
        const writer = stream.writable.getWriter();
        writing.push(writer.write(new Uint8Array(size)).then(() => writer.close()));
        if (writing.length === streams) return await Promise.all(writing);
      }
    })();
    const mine = await Promise.all(Array.from({ length: streams }, () => client.open()));
    for (const stream of mine) await stream.writable.close();
    const got = await Promise.all(mine.map(async ({ readable }) => {
      let bytes = 0;
      for await (const chunk of readable) bytes += chunk.byteLength;
      return bytes;
    }));
    assert.deepEqual(got, Array(streams).fill(size));
    await serving;
  });
}

Deno.test("an account draws on its parent, but for a floor, and wakes who waits when there is room again", () => {
  const parent = new Account(1_000_000);
  const [a, b] = [new Account(600_000, parent), new Account(600_000, parent)];
  assert.equal(a.room, 600_000);
  a.take(600_000);
  assert.equal(a.room, 0);
  assert.equal(b.room, 400_000);
  b.take(400_000);
  assert.equal(parent.room, 0);
  assert.equal(b.room, 0);
  assert.equal(new Account(600_000, parent).room, FLOOR, "who holds nothing may always hold a little");
  const woken: string[] = [];
  a.wait(() => woken.push("a"));
  b.wait(() => woken.push("b"));
  assert.ok(a.isContended && b.isContended);
  a.give(100_000);
  assert.deepEqual(woken.toSorted(), ["a", "b"], "b waits for its parent");
  b.close();
  assert.equal(parent.held, 500_000);
});

Deno.test("an account that is closed counts no more, and nobody waits for it", async () => {
  const parent = new Account(100);
  const account = new Account(100, parent);
  account.take(100);
  const waiting = account.hold(1, new Promise(() => {}));
  account.close();
  assert.equal(await waiting, true);
  account.take(50);
  account.give(70);
  assert.equal(parent.held, 0);
});

Deno.test("whoever waits for room has it once it is all there, or is told that the wait is over, and waits no more", async () => {
  const account = new Account(10);
  assert.equal(await account.hold(6, new Promise(() => {})), true);
  assert.equal(await account.hold(5, Promise.resolve()), false);
  assert.ok(!account.isContended);
  assert.equal(account.held, 6);
  const large = account.hold(50, new Promise(() => {}));
  account.give(3);
  account.take(1);
  account.give(4);
  assert.equal(await large, true, "more than there ever is, alone");
  assert.equal(account.held, 50);
});

Deno.test("strangers of an address share what may be kept for it; who is known, who is elsewhere, and what moves is not touched by it", () => {
  const holdings = new Holdings(1_000 * STRANGER_BYTES, 100 * STRANGER_BYTES);
  const crowd = Array.from({ length: 4 }, (_, n) => holdings.open(`2001:db8:1:2::${n}`));
  assert.equal(holdings.addresses, 1, "a /64 is one address");
  let taken = 0;
  for (const { kept } of crowd) {
    const bytes = Math.max(0, kept.room);
    kept.take(bytes);
    taken += bytes;
  }
  assert.ok(taken <= ADDRESS_BYTES + crowd.length * FLOOR, `${taken} bytes`);
  const [known, latecomer] = [crowd[0], crowd.at(-1)!];
  assert.ok(latecomer.kept.room <= 0);
  assert.equal(latecomer.sent.room, STRANGER_BYTES);
  latecomer.sent.take(STRANGER_BYTES);
  assert.equal(latecomer.received.room, STRANGER_BYTES, "either way");
  latecomer.sent.give(STRANGER_BYTES);
  const elsewhere = holdings.open("2001:db8:1:3::1");
  assert.equal(elsewhere.kept.room, STRANGER_BYTES);
  const dialled = holdings.open("2001:db8:1:2::99", true);
  assert.equal(dialled.kept.room, TRUSTED_BYTES);
  known.trust();
  assert.equal(known.kept.room, TRUSTED_BYTES - known.kept.held);
  assert.equal(known.sent.room, TRUSTED_BYTES);
  assert.ok(latecomer.kept.room > FLOOR, "what it held is the address's no more");
  assert.equal(holdings.held, taken, "the process holds it as before");
  for (const accounts of crowd) accounts.close();
  assert.equal(holdings.held, 0);
  assert.equal(holdings.addresses, 1, "the other one");
  elsewhere.close();
  assert.equal(holdings.addresses, 0);
});

Deno.test("for all strangers together no more is kept than their part, and for each a little whatever the others do", () => {
  const holdings = new Holdings(1_000 * STRANGER_BYTES, 3 * STRANGER_BYTES);
  const crowd = Array.from({ length: 20 }, (_, n) => holdings.open(`192.0.2.${n}`));
  let taken = 0;
  for (const { kept } of crowd) {
    const bytes = Math.max(0, kept.room);
    assert.ok(bytes >= FLOOR);
    kept.take(bytes);
    taken += bytes;
  }
  assert.ok(taken <= 3 * STRANGER_BYTES + crowd.length * FLOOR, `${taken} bytes`);
  assert.equal(holdings.open("198.51.100.1", true).kept.room, TRUSTED_BYTES);
});

Deno.test("a limit that is raised wakes who waits, and is not lowered", () => {
  const account = new Account(10);
  account.take(10);
  let woken = 0;
  account.wait(() => woken++);
  account.raise(5);
  assert.equal(woken, 0);
  account.raise(20);
  assert.equal(woken, 1);
  assert.equal(account.room, 10);
});

Deno.test("who does not read is cut once others have waited long enough for nothing to move", async () => {
  let stands = true;
  const { promise: twice, resolve } = Promise.withResolvers<void>();
  let cuts = 0;
  const watch = new StallWatch({
    stands: () => stands,
    cut: () => {
      if (++cuts < 2) return;
      stands = false;
      resolve();
    },
  }, 5);
  watch.watch();
  watch.moved();
  await twice;
  watch.moved();
  assert.equal(cuts, 2);
});

/** The value once it has stood for a while. */
async function standing(value: () => number): Promise<number> {
  for (let last = -1; last !== value();) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return value();
}

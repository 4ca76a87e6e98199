/**
 * Signed keys and keys for one use: made, left in the mailbox, used, replaced, forgotten (msg.md §2; rows 8, 9, 10).
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemBytes } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { answer } from "../../../handlers/msg/agreement/agreement.ts";
import { readFirst } from "../../../handlers/msg/agreement/envelope.ts";
import { MessageStore } from "../../../handlers/msg/store/message_store.ts";
import { OwnQueues } from "../../../handlers/msg/store/queues.ts";
import { around, type Person, type Place, place, stop, texts } from "./people.ts";

const ids = ({ file }: Person, kind: string): number[] => {
  using database = new DatabaseSync(file) as DatabaseSync & Disposable;
  const sql = "SELECT id FROM prekey JOIN queue USING (rid) WHERE kind = ? AND token IS NOT NULL ORDER BY id";
  return database.prepare(sql).all(kind).map(({ id }) => id as number);
};
/** Keys for one use that the mailbox holds for the token. */
const held = ({ folder }: Place): number => {
  using database = new DatabaseSync(folder.join("mailbox.sqlite")) as DatabaseSync & Disposable;
  const sql = "SELECT count(*) AS n FROM prekey JOIN queue USING (rid) WHERE id > 0 AND kind = 1";
  return database.prepare(sql).get()!.n as number;
};
/** Somebody who writes to B for the first time. */
async function writes(here: Place, name: string, token: string, text = name): Promise<void> {
  using one = here.person(name);
  one.messenger.addContact("bob", token);
  const { state, fault } = await one.messenger.send("bob", text, stop);
  assert.equal(state, "stored", fault?.message);
}

Deno.test("keys for one use: 100 for a token, each given out once, gone at its use; filled up below half; two of a contact", async () => {
  await using here = await place({ limits: { takeRate: 1000, contactRate: 1000, frames: 100_000 } });
  using bob = here.person("bob");
  const { token } = await bob.messenger.token("", stop);
  assert.deepEqual([held(here), ids(bob, "opk").length, ids(bob, "spk")], [100, 100, [1]]);
  for (const from of [1, 26]) {
    for (let n = from; n < from + 25; n++) await writes(here, `p${n}`, token);
    assert.equal(held(here), 101 - from - 25);
    const { received, unreadable, drained } = await bob.messenger.sync(stop);
    assert.deepEqual([received, unreadable, drained], [25, 0, 0]);
  }
  assert.deepEqual(texts(bob).sort(), Array.from({ length: 50 }, (_, i) => `p${i + 1}`).sort());
  // Half is enough: nothing new, and those that were used are gone.
  assert.deepEqual(ids(bob, "opk"), Array.from({ length: 50 }, (_, i) => 51 + i));
  await writes(here, "q", token);
  await bob.messenger.sync(stop);
  assert.equal(held(here), 100);
  // Ids are never used again.
  assert.deepEqual([ids(bob, "opk").length, ids(bob, "opk")[0], ids(bob, "opk").at(-1)], [100, 52, 151]);
  // A's own queue, in which B answers, has two of its own.
  using database = new DatabaseSync(here.folder.join("q.sqlite")) as DatabaseSync & Disposable;
  const rows = database.prepare("SELECT kind, count(*) AS n FROM prekey GROUP BY kind ORDER BY kind").all();
  assert.deepEqual(rows.map(({ kind, n }) => [kind, n]), [["opk", 2], ["spk", 1]]);
});

Deno.test("keys for one use: of one key two first messages, the second is PREKEY_GONE; none left: without, and B is told (row 8)", async () => {
  await using here = await place({ limits: { takeRate: 1000, contactRate: 1000, frames: 100_000 } });
  using bob = here.person("bob");
  const { token } = await bob.messenger.token("", stop);
  let first: Uint8Array | undefined;
  // A mailbox that gives out a key twice.
  const twice = (name: string) =>
    here.person(
      name,
      (carrier) =>
        around(carrier, { takeBundle: async (to, options) => first ??= await carrier.takeBundle(to, options) }),
    );
  for (const name of ["ann", "eve"]) {
    using one = twice(name);
    one.messenger.addContact("bob", token);
    assert.equal((await one.messenger.send("bob", name, stop)).state, "stored");
  }
  const { received, unreadable } = await bob.messenger.sync(stop);
  assert.deepEqual([received, unreadable, texts(bob)], [1, 1, ["ann"]]);
  // Somebody who has the token takes all.
  {
    using thief = here.person("thief", (carrier) =>
      around(carrier, {
        async takeBundle(to, options) {
          for (let n = 0; n < 99; n++) await carrier.takeBundle(to, options);
          throw new AlknetError("UNREACHABLE", "that was all");
        },
      }));
    thief.messenger.addContact("bob", token);
    assert.equal((await thief.messenger.send("bob", "x", stop)).state, "failed");
  }
  assert.equal(held(here), 0);
  await writes(here, "kim", token);
  const told = await bob.messenger.sync(stop);
  assert.deepEqual([told.received, told.drained, held(here)], [1, 1, 100]);
  assert.deepEqual([(await bob.messenger.sync(stop)).drained, texts(bob)], [0, ["ann", "kim"]]);
});

Deno.test("keys for one use: a mailbox that takes fewer than 100 serves without, and none of those that it refused stay here", async () => {
  await using here = await place({ limits: { contactRate: 1000, frames: 100_000 } });
  using bob = here.person("bob", (carrier) =>
    around(carrier, {
      publish(from, published, options) {
        if (published.keys.length > 0) return Promise.reject(new AlknetError("MAILBOX_QUOTA", "too many"));
        return carrier.publish(from, published, options);
      },
    }));
  const { token, queue } = await bob.messenger.token("", stop);
  assert.deepEqual([queue, held(here), ids(bob, "opk")], ["made", 0, []]);
  await writes(here, "ann", token);
  const { received, faults } = await bob.messenger.sync(stop);
  assert.deepEqual([received, faults, ids(bob, "opk")], [1, [], []]);
});

Deno.test("signed keys: replaced weekly at a sync, opened for 31 days more, gone after 32; a session goes on without its key (row 9)", async () => {
  for (const [days, opens] of [[31, true], [32, false]] as const) {
    await using here = await place();
    // What is in a mailbox for longer than its days is taken away: here the way is long instead.
    const late: (() => Promise<void>)[] = [];
    using bob = here.person("bob");
    const { token } = await bob.messenger.token("", stop);
    using ann = here.person("ann", (carrier) =>
      around(carrier, {
        send(to, envelope, options) {
          late.push(() => carrier.send(to, envelope, options));
          return Promise.resolve();
        },
      }));
    ann.messenger.addContact("bob", token);
    await ann.messenger.send("bob", "early", stop);
    here.days = 6;
    await bob.messenger.sync(stop);
    assert.deepEqual(ids(bob, "spk"), [1]);
    here.days = 7;
    await bob.messenger.sync(stop);
    assert.deepEqual(ids(bob, "spk"), [1, 2]);
    here.days = 7 + days;
    await late.shift()!();
    const { received, unreadable } = await bob.messenger.sync(stop);
    assert.deepEqual([received, unreadable], opens ? [1, 0] : [0, 1]);
    assert.deepEqual(ids(bob, "spk").includes(1), opens);
    if (!opens) continue;
    // A was never answered, so begins each envelope as the first, whose key is gone then; the session is there.
    here.days = 7 + days + 5;
    await bob.messenger.sync(stop);
    assert.ok(!ids(bob, "spk").includes(1));
    await ann.messenger.send("bob", "later", stop);
    await late.shift()!();
    await bob.messenger.sync(stop);
    assert.deepEqual(texts(bob), ["early", "later"]);
  }
});

Deno.test("signed keys: whoever was away for 40 days reads what came meanwhile; one that the mailbox has not heard of is no replacement (row 9)", async () => {
  await using here = await place();
  let refuses = false;
  using bob = here.person("bob", (carrier) =>
    around(carrier, {
      publish(from, published, options) {
        if (refuses) return Promise.reject(new AlknetError("UNREACHABLE", "nobody answers"));
        return carrier.publish(from, published, options);
      },
    }));
  const { token } = await bob.messenger.token("", stop);
  here.days = 7;
  refuses = true;
  await bob.messenger.sync(stop);
  assert.deepEqual(ids(bob, "spk"), [1, 2]);
  here.days = 47;
  await writes(here, "ann", token);
  refuses = false;
  const { received, unreadable } = await bob.messenger.sync(stop);
  assert.deepEqual([received, unreadable, ids(bob, "spk")], [1, 0, [1, 2]]);
  here.days = 47 + 31;
  await writes(here, "eve", token);
  await bob.messenger.sync(stop);
  assert.deepEqual([texts(bob), ids(bob, "spk")], [["ann", "eve"], [1, 2, 3]]);
  here.days = 47 + 32;
  await bob.messenger.sync(stop);
  assert.deepEqual(ids(bob, "spk"), [2, 3]);
  // The bundle of one who is away for longer than 90 days is used by nobody; by then its queue is gone as well.
  here.days = 47 + 31 + 92;
  using kim = here.person("kim");
  kim.messenger.addContact("bob", token);
  const { state, fault } = await kim.messenger.send("bob", "too late", stop);
  assert.deepEqual([state, fault?.code], ["failed", "MAILBOX_NO_QUEUE"]);
});

Deno.test("first messages: with every key that is left, once their key for one use is gone, they do not open, nor lie their keys in the file (row 10)", async () => {
  await using here = await place();
  const envelopes: Uint8Array[] = [];
  let sealed = "";
  {
    using bob = here.person("bob");
    const { token } = await bob.messenger.token("", stop);
    using ann = here.person("ann", (carrier) =>
      around(carrier, {
        send(to, envelope, options) {
          envelopes.push(envelope);
          return carrier.send(to, envelope, options);
        },
      }));
    ann.messenger.addContact("bob", token);
    for (const text of ["one", "two"]) await ann.messenger.send("bob", text, stop);
    using database = new DatabaseSync(bob.file) as DatabaseSync & Disposable;
    const { secret } = database.prepare("SELECT secret FROM prekey WHERE kind = 'opk' AND id = 1").get()!;
    sealed = (secret as Uint8Array).toHex();
    await bob.messenger.sync(stop);
    assert.deepEqual(texts(bob), ["one", "two"]);
  }
  using keys = here.keysOf("bob");
  using store = new MessageStore(here.folder.join("bob.sqlite"), keys, systemBytes);
  const queues = new OwnQueues(store, systemBytes);
  let tried = 0;
  for (const queue of queues.list()) {
    const all = (kind: "spk" | "opk") =>
      Array.from({ length: 200 }, (_, i) => queues.prekey(queue, kind, i + 1)).filter((key) => key !== undefined);
    for (const spk of all("spk")) {
      for (const opk of [undefined, ...all("opk")]) {
        for (const envelope of envelopes) {
          const prekeys = { spk: spk.secret, opk: opk?.secret };
          assert.throws(() => answer(keys, prekeys, readFirst(envelope)!), { code: "UNREADABLE" });
          tried++;
        }
      }
    }
  }
  assert.ok(tried >= 200, `${tried}`);
  for (const end of ["", "-wal"]) {
    const file = await Deno.readFile(`${here.folder.join("bob.sqlite")}${end}`).catch(() => new Uint8Array());
    assert.ok(!file.toHex().includes(sealed), end);
  }
});

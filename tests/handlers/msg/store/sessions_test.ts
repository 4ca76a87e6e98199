/**
 * Sessions and keys of messages that have not come yet, as they are kept (msg.md §3, §3.1; rows 7, 14, 65).
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemBytes } from "@alknet/core/crypto";
import { Contacts } from "../../../../handlers/msg/store/contacts.ts";
import { MessageStore } from "../../../../handlers/msg/store/message_store.ts";
import { Sessions } from "../../../../handlers/msg/store/sessions.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import * as pair from "../agreement/pair.ts";
import { around, place, stop, texts } from "../people.ts";

/** A store with a contact and a session in it. */
async function opened() {
  const folder = await temporaryFolder();
  const file = folder.join("msg.sqlite");
  const store = new MessageStore(file, pair.alice, systemBytes);
  const sessions = new Sessions(store);
  const { session } = pair.firstOf();
  store.transaction(() => {
    const { id } = new Contacts(store).add({ name: "bob", ed: pair.bob.ed, state: "accepted", verified: false });
    sessions.put({ contact: id, rid: systemBytes(24), sends: true, session });
  });
  return {
    file,
    store,
    sessions,
    session,
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const key = (hk: number, n: number) => ({ hk: pair.times(hk), n, mk: pair.times(n & 0xff) });

Deno.test("skipped keys: 2000 a session, the oldest go first; found, used once, gone after 30 days (row 14)", async () => {
  await using here = await opened();
  const { store, sessions, session } = here;
  const change = (change: Parameters<Sessions["changeSkipped"]>[1], day: number) =>
    store.transaction(() => sessions.changeSkipped(session, change, day));
  const count = (): number => store.database.get<{ n: number }>("SELECT count(*) AS n FROM skipped")!.n;
  change({ add: Array.from({ length: 1000 }, (_, n) => key(1, n)) }, 100);
  change({ add: Array.from({ length: 1000 }, (_, n) => key(2, n)) }, 100);
  assert.equal(count(), 2000);
  assert.deepEqual(sessions.skipped(session).find(pair.times(1), 0), pair.times(0));
  change({ add: [key(3, 0)] }, 110);
  const kept = sessions.skipped(session);
  assert.deepEqual([count(), kept.find(pair.times(1), 0)], [2000, undefined]);
  assert.deepEqual([kept.find(pair.times(1), 1), kept.find(pair.times(3), 0)], [pair.times(1), pair.times(0)]);
  assert.deepEqual(kept.headerKeys().map(([byte]) => byte), [3, 2, 1]);
  change({ add: [], used: { hk: pair.times(3), n: 0 } }, 110);
  assert.equal(sessions.skipped(session).find(pair.times(3), 0), undefined);
  change({ add: [key(4, 0)] }, 130);
  assert.equal(count(), 2000);
  change({ add: [] }, 131);
  assert.equal(count(), 1);
  change({ add: [] }, 161);
  assert.equal(count(), 0);
});

Deno.test("secrets: what a row holds does not open in another row or table; sessions and keys lie in no file in clear (row 65)", async () => {
  await using here = await opened();
  const { file, store, sessions, session } = here;
  store.transaction(() => sessions.changeSkipped(session, { add: [key(1, 0), key(2, 1)] }, 100));
  const state = session.toBytes();
  store[Symbol.dispose]();
  for (const end of ["", "-wal"]) {
    const hex = (await Deno.readFile(`${file}${end}`).catch(() => new Uint8Array())).toHex();
    for (const secret of [state.subarray(14, 46), state.subarray(78, 110), pair.times(2), pair.alice.store]) {
      assert.ok(!hex.includes(secret.toHex()));
    }
  }
  {
    using database = new DatabaseSync(file) as DatabaseSync & Disposable;
    const sql = "UPDATE skipped SET secret = (SELECT secret FROM skipped AS other WHERE other.id <> skipped.id)";
    database.exec(sql);
  }
  using again = new MessageStore(file, pair.alice, systemBytes);
  assert.throws(() => new Sessions(again).skipped(session).headerKeys(), { code: "MESSAGE_STORE" });
});

Deno.test("first message again: after a restart, and with its session gone: REPLAYED, shown once, no session (row 7)", async () => {
  await using here = await place();
  const sent: (() => Promise<void>)[] = [];
  let token: string;
  {
    using bob = here.person("bob");
    token = (await bob.messenger.token("", stop)).token;
    using ann = here.person("ann", (carrier) =>
      around(carrier, {
        send(to, envelope, options) {
          sent.push(() => carrier.send(to, envelope, options));
          return carrier.send(to, envelope, options);
        },
      }));
    ann.messenger.addContact("bob", token);
    await ann.messenger.send("bob", "one", stop);
    await bob.messenger.sync(stop);
    assert.deepEqual(texts(bob), ["one"]);
  }
  await here.restart();
  const again = async (change: string): Promise<void> => {
    using bob = here.person("bob");
    {
      using database = new DatabaseSync(bob.file) as DatabaseSync & Disposable;
      database.exec(change);
    }
    await sent[0]();
    const { received, unreadable } = await bob.messenger.sync(stop);
    assert.deepEqual([received, unreadable, texts(bob)], [0, 0, ["one"]], change);
    using database = new DatabaseSync(bob.file) as DatabaseSync & Disposable;
    const { n } = database.prepare("SELECT count(*) AS n FROM session").get()!;
    assert.equal(n, change.includes("session") ? 0 : 1);
  };
  await again("");
  // Whatever a mailbox does: the digest is no more than the first of what catches it.
  await again("DELETE FROM seen");
  await again("DELETE FROM seen; DELETE FROM session");
  await again("DELETE FROM session");
});

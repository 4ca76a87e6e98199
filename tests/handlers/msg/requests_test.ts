/**
 * Those who write and are no contacts: held apart, few of them and little of each, accepted, refused, blocked; and who is
 * removed (msg.md §2, §6, §7).
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { nodeIdOf } from "@alknet/core/identity";
import { MOST_OF_REQUEST } from "../../../handlers/msg/flow/contents.ts";
import { MOST_REQUESTS } from "../../../handlers/msg/flow/receiving.ts";
import { around, type Person, place, seen, stop, texts } from "./people.ts";

const count = (file: string, table: string): number => {
  using database = new DatabaseSync(file) as DatabaseSync & Disposable;
  return database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n as number;
};
const idOf = ({ messenger }: Person): string => messenger.contacts()[0].name;

Deno.test("requests: of many strangers a hundred are let in, and nothing of the others is kept; refusing one makes room", async () => {
  await using here = await place({
    limits: { contactRate: 10_000, takeRate: 10_000, contactItems: 200, frames: 100_000, newRate: 10_000 },
  });
  using bob = here.person("bob");
  const { token } = await bob.messenger.token("", stop);
  const stranger = async (n: number): Promise<string> => {
    using one = here.person(`stranger ${n}`);
    one.messenger.addContact("bob", token);
    assert.equal((await one.messenger.send("bob", `hi ${n}`, stop)).state, "stored");
    using keys = here.keysOf(`stranger ${n}`);
    return nodeIdOf(keys.ed);
  };
  const ids: string[] = [];
  for (let n = 0; n < MOST_REQUESTS + 20; n++) ids.push(await stranger(n));
  const { received, unreadable } = await bob.messenger.sync(stop);
  assert.deepEqual([received, unreadable], [MOST_REQUESTS, 20]);
  assert.ok(bob.messenger.contacts().every(({ state }) => state === "request"));
  assert.deepEqual(["contact", "session", "message"].map((table) => count(bob.file, table)), [100, 100, 100]);
  assert.deepEqual(await bob.messenger.remove(ids[3], stop), { fault: undefined });
  // One who is accepted waits no more, and each makes room for one.
  bob.messenger.decide(ids[4], "accepted");
  for (let n = 200; n < 203; n++) await stranger(n);
  assert.equal((await bob.messenger.sync(stop)).received, 2);
  assert.deepEqual(["contact", "message"].map((table) => count(bob.file, table)), [101, 101]);
});

Deno.test("requests: of each a few messages are kept, and none of what is long; the session goes on, so that all comes once it is accepted", async () => {
  await using here = await place({ limits: { contactRate: 10_000, contactItems: 200, frames: 100_000 } });
  using bob = here.person("bob");
  using ann = here.person("ann");
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  for (let n = 0; n < MOST_OF_REQUEST + 5; n++) await ann.messenger.send("bob", `${n}`, stop);
  assert.equal((await bob.messenger.sync(stop)).received, MOST_OF_REQUEST);
  bob.messenger.decide(idOf(bob), "accepted");
  await ann.messenger.send("bob", "more", stop);
  assert.equal((await bob.messenger.sync(stop)).received, 1);
  assert.equal(texts(bob).at(-1), "more");
  await ann.messenger.sync(stop);
  const states = ann.messenger.messages().map(({ state }) => state);
  // What was not kept is not said to have come.
  assert.deepEqual(states, [...Array(32).fill("delivered"), ...Array(5).fill("stored"), "delivered"]);
  using eve = here.person("eve");
  eve.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  for (let n = 0; n < 4; n++) await eve.messenger.send("bob", "x".repeat(90_000), stop);
  assert.equal((await bob.messenger.sync(stop)).received, 2);
  using database = new DatabaseSync(bob.file) as DatabaseSync & Disposable;
  const rows = "SELECT contact, secret FROM part UNION ALL SELECT contact, secret FROM message";
  const kept = `SELECT sum(length(one.secret)) AS n FROM (${rows}) AS one JOIN contact ON contact.id = contact ` +
    "WHERE state = 'request'";
  assert.ok((database.prepare(kept).get()!.n as number) < 300_000);
});

Deno.test("requests: until it is accepted nothing goes back; then it learns that what it wrote has come", async () => {
  await using here = await place();
  using bob = here.person("bob");
  using ann = here.person("ann");
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  await ann.messenger.send("bob", "one", stop);
  await bob.messenger.sync(stop);
  bob.messenger.markRead(bob.messenger.messages());
  await bob.messenger.sync(stop);
  assert.equal(count(bob.file, "outbox"), 0);
  await ann.messenger.sync(stop);
  assert.equal(ann.messenger.messages()[0].state, "stored");
  bob.messenger.decide(idOf(bob), "blocked");
  await bob.messenger.sync(stop);
  await ann.messenger.sync(stop);
  assert.equal(ann.messenger.messages()[0].state, "stored");
  bob.messenger.decide(idOf(bob), "accepted");
  await ann.messenger.send("bob", "two", stop);
  await bob.messenger.sync(stop);
  await ann.messenger.sync(stop);
  assert.deepEqual(ann.messenger.messages().map(({ state }) => state), ["stored", "delivered"]);
});

Deno.test("remove: everything of the contact goes, its queue at the mailbox too, at once or at the next look; who writes again is a stranger", async () => {
  await using here = await place();
  using bob = here.person("bob");
  using ann = here.person("ann");
  const { token } = await bob.messenger.token("", stop);
  ann.messenger.addContact("bob", token);
  await ann.messenger.send("bob", "one", stop);
  await bob.messenger.sync(stop);
  await bob.messenger.send(idOf(bob), "two", stop);
  await ann.messenger.sync(stop);
  await ann.messenger.send("bob", "three", stop);
  const queues = () => count(here.folder.join("mailbox.sqlite"), "queue");
  const before = queues();
  here.isAway = true;
  await here.restart();
  const { fault } = await bob.messenger.remove(idOf(bob), stop);
  assert.equal(fault?.code, "UNREACHABLE");
  assert.deepEqual([bob.messenger.contacts(), bob.messenger.messages(), bob.messenger.waiting()], [[], [], []]);
  for (const table of ["contact", "session", "message", "outbox", "skipped"]) assert.equal(count(bob.file, table), 0);
  here.isAway = false;
  const failures = here.failures;
  assert.deepEqual((await bob.messenger.sync(stop)).received, 0);
  assert.equal(queues(), before - 1);
  await bob.messenger.sync(stop);
  assert.equal(here.failures, failures);
  // Its session is gone at both ends once it begins anew, as anybody would.
  assert.equal((await ann.messenger.send("bob", "four", stop)).state, "failed");
  await ann.messenger.remove("bob", stop);
  ann.messenger.addContact("bob", token);
  await ann.messenger.send("bob", "five", stop);
  await bob.messenger.sync(stop);
  assert.deepEqual([bob.messenger.contacts()[0].state, ...texts(bob)], ["request", "five"]);
  await assert.rejects(bob.messenger.remove("nobody", stop), { code: "NO_CONTACT" });
});

Deno.test("remove: what is just coming from the contact is for nobody, and no fault", async () => {
  await using here = await place();
  let removes: (() => Promise<unknown>) | undefined;
  using bob = here.person("bob", (carrier) =>
    around(carrier, {
      async *receive(from, options) {
        for await (const arrival of carrier.receive(from, options)) {
          const now = removes;
          removes = undefined;
          await now?.();
          yield arrival;
        }
      },
    }));
  using ann = here.person("ann");
  using eve = here.person("eve");
  const { token } = await bob.messenger.token("", stop);
  for (const one of [ann, eve]) {
    one.messenger.addContact("bob", token);
    await one.messenger.send("bob", "one", stop);
    await bob.messenger.sync(stop);
    const { name } = bob.messenger.contacts().find(({ state }) => state === "request")!;
    await bob.messenger.send(name, "two", stop);
    await one.messenger.sync(stop);
    await one.messenger.send("bob", "three", stop);
  }
  const late = { signal: AbortSignal.abort(new DOMException("", "TimeoutError")) };
  removes = async () => {
    for (const { name } of bob.messenger.contacts()) await bob.messenger.remove(name, late);
  };
  const { received, unreadable } = await bob.messenger.sync(stop);
  assert.deepEqual([received, unreadable, bob.messenger.contacts(), texts(bob)], [0, 0, [], []]);
  await bob.messenger.sync(stop);
  assert.equal(count(bob.file, "queue"), 1);
});

Deno.test("revoke: a token's queue is gone, so that nobody begins by it; contacts stay; the name is free again", async () => {
  await using here = await place();
  using bob = here.person("bob");
  using ann = here.person("ann");
  using eve = here.person("eve");
  const { token } = await bob.messenger.token("work", stop);
  ann.messenger.addContact("bob", token);
  await ann.messenger.send("bob", "one", stop);
  await bob.messenger.sync(stop);
  await bob.messenger.send(idOf(bob), "two", stop);
  await ann.messenger.sync(stop);
  assert.deepEqual(await bob.messenger.revoke("work", stop), { fault: undefined });
  await assert.rejects(bob.messenger.revoke("work", stop), { code: "NO_TOKEN" });
  eve.messenger.addContact("bob", token);
  assert.equal((await eve.messenger.send("bob", "hi", stop)).fault?.code, "MAILBOX_NO_QUEUE");
  await ann.messenger.send("bob", "three", stop);
  await bob.messenger.sync(stop);
  assert.deepEqual(texts(bob), ["one", "three"]);
  assert.notEqual((await bob.messenger.token("work", stop)).token, token);
});

Deno.test("verify: both see one number, once something went between them; another key undoes it", async () => {
  await using here = await place();
  using bob = here.person("bob");
  using ann = here.person("ann");
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  assert.throws(() => ann.messenger.safetyNumber("bob"), { code: "NO_KEY" });
  await ann.messenger.send("bob", "one", stop);
  await bob.messenger.sync(stop);
  const number = ann.messenger.safetyNumber("bob");
  assert.match(number, /^(\d{5} ){11}\d{5}$/);
  assert.equal(bob.messenger.safetyNumber(idOf(bob)), number);
  assert.throws(() => ann.messenger.verify("bob", number.replace(/\d/, "x")), { code: "IDENTITY_CHANGED" });
  assert.equal(ann.messenger.verify("bob", number).verified, true);
  assert.equal(ann.messenger.contacts()[0].verified, true);
  assert.equal(bob.messenger.verify(idOf(bob), number).verified, true);
  await bob.messenger.send(idOf(bob), "two", stop);
  await ann.messenger.sync(stop);
  assert.deepEqual([ann, bob].map(({ messenger }) => messenger.contacts()[0].verified), [true, true]);
  // Ann comes back with another X25519 key under the same name: that is what a stolen Ed25519 key looks like.
  using other = here.person("ann", undefined, { ik: true });
  other.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  await other.messenger.send("bob", "three", stop);
  await bob.messenger.sync(stop);
  assert.equal(seen(bob).length, 2);
  assert.equal(bob.messenger.contacts()[0].verified, false);
});

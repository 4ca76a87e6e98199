/**
 * Receipts: what was stored, delivered and read (msg.md §3.2).
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { b64 } from "../../../handlers/msg/content/bytes.ts";
import { formatContent } from "../../../handlers/msg/content/content.ts";
import { type Person, type Place, place, stop } from "./people.ts";
import { say } from "./saying.ts";

const states = ({ messenger }: Person): string[] =>
  messenger.messages().filter(({ mine }) => mine).map(({ text, state }) => `${text} ${state}`);

/** Ann and bob, contacts of each other by those names. */
async function friends(here: Place, bobReads = false): Promise<{ readonly ann: Person; readonly bob: Person }> {
  const ann = here.person("ann");
  const bob = here.person("bob", undefined, { readReceipts: bobReads });
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  bob.messenger.addContact("ann", (await ann.messenger.token("", stop)).token);
  await ann.messenger.send("bob", "hello", stop);
  for (const { messenger } of [bob, ann, bob]) await messenger.sync(stop);
  return { ann, bob };
}

Deno.test("receipts: delivered once it is kept there, read where the reader wants to say so, and not else", async () => {
  for (const bobReads of [false, true]) {
    await using here = await place();
    const { ann, bob } = await friends(here, bobReads);
    using _ann = ann;
    using _bob = bob;
    assert.deepEqual(states(ann), ["hello delivered"]);
    await ann.messenger.send("bob", "one", stop);
    assert.deepEqual(states(ann), ["hello delivered", "one stored"]);
    await bob.messenger.sync(stop);
    bob.messenger.markRead(bob.messenger.messages());
    bob.messenger.markRead(bob.messenger.messages());
    const sync = await bob.messenger.sync(stop);
    // Receipts are no messages.
    assert.deepEqual([sync.sent, sync.waiting, bob.messenger.waiting()], [0, 0, []]);
    assert.equal((await ann.messenger.sync(stop)).received, 0);
    const expected = bobReads ? "read" : "delivered";
    assert.deepEqual(states(ann), [`hello ${expected}`, `one ${expected}`]);
    assert.equal(ann.messenger.messages().length, 2);
  }
});

Deno.test("receipts: many at once go in few envelopes, and no receipt is answered by one", async () => {
  await using here = await place({ limits: { contactRate: 1000, sendRate: 1000, queueItems: 300 } });
  let sent = 0;
  using ann = here.person("ann");
  using bob = here.person("bob", (carrier) => counting(carrier));
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  bob.messenger.addContact("ann", (await ann.messenger.token("", stop)).token);
  await ann.messenger.send("bob", "hello", stop);
  for (const { messenger } of [bob, ann, bob, ann, bob]) await messenger.sync(stop);
  sent = 0;
  for (let n = 0; n < 100; n++) await ann.messenger.send("bob", `${n}`, stop);
  for (const { messenger } of [bob, ann, bob, ann, bob]) await messenger.sync(stop);
  assert.equal(sent, 2);
  assert.ok(states(ann).every((state) => state.endsWith(" delivered")));

  function counting(carrier: Parameters<NonNullable<Parameters<typeof here.person>[1]>>[0]) {
    return new Proxy(carrier, {
      get(of, name) {
        if (name === "send") sent++;
        const value = Reflect.get(of, name);
        return typeof value === "function" ? value.bind(of) : value;
      },
    });
  }
});

Deno.test("receipts, forged: of another's messages, of none, of what is taken back; nothing changes, and nothing is shown", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  using eve = here.person("eve");
  eve.messenger.addContact("ann", (await ann.messenger.token("", stop)).token);
  await eve.messenger.send("ann", "hi", stop);
  await ann.messenger.sync(stop);
  ann.messenger.addContact("eve", (await eve.messenger.token("", stop)).token);
  await ann.messenger.send("bob", "to bob", stop);
  const { id } = await ann.messenger.send("eve", "to eve", stop);
  const ofBob = ann.messenger.messages({ contact: "bob" }).at(-1)!.id;
  const receipt = (of: string[], state: "delivered" | "read") =>
    formatContent({ type: "receipt", id: b64(crypto.getRandomValues(new Uint8Array(16))), at: 0, of, state });
  await eve.messenger.sync(stop);
  await say(eve, "ann", receipt([ofBob, b64(new Uint8Array(16)), ofBob], "read"));
  assert.equal((await ann.messenger.sync(stop)).received, 0);
  assert.deepEqual(states(ann), ["hello delivered", "to bob stored", "to eve delivered"]);
  await say(eve, "ann", receipt([id], "read"));
  await say(eve, "ann", receipt([id], "delivered"));
  await ann.messenger.sync(stop);
  assert.deepEqual(states(ann), ["hello delivered", "to bob stored", "to eve read"]);
  // A text that another wrote is not one's own, whatever its id is.
  const hi = ann.messenger.messages({ contact: "eve" }).find(({ mine }) => !mine)!;
  await say(eve, "ann", receipt([hi.id], "read"));
  await ann.messenger.sync(stop);
  assert.equal(ann.messenger.messages({ contact: "eve", unread: true }).length, 1);
  using database = new DatabaseSync(ann.file) as DatabaseSync & Disposable;
  assert.equal(database.prepare("SELECT count(*) AS n FROM message").get()!.n, 4);
});

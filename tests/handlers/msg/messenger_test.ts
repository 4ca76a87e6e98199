/**
 * Two with messengers and a mailbox between them (msg.md §2, §3.1, §3.2; rows 7, 11, 15, 18, 19, 36, 57, 61, 63, 65).
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Carrier, Mailboxes } from "@alknet/handlers/msg";
import { MAILBOX, place, seen, stop } from "./people.ts";

Deno.test("send: to one who is away; read, answered, and answered again; the mailbox restarted between (row 36)", async () => {
  await using here = await place();
  let token: string;
  {
    using bob = here.person("bob");
    const made = await bob.messenger.token("", stop);
    assert.deepEqual([made.queue, made.mailbox], ["made", MAILBOX]);
    assert.equal((await bob.messenger.token("", stop)).token, made.token);
    token = made.token;
  }
  {
    using ann = here.person("ann");
    ann.messenger.addContact("bob", token);
    for (const text of ["hello", "are you there?"]) {
      const { state } = await ann.messenger.send("bob", text, stop);
      assert.equal(state, "stored");
    }
  }
  await here.restart();
  using bob = here.person("bob");
  assert.equal((await bob.messenger.sync(stop)).received, 2);
  const [{ contact, request, mine, state }] = bob.messenger.messages();
  assert.deepEqual([contact.length, request, mine, state], [52, true, false, "delivered"]);
  assert.deepEqual(seen(bob), [`${contact}: hello`, `${contact}: are you there?`]);
  bob.messenger.markRead(bob.messenger.messages());
  assert.deepEqual(bob.messenger.messages({ unread: true }), []);
  await here.restart();
  assert.equal((await bob.messenger.send(contact, "yes", stop)).state, "stored");
  using ann = here.person("ann");
  await here.restart();
  using again = here.person("bob");
  assert.deepEqual({ ...await ann.messenger.sync(stop), faults: 0 }, {
    received: 1,
    sent: 0,
    waiting: 0,
    unreadable: 0,
    drained: 0,
    resets: 0,
    faults: 0,
  });
  assert.deepEqual(seen(ann), ["bob: yes"]);
  // Each has a queue of its own now, in both directions.
  for (let turn = 0; turn < 3; turn++) {
    await ann.messenger.send("bob", `ann ${turn}`, stop);
    await again.messenger.sync(stop);
    await again.messenger.send(contact, `bob ${turn}`, stop);
    await ann.messenger.sync(stop);
  }
  assert.deepEqual(seen(again).slice(2).map((line) => line.slice(54)), ["ann 0", "ann 1", "ann 2"]);
  assert.deepEqual(seen(ann).slice(1), ["bob: bob 0", "bob: bob 1", "bob: bob 2"]);
  const own = ann.messenger.messages({ contact: "bob" }).filter(({ mine }) => mine);
  assert.deepEqual(own.map(({ state }) => state), Array(5).fill("delivered"));
});

Deno.test("requests: named and accepted by their token or name; blocked are hidden; crossing first messages both come (row 11)", async () => {
  await using here = await place();
  using ann = here.person("ann");
  using bob = here.person("bob");
  const [ofAnn, ofBob] = [await ann.messenger.token("x", stop), await bob.messenger.token("", stop)];
  assert.throws(() => ann.messenger.addContact("me", ofAnn.token), { code: "BAD_TOKEN" });
  ann.messenger.addContact("bob", ofBob.token);
  bob.messenger.addContact("ann", ofAnn.token);
  await ann.messenger.send("bob", "from ann", stop);
  await bob.messenger.send("ann", "from bob", stop);
  await ann.messenger.sync(stop);
  await bob.messenger.sync(stop);
  assert.deepEqual([seen(ann), seen(bob)], [["bob: from bob"], ["ann: from ann"]]);
  for (const turn of [1, 2]) {
    await Promise.all([ann.messenger.send("bob", `a${turn}`, stop), bob.messenger.send("ann", `b${turn}`, stop)]);
    await Promise.all([ann.messenger.sync(stop), bob.messenger.sync(stop)]);
  }
  assert.deepEqual([seen(ann).slice(1), seen(bob).slice(1)], [["bob: b1", "bob: b2"], ["ann: a1", "ann: a2"]]);
  bob.messenger.decide("ann", "blocked");
  await ann.messenger.send("bob", "hidden", stop);
  assert.equal((await bob.messenger.sync(stop)).received, 0);
  await assert.rejects(bob.messenger.send("ann", "no", stop), { code: "BLOCKED" });
  bob.messenger.decide("ann", "accepted");
  await ann.messenger.send("bob", "again", stop);
  await bob.messenger.sync(stop);
  assert.deepEqual(seen(bob).slice(3), ["ann: again"]);
  // A request is accepted by its token, under the name that is given.
  using eve = here.person("eve");
  eve.messenger.addContact("bob", ofBob.token);
  await eve.messenger.send("bob", "hi", stop);
  await bob.messenger.sync(stop);
  const ofEve = await eve.messenger.token("", stop);
  assert.throws(() => bob.messenger.addContact("ann", ofEve.token), { code: "NAME_TAKEN" });
  assert.throws(() => bob.messenger.addContact("a name", ofEve.token), { code: "BAD_NAME" });
  assert.equal(bob.messenger.addContact("eve", ofEve.token).state, "accepted");
  assert.throws(() => bob.messenger.addContact("eva", ofEve.token), { code: "CONTACT_KNOWN" });
  assert.equal(seen(bob).at(-1), "eve: hi");
});

Deno.test("mailbox away: the token is pending, a message fails, or waits where that is asked for, and goes later (rows 57, 63)", async () => {
  await using here = await place();
  using bob = here.person("bob");
  using ann = here.person("ann");
  here.isAway = true;
  const { token, queue, fault } = await bob.messenger.token("", stop);
  assert.deepEqual([queue, fault?.code], ["pending", "UNREACHABLE"]);
  ann.messenger.addContact("bob", token);
  const lost = await ann.messenger.send("bob", "lost", stop);
  assert.deepEqual([lost.state, lost.fault?.code], ["failed", "UNREACHABLE"]);
  for (const text of ["first", "second"]) {
    assert.equal((await ann.messenger.send("bob", text, { ...stop, queue: true })).state, "waiting");
  }
  assert.deepEqual((await ann.messenger.sync(stop)).waiting, 2);
  here.isAway = false;
  // B's mailbox knows nothing of the queue yet.
  const early = await ann.messenger.sync(stop);
  assert.deepEqual([early.sent, early.waiting, early.faults[0].code], [0, 2, "MAILBOX_NO_QUEUE"]);
  await bob.messenger.sync(stop);
  assert.deepEqual((await bob.messenger.token("", stop)).queue, "made");
  assert.equal((await ann.messenger.send("bob", "third", stop)).state, "stored");
  await bob.messenger.sync(stop);
  assert.deepEqual(seen(bob).map((line) => line.slice(54)), ["first", "second", "third"]);
  const states = ann.messenger.messages().map(({ text, state }) => `${text} ${state}`);
  assert.deepEqual(states, ["lost failed", "first stored", "second stored", "third stored"]);
  const tooLong = await ann.messenger.send("bob", "x".repeat(98_304), { ...stop, queue: true });
  assert.deepEqual([tooLong.state, tooLong.fault?.code], ["failed", "TOO_LONG"]);
});

Deno.test("mailbox away: what fails moves no ratchet, so that however many fail, the next opens without a gap", async () => {
  await using here = await place();
  using bob = here.person("bob");
  const { token } = await bob.messenger.token("", stop);
  {
    using ann = here.person("ann");
    ann.messenger.addContact("bob", token);
    await ann.messenger.send("bob", "one", stop);
  }
  here.isAway = true;
  using ann = here.person("ann");
  for (let n = 0; n < 20; n++) assert.equal((await ann.messenger.send("bob", "lost", stop)).state, "failed");
  here.isAway = false;
  await ann.messenger.send("bob", "two", stop);
  await bob.messenger.sync(stop);
  assert.deepEqual(seen(bob).map((line) => line.slice(54)), ["one", "two"]);
  using database = new DatabaseSync(bob.file) as DatabaseSync & Disposable;
  assert.equal(database.prepare("SELECT count(*) AS n FROM skipped").get()!.n, 0);
});

Deno.test("A's own mailbox away: the message goes, and where to answer is told later", async () => {
  await using here = await place();
  using bob = here.person("bob");
  const { token } = await bob.messenger.token("", stop);
  let refuses = true;
  using ann = here.person("ann", (carrier) => ({
    send: (to, envelope, options) => carrier.send(to, envelope, options),
    takeBundle: (to, options) => carrier.takeBundle(to, options),
    receive: (from, options) => carrier.receive(from, options),
    create: (mailbox, queue, options) =>
      refuses ? Promise.reject(new DOMException("late", "TimeoutError")) : carrier.create(mailbox, queue, options),
    drop: (from, options) => carrier.drop(from, options),
    publish: (from, published, options) => carrier.publish(from, published, options),
  }));
  ann.messenger.addContact("bob", token);
  assert.equal((await ann.messenger.send("bob", "one", stop)).state, "stored");
  await bob.messenger.sync(stop);
  const [{ contact }] = bob.messenger.messages();
  await assert.rejects(bob.messenger.send(contact, "where?", stop), { code: "NOT_SENT" });
  refuses = false;
  await ann.messenger.send("bob", "two", stop);
  await bob.messenger.sync(stop);
  assert.equal((await bob.messenger.send(contact, "there", stop)).state, "stored");
  await ann.messenger.sync(stop);
  assert.deepEqual(seen(ann), ["bob: there"]);
});

Deno.test("receive: an envelope that comes again is shown once; one altered in the mailbox is told, and the next opens (rows 7, 15)", async () => {
  await using here = await place();
  let deaf = true;
  // Acknowledgements that do not arrive: everything comes again.
  const forgetful = (carrier: Carrier & Mailboxes): Carrier & Mailboxes => ({
    send: (to, envelope, options) => carrier.send(to, envelope, options),
    takeBundle: (to, options) => carrier.takeBundle(to, options),
    create: (mailbox, queue, options) => carrier.create(mailbox, queue, options),
    drop: (from, options) => carrier.drop(from, options),
    publish: (from, published, options) => carrier.publish(from, published, options),
    async *receive(from, options) {
      for await (const arrival of carrier.receive(from, options)) {
        yield { ...arrival, ack: () => deaf ? Promise.resolve() : arrival.ack() };
      }
    },
  });
  using bob = here.person("bob", forgetful);
  using ann = here.person("ann");
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  for (const text of ["one", "two", "three"]) await ann.messenger.send("bob", text, stop);
  assert.equal((await bob.messenger.sync(stop)).received, 1);
  assert.equal((await bob.messenger.sync(stop)).received, 0);
  deaf = false;
  {
    using database = new DatabaseSync(here.folder.join("mailbox.sqlite")) as DatabaseSync & Disposable;
    database.exec(
      "UPDATE item SET body = CAST(substr(body, 1, 1000) || x'00ff' || substr(body, 1003) AS BLOB) WHERE seq = 2",
    );
  }
  const { received, unreadable } = await bob.messenger.sync(stop);
  assert.deepEqual([received, unreadable], [1, 1]);
  assert.deepEqual(seen(bob).map((line) => line.slice(54)), ["one", "three"]);
  assert.equal((await bob.messenger.sync(stop)).received, 0);
});

Deno.test("two messengers of one person at once: everything comes, once (row 19)", async () => {
  await using here = await place();
  using bob = here.person("bob");
  using twin = here.person("bob");
  using ann = here.person("ann");
  using second = here.person("ann");
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  const texts = Array.from({ length: 12 }, (_, i) => `${i}`);
  for (let i = 0; i < texts.length; i += 4) {
    const four = texts.slice(i, i + 4);
    await Promise.all(
      four.map((text, n) => (n % 2 ? ann : second).messenger.send("bob", text, { ...stop, queue: true })),
    );
    await ann.messenger.sync(stop);
    await Promise.all([bob.messenger.sync(stop), twin.messenger.sync(stop)]);
  }
  await bob.messenger.sync(stop);
  const got = seen(bob).map((line) => line.slice(54)).sort((a, b) => Number(a) - Number(b));
  assert.deepEqual(got, texts);
});

Deno.test("store: 0600, no text, name or token in the file; another vault's and altered rows are refused (row 65)", async () => {
  await using here = await place();
  using bob = here.person("bob");
  const { token } = await bob.messenger.token("", stop);
  {
    using ann = here.person("ann");
    ann.messenger.addContact("bob", token);
    await ann.messenger.send("bob", "a secret text", stop);
    assert.equal(Deno.statSync(ann.file).mode! & 0o777, 0o600);
  }
  const secret = Uint8Array.fromBase64(token.slice(7), { alphabet: "base64url" }).subarray(90, 122);
  for (const end of ["", "-wal"]) {
    const bytes = await Deno.readFile(`${here.folder.join("ann.sqlite")}${end}`).catch(() => new Uint8Array());
    const text = new TextDecoder("latin1").decode(bytes);
    assert.ok(!text.includes("a secret text") && !text.includes("127.0.0.1"));
    assert.ok(!bytes.toHex().includes(secret.toHex()));
  }
  await Deno.copyFile(here.folder.join("ann.sqlite"), here.folder.join("eve.sqlite"));
  assert.throws(() => here.person("eve"), { code: "MESSAGE_STORE" });
  {
    using database = new DatabaseSync(here.folder.join("ann.sqlite")) as DatabaseSync & Disposable;
    database.exec("UPDATE message SET secret = (SELECT secret FROM session)");
  }
  using ann = here.person("ann");
  assert.throws(() => ann.messenger.messages(), { code: "MESSAGE_STORE" });
});

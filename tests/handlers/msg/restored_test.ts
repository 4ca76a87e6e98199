/**
 * A database that was put back from a copy, sessions that came to an end, and two that begin at once (msg.md §2, §3.1; rows 11,
 * 20, 62).
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemBytes } from "@alknet/core/crypto";
import { parseAddress } from "@alknet/core/address";
import { parseNodeId } from "@alknet/core/identity";
import { formatToken } from "../../../handlers/msg/agreement/token.ts";
import { Contacts } from "../../../handlers/msg/store/contacts.ts";
import { MessageStore } from "../../../handlers/msg/store/message_store.ts";
import { around, MAILBOX, type Person, type Place, place, stop, texts } from "./people.ts";

/** Ids of the sessions by which somebody sends. */
function sending({ file }: Person): string[] {
  using database = new DatabaseSync(file) as DatabaseSync & Disposable;
  const rows = database.prepare("SELECT id FROM session WHERE sends = 1 AND stale = 0").all();
  return rows.map(({ id }) => (id as Uint8Array).toHex());
}

function staleSessions({ file }: Person): number {
  using database = new DatabaseSync(file) as DatabaseSync & Disposable;
  return database.prepare("SELECT count(*) AS n FROM session WHERE stale = 1").get()!.n as number;
}

/** Two who have written to each other; both are gone again. */
async function acquainted(here: Place): Promise<{ readonly token: string }> {
  using ann = here.person("ann");
  using bob = here.person("bob");
  const { token } = await bob.messenger.token("", stop);
  ann.messenger.addContact("bob", token);
  await ann.messenger.send("bob", "a1", stop);
  await bob.messenger.sync(stop);
  bob.messenger.addContact("ann", (await ann.messenger.token("", stop)).token);
  await bob.messenger.send("ann", "b1", stop);
  await ann.messenger.sync(stop);
  return { token };
}

Deno.test("put back: STALE_STATE, what waits is received, nothing is sealed by the old session, both go on (row 20)", async () => {
  await using here = await place();
  const { token } = await acquainted(here);
  const [file, copy] = ["bob.sqlite", "copy.sqlite"].map((name) => here.folder.join(name));
  await Deno.copyFile(file, copy);
  {
    using ann = here.person("ann");
    using bob = here.person("bob");
    assert.equal(bob.messenger.fault, undefined);
    for (let turn = 0; turn < 3; turn++) {
      await ann.messenger.send("bob", "gone", stop);
      await bob.messenger.sync(stop);
      await bob.messenger.send("ann", "known", stop);
      await ann.messenger.sync(stop);
    }
    // It also has keys that the copy does not know: of the mailbox's hundred half was used.
    here.days = 8;
    await bob.messenger.sync(stop);
    await ann.messenger.send("bob", "on its way", stop);
  }
  // One who begins to write meanwhile, sealed for keys that are in no copy: lost, and nothing else.
  await Deno.copyFile(copy, file);
  const sent: Uint8Array[] = [];
  using bob = here.person("bob", (carrier) =>
    around(carrier, {
      send(to, envelope, options) {
        sent.push(envelope);
        return carrier.send(to, envelope, options);
      },
    }));
  assert.equal(bob.messenger.fault?.code, "STALE_STATE");
  assert.match(bob.messenger.fault.message, /put back from a copy/);
  assert.deepEqual([staleSessions(bob), sending(bob)], [1, []]);
  const synced = await bob.messenger.sync(stop);
  assert.deepEqual([synced.resets, synced.faults, synced.waiting, synced.sent], [1, [], 0, 0]);
  assert.deepEqual(sent.map(([type, suite]) => [type, suite]), [[1, 2]]);
  using ann = here.person("ann");
  assert.equal((await ann.messenger.sync(stop)).faults.length, 0);
  for (let turn = 0; turn < 3; turn++) {
    await ann.messenger.send("bob", `from ann ${turn}`, stop);
    await bob.messenger.sync(stop);
    await bob.messenger.send("ann", `from bob ${turn}`, stop);
    await ann.messenger.sync(stop);
  }
  assert.deepEqual(texts(bob).slice(-3), ["from ann 0", "from ann 1", "from ann 2"]);
  assert.deepEqual(texts(ann).slice(-3), ["from bob 0", "from bob 1", "from bob 2"]);
  assert.deepEqual(sending(ann), sending(bob));
  assert.deepEqual([(await bob.messenger.sync(stop)).resets, (await ann.messenger.sync(stop)).resets], [0, 0]);
  // The token is good as before, and its keys are those that are here.
  for (const name of ["eve", "kim"]) {
    using one = here.person(name);
    one.messenger.addContact("bob", token);
    await one.messenger.send("bob", name, stop);
    const { received, unreadable } = await bob.messenger.sync(stop);
    assert.deepEqual([received, unreadable], [1, 0]);
  }
  bob[Symbol.dispose]();
  using again = here.person("bob");
  assert.equal(again.messenger.fault, undefined);
});

Deno.test("put back, and the mailbox away: nothing is sent meanwhile, and all of it afterwards; a message of one's own begins the session too", async () => {
  await using here = await place();
  await acquainted(here);
  const [file, copy] = ["bob.sqlite", "copy.sqlite"].map((name) => here.folder.join(name));
  await Deno.copyFile(file, copy);
  here.person("bob")[Symbol.dispose]();
  await Deno.copyFile(copy, file);
  using bob = here.person("bob");
  using ann = here.person("ann");
  assert.equal(bob.messenger.fault?.code, "STALE_STATE");
  here.isAway = true;
  assert.equal((await bob.messenger.send("ann", "first", { ...stop, queue: true })).state, "waiting");
  const { resets, waiting } = await bob.messenger.sync(stop);
  assert.deepEqual([resets, waiting], [0, 1]);
  here.isAway = false;
  await bob.messenger.sync(stop);
  await ann.messenger.sync(stop);
  assert.deepEqual(texts(ann).slice(-1), ["first"]);
  await ann.messenger.send("bob", "second", stop);
  await bob.messenger.sync(stop);
  assert.deepEqual(texts(bob).slice(-1), ["second"]);
  assert.deepEqual(sending(ann), sending(bob));
});

Deno.test("generation: the database ahead of its file is harmless, by however much; a file that is gone or is no number is not (row 62)", async () => {
  await using here = await place();
  await acquainted(here);
  const beside = here.folder.join("bob.generation");
  const before = Number(await Deno.readTextFile(beside));
  assert.ok(before > 0);
  assert.equal(Deno.statSync(beside).mode! & 0o777, 0o600);
  const opens = (): string | undefined => {
    using bob = here.person("bob");
    return bob.messenger.fault?.code;
  };
  // Killed after the commit, before the file: as often as may be.
  for (let n = 0; n < 3; n++) {
    assert.equal(opens(), undefined);
    await Deno.writeTextFile(beside, `${before}\n`);
  }
  assert.equal(opens(), undefined);
  assert.equal(Number(await Deno.readTextFile(beside)), before + 4);
  // Several at once.
  const open = Array.from({ length: 4 }, () => here.person("bob"));
  assert.deepEqual(open.map(({ messenger }) => messenger.fault), Array(4).fill(undefined));
  for (const one of open) one[Symbol.dispose]();
  assert.equal(opens(), undefined);
  for (const text of ["", "x", "-1", "9".repeat(40)]) {
    await Deno.writeTextFile(beside, text);
    assert.deepEqual([opens(), opens()], ["STALE_STATE", undefined], text);
  }
  await Deno.remove(beside);
  assert.deepEqual([opens(), opens()], ["STALE_STATE", undefined]);
  await Deno.remove(beside);
  await Deno.mkdir(beside);
  assert.throws(opens, { code: "MESSAGE_STORE" });
});

Deno.test("three that do not open, one after the other, end a session; a new one begins, once an hour at most", async () => {
  await using here = await place();
  await acquainted(here);
  let alters = false;
  const mailbox = () => new DatabaseSync(here.folder.join("mailbox.sqlite")) as DatabaseSync & Disposable;
  using ann = here.person("ann");
  using bob = here.person("bob");
  const round = async (text: string): Promise<number> => {
    await ann.messenger.send("bob", text, stop);
    if (alters) {
      using database = mailbox();
      database.exec("UPDATE item SET body = CAST(substr(body, 1, 500) || x'00ff' || substr(body, 503) AS BLOB)");
    }
    return (await bob.messenger.sync(stop)).resets;
  };
  // Receipts of what was said before.
  for (const { messenger } of [ann, bob, ann]) await messenger.sync(stop);
  alters = true;
  assert.deepEqual([await round("1"), await round("2")], [0, 0]);
  alters = false;
  assert.equal(await round("opens"), 0);
  alters = true;
  const before = sending(bob);
  assert.deepEqual([await round("3"), await round("4"), await round("5")], [0, 0, 1]);
  assert.notDeepEqual(sending(bob), before);
  await ann.messenger.sync(stop);
  assert.deepEqual(sending(ann), sending(bob));
  // Whoever keeps the mailbox goes on: nothing more happens within the hour.
  for (let n = 0; n < 5; n++) assert.equal(await round("6"), 0);
  alters = false;
  assert.equal(await round("after"), 0);
  assert.deepEqual(texts(bob).slice(-2), ["opens", "after"]);
  assert.deepEqual(sending(ann), sending(bob));
  alters = true;
  here.days = 1;
  assert.deepEqual([await round("7"), await round("8"), await round("9")], [0, 0, 1]);
});

Deno.test("crossing first messages: both come, and from then on one session sends, whoever reads first (row 11)", async () => {
  for (let n = 0; n < 12; n++) {
    await using here = await place();
    using ann = here.person("ann");
    using bob = here.person("bob");
    const [ofAnn, ofBob] = [await ann.messenger.token("", stop), await bob.messenger.token("", stop)];
    ann.messenger.addContact("bob", ofBob.token);
    bob.messenger.addContact("ann", ofAnn.token);
    await ann.messenger.send("bob", "a0", stop);
    await bob.messenger.send("ann", "b0", stop);
    await ann.messenger.sync(stop);
    // Sometimes the answer is there before the other first message was read.
    if (n % 3 === 1) await ann.messenger.send("bob", "a1", stop);
    await bob.messenger.sync(stop);
    if (n % 3 === 2) {
      await bob.messenger.send("ann", "b1", stop);
      await ann.messenger.sync(stop);
    }
    assert.deepEqual(sending(ann), sending(bob), `${n}`);
    assert.equal(sending(ann).length, 1);
    for (let turn = 2; turn < 4; turn++) {
      await ann.messenger.send("bob", `a${turn}`, stop);
      await bob.messenger.send("ann", `b${turn}`, stop);
      await bob.messenger.sync(stop);
      await ann.messenger.sync(stop);
    }
    assert.deepEqual(texts(ann), n % 3 === 2 ? ["b0", "b1", "b2", "b3"] : ["b0", "b2", "b3"]);
    assert.deepEqual(texts(bob), n % 3 === 1 ? ["a0", "a1", "a2", "a3"] : ["a0", "a2", "a3"]);
    assert.deepEqual(sending(ann), sending(bob));
  }
});

Deno.test("a contact who begins anew again and again: 16 sessions are kept, and the last one goes on", async () => {
  await using here = await place({ limits: { takeRate: 1000, contactRate: 1000, frames: 100_000 } });
  await acquainted(here);
  using bob = here.person("bob");
  for (let n = 0; n < 20; n++) {
    // A contact that forgets.
    await Deno.writeTextFile(here.folder.join("ann.generation"), `${1000 * (n + 1)}`);
    using ann = here.person("ann");
    assert.equal(ann.messenger.fault?.code, "STALE_STATE");
    assert.equal((await ann.messenger.sync(stop)).resets, 1);
    assert.equal((await bob.messenger.sync(stop)).unreadable, 0);
  }
  using ann = here.person("ann");
  for (const { file } of [ann, bob]) {
    using database = new DatabaseSync(file) as DatabaseSync & Disposable;
    assert.equal(database.prepare("SELECT count(*) AS n FROM session").get()!.n, 16);
  }
  await ann.messenger.send("bob", "still", stop);
  await bob.messenger.sync(stop);
  await bob.messenger.send("ann", "here", stop);
  await ann.messenger.sync(stop);
  assert.deepEqual([texts(bob).at(-1), texts(ann).at(-1)], ["still", "here"]);
  assert.deepEqual(sending(ann), sending(bob));
});

Deno.test("a contact's queue is the contact's alone: what another begins there is not shown, and is no session", async () => {
  await using here = await place();
  await acquainted(here);
  using bob = here.person("bob");
  using keys = here.keysOf("bob");
  let token: string;
  {
    // A tells E where A answers B.
    using own = here.keysOf("ann");
    using store = new MessageStore(here.folder.join("ann.sqlite"), own, systemBytes);
    const { sid, t } = new Contacts(store).find("ed", keys.ed)!.to!;
    const { nodeId } = parseAddress(MAILBOX);
    const address = "127.0.0.1:4433";
    token = formatToken({ once: false, ed: keys.ed, mailboxKey: parseNodeId(nodeId!), sid, t, address, name: "" });
  }
  using eve = here.person("eve");
  eve.messenger.addContact("bob", token);
  assert.equal((await eve.messenger.send("bob", "from another", stop)).state, "stored");
  const { received, unreadable } = await bob.messenger.sync(stop);
  assert.deepEqual([received, unreadable, texts(bob)], [0, 1, ["a1"]]);
  assert.deepEqual(bob.messenger.contacts().map(({ name }) => name), ["ann"]);
  // Its key had its use all the same.
  using database = new DatabaseSync(bob.file) as DatabaseSync & Disposable;
  const sql = "SELECT id FROM prekey JOIN queue USING (rid) WHERE kind = 'opk' AND contact IS NOT NULL";
  assert.deepEqual(database.prepare(sql).all().map(({ id }) => id), [2]);
});

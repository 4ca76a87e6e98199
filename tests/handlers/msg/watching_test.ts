/**
 * Watching: what comes is told as it comes, over lost connections, beside others that read; what waits is sent (msg.md §1, §4;
 * row 31).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { AlknetError } from "@alknet/core/handler";
import type { Carrier, Mailboxes, MessageEvent, Messenger } from "@alknet/handlers/msg";
import { DatabaseSync } from "node:sqlite";
import { around, type Person, place, stop, texts } from "./people.ts";

/** Somebody who watches. */
interface Watching extends AsyncDisposable {
  /** The next that is told, in short: `message: text`, or the event and whose it is. */
  next(): Promise<string | undefined>;
  /** What could not be done. */
  readonly faults: string[];
}

function watching(messenger: Messenger): Watching {
  const ending = new AbortController();
  const faults: string[] = [];
  const events = messenger.watch({ signal: ending.signal, onFault: ({ code }: AlknetError) => faults.push(code) })
    [Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await events.next();
    return done ? undefined : short(value);
  };
  return {
    next,
    faults,
    async [Symbol.asyncDispose]() {
      ending.abort();
      assert.equal(await next(), undefined);
    },
  };
}

function short(event: MessageEvent): string {
  if (event.event === "message") return `message: ${event.message.text}`;
  return event.event === "state" ? `state: ${event.state}` : event.event;
}

async function knowing(ann: Person, bob: Person): Promise<void> {
  const { token } = await bob.messenger.token("", stop);
  ann.messenger.addContact("bob", token);
}

Deno.test("watch: what waits and what comes, a request before its message, in queues that are made meanwhile; until the signal", async () => {
  await using here = await place();
  using ann = here.person("ann");
  using bob = here.person("bob");
  await knowing(ann, bob);
  await ann.messenger.send("bob", "before", stop);
  await using watch = watching(bob.messenger);
  assert.deepEqual([await watch.next(), await watch.next()], ["request", "message: before"]);
  for (const text of ["one", "two"]) await ann.messenger.send("bob", text, stop);
  assert.deepEqual([await watch.next(), await watch.next()], ["message: one", "message: two"]);
  assert.deepEqual(texts(bob), ["before", "one", "two"]);
  // The queue in which the answer to this comes is made now.
  const [{ name }] = bob.messenger.contacts();
  await bob.messenger.send(name, "answer", stop);
  await ann.messenger.sync(stop);
  assert.deepEqual(texts(ann), ["answer"]);
  assert.equal(await watch.next(), "state: delivered");
  await ann.messenger.send("bob", "three", stop);
  assert.equal(await watch.next(), "message: three");
  assert.deepEqual(watch.faults, []);
});

Deno.test("watch: the mailbox away, told once; when it is there again all of it comes, once", async () => {
  await using here = await place();
  using ann = here.person("ann");
  using bob = here.person("bob");
  await knowing(ann, bob);
  await ann.messenger.send("bob", "one", stop);
  await here.restart();
  here.isAway = true;
  await using watch = watching(bob.messenger);
  const first = watch.next();
  while (watch.faults.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  here.isAway = false;
  assert.deepEqual([await first, await watch.next()], ["request", "message: one"]);
  assert.deepEqual(watch.faults, ["UNREACHABLE"]);
  const next = watch.next();
  await here.restart();
  await ann.messenger.send("bob", "two", stop);
  assert.equal(await next, "message: two");
  assert.equal(watch.faults.length, 2);
  assert.deepEqual(texts(bob), ["one", "two"]);
});

Deno.test("watch: two of one database, and one that looks: each message is told of by both, once", async () => {
  await using here = await place();
  using ann = here.person("ann");
  using bob = here.person("bob");
  using other = here.person("bob");
  await knowing(ann, bob);
  const both = [watching(bob.messenger), watching(other.messenger)];
  try {
    for (const text of ["one", "two", "three"]) {
      await ann.messenger.send("bob", text, stop);
      if (text === "two") await other.messenger.sync(stop);
      for (const watch of both) {
        if (text === "one") assert.equal(await watch.next(), "request");
        assert.equal(await watch.next(), `message: ${text}`);
      }
    }
    assert.deepEqual(both.map(({ faults }) => faults), [[], []]);
  } finally {
    for (const watch of both) await watch[Symbol.asyncDispose]();
  }
});

Deno.test("watch: what waits to be sent goes when the mailbox is there again, and that is told", async () => {
  await using here = await place();
  using ann = here.person("ann");
  using bob = here.person("bob");
  await knowing(ann, bob);
  await here.restart();
  here.isAway = true;
  const { state } = await ann.messenger.send("bob", "later", { ...stop, queue: true });
  assert.equal(state, "waiting");
  // Whoever wrote it has given up by then.
  here.days = 1;
  await using watch = watching(ann.messenger);
  const sent = watch.next();
  while (!watch.faults.includes("UNREACHABLE")) await new Promise((resolve) => setTimeout(resolve, 20));
  here.isAway = false;
  assert.equal(await sent, "state: stored");
  await bob.messenger.sync(stop);
  assert.deepEqual(texts(bob), ["later"]);
});

Deno.test("watch: what does not open is told, taken away, and what comes behind it is shown", async () => {
  await using here = await place();
  let isAltered = false;
  const altering = (carrier: Carrier & Mailboxes): Carrier & Mailboxes =>
    around(carrier, {
      send: (to, envelope, options) =>
        carrier.send(to, isAltered ? envelope.map((byte, i) => i === 600 ? byte ^ 1 : byte) : envelope, options),
    });
  using ann = here.person("ann", altering);
  using bob = here.person("bob");
  await knowing(ann, bob);
  await using watch = watching(bob.messenger);
  await ann.messenger.send("bob", "one", stop);
  assert.deepEqual([await watch.next(), await watch.next()], ["request", "message: one"]);
  isAltered = true;
  await ann.messenger.send("bob", "two", stop);
  assert.equal(await watch.next(), "unreadable");
  isAltered = false;
  await ann.messenger.send("bob", "three", stop);
  assert.equal(await watch.next(), "message: three");
});

Deno.test("watch: a mailbox that has lost our queues is asked for three of them, told once, and left alone for a while", async () => {
  await using here = await place();
  using bob = here.person("bob");
  for (const name of ["a", "b", "c", "d", "e", "f"]) await bob.messenger.token(name, stop);
  {
    using database = new DatabaseSync(here.folder.join("mailbox.sqlite")) as DatabaseSync & Disposable;
    database.exec("DELETE FROM queue");
  }
  await using watch = watching(bob.messenger);
  const next = watch.next();
  while (watch.faults.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([watch.faults, here.failures], [["MAILBOX_NO_QUEUE", "MAILBOX_NO_QUEUE"], 3]);
  // Others at other mailboxes, and what the contacts of this one do, go on.
  assert.equal(await Promise.race([next, Promise.resolve("still watching")]), "still watching");
});

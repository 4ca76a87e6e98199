/**
 * Long messages and files, in parts (msg.md §3.2; row 22).
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { AlknetError } from "@alknet/core/handler";
import { b64 } from "../../../handlers/msg/content/bytes.ts";
import { formatContent } from "../../../handlers/msg/content/content.ts";
import { cut } from "../../../handlers/msg/content/part.ts";
import { seeded } from "../../support/random.ts";
import { around, type Person, type Place, place, stop, texts } from "./people.ts";
import { say } from "./saying.ts";

const random = seeded("parts");
const partRows = ({ file }: Person): number => {
  using database = new DatabaseSync(file) as DatabaseSync & Disposable;
  return database.prepare("SELECT count(*) AS n FROM part").get()!.n as number;
};
const longText = (length: number): string => Array.from({ length }, () => "abcdefü ghij"[random.below(12)]).join("");
const whole = (text: string, id = b64(random.bytes(16))): Uint8Array =>
  formatContent({ type: "text", id, at: 1, text });

/** Ann, and bob who has accepted her. */
async function friends(here: Place, cuts?: Parameters<Place["person"]>[1]): Promise<{ ann: Person; bob: Person }> {
  const [ann, bob] = [here.person("ann", cuts), here.person("bob")];
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  bob.messenger.addContact("ann", (await ann.messenger.token("", stop)).token);
  return { ann, bob };
}

Deno.test("parts: a long text and a file, in the first message and later, are there whole, once, and delivered", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  const long = [longText(40_000), longText(80_000)];
  const data = random.bytes(72_000);
  assert.equal((await ann.messenger.send("bob", long[0], stop)).state, "stored");
  await bob.messenger.sync(stop);
  await ann.messenger.sync(stop);
  await ann.messenger.send("bob", long[1], stop);
  const { id } = await ann.messenger.send("bob", { name: "a.bin", mime: "application/x-b", data }, stop);
  assert.equal((await bob.messenger.sync(stop)).received, 2);
  assert.deepEqual(texts(bob), [...long, ""]);
  const { file } = bob.messenger.messages().at(-1)!;
  assert.deepEqual(file, { name: "a.bin", mime: "application/x-b", size: 72_000 });
  const bytesOf = async ({ messenger }: Person, name: string) =>
    await new Response(messenger.file(name, id, stop).bytes).bytes();
  assert.deepEqual(await bytesOf(bob, "ann"), data);
  assert.deepEqual(await bytesOf(ann, "bob"), data);
  assert.equal(partRows(bob), 0);
  await ann.messenger.sync(stop);
  assert.deepEqual(ann.messenger.messages().map(({ state }) => state), Array(3).fill("delivered"));
  assert.throws(() => bob.messenger.file("ann", bob.messenger.messages()[0].id, stop), { code: "NO_FILE" });
  assert.throws(() => bob.messenger.file("ann", "AAAA", stop), { code: "NO_FILE" });
});

Deno.test("parts: the largest that may be goes; one byte more is TOO_LONG; a file that is larger, or has a path, is refused", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  await ann.messenger.send("bob", "hello", stop);
  for (const { messenger } of [bob, ann, bob, ann]) await messenger.sync(stop);
  const most = 96 * 1024 - whole("").byteLength;
  // The time has more digits than that of the measure.
  const least = most - `${Date.now()}`.length + 1;
  assert.equal((await ann.messenger.send("bob", "x".repeat(least), stop)).state, "stored");
  const { state, fault } = await ann.messenger.send("bob", "x".repeat(least + 1), { ...stop, queue: true });
  assert.deepEqual([state, fault?.code], ["failed", "TOO_LONG"]);
  await bob.messenger.sync(stop);
  assert.equal(texts(bob).at(-1)!.length, least);
  const data = new Uint8Array(72_001);
  const wrong: [object, string][] = [[{ data }, "NO_BLOBS"], [{ name: "../a" }, "BAD_NAME"], [
    { name: "" },
    "BAD_NAME",
  ]];
  for (const [part, code] of wrong) {
    const what = { name: "a", mime: "text/plain", data: new Uint8Array(1), ...part };
    await assert.rejects(ann.messenger.send("bob", what, stop), { code });
  }
});

Deno.test("parts: sending that is cut in the middle goes on where it was, in order, and all comes once", async () => {
  await using here = await place();
  let left = Infinity;
  let sent = 0;
  const { ann, bob } = await friends(here, (carrier) =>
    around(carrier, {
      send: (to, envelope, options) => {
        if (left-- <= 0) return Promise.reject(new AlknetError("UNREACHABLE", "cut"));
        sent++;
        return carrier.send(to, envelope, options);
      },
    }));
  using _ann = ann;
  using _bob = bob;
  const long = longText(60_000);
  for (const before of [2, 1]) {
    left = before;
    const { state } = await ann.messenger.send("bob", long, { ...stop, queue: true });
    assert.equal(state, "waiting");
  }
  await bob.messenger.sync(stop);
  assert.deepEqual(texts(bob), []);
  assert.equal(partRows(bob) > 0, true);
  left = Infinity;
  assert.equal((await ann.messenger.sync(stop)).sent, 2);
  await ann.messenger.send("bob", "after", stop);
  // Nothing that the mailbox had was sent again.
  assert.equal(sent, 2 * Math.ceil((whole(long).byteLength + 160) / 15_001) + 1);
  await bob.messenger.sync(stop);
  assert.deepEqual(texts(bob), [long, long, "after"]);
  assert.equal(partRows(bob), 0);
});

Deno.test("parts that come twice, in any order, or again when all was there: joined once (row 22)", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  await ann.messenger.send("bob", "hello", stop);
  for (const { messenger } of [bob, ann, bob, ann]) await messenger.sync(stop);
  const id = random.bytes(16);
  const text = longText(3000);
  const pieces = cut(id, whole(text, b64(id)), 400);
  const mixed = [...pieces, ...pieces.slice(0, 3)].map((piece) => [random.uint32(), piece] as const)
    .sort(([a], [b]) => a - b).map(([, piece]) => piece);
  await say(ann, "bob", ...mixed);
  await say(ann, "bob", ...pieces);
  await say(ann, "bob", whole(text, b64(id)));
  assert.equal((await bob.messenger.sync(stop)).received, 1);
  assert.deepEqual(texts(bob), ["hello", text]);
});

Deno.test("parts that are none, too many, out of range, that do not go together, or are too much together: refused, and the next opens (row 22)", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  await ann.messenger.send("bob", "hello", stop);
  for (const { messenger } of [bob, ann, bob, ann]) await messenger.sync(stop);
  const id = () => random.bytes(16);
  const raw = (of: Uint8Array, index: number, count: number, bytes: Uint8Array): Uint8Array =>
    Uint8Array.of(1, ...of, index >> 8, index & 255, count >> 8, count & 255, ...bytes);
  const some = Uint8Array.of(0x7b);
  await say(
    ann,
    "bob",
    raw(id(), 0, 65, some),
    raw(id(), 2, 2, some),
    raw(id(), 65_535, 65_535, some),
    raw(id(), 0, 0, some),
    raw(id(), 0, 1, new Uint8Array()),
    raw(id(), 0, 1, new Uint8Array()).subarray(0, 9),
  );
  await bob.messenger.sync(stop);
  assert.equal(partRows(bob), 0);
  // Another count than the first has, and a whole that is no content, or is a part itself.
  const one = id();
  await say(ann, "bob", raw(one, 0, 2, some), raw(one, 1, 3, some), raw(one, 1, 2, some));
  await say(ann, "bob", raw(id(), 0, 1, raw(id(), 0, 1, whole("nested"))));
  const two = id();
  for (let n = 0; n < 7; n++) await say(ann, "bob", raw(two, n, 64, new Uint8Array(16_000)));
  await bob.messenger.sync(stop);
  assert.equal(partRows(bob), 0);
  assert.deepEqual(texts(bob), ["hello"]);
  await ann.messenger.send("bob", "next", stop);
  await bob.messenger.sync(stop);
  assert.deepEqual(texts(bob), ["hello", "next"]);
});

Deno.test("parts: of many that are never whole eight are kept, and none for longer than 30 days", async () => {
  await using here = await place({ limits: { sendRate: 1000 } });
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  await ann.messenger.send("bob", "hello", stop);
  for (const { messenger } of [bob, ann, bob, ann]) await messenger.sync(stop);
  const begun = Array.from({ length: 20 }, () => cut(random.bytes(16), whole("x".repeat(300)), 200)[0]);
  await say(ann, "bob", ...begun);
  await bob.messenger.sync(stop);
  assert.equal(partRows(bob), 8);
  here.days = 30;
  await bob.messenger.sync(stop);
  assert.equal(partRows(bob), 8);
  here.days = 31;
  await bob.messenger.sync(stop);
  assert.equal(partRows(bob), 0);
});

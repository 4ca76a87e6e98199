/**
 * Several devices of one person: each contact writes to all, and what one of them writes is on all (msg.md §3.2; row 23).
 *
 * @module
 */
import assert from "node:assert/strict";
import { nodeIdOf } from "@alknet/core/identity";
import { b64 } from "../../../handlers/msg/content/bytes.ts";
import { formatContent } from "../../../handlers/msg/content/content.ts";
import { signDevices } from "../../../handlers/msg/content/devices.ts";
import { type Person, type Place, place, settled, stop } from "./people.ts";
import { say } from "./saying.ts";

/** Makes devices of a person, who takes those that ask. */
async function joined(here: Place, first: Person, names: readonly string[]): Promise<Person[]> {
  const { token } = await first.messenger.token("", stop);
  const devices = names.map((name) => here.person(name));
  for (const [i, device] of devices.entries()) {
    assert.equal((await device.messenger.devices.join("first", token, stop)).fault, undefined);
    await first.messenger.sync(stop);
    using keys = here.keysOf(names[i]);
    assert.equal((await first.messenger.devices.add(names[i], nodeIdOf(keys.ed), stop)).fault, undefined);
  }
  return devices;
}

/** Ann and bob, who have written to each other. */
async function friends(here: Place): Promise<{ ann: Person; bob: Person }> {
  const [ann, bob] = [here.person("ann"), here.person("bob")];
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  bob.messenger.addContact("ann", (await ann.messenger.token("", stop)).token);
  await ann.messenger.send("bob", "before", stop);
  await settled(ann, bob);
  return { ann, bob };
}

const said = ({ messenger }: Person): string[] =>
  messenger.messages().map(({ contact, mine, text }) => mine ? `to ${contact}: ${text}` : `${contact}: ${text}`).sort();

Deno.test("devices: three of ann and two of bob: what anybody writes is on all of both, as one conversation (row 23)", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  const [laptop, phone] = await joined(here, ann, ["laptop", "phone"]);
  using _laptop = laptop;
  using _phone = phone;
  const [tablet] = await joined(here, bob, ["tablet"]);
  using _tablet = tablet;
  const all = [ann, laptop, phone, bob, tablet];
  await settled(...all);
  for (const device of [laptop, phone]) {
    assert.deepEqual(device.messenger.contacts().map(({ name, state }) => [name, state]), [["bob", "accepted"]]);
  }
  assert.deepEqual(bob.messenger.contacts().map(({ name }) => name), ["ann"]);
  const lines = [
    [ann, "bob", "from ann"],
    [laptop, "bob", "from laptop"],
    [phone, "bob", "from phone"],
    [bob, "ann", "from bob"],
    [tablet, "ann", "from tablet"],
  ] as const;
  for (const [from, to, text] of lines) {
    assert.equal((await from.messenger.send(to, text, stop)).state, "stored");
    await settled(...all);
  }
  const ofAnn = ["bob: from bob", "bob: from tablet", "to bob: from ann", "to bob: from laptop", "to bob: from phone"];
  const ofBob = [
    "ann: from ann",
    "ann: from laptop",
    "ann: from phone",
    "to ann: from bob",
    "to ann: from tablet",
  ];
  assert.deepEqual(said(ann), [...ofAnn, "to bob: before"].sort());
  assert.deepEqual(said(laptop), ofAnn);
  assert.deepEqual(said(phone), ofAnn);
  assert.deepEqual(said(bob), [...ofBob, "ann: before"].sort());
  assert.deepEqual(said(tablet), ofBob);
});

Deno.test("devices: one that was taken away gets nothing any more, and is a stranger; the others go on", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  const [laptop, phone] = await joined(here, ann, ["laptop", "phone"]);
  using _laptop = laptop;
  using _phone = phone;
  await settled(ann, laptop, phone, bob);
  assert.deepEqual(ann.messenger.devices.list().map(({ name }) => name), ["laptop", "phone"]);
  await ann.messenger.devices.remove("laptop", stop);
  await settled(ann, phone, bob);
  await bob.messenger.send("ann", "without laptop", stop);
  await ann.messenger.send("bob", "to bob and phone", stop);
  assert.equal((await laptop.messenger.sync(stop)).received, 0);
  assert.equal((await phone.messenger.sync(stop)).received, 2);
  assert.deepEqual(said(phone), ["bob: without laptop", "to bob: to bob and phone"]);
  await laptop.messenger.send("bob", "still me", stop);
  await bob.messenger.sync(stop);
  assert.deepEqual(said(bob), ["ann: before", "ann: to bob and phone", "to ann: without laptop"]);
  await assert.rejects(ann.messenger.devices.remove("laptop", stop), { code: "NO_DEVICE" });
});

Deno.test("devices: who does not ask is not taken, nor a fifth, nor by a device that is not the first; and a contact is no device", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  const devices = await joined(here, ann, ["one", "two", "three"]);
  const { token } = await ann.messenger.token("", stop);
  for (const name of ["four", "eve"]) {
    using person = here.person(name);
    if (name === "four") await person.messenger.devices.join("first", token, stop);
    else {
      person.messenger.addContact("ann", token);
      await person.messenger.send("ann", "let me in", stop);
    }
    await ann.messenger.sync(stop);
    using keys = here.keysOf(name);
    const code = name === "four" ? "TOO_MANY_DEVICES" : "NO_DEVICE";
    if (name === "eve") await ann.messenger.devices.remove("three", stop);
    await assert.rejects(ann.messenger.devices.add(name, nodeIdOf(keys.ed), stop), { code });
    await assert.rejects(devices[0].messenger.devices.add(name, nodeIdOf(keys.ed), stop), { code: "NOT_FIRST" });
  }
  await assert.rejects(bob.messenger.devices.join("x", token, stop), { code: "CONTACT_KNOWN" });
  await assert.rejects(ann.messenger.devices.join("x", token, stop), { code: "BAD_TOKEN" });
  await assert.rejects(devices[0].messenger.devices.join("x", token, stop), { code: "DEVICE_KNOWN" });
  await assert.rejects(ann.messenger.send("one", "x", stop), { code: "NO_CONTACT" });
  const { token: ofOne } = await devices[0].messenger.token("", stop);
  assert.throws(() => ann.messenger.addContact("one", ofOne), { code: "CONTACT_KNOWN" });
  for (const device of devices) device[Symbol.dispose]();
});

Deno.test("devices: a contact who lists the key of somebody else does not speak with that one's words", async () => {
  await using here = await place();
  const { ann, bob } = await friends(here);
  using _ann = ann;
  using _bob = bob;
  using carol = here.person("carol");
  using keys = here.keysOf("ann");
  using hers = here.keysOf("carol");
  const devices = signDevices(keys, [keys, hers]);
  const content = formatContent({ type: "profile", id: b64(new Uint8Array(16)), at: 1, name: "ann", devices });
  // Ann says so, and carol does not.
  await say(ann, "bob", content);
  carol.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  await carol.messenger.send("bob", "I am carol", stop);
  await bob.messenger.sync(stop);
  const { contact, request } = bob.messenger.messages().at(-1)!;
  assert.deepEqual([contact, request], [nodeIdOf(hers.ed), true]);
});

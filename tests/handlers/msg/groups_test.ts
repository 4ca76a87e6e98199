/**
 * Groups: what goes to one is with each member, once, from whoever wrote it (msg.md §3.2; row 23).
 *
 * @module
 */
import assert from "node:assert/strict";
import { nodeIdOf, NodeKey, parseNodeId } from "@alknet/core/identity";
import type { MessageKeys } from "@alknet/handlers/msg";
import { systemBytes } from "@alknet/core/crypto";
import { formatToken } from "../../../handlers/msg/agreement/token.ts";
import { b64 } from "../../../handlers/msg/content/bytes.ts";
import { type Content, formatContent, readContent } from "../../../handlers/msg/content/content.ts";
import { digestOf, type Members, signMembers } from "../../../handlers/msg/content/members.ts";
import { MAILBOX, type Person, type Place, place, settled, stop } from "./people.ts";
import { say } from "./saying.ts";

/** People who are each other's contacts. */
async function friends(here: Place, names: readonly string[]): Promise<Person[]> {
  const people = names.map((name) => here.person(name));
  for (const [i, one] of people.entries()) {
    for (const [k, other] of people.entries()) {
      if (i !== k) one.messenger.addContact(names[k], (await other.messenger.token("", stop)).token);
    }
  }
  return people;
}

/** What is in a group, as one sees it. */
const said = ({ messenger }: Person, group = "team"): string[] =>
  messenger.messages({ contact: group })
    .map(({ mine, from, text, differs }) => `${mine ? "I" : from}${differs ? " (other members)" : ""}: ${text}`);
const dispose = (people: readonly Person[]): void => people.forEach((one) => one[Symbol.dispose]());

Deno.test("groups: each of three writes, a second device too; all have all of it, by name, as one conversation (row 23)", async () => {
  await using here = await place();
  const [ann, bob, carol] = await friends(here, ["ann", "bob", "carol"]);
  using laptop = here.person("laptop");
  await laptop.messenger.devices.join("first", (await ann.messenger.token("", stop)).token, stop);
  await ann.messenger.sync(stop);
  using keys = here.keysOf("laptop");
  const made = await ann.messenger.groups.create("team", ["bob", "carol"], stop);
  assert.deepEqual(made, {
    ...{ name: "team", isAdmin: true, isMember: true, members: ["bob", "carol"], unreached: [] },
    fault: undefined,
  });
  await ann.messenger.devices.add("laptop", nodeIdOf(keys.ed), stop);
  const all = [ann, laptop, bob, carol];
  await settled(...all);
  for (const [i, one] of all.entries()) {
    const sent = await one.messenger.send("team", `from ${i}`, stop);
    assert.deepEqual([sent.state, sent.fault, sent.unreached], ["stored", undefined, []]);
    await settled(...all);
  }
  await carol.messenger.send("team", { name: "a.txt", mime: "text/plain", data: new Uint8Array(60_000).fill(7) }, stop);
  await settled(...all);
  assert.deepEqual(said(ann), ["I: from 0", "I: from 1", "bob: from 2", "carol: from 3", "carol: "]);
  assert.deepEqual(said(laptop), said(ann));
  assert.deepEqual(said(bob), ["ann: from 0", "ann: from 1", "I: from 2", "carol: from 3", "carol: "]);
  assert.deepEqual(said(carol), ["ann: from 0", "ann: from 1", "bob: from 2", "I: from 3", "I: "]);
  const { id } = bob.messenger.messages({ contact: "team" }).at(-1)!;
  const { bytes } = bob.messenger.file("team", id, stop);
  assert.equal((await new Response(bytes).bytes()).byteLength, 60_000);
  assert.deepEqual(ann.messenger.contacts().map(({ name }) => name), ["bob", "carol"]);
  await assert.rejects(laptop.messenger.groups.create("more", ["bob"], stop), { code: "NOT_FIRST" });
  dispose([ann, bob, carol]);
});

Deno.test("groups: 32 members, 33 are refused, made here or read (row 23)", async () => {
  await using here = await place();
  using ann = here.person("ann");
  using keys = here.keysOf("ann");
  const mailboxKey = parseNodeId(MAILBOX.split("@")[0]);
  const others = Array.from({ length: 32 }, (_, i) => {
    using key = NodeKey.generate();
    const ed = parseNodeId(key.id);
    const [sid, t] = [systemBytes(24), systemBytes(32)];
    const token = formatToken({ once: false, ed, mailboxKey, sid, t, address: "127.0.0.1:4433", name: "" });
    ann.messenger.addContact(`c${i}`, token);
    return ed;
  });
  const names = others.map((_, i) => `c${i}`);
  here.isAway = true;
  await assert.rejects(ann.messenger.groups.create("team", names, stop), { code: "TOO_MANY_MEMBERS" });
  assert.deepEqual(ann.messenger.groups.list(), []);
  const { members, fault } = await ann.messenger.groups.create("team", names.slice(1), stop);
  assert.deepEqual([members.length, fault?.code], [31, "UNREACHABLE"]);
  await assert.rejects(ann.messenger.groups.change("team", { add: ["c0"] }, stop), { code: "TOO_MANY_MEMBERS" });
  const id = systemBytes(16);
  const content = (list: readonly Uint8Array[]): Uint8Array => {
    const members = signMembers(keys, { id, version: 1, list });
    const body: Content = { type: "text", id: b64(systemBytes(16)), at: 1, text: "hi" };
    return formatContent({ type: "group", id: b64(id), at: 1, members, digest: digestOf(members), body });
  };
  const read = readContent(content([keys.ed, ...others.slice(1)]));
  assert.equal(read.type === "group" && read.members.list.length, 32);
  for (const list of [[keys.ed, ...others], others.slice(1), [keys.ed, others[0], others[0]]]) {
    assert.throws(() => readContent(content(list)), { code: "BAD_CONTENT" });
  }
});

Deno.test("groups: members come and go; whoever has another list is seen to; who was taken out, or left, is out (row 23)", async () => {
  await using here = await place();
  const [ann, bob, carol, dave] = await friends(here, ["ann", "bob", "carol", "dave"]);
  const all = [ann, bob, carol, dave];
  await ann.messenger.groups.create("team", ["bob", "carol"], stop);
  await settled(ann, bob, carol);
  await assert.rejects(bob.messenger.groups.change("team", { add: ["dave"] }, stop), { code: "NOT_ADMIN" });
  await ann.messenger.groups.change("team", { add: ["dave"], remove: ["carol"] }, stop);
  // Bob has not looked: he writes to those whom he knows of.
  await bob.messenger.send("team", "behind", stop);
  await settled(...all);
  assert.deepEqual(said(ann), ["bob (other members): behind"]);
  assert.deepEqual(said(carol), []);
  await assert.rejects(carol.messenger.send("team", "still here", stop), { code: "NOT_MEMBER" });
  await bob.messenger.send("team", "without carol", stop);
  await settled(...all);
  assert.deepEqual(said(dave), ["bob: without carol"]);
  assert.deepEqual(said(carol), []);
  assert.deepEqual(bob.messenger.groups.list()[0].members, ["ann", "dave"]);
  assert.equal(dave.messenger.groups.leave("team").isMember, false);
  await ann.messenger.send("team", "to bob alone", stop);
  await settled(...all);
  assert.deepEqual(said(dave), ["bob: without carol"]);
  await assert.rejects(dave.messenger.send("team", "x", stop), { code: "BLOCKED" });
  await assert.rejects(ann.messenger.groups.change("team", { remove: ["carol"] }, stop), { code: "NO_MEMBER" });
  await assert.rejects(ann.messenger.groups.create("team", ["bob"], stop), { code: "NAME_TAKEN" });
  await assert.rejects(ann.messenger.groups.create("other", ["eve"], stop), { code: "NO_CONTACT" });
  dispose(all);
});

Deno.test("groups: the mailbox away, a message fails and nothing of it waits, or it waits, and is stored once each member's mailbox has it", async () => {
  await using here = await place();
  const people = await friends(here, ["ann", "bob", "carol"]);
  const [ann, bob, carol] = people;
  await ann.messenger.groups.create("team", ["bob", "carol"], stop);
  await settled(...people);
  here.isAway = true;
  await here.restart();
  const failed = await ann.messenger.send("team", "lost", stop);
  assert.deepEqual([failed.state, failed.fault?.code], ["failed", "UNREACHABLE"]);
  assert.deepEqual(ann.messenger.waiting(), []);
  const waits = await ann.messenger.send("team", "later", { ...stop, queue: true });
  assert.equal(waits.state, "waiting");
  assert.deepEqual(
    ann.messenger.waiting().map(({ id, contact }) => [id, contact]),
    [[waits.id, "bob"], [waits.id, "carol"]],
  );
  assert.equal((await ann.messenger.sync(stop)).waiting, 1);
  here.isAway = false;
  assert.equal((await ann.messenger.sync(stop)).waiting, 0);
  assert.deepEqual(
    ann.messenger.messages({ contact: "team" }).map(({ text, state }) => [text, state]),
    [["lost", "failed"], ["later", "stored"]],
  );
  await settled(...people);
  assert.deepEqual([said(bob), said(carol)], [["ann: later"], ["ann: later"]]);
  dispose(people);
});

Deno.test("groups, forged: another's list, an older one, a second of one version, a stranger's words, another's id", async () => {
  await using here = await place();
  const people = await friends(here, ["ann", "bob", "carol"]);
  const [ann, bob, carol] = people;
  const keys = new Map<string, MessageKeys>(["ann", "bob", "carol"].map((name) => [name, here.keysOf(name)]));
  const ed = (name: string): Uint8Array => keys.get(name)!.ed;
  for (const one of [ann, bob, carol]) {
    for (const name of ["ann", "bob", "carol"]) {
      if (one.messenger.contacts().some((contact) => contact.name === name)) await one.messenger.send(name, "hi", stop);
    }
  }
  await settled(...people);
  const id = systemBytes(16);
  const signed = (version: number, names: readonly string[], by = "ann"): Members =>
    signMembers(keys.get(by)!, { id, version, list: names.map(ed) });
  const message = (members: Members, text: string, messageId = b64(systemBytes(16))): Uint8Array => {
    const body: Content = { type: "text", id: messageId, at: 1, text };
    return formatContent({ type: "group", id: b64(id), at: 1, members, digest: digestOf(members), body });
  };
  const group = (): string => bob.messenger.groups.list()[0].name;
  // Who is in no list makes no group; a list for another id is not signed.
  await say(ann, "bob", message(signed(1, ["ann", "carol"]), "you are not in it"));
  const other = { ...signed(1, ["ann", "bob"]), signature: new Uint8Array(64) };
  assert.throws(() => readContent(message(other, "")), { code: "BAD_CONTENT" });
  await bob.messenger.sync(stop);
  assert.deepEqual(bob.messenger.groups.list(), []);
  const second = signed(2, ["ann", "bob", "carol"]);
  const taken = b64(systemBytes(16));
  await say(ann, "bob", message(second, "one", taken));
  await say(carol, "bob", message(second, "the same id", taken));
  // Another admin, and an older list: nothing of it is shown, or changes who is in it.
  await say(carol, "bob", message(signed(3, ["carol", "bob"], "carol"), "mine now"));
  await say(carol, "bob", message(signed(1, ["ann", "carol", "bob"]), "older"));
  await say(ann, "bob", message(signed(2, ["ann", "bob"]), "second of one version"));
  await bob.messenger.sync(stop);
  await bob.messenger.sync(stop);
  const seen = said(bob, group()).sort();
  assert.deepEqual(seen, [
    "ann (other members): second of one version",
    "ann: one",
    "carol: older",
    "carol: the same id",
  ]);
  assert.deepEqual(bob.messenger.groups.list()[0].members.toSorted(), ["ann", "carol"]);
  // Out of the newest list, her words are nobody's.
  await say(ann, "bob", message(signed(4, ["ann", "bob"]), "without her"));
  await say(carol, "bob", message(second, "I was in"));
  await bob.messenger.sync(stop);
  assert.ok(!said(bob, group()).includes("carol: I was in"));
  assert.deepEqual(bob.messenger.groups.list()[0].members, ["ann"]);
  for (const one of keys.values()) one[Symbol.dispose]();
  dispose(people);
});

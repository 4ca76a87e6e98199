/**
 * Groups, as people see to them: made, changed, listed, left, written to (msg.md §3.2).
 *
 * @module
 */
import { equalBytes } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf } from "@alknet/core/identity";
import type { Stop } from "../carrier.ts";
import { b64 } from "../content/bytes.ts";
import type { Content, FileContent, TextContent } from "../content/content.ts";
import { isMember, MOST_MEMBERS, signMembers } from "../content/members.ts";
import type { ContactRow } from "../store/contacts.ts";
import type { Group, Groups, SentMessage } from "../types.ts";
import { wipeKey } from "./attachments.ts";
import { checkName } from "./names.ts";
import { ownIdentity } from "./devices.ts";
import { type GroupRow, type GroupWritten, isGroup, putToGroup, settleGroups, writtenToGroup } from "./groups.ts";
import type { Parts } from "./parts.ts";
import { flush } from "./sending.ts";

/** Groups of a messenger. */
export class StoredGroups implements Groups {
  readonly #parts: Parts;

  /** Those of a messenger. */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  list(): Group[] {
    return this.#parts.contacts.groups().filter(isGroup).map((row) => this.#shown(row));
  }

  async create(
    name: string,
    members: readonly string[],
    stop: Stop,
  ): Promise<Group & { readonly fault?: AlknetError }> {
    checkName(name);
    const { store, contacts, keys, random } = this.#parts;
    const [row, written] = store.transaction(() => {
      this.#assertFirst();
      if (contacts.find("name", name)) {
        throw new AlknetError("NAME_TAKEN", `there is a contact, a device or a group ${name} already`);
      }
      const id = random(16);
      const list = this.#withAll([keys.ed], members);
      const group = signMembers(keys, { id, version: 1, list });
      const row = contacts.add({ name, ed: id, state: "accepted", verified: false, group }) as GroupRow;
      return [row, putToGroup(this.#parts, row, this.#profile(name))] as const;
    });
    return { ...this.#shown(row), fault: await this.#told(written, stop) };
  }

  async change(
    name: string,
    { add = [], remove = [] }: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
    stop: Stop,
  ): Promise<Group & { readonly fault?: AlknetError }> {
    const { store, contacts, keys } = this.#parts;
    const [row, written] = store.transaction(() => {
      const there = this.named(name);
      this.#assertFirst();
      const { ed: id, group } = there;
      if (!equalBytes(group.admin, keys.ed)) {
        throw new AlknetError("NOT_ADMIN", `who is in ${name} is for ${this.#nameOf(group.admin)} to say`);
      }
      const gone = remove.map((one) => this.#member(one));
      for (const { ed, name: who } of gone) {
        if (!isMember(group, ed)) throw new AlknetError("NO_MEMBER", `${who} is not in ${name}`);
      }
      const left = group.list.filter((ed) => !gone.some((one) => equalBytes(one.ed, ed)));
      const next = signMembers(keys, { id, version: group.version + 1, list: this.#withAll(left, add) });
      const row = contacts.change(there, { group: next }) as GroupRow;
      return [row, putToGroup(this.#parts, row, this.#profile(name), group.list)] as const;
    });
    return { ...this.#shown(row), fault: await this.#told(written, stop) };
  }

  leave(name: string): Group {
    const { store, contacts } = this.#parts;
    return store.transaction(() => this.#shown(contacts.change(this.named(name), { state: "blocked" }) as GroupRow));
  }

  /**
   * One that may be written to.
   *
   * @throws {AlknetError} `BLOCKED`, `NOT_MEMBER`.
   */
  assertWritable(name: string): GroupRow {
    const row = this.named(name);
    if (row.state === "blocked") throw new AlknetError("BLOCKED", `you have left ${name}`);
    if (isMember(row.group, ownIdentity(this.#parts))) return row;
    throw new AlknetError("NOT_MEMBER", `you are not in ${name} any more; its admin took you out`);
  }

  /** Sends to one. */
  async send(
    name: string,
    what: TextContent | FileContent,
    { queue, signal }: Stop & { readonly queue: boolean },
  ): Promise<SentMessage> {
    const parts = this.#parts;
    const { store, messages, random, now } = parts;
    const row = this.assertWritable(name);
    const content: Content & (TextContent | FileContent) = { ...what, id: b64(random(16)), at: now() };
    const { rows, unreached } = writtenToGroup(parts, row, content);
    wipeKey(what);
    const names = unreached.map((id) => this.#nameOf(id));
    const { id } = content;
    const fault = await this.#told({ rows, unreached }, { signal });
    const left = rows.filter((one) => messages.outbox(one.id).length > 0);
    if (left.length === rows.length && (rows.length > 0 || unreached.length > 0) && !queue) {
      // Nobody has it yet: it can be taken back.
      store.transaction(() => {
        for (const one of rows) messages.unqueue(one, "failed");
        messages.setState(row.id, id, "failed");
      });
      const nobody = new AlknetError("NOT_SENT", `nobody in ${name} is a contact who can be written to`);
      return { id, state: "failed", fault: fault ?? nobody, unreached: names };
    }
    store.transaction(() => settleGroups(parts));
    return { id, state: messages.own(row.id, id)!.state, fault, unreached: names };
  }

  /**
   * One by its name.
   *
   * @throws {AlknetError} `NO_GROUP`.
   */
  named(name: string): GroupRow {
    const row = this.#parts.contacts.find("name", name);
    if (isGroup(row)) return row;
    throw new AlknetError("NO_GROUP", `there is no group ${JSON.stringify(name)}; alknet msg group list names them`);
  }

  async #told({ rows }: GroupWritten, stop: Stop): Promise<AlknetError | undefined> {
    const ids = new Set(rows.map(({ id }) => id));
    const contacts = new Set(rows.map(({ contact }) => contact));
    const last = Math.max(...ids);
    // What was written to the same members before goes first.
    const { faults } = await flush(this.#parts, stop, (row) => contacts.has(row.contact) && row.id <= last);
    return faults[0];
  }

  /** A list with more members. */
  #withAll(list: readonly Uint8Array[], names: readonly string[]): Uint8Array[] {
    const all = [...list];
    for (const name of names) {
      const { ed, state } = this.#member(name);
      if (state !== "accepted") {
        throw new AlknetError("NO_CONTACT", `${name} is not accepted: alknet msg contact accept`);
      }
      if (!isMember({ list: all }, ed)) all.push(ed);
    }
    if (all.length <= MOST_MEMBERS) return all;
    throw new AlknetError(
      "TOO_MANY_MEMBERS",
      `a group has ${MOST_MEMBERS} members at most, you among them; this has ${all.length}`,
    );
  }

  #member(name: string): ContactRow {
    const row = this.#parts.contacts.find("name", name);
    if (row && row.deviceOf === undefined && !isGroup(row)) return row;
    throw new AlknetError(
      "NO_CONTACT",
      `there is no contact ${JSON.stringify(name)}; alknet msg contact list names them`,
    );
  }

  #assertFirst(): void {
    if (equalBytes(ownIdentity(this.#parts), this.#parts.keys.ed)) return;
    throw new AlknetError(
      "NOT_FIRST",
      "groups are made and changed at your first device: alknet msg device list names it",
    );
  }

  #profile(name: string): Content {
    const { random, now } = this.#parts;
    return { type: "profile", id: b64(random(16)), at: now(), name };
  }

  #shown({ name, state, group }: GroupRow): Group {
    const me = ownIdentity(this.#parts);
    const others = group.list.filter((ed) => !equalBytes(ed, me));
    return {
      name,
      isAdmin: equalBytes(group.admin, me),
      isMember: state === "accepted" && isMember(group, me),
      members: others.map((ed) => this.#nameOf(ed)),
      unreached: others.filter((ed) => this.#parts.contacts.find("ed", ed)?.state !== "accepted")
        .map((ed) => this.#nameOf(ed)),
    };
  }

  #nameOf(who: Uint8Array | string): string {
    const { contacts } = this.#parts;
    if (typeof who === "string") {
      return contacts.list().find(({ ed }) => ed.length === 32 && nodeIdOf(ed) === who)?.name ?? who;
    }
    return contacts.find("ed", who)?.name ?? nodeIdOf(who);
  }
}

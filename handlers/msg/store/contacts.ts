/**
 * Contacts, as they are kept.
 *
 * @module
 */
import type { Suite } from "../agreement/bundle.ts";
import { b64, bytesOf } from "../content/bytes.ts";
import { type Destination, destinationJson, readDestination } from "../content/content.ts";
import { type DeviceList, devicesJson, keptDevices } from "../content/devices.ts";
import { keptMembers, type Members, membersJson } from "../content/members.ts";
import type { MessageStore } from "./message_store.ts";

/** Whether somebody may write. */
export type ContactState = "request" | "accepted" | "blocked";

/** A contact. */
export interface ContactRow {
  /** Of the row. */
  readonly id: number;
  /** Unique. */
  readonly name: string;
  /** Ed25519; of a group its id. */
  readonly ed: Uint8Array;
  /** See {@linkcode ContactState}. */
  readonly state: ContactState;
  /** X25519, once it is known. */
  readonly ik?: Uint8Array;
  /** Where the contact is written to, once that is known. */
  readonly to?: Destination;
  /** Whether safety numbers were compared. */
  readonly verified: boolean;
  /** The suite of the last bundle: one of less is not used any more. */
  readonly suite?: Suite;
  /** H(ek) of the session that was begun here and that sends; absent where the contact began it. */
  readonly ek?: Uint8Array;
  /** When a session with the contact was last given up, in milliseconds since 1970. */
  readonly reset?: number;
  /** Of a device that is not the first: the id of the contact whose it is; {@linkcode OWN}: of the one who writes here. */
  readonly deviceOf?: number;
  /** Of an own device: whether it signs the list. */
  readonly isMain?: boolean;
  /** The devices, as the first of them last said. */
  readonly devices?: DeviceList;
  /** Whether it asks to be an own device. */
  readonly asks?: boolean;
  /** Of a group, whose id stands in the place of the key, who is in it. */
  readonly group?: Members;
  /** Signature, b64, of the list of own devices that was last put on its way there; and that its mailbox has. */
  readonly toldList?: string;
  readonly hasList?: string;
}

/** Stands for who writes here, where {@linkcode ContactRow.deviceOf} names a contact. */
export const OWN = 0;

interface Raw {
  readonly id: number;
  readonly name: string;
  readonly ed: Uint8Array;
  readonly state: ContactState;
  readonly secret: Uint8Array;
}

/** Contacts of a store. What changes something is called in a transaction. */
export class Contacts {
  readonly #store: MessageStore;

  /** Those of a store. */
  constructor(store: MessageStore) {
    this.#store = store;
  }

  /** Those that people know of, by name: no devices, no groups. */
  people(): ContactRow[] {
    return this.list().filter(({ deviceOf, group }) => deviceOf === undefined && !group);
  }

  /** Groups, by name. */
  groups(): ContactRow[] {
    // No key has 16 bytes.
    const sql = "SELECT * FROM contact WHERE length(ed) = 16 ORDER BY name";
    return this.#store.database.all<Raw>(sql).map((row) => this.#read(row));
  }

  /** Other devices of a contact, or of {@linkcode OWN}. */
  devicesOf(id: number): ContactRow[] {
    return this.list().filter(({ deviceOf }) => deviceOf === id).sort((a, b) => a.id - b.id);
  }

  /** The contact whose device this is; an own device, and one that is no device, as it is. */
  whose(row: ContactRow): ContactRow {
    return row.deviceOf === undefined || row.deviceOf === OWN ? row : this.find("id", row.deviceOf) ?? row;
  }

  /** All, devices too, by name. */
  list(): ContactRow[] {
    return this.#store.database.all<Raw>("SELECT * FROM contact ORDER BY name").map((row) => this.#read(row));
  }

  /** By a column. */
  find(by: "name" | "ed" | "id", value: string | Uint8Array | number): ContactRow | undefined {
    const row = this.#store.database.get<Raw>(`SELECT * FROM contact WHERE ${by} = ?`, value);
    return row && this.#read(row);
  }

  /** How many wait to be accepted. */
  requests(): number {
    return this.#store.database.get<{ n: number }>("SELECT count(*) AS n FROM contact WHERE state = 'request'")!.n;
  }

  /** A new one. */
  add(contact: Omit<ContactRow, "id">): ContactRow {
    const row = { ...contact, id: this.#store.nextId("contact") };
    const sql = "INSERT INTO contact (id, name, ed, state, secret) VALUES (?, ?, ?, ?, ?)";
    this.#store.database.run(sql, row.id, row.name, row.ed, row.state, this.#sealed(row));
    return row;
  }

  /** Takes over what has changed of one. */
  change(row: ContactRow, changes: Partial<Omit<ContactRow, "id" | "ed">>): ContactRow {
    const next = { ...row, ...changes };
    const sql = "UPDATE contact SET name = ?, state = ?, secret = ? WHERE id = ?";
    this.#store.database.run(sql, next.name, next.state, this.#sealed(next), next.id);
    return next;
  }

  /** Forgets one, and all sessions with it. */
  remove({ id }: ContactRow): void {
    this.#store.database.run("DELETE FROM contact WHERE id = ?", id);
  }

  #sealed({ id, ik, to, verified, suite, ek, reset, devices, ...more }: ContactRow): Uint8Array {
    const { deviceOf, isMain, asks, toldList, hasList, group } = more;
    const json = {
      ...{ ik: ik && b64(ik), ...to && destinationJson(to), verified, suite, ek: ek && b64(ek), reset },
      ...{ devices: devices && devicesJson(devices), deviceOf, isMain, asks, toldList, hasList },
      group: group && membersJson(group),
    };
    return this.#store.sealJson("contact", [id], json);
  }

  #read({ id, name, ed, state, secret }: Raw): ContactRow {
    const json = this.#store.openJson("contact", [id], secret);
    return {
      id,
      name,
      ed,
      state,
      ik: bytesOf(json.ik, 32),
      to: readDestination(json),
      verified: json.verified === true,
      suite: json.suite as Suite | undefined,
      ek: bytesOf(json.ek, 32),
      reset: json.reset as number | undefined,
      deviceOf: json.deviceOf as number | undefined,
      isMain: json.isMain === true,
      devices: json.devices === undefined ? undefined : keptDevices(json.devices),
      asks: json.asks === true,
      toldList: json.toldList as string | undefined,
      hasList: json.hasList as string | undefined,
      group: json.group === undefined ? undefined : keptMembers(json.group),
    };
  }
}

/**
 * Own devices, as people see to them: asked for, taken, listed, taken away (msg.md §3.2).
 *
 * @module
 */
import { equalBytes } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf } from "@alknet/core/identity";
import type { Stop } from "../carrier.ts";
import { MOST_DEVICES } from "../content/devices.ts";
import { type ContactRow, OWN } from "../store/contacts.ts";
import type { OwnDevice, OwnDevices } from "../types.ts";
import { dropQueues, tokenTarget } from "./contacting.ts";
import { checkName } from "./names.ts";
import { forget, sendProfile, tellList } from "./devices.ts";
import type { Parts } from "./parts.ts";
import { flush } from "./sending.ts";

/** Own devices of a messenger. */
export class StoredDevices implements OwnDevices {
  readonly #parts: Parts;

  /** Those of a messenger. */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  list(): OwnDevice[] {
    return this.#parts.contacts.devicesOf(OWN).map(shown);
  }

  async join(name: string, text: string, stop: Stop): Promise<OwnDevice & { readonly fault?: AlknetError }> {
    checkName(name);
    const { store, contacts, keys } = this.#parts;
    const { ed, to } = tokenTarget(text);
    if (equalBytes(ed, keys.ed)) throw new AlknetError("BAD_TOKEN", "the token is this device's own");
    const row = store.transaction(() => {
      if (contacts.devicesOf(OWN).length > 0) {
        throw new AlknetError("DEVICE_KNOWN", "this device is one of several already: alknet msg device list");
      }
      if (contacts.find("ed", ed)) {
        throw new AlknetError("CONTACT_KNOWN", "whoever made the token is a contact here; remove it first");
      }
      if (contacts.find("name", name)) throw taken(name);
      const main = contacts.add({ name, ed, to, state: "accepted", verified: false, deviceOf: OWN, isMain: true });
      sendProfile(this.#parts, main);
      return main;
    });
    const { faults: [fault] } = await flush(this.#parts, stop, ({ contact }) => contact === row.id);
    return { ...shown(row), fault };
  }

  async add(name: string, nodeId: string, stop: Stop): Promise<OwnDevice & { readonly fault?: AlknetError }> {
    checkName(name);
    const { store, contacts } = this.#parts;
    const row = store.transaction(() => {
      const own = contacts.devicesOf(OWN);
      if (own.some(({ isMain }) => isMain)) {
        throw new AlknetError("NOT_FIRST", "devices are added at the first: alknet msg device list names it");
      }
      if (own.length + 1 >= MOST_DEVICES) {
        throw new AlknetError("TOO_MANY_DEVICES", `one has ${MOST_DEVICES} devices at most; remove one before`);
      }
      const asking = contacts.list().find(({ asks, ed }) => asks && nodeIdOf(ed) === nodeId);
      if (!asking?.ik) {
        throw new AlknetError(
          "NO_DEVICE",
          "nobody of that key asks to be a device of yours; there: alknet msg device join NAME TOKEN, with a token of this one",
        );
      }
      const other = contacts.find("name", name);
      if (other && other.id !== asking.id) throw taken(name);
      const added = contacts.change(asking, { name, state: "accepted", deviceOf: OWN, asks: false });
      tellList(this.#parts);
      return added;
    });
    const { faults: [fault] } = await flush(this.#parts, stop, ({ message }) => message === undefined);
    return { ...shown(row), fault };
  }

  async remove(name: string, stop: Stop): Promise<{ readonly fault?: AlknetError }> {
    const { store, contacts } = this.#parts;
    store.transaction(() => {
      const own = contacts.devicesOf(OWN);
      const row = own.find((one) => one.name === name);
      if (!row) throw new AlknetError("NO_DEVICE", `there is no device ${name}: alknet msg device list`);
      // Without the first, there is nobody who says which others there are.
      for (const one of row.isMain ? own : [row]) forget(this.#parts, one);
      if (!row.isMain) tellList(this.#parts);
    });
    const [late] = await dropQueues(this.#parts, stop);
    const { faults: [fault] } = await flush(this.#parts, stop, ({ message }) => message === undefined);
    return { fault: late ?? fault };
  }
}

function shown({ name, ed, isMain = false }: ContactRow): OwnDevice {
  return { name, nodeId: nodeIdOf(ed), isFirst: isMain };
}

function taken(name: string): AlknetError {
  return new AlknetError("NAME_TAKEN", `there is a contact or a device ${name} already; choose another name`);
}

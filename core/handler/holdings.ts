/**
 * What a process holds for the other ends of its connections, and who may make it hold how much (core.md §13).
 *
 * What is on its way draws on the process. What a handler keeps for somebody without an identity draws on what their
 * address may have kept, and that on what all addresses of strangers may: whoever has many connections gets no more, and
 * nobody fills what those that are known need.
 *
 * @module
 */
import { addressGroup } from "../ip.ts";
import { Account, processLimit } from "./account.ts";

/** Bytes of a stranger's connection, for each of its accounts. */
export const STRANGER_BYTES: number = 2 * 1024 * 1024;
/** The same for a connection with an identity. */
export const TRUSTED_BYTES: number = 32 * 1024 * 1024;
/** Bytes that all strangers of an address may have kept. */
export const ADDRESS_BYTES: number = 4 * 1024 * 1024;
/** Part of the memory that a kind of holder may take: there are two in a node, one in each of its processes. */
const SHARE = 1 / 8;
/** Part of it that strangers may have kept together. */
const STRANGERS_SHARE = 1 / 128;

/**
 * The accounts of a connection. Of each a little may always be held, whatever is of the others: who echoes cannot read on
 * before it has written, and who takes a body in says meanwhile how much more may come.
 */
export interface ConnectionAccounts {
  /** What has come and was not consumed. */
  readonly received: Account;
  /** What was written and is not taken. */
  readonly sent: Account;
  /** What a handler keeps of what it was sent, until it is complete. */
  readonly kept: Account;
  /** The other end has an identity. */
  trust(): void;
  /** The connection is over. */
  close(): void;
}

/** The accounts of a process's connections. */
export class Holdings {
  readonly #all: Account;
  readonly #strangers: Account;
  readonly #addresses = new Map<string, AddressAccount>();

  /** @param limit Bytes held for all connections. @param strangers Of these, for those without an identity. */
  constructor(limit: number = processLimit(SHARE), strangers: number = processLimit(STRANGERS_SHARE)) {
    this.#all = new Account(limit);
    this.#strangers = new Account(strangers, this.#all);
  }

  /** Bytes held for all connections. */
  get held(): number {
    return this.#all.held;
  }

  /** Addresses that have strangers. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /**
   * Opens the accounts of a connection; they are to be closed with it.
   *
   * @param hostname Address of the other end.
   * @param trusted Whether it is known from the beginning, as one that was dialled is.
   */
  open(hostname: string, trusted = false): ConnectionAccounts {
    return trusted
      ? new Accounts(TRUSTED_BYTES, this.#all, this.#all)
      : new Strangers(this.#all, this.#join(addressGroup(hostname)));
  }

  #join(group: string): AddressAccount {
    let address = this.#addresses.get(group);
    if (!address) {
      address = new AddressAccount(this.#strangers, () => this.#addresses.delete(group));
      this.#addresses.set(group, address);
    }
    address.joined();
    return address;
  }
}

/** What the strangers of an address draw on, for as long as there are any. */
class AddressAccount extends Account {
  readonly #gone: () => void;
  #connections = 0;

  constructor(strangers: Account, gone: () => void) {
    super(ADDRESS_BYTES, strangers);
    this.#gone = gone;
  }

  joined(): void {
    this.#connections++;
  }

  left(): void {
    if (--this.#connections > 0) return;
    this.close();
    this.#gone();
  }
}

class Accounts implements ConnectionAccounts {
  readonly received: Account;
  readonly sent: Account;
  readonly kept: Account;

  constructor(limit: number, moving: Account, kept: Account) {
    this.received = new Account(limit, moving);
    this.sent = new Account(limit, moving);
    this.kept = new Account(limit, kept);
  }

  trust(): void {}

  close(): void {
    this.received.close();
    this.sent.close();
    this.kept.close();
  }
}

class Strangers extends Accounts {
  readonly #all: Account;
  #address: AddressAccount | undefined;

  constructor(all: Account, address: AddressAccount) {
    super(STRANGER_BYTES, all, address);
    this.#all = all;
    this.#address = address;
  }

  override trust(): void {
    if (!this.#address) return;
    this.received.raise(TRUSTED_BYTES);
    this.sent.raise(TRUSTED_BYTES);
    this.kept.raise(TRUSTED_BYTES, this.#all);
    this.#leave();
  }

  override close(): void {
    super.close();
    this.#leave();
  }

  #leave(): void {
    this.#address?.left();
    this.#address = undefined;
  }
}

/** Those of this process's connections, as handlers see them: written and not taken, received and not consumed. */
export const HOLDINGS: Holdings = new Holdings();

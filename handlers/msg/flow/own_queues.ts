/**
 * Making own queues at a mailbox, and keeping their keys fresh (msg.md §2, §3.1).
 *
 * @module
 */
import { type AlknetError, sha256, wipe, x25519Public } from "@alknet/core/crypto";
import {
  BUNDLE_DAYS,
  makeBundle,
  type PublicPrekey,
  queueKeys,
  sealBundle,
  SIGNED_SECRETS_LENGTH,
  signedSecrets,
} from "../agreement/bundle.ts";
import { dayOf } from "../agreement/labels.ts";
import type { Address, Stop } from "../carrier.ts";
import type { OwnQueue } from "../store/queues.ts";
import type { Parts } from "./parts.ts";

/** Days after which a signed key is replaced, and those for which the replaced one still opens. */
const REPLACED_AFTER = 7;
const KEPT_AFTER = 31;
/** Keys for one use that a mailbox holds, of the queue of a token and of a contact; filled up below half. */
const TOKEN_OPKS = 100;
const CONTACT_OPKS = 2;

/** How a queue is read. */
export function readerOf({ mailbox, rid, rcap }: OwnQueue): Address {
  return { mailbox, id: rid, cap: rcap };
}

/** The queue of a token or a contact; a new one is kept here, and the mailbox has not heard of it. */
export function keptQueue(
  parts: Parts,
  mailbox: string,
  of: { readonly token: string } | { readonly contact: number },
): OwnQueue {
  const { store, queues } = parts;
  return store.transaction(() => {
    const there = "token" in of ? queues.ofToken(of.token) : queues.ofContact(of.contact);
    if (there) return there;
    // A contact begins anew in its own queue, where a session has come to an end.
    return withNewSpk(parts, queues.add(mailbox, of));
  });
}

/**
 * Makes a queue at its mailbox, with its keys; one that is made stays as it is.
 *
 * @throws {AlknetError} As the carrier throws; the queue stays pending.
 */
export async function madeQueue(parts: Parts, queue: OwnQueue, stop: Stop): Promise<OwnQueue> {
  if (queue.state !== "pending") return queue;
  const { store, queues } = parts;
  await createQueue(parts, queue, stop);
  const { queue: stocked } = await stock(parts, queue, stop);
  return store.transaction(() => queues.change(stocked, { state: "made" }));
}

/**
 * Makes a queue at its mailbox; one that is there stays as it is.
 *
 * @throws {AlknetError} As the carrier throws.
 */
export async function createQueue({ carrier }: Parts, queue: OwnQueue, stop: Stop): Promise<void> {
  const { mailbox, rid, sid, rcap, t, token } = queue;
  const { scap } = queueKeys(t);
  const kind = token === undefined ? 0 : 1;
  await carrier.create(mailbox, { rid, sid, rcap: sha256(rcap), scap: sha256(scap), kind }, stop);
}

/** A queue whose keys are fresh. */
export interface FreshQueue {
  /** As it is now. */
  readonly queue: OwnQueue;
  /** Whether the mailbox had no key for one use left. */
  readonly wasDrained: boolean;
}

/**
 * Replaces the signed key of a queue where it is a week old, forgets those that nobody may use any more, and fills up the keys
 * for one use.
 *
 * @throws {AlknetError} As the carrier throws.
 */
export async function freshQueue(parts: Parts, queue: OwnQueue, stop: Stop): Promise<FreshQueue> {
  const { store, queues, now } = parts;
  if (queue.state !== "made") return { queue, wasDrained: false };
  const today = dayOf(now());
  const next = store.transaction(() => {
    // Another process may have been quicker.
    const current = queues.find(queue.rid);
    queues.forgetPrekeys(current, today - KEPT_AFTER);
    const newest = queues.prekey(current, "spk", current.spk);
    wipe(newest?.secret);
    const isFresh = newest && (newest.day > today - REPLACED_AFTER || current.published !== current.spk);
    return isFresh ? current : withNewSpk(parts, current);
  });
  const hadOpks = next.opk > 0;
  const stocked = await stock(parts, next, stop);
  return { queue: stocked.queue, wasDrained: hadOpks && stocked.held === 0 };
}

/** A new signed key, of which the mailbox has not heard. */
export function withNewSpk({ queues, random, now }: Parts, queue: OwnQueue): OwnQueue {
  const secret = random(SIGNED_SECRETS_LENGTH);
  const id = queue.spk + 1;
  queues.addPrekey(queue, "spk", { id, day: dayOf(now()), secret });
  wipe(secret);
  return queues.change(queue, { spk: id });
}

/** Gives the mailbox what it lacks. Also says how many keys for one use it had. */
async function stock(
  parts: Parts,
  queue: OwnQueue,
  stop: Stop,
): Promise<{ readonly queue: OwnQueue; readonly held: number }> {
  const { store, queues, carrier, now } = parts;
  const isPublished = queue.published === queue.spk;
  const bundle = isPublished ? undefined : sealedBundle(parts, queue);
  const held = await carrier.publish(readerOf(queue), { bundle, keys: [] }, stop);
  const current = isPublished ? queue : store.transaction(() => queues.wasPublished(queue, dayOf(now())));
  const wanted = queue.token === undefined ? CONTACT_OPKS : TOKEN_OPKS;
  if (held * 2 >= wanted) return { queue: current, held };
  const { queue: filled, keys } = store.transaction(() => withNewOpks(parts, current, wanted - held));
  try {
    await carrier.publish(readerOf(filled), { keys }, stop);
  } catch (error) {
    // A mailbox that takes fewer serves without them; it has none of these.
    if ((error as AlknetError).code !== "MAILBOX_QUOTA") throw error;
    store.transaction(() => queues.forgetOpks(filled, keys[0].id, keys.at(-1)!.id));
  }
  return { queue: filled, held };
}

/** They are kept before a mailbox hears of them; those that it does not get to know are never given out. */
function withNewOpks(
  { queues, random, now }: Parts,
  { rid }: OwnQueue,
  count: number,
): { readonly queue: OwnQueue; readonly keys: readonly PublicPrekey[] } {
  const queue = queues.find(rid);
  const day = dayOf(now());
  const keys = Array.from({ length: count }, (_, i) => {
    const [id, secret] = [queue.opk + 1 + i, random(32)];
    queues.addPrekey(queue, "opk", { id, day, secret });
    const key = x25519Public(secret);
    wipe(secret);
    return { id, key };
  });
  return { queue: queues.change(queue, { opk: queue.opk + count }), keys };
}

function sealedBundle({ keys, queues, random, now }: Parts, queue: OwnQueue): Uint8Array {
  const spk = queues.prekey(queue, "spk", queue.spk)!;
  const bundle = makeBundle(keys, { id: spk.id, ...signedSecrets(spk.secret) }, dayOf(now()) + BUNDLE_DAYS);
  wipe(spk.secret);
  return sealBundle(bundle, queue.t, queue.sid, random);
}

/**
 * Making own queues at a mailbox, and keeping their keys fresh (msg.md §2, §3.1).
 *
 * @module
 */
import { sha256, wipe } from "@alknet/core/crypto";
import { BUNDLE_DAYS, makeBundle, queueKeys, sealBundle } from "../agreement/bundle.ts";
import { dayOf } from "../agreement/labels.ts";
import type { Address, Stop } from "../carrier.ts";
import type { OwnQueue } from "../store/queues.ts";
import type { Parts } from "./parts.ts";

/** Days after which a signed key is replaced, and those for which the replaced one still opens. */
const REPLACED_AFTER = 7;
const KEPT_AFTER = 31;

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
    const queue = queues.add(mailbox, of);
    // Only to the queue of a token does anybody begin to write.
    return "token" in of ? withNewPrekey(parts, queue) : queue;
  });
}

/**
 * Makes a queue at its mailbox, with its keys; one that is made stays as it is.
 *
 * @throws {AlknetError} As the carrier throws; the queue stays pending.
 */
export async function madeQueue(parts: Parts, queue: OwnQueue, stop: Stop): Promise<OwnQueue> {
  if (queue.state !== "pending") return queue;
  const { carrier, store, queues } = parts;
  const { mailbox, rid, sid, rcap, t, token } = queue;
  const kind = token === undefined ? 0 : 1;
  const { scap } = queueKeys(t);
  await carrier.create(mailbox, { rid, sid, rcap: sha256(rcap), scap: sha256(scap), kind }, stop);
  if (kind === 1) await publish(parts, queue, stop);
  return store.transaction(() => queues.change(queue, { state: "made" }));
}

/**
 * Replaces the signed key of a token's queue where it is a week old, and forgets those that nobody may use any more.
 *
 * @throws {AlknetError} As the carrier throws.
 */
export async function freshQueue(parts: Parts, queue: OwnQueue, stop: Stop): Promise<OwnQueue> {
  const { store, queues, now } = parts;
  if (queue.state !== "made" || queue.token === undefined) return queue;
  const today = dayOf(now());
  const newest = queues.prekey(queue, queue.spk);
  wipe(newest?.secret);
  if (newest && newest.day > today - REPLACED_AFTER) return queue;
  const next = store.transaction(() => {
    // Another process may have been quicker.
    const current = queues.find(queue.rid);
    return current.spk === queue.spk ? withNewPrekey(parts, current) : current;
  });
  await publish(parts, next, stop);
  store.transaction(() => queues.forgetPrekeys(next, today - REPLACED_AFTER - KEPT_AFTER));
  return next;
}

function withNewPrekey({ queues, random, now }: Parts, queue: OwnQueue): OwnQueue {
  const secret = random(32);
  const id = queue.spk + 1;
  queues.addPrekey(queue, { id, day: dayOf(now()), secret });
  wipe(secret);
  return queues.change(queue, { spk: id });
}

async function publish({ keys, queues, carrier, random, now }: Parts, queue: OwnQueue, stop: Stop): Promise<void> {
  const spk = queues.prekey(queue, queue.spk)!;
  const bundle = makeBundle(keys, spk, dayOf(now()) + BUNDLE_DAYS);
  wipe(spk.secret);
  await carrier.publish(readerOf(queue), { bundle: sealBundle(bundle, queue.t, queue.sid, random), keys: [] }, stop);
}

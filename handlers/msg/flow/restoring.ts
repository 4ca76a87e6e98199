/**
 * After the database was put back from a copy, and where a session has come to an end: queues get new keys, contacts a new
 * session (msg.md §3.1).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Stop } from "../carrier.ts";
import type { OwnQueue } from "../store/queues.ts";
import { createQueue, readerOf, withNewSpk } from "./own_queues.ts";
import type { Parts } from "./parts.ts";
import { receive, type Received } from "./receiving.ts";

/** More keys than a copy can lack: an id is never used for two. */
const LACKING = 100_000;

/**
 * Takes the keys out of a queue that the mailbox may have and that are not here: what lies in it is received, then it is taken
 * away, to be made anew with the same ids. Its senders notice nothing, but that it was not there for a moment.
 *
 * @returns The queue, now pending, and what came; another queue as it is.
 * @throws {AlknetError} As the carrier throws; it is begun anew the next time.
 */
export async function renewedQueue(
  parts: Parts,
  queue: OwnQueue,
  stop: Stop,
): Promise<{ readonly queue: OwnQueue; readonly received: Received }> {
  let received: Received = { messages: 0, unreadable: 0 };
  if (queue.state !== "restored") return { queue, received };
  const { store, queues, carrier } = parts;
  // Who may not make it must not take it away.
  await createQueue(parts, queue, stop);
  received = await receive(parts, queue, stop);
  await carrier.drop(readerOf(queue), stop);
  const pending = store.transaction(() => {
    const current = queues.find(queue.rid);
    // Another process may have been quicker.
    if (current.state !== "restored") return current;
    const { spk, opk } = current;
    const next = queues.change(current, { state: "pending", published: 0, spk: spk + LACKING, opk: opk + LACKING });
    return withNewSpk(parts, next);
  });
  return { queue: pending, received };
}

/** Puts on its way what begins a new session with each contact whose session has come to an end. Gives how many. */
export function beginAnew({ store, sessions, contacts, messages, now }: Parts): number {
  return store.transaction(() => {
    const waiting = new Set(messages.outbox().map(({ contact }) => contact));
    const ended = sessions.ended().map((id) => contacts.find("id", id)!)
      .filter((row) => contacts.whose(row).state === "accepted" && row.to && !waiting.has(row.id));
    for (const { id } of ended) messages.queue(id, undefined, now());
    return ended.length;
  });
}

/** What is said of a database that was put back. */
export function restored(file: string): AlknetError {
  return new AlknetError(
    "STALE_STATE",
    `${file} was put back from a copy: its sessions seal nothing any more, and each contact gets a new one; what came after ` +
      "the copy was made is not in it",
  );
}

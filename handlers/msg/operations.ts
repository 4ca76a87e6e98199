/**
 * `mailbox/…`: how much lies in a mailbox, and pushes for those who wait for something (msg.md §6).
 *
 * @module
 */
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import { AlknetError } from "@alknet/core/handler";
import Type from "typebox";
import type { Mailbox } from "./mailbox/mailbox.ts";

const closed = { additionalProperties: false };
const count = (description: string) => Type.Integer({ minimum: 0, description });
const NO_QUEUE = { description: "there is no such queue, or the capability is not its own", httpStatus: 404 };
const TOO_BUSY = { description: "as many watch as may", httpStatus: 503 };

const status = operation({
  name: "mailbox/status",
  type: "query",
  description: "How much lies in the mailbox of this node, and how many requests it refused since it began.",
  input: Type.Union([Type.Null(), Type.Object({}, closed)], { description: "nothing: null or {}" }),
  output: Type.Object({
    queues: count("queues"),
    items: count("items in all of them"),
    bytes: count("bytes of all items"),
    refused: count("requests"),
  }, closed),
  access: { anyScope: ["mailbox:admin", "admin"] },
});

const watch = operation({
  name: "mailbox/watch",
  type: "subscription",
  description: "How many items lie in a queue, now and whenever that changes, once a second at most, to its reader.",
  input: Type.Object({
    rid: Type.String({ pattern: "^[A-Za-z0-9_-]{32}$", description: "the reader's id of it, base64url" }),
    rcap: Type.String({ pattern: "^[A-Za-z0-9_-]{43}$", description: "the capability to read it, base64url" }),
  }, closed),
  output: Type.Object({ waiting: count("items") }, closed),
  errors: { NO_QUEUE, TOO_BUSY },
});

/** The operations of a mailbox. */
export function mailboxOperations(mailbox: Mailbox): HandlerRegistration[] {
  return [
    provide(status, () => mailbox.status()),
    provide(watch, async function* ({ rid, rcap }, { signal }) {
      const [id, capability] = [rid, rcap].map((text) => Uint8Array.fromBase64(text, { alphabet: "base64url" }));
      try {
        for await (const waiting of mailbox.watch(id, capability, signal)) yield { waiting };
      } catch (error) {
        if (!(error instanceof AlknetError)) throw error;
        throw new CallError(error.code, error.message, { retryable: error.code === "TOO_BUSY", cause: error });
      }
    }),
  ];
}

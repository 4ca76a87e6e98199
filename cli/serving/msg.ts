/**
 * The mailbox as the configuration has it.
 *
 * @module
 */
import { AlknetError, type Handler, logger } from "@alknet/core/handler";
import type { HandlerRegistration } from "@alknet/core/operations";
import type { MailboxLimits } from "@alknet/handlers/msg";
import { dirname } from "node:path";
import Type, { type Static, type TSchema } from "typebox";
import type { Home } from "../home/home.ts";

/** Milliseconds from one sweep to the next. */
const SWEEP = 3_600_000;
const log = logger("mailbox");
const closed = { additionalProperties: false };

const mailboxSchema = Type.Object({
  open: Type.Optional(
    Type.Boolean({
      description: "whether anyone may make queues; else the node itself, and whoever has mailbox:create",
    }),
  ),
  limits: Type.Optional(
    Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
      description: "limits by their names; counts, bytes, days, milliseconds",
    }),
  ),
}, closed);

/** The schema of `handlers.mailbox`. */
export const MAILBOX_SCHEMA: TSchema = mailboxSchema;
/** Options of `handlers.mailbox`. */
export type MailboxConfig = Static<typeof mailboxSchema>;
/** A mailbox as a node serves it. */
export interface ServedMailbox extends AsyncDisposable {
  /** Serves it. */
  readonly handler: Handler;
  /** `mailbox/…`. */
  readonly operations: readonly HandlerRegistration[];
}

/**
 * Opens the mailbox and makes its handler.
 *
 * @param own Fingerprint of the node's key, which may make queues.
 * @throws {AlknetError} `INVALID_CONFIG`: a limit that there is not; `MAILBOX_STORE`.
 */
export async function mailboxOf(
  config: MailboxConfig,
  { home, configFile, own }: { readonly home: Home; readonly configFile: string; readonly own: string },
): Promise<ServedMailbox> {
  const { mailbox, mailboxLimitsWith, mailboxOperations, openMailboxStore } = await import("@alknet/handlers/msg");
  let limits: MailboxLimits;
  try {
    limits = mailboxLimitsWith(camelCased(config.limits));
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.mailbox.limits: ${reason}`, { cause });
  }
  await Deno.mkdir(dirname(home.mailboxFile), { recursive: true, mode: 0o700 });
  const store = openMailboxStore(home.mailboxFile, limits);
  const handler = mailbox({ store, own, open: config.open, limits });
  let isOver = false;
  let swept: Promise<void> = Promise.resolve();
  const sweep = (): void => {
    swept = handler.sweep().catch((error) => {
      if (!isOver) log.error("cannot sweep the mailbox: {why}", { why: error?.code ?? "defect" });
    });
  };
  sweep();
  const hourly = setInterval(sweep, SWEEP);
  return {
    handler,
    operations: mailboxOperations(handler),
    async [Symbol.asyncDispose]() {
      isOver = true;
      clearInterval(hourly);
      await Promise.all([store[Symbol.asyncDispose](), swept]);
    },
  };
}

/** `queue_items` to `queueItems`. */
function camelCased(limits: Readonly<Record<string, number>> = {}): Partial<MailboxLimits> {
  return Object.fromEntries(
    Object.entries(limits).map(([name, value]) => [name.replaceAll(/_([a-z])/g, (_, c) => c.toUpperCase()), value]),
  );
}

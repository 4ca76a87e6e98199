/**
 * The messenger of a node: it receives by itself, sends what waits, and answers `msg/…` (msg.md §6).
 *
 * @module
 */
import { type AlknetError, logger } from "@alknet/core/handler";
import type { HandlerRegistration } from "@alknet/core/operations";
import { messengerOperations } from "@alknet/handlers/msg";
import { type MessengerChoice, openMessengerHome } from "../msg/home.ts";

const log = logger("messenger");

/** A messenger that a node runs. */
export interface ServedMessenger extends AsyncDisposable {
  /** `msg/…`. */
  readonly operations: readonly HandlerRegistration[];
  /** Begins to receive, once the node listens: its own mailbox may be that of its messages. */
  start(): void;
  /** Receives no more. Twice is harmless. */
  stop(): Promise<void>;
}

/**
 * Opens it.
 *
 * @throws {AlknetError} `NO_VAULT`, `MESSAGE_STORE`; the vault cannot be opened.
 */
export async function messengerOf(choice: MessengerChoice): Promise<ServedMessenger> {
  const open = await openMessengerHome(choice);
  const { messenger } = open;
  const ending = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const onFault = ({ code }: AlknetError): void => log.warn("messages: {code}", { code });
  const run = async (): Promise<void> => {
    try {
      for await (const _ of messenger.watch({ signal: ending.signal, onFault }));
    } catch (error) {
      log.error("no messages are received any more: {code}", { code: (error as AlknetError).code ?? "defect" });
    }
  };
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  return {
    operations: messengerOperations(messenger),
    start: () => void (running = run()),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await open[Symbol.asyncDispose]();
    },
  };
}

/**
 * A session: packets in the order of their arrival, each answered when its work is done, as many at once as the budget allows.
 *
 * @module
 */
import { MalformedPacketError } from "../codec/malformed.ts";
import { EXTENSIONS, MAX_DATA, Status } from "../codec/numbers.ts";
import { statusReply, versionReply } from "../codec/replies.ts";
import { parseInit, parseRequest, type SftpRequest } from "../codec/request.ts";
import { type FileStore, StoreError, type StoreErrorCode } from "../file_store.ts";
import { changes } from "./answers.ts";
import { Budget } from "./budget.ts";
import type { Output } from "./output.ts";
import type { OwnerNames } from "./owners.ts";
import { type Reply, Work } from "./work.ts";

/** What a session serves, and to whom it tells what. */
export interface SessionOptions {
  /** The files. */
  readonly store: FileStore;
  /**
   * Whether all that changes something is refused, whatever the store would do.
   *
   * @default {false}
   */
  readonly readOnly?: boolean;
  /** Names of owners, asked for at most once. Default: none is known. */
  readonly ownerNames?: () => Promise<OwnerNames>;
  /** Told of each reason for which something was not permitted, once; reasons hold no path. */
  readonly refused?: (reason: string) => void;
  /** Told of what a client cannot have caused; it has got a failure. */
  readonly failed?: (error: unknown) => void;
}

const CODES: Readonly<Record<StoreErrorCode, number>> = {
  NO_SUCH_FILE: Status.NO_SUCH_FILE,
  PERMISSION_DENIED: Status.PERMISSION_DENIED,
  FAILURE: Status.FAILURE,
  UNSUPPORTED: Status.OP_UNSUPPORTED,
};
/** Bytes to set aside for an answer that is not data. */
const SHORT_ANSWER = 256;
const LISTING_ANSWER = 32 * 1024;
/** Reasons that are told of. */
const MAX_REASONS = 16;

/** Requests of one client. */
export class Session {
  readonly #output: Output;
  readonly #options: SessionOptions;
  readonly #work: Work;
  readonly #budget = new Budget();
  readonly #running = new Set<Promise<void>>();
  readonly #reasons = new Set<string>();
  #hasBegun = false;
  #rested: (() => void) | undefined;

  /** A session whose answers go to `output`. */
  constructor(output: Output, options: SessionOptions) {
    this.#output = output;
    this.#options = options;
    const { ownerNames = () => Promise.resolve({ users: new Map(), groups: new Map() }) } = options;
    this.#work = new Work(options.store, ownerNames);
  }

  /** Whether nothing is open, nothing runs, and all answers were taken. */
  get isResting(): boolean {
    return this.#work.isClosed && this.#budget.isIdle;
  }

  /** Calls back whenever it has come to rest. */
  whenResting(rested: () => void): void {
    this.#rested = rested;
  }

  /** Resolves when another packet may come; nothing if it may now. */
  room(): Promise<void> | undefined {
    return this.#budget.room();
  }

  /**
   * Takes a packet. What is asked for happens later, unless it may happen now.
   *
   * @throws {MalformedPacketError} It cannot be answered, and nothing can come after it.
   */
  take(packet: Uint8Array<ArrayBuffer>): void {
    if (!this.#hasBegun) {
      // Whatever version a client speaks beyond, it speaks this one too (§4).
      if (parseInit(packet) < 3) throw new MalformedPacketError("the client speaks an older version than 3");
      this.#hasBegun = true;
      return this.#send(versionReply(EXTENSIONS), packet.length);
    }
    let request: SftpRequest;
    try {
      request = parseRequest(packet);
    } catch (error) {
      if (!(error instanceof MalformedPacketError) || error.id === undefined) throw error;
      return this.#send(statusReply(error.id, Status.BAD_MESSAGE, error.message), packet.length);
    }
    const cost = packet.length + answerSize(request);
    this.#budget.take(cost);
    const running = this.#answer(request).then((reply) => {
      this.#running.delete(running);
      this.#output.send(reply, () => this.#release(cost), this.#running.size > 0);
    });
    this.#running.add(running);
  }

  /** Waits until all that was taken is done, then closes all that is open. Never rejects. */
  async end(): Promise<void> {
    this.#work.stop();
    while (this.#running.size > 0) await Promise.all(this.#running);
    await this.#work.close();
  }

  #send(reply: Reply, cost: number): void {
    this.#budget.take(cost);
    this.#output.send(reply, () => this.#release(cost), this.#running.size > 0);
  }

  #release(cost: number): void {
    this.#budget.release(cost);
    if (this.isResting) this.#rested?.();
  }

  async #answer(request: SftpRequest): Promise<Reply> {
    try {
      if (this.#options.readOnly && changes(request)) {
        throw new StoreError("PERMISSION_DENIED", "this folder is served for reading only");
      }
      return await this.#work.do(request);
    } catch (error) {
      return this.#refusal(request.id, error);
    }
  }

  #refusal(id: number, error: unknown): Reply {
    if (!(error instanceof StoreError)) {
      this.#options.failed?.(error);
      return statusReply(id, Status.FAILURE, "the server failed");
    }
    const { code, message } = error;
    const isNew = code === "PERMISSION_DENIED" && !this.#reasons.has(message) && this.#reasons.size < MAX_REASONS;
    if (isNew) {
      this.#reasons.add(message);
      this.#options.refused?.(message);
    }
    return statusReply(id, CODES[code], message);
  }
}

/** Bytes that an answer will have at most, about. */
function answerSize(request: SftpRequest): number {
  if (request.kind === "read") return Math.min(request.length, MAX_DATA);
  return request.kind === "readdir" ? LISTING_ANSWER : SHORT_ANSWER;
}

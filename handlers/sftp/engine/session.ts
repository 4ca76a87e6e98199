/**
 * A session: requests in the order of their arrival, each put into the lanes of what it touches, and answered when it is done.
 *
 * What touches one file, or the names of the store, happens as if it was done in that order: reads together, all else
 * alone. Answers to different files may come in any order (draft-ietf-secsh-filexfer-02 §6.1).
 *
 * @module
 */
import { MalformedPacketError } from "../codec/malformed.ts";
import { EXTENSIONS, MAX_DATA, MAX_PACKET, Status } from "../codec/numbers.ts";
import {
  attributesReply,
  handleReply,
  limitsReply,
  nameReply,
  ownersReply,
  pathReply,
  roomReply,
  statusReply,
  versionReply,
} from "../codec/replies.ts";
import { parseInit, parseRequest, type SftpRequest } from "../codec/request.ts";
import { type FileAttributes, type FileStore, StoreError, type StoreErrorCode } from "../file_store.ts";
import {
  absolute,
  changeNames,
  changes,
  copyData,
  expanded,
  nextEntries,
  opensForChange,
  readData,
  writeData,
} from "./answers.ts";
import { Budget } from "./budget.ts";
import { closed, Handles, MAX_HANDLES } from "./handles.ts";
import { inTurn, Lane } from "./lane.ts";
import type { Output } from "./output.ts";
import { type OwnerNames, ShownOwners } from "./owners.ts";

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

type Reply = Uint8Array<ArrayBuffer>;
type Request<Kind extends SftpRequest["kind"]> = SftpRequest & { readonly kind: Kind };

const CODES: Readonly<Record<StoreErrorCode, number>> = {
  NO_SUCH_FILE: Status.NO_SUCH_FILE,
  PERMISSION_DENIED: Status.PERMISSION_DENIED,
  FAILURE: Status.FAILURE,
  UNSUPPORTED: Status.OP_UNSUPPORTED,
};
/** Bytes to set aside for an answer that is not data. */
const SHORT_ANSWER = 256;
const LISTING_ANSWER = 32 * 1024;
/** Owners that may be asked for at once: their names fit into an answer. */
const MAX_OWNERS = 1024;
/** Reasons that are told of. */
const MAX_REASONS = 16;

/** Requests of one client. */
export class Session {
  readonly #output: Output;
  readonly #options: SessionOptions;
  readonly #handles = new Handles();
  readonly #names = new Lane();
  readonly #budget = new Budget();
  readonly #running = new Set<Promise<void>>();
  readonly #reasons = new Set<string>();
  readonly #owners: ShownOwners;
  #hasBegun = false;
  #isOver = false;
  #rested: (() => void) | undefined;

  /** A session whose answers go to `output`. */
  constructor(output: Output, options: SessionOptions) {
    this.#output = output;
    this.#options = options;
    const { ownerNames = () => Promise.resolve({ users: new Map(), groups: new Map() }) } = options;
    let names: Promise<OwnerNames> | undefined;
    this.#owners = new ShownOwners(() => names ??= ownerNames());
  }

  /** Whether nothing is open, nothing runs, and all answers were taken. */
  get isResting(): boolean {
    return this.#handles.size === 0 && this.#budget.isIdle;
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
    this.#isOver = true;
    while (this.#running.size > 0) await Promise.all(this.#running);
    await this.#handles.close();
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
      return await this.#do(request);
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

  /** Up to its first `await` in the order of arrival: there the lanes are entered. */
  #do(request: SftpRequest): Promise<Reply> {
    switch (request.kind) {
      case "read":
        return this.#read(request);
      case "write":
        return this.#onFile(request, async (open) => {
          await writeData(open, request.data, request.position);
          return done(request);
        });
      case "open":
        return this.#open(request);
      case "opendir":
        return this.#openDirectory(request);
      case "close":
        return this.#close(request);
      case "readdir":
        return this.#readDirectory(request);
      case "fstat":
        return this.#attributesOf(request);
      case "fsetstat":
        return this.#onFile(request, async ({ file }) => {
          await file.setAttributes(request.attributes);
          return done(request);
        });
      case "fsync":
        return this.#onFile(request, async ({ file }) => {
          await file.sync();
          return done(request);
        });
      case "fstatvfs":
        return this.#onFile(request, async ({ file }) => roomReply(request.id, await file.room()));
      case "copy-data":
        return this.#copy(request);
      case "limits":
        return Promise.resolve(limitsReply(request.id, LIMITS));
      case "users-groups-by-id":
        return this.#findOwners(request);
      case "unsupported":
        throw new StoreError("UNSUPPORTED", "not supported");
      default:
        return this.#onNames(request);
    }
  }

  async #read({ id, handle, position, length }: Request<"read">): Promise<Reply> {
    const open = this.#handles.file(handle);
    return await inTurn([open.lane.enter(false)], async () => {
      const { reply, count } = await readData(open, position, length);
      return count === 0 ? statusReply(id, Status.EOF, "end of file") : reply.finish(id, count);
    });
  }

  async #onFile(
    request: SftpRequest & { readonly handle: number },
    work: (open: ReturnType<Handles["file"]>) => Promise<Reply>,
  ): Promise<Reply> {
    const open = this.#handles.file(request.handle);
    return await inTurn([open.lane.enter(true)], () => work(open));
  }

  async #attributesOf({ id, handle }: SftpRequest & { readonly handle: number }): Promise<Reply> {
    const open = this.#handles.file(handle);
    return await inTurn([open.lane.enter(false)], async () => this.#shown(id, await open.file.attributes()));
  }

  async #open({ id, path, flags, attributes }: Request<"open">): Promise<Reply> {
    const { store } = this.#options;
    return await inTurn([this.#names.enter(opensForChange(flags))], async () => {
      const handle = await this.#handles.add(async () => ({
        kind: "file",
        file: await store.open(absolute(path), flags, attributes),
        // What was opened for nothing is open for reading, as by OpenSSH's server.
        mayRead: flags.read || !(flags.write || flags.append),
        mayWrite: flags.write || flags.append,
      }));
      return handleReply(id, handle);
    });
  }

  async #openDirectory({ id, path }: SftpRequest & { readonly path: string }): Promise<Reply> {
    const { store } = this.#options;
    return await inTurn([this.#names.enter(false)], async () => {
      const handle = await this.#handles.add(async () => {
        return { kind: "directory", directory: await store.openDirectory(absolute(path)), left: [] };
      });
      return handleReply(id, handle);
    });
  }

  async #close(request: SftpRequest & { readonly handle: number }): Promise<Reply> {
    const open = this.#handles.take(request.handle);
    return await inTurn([open.lane.enter(true)], async () => {
      await closed(open);
      return done(request);
    });
  }

  async #readDirectory({ id, handle }: SftpRequest & { readonly handle: number }): Promise<Reply> {
    const open = this.#handles.directory(handle);
    return await inTurn([open.lane.enter(true)], async () => {
      const entries = await nextEntries(open);
      if (entries.length === 0) return statusReply(id, Status.EOF, "end of the directory");
      for (const { attributes } of entries) this.#owners.note(attributes);
      return nameReply(id, entries);
    });
  }

  async #copy(request: Request<"copy-data">): Promise<Reply> {
    const [source, target] = [this.#handles.file(request.source), this.#handles.file(request.target)];
    const turns = source === target ? [target.lane.enter(true)] : [source.lane.enter(false), target.lane.enter(true)];
    return await inTurn(turns, async () => {
      await copyData(source, target, request, () => this.#isOver);
      return done(request);
    });
  }

  async #findOwners({ id, users, groups }: Request<"users-groups-by-id">): Promise<Reply> {
    if (users.length + groups.length > MAX_OWNERS) {
      throw new StoreError("FAILURE", `too many ids: ${MAX_OWNERS} may be asked for at once`);
    }
    const found = await this.#owners.find(users, groups);
    return ownersReply(id, found.users, found.groups);
  }

  async #onNames(request: SftpRequest): Promise<Reply> {
    return await inTurn([this.#names.enter(changes(request))], () => this.#withNames(request));
  }

  async #withNames(request: SftpRequest): Promise<Reply> {
    const { store } = this.#options;
    const { id } = request;
    switch (request.kind) {
      case "stat":
        return this.#shown(id, await store.attributes(absolute(request.path), true));
      case "lstat":
        return this.#shown(id, await store.attributes(absolute(request.path), false));
      case "readlink":
        return pathReply(id, await store.readLink(absolute(request.path)));
      case "realpath":
        return pathReply(id, await store.realPath(absolute(request.path)));
      case "expand-path":
        return pathReply(id, await store.realPath(expanded(request.path)));
      case "home-directory":
        return pathReply(id, "/");
      case "statvfs":
        return roomReply(id, await store.room(absolute(request.path)));
      default:
        await changeNames(store, request);
        return done(request);
    }
  }

  #shown(id: number, attributes: FileAttributes): Reply {
    this.#owners.note(attributes);
    return attributesReply(id, attributes);
  }
}

const LIMITS = { packet: MAX_PACKET, read: MAX_DATA, write: MAX_DATA, handles: MAX_HANDLES } as const;

function done({ id }: SftpRequest): Reply {
  return statusReply(id, Status.OK, "");
}

/** Bytes that an answer will have at most, about. */
function answerSize(request: SftpRequest): number {
  if (request.kind === "read") return Math.min(request.length, MAX_DATA);
  return request.kind === "readdir" ? LISTING_ANSWER : SHORT_ANSWER;
}

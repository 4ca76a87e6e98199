/**
 * What is done for each request, each put into the lanes of what it touches.
 *
 * What touches one file, or the names of the store, happens as if it was done in the order of arrival: what looks together,
 * all else alone. Different files keep no order between them (draft-ietf-secsh-filexfer-02 §6.1).
 *
 * @module
 */
import { MAX_DATA, MAX_PACKET, Status } from "../codec/numbers.ts";
import {
  attributesReply,
  handleReply,
  limitsReply,
  nameReply,
  ownersReply,
  pathReply,
  roomReply,
  statusReply,
} from "../codec/replies.ts";
import type { SftpRequest } from "../codec/request.ts";
import { type FileAttributes, type FileStore, StoreError } from "../file_store.ts";
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
import { closed, Handles, MAX_HANDLES } from "./handles.ts";
import { inTurn, Lane } from "./lane.ts";
import { type OwnerNames, ShownOwners } from "./owners.ts";

/** An answer, as it goes out. */
export type Reply = Uint8Array<ArrayBuffer>;
type Request<Kind extends SftpRequest["kind"]> = SftpRequest & { readonly kind: Kind };

/** Owners that may be asked for at once: their names fit into an answer. */
const MAX_OWNERS = 1024;

/** The work of one session on a store. */
export class Work {
  readonly #store: FileStore;
  readonly #handles = new Handles();
  readonly #names = new Lane();
  readonly #owners: ShownOwners;
  #isOver = false;

  /**
   * Work on a store, of which nothing is open yet.
   *
   * @param store The files.
   * @param ownerNames Asked for at most once.
   */
  constructor(store: FileStore, ownerNames: () => Promise<OwnerNames>) {
    this.#store = store;
    let names: Promise<OwnerNames> | undefined;
    this.#owners = new ShownOwners(() => names ??= ownerNames());
  }

  /** Whether nothing is open, and nothing being opened. */
  get isClosed(): boolean {
    return this.#handles.size === 0;
  }

  /** Has what is long come to its end: the client has gone. */
  stop(): void {
    this.#isOver = true;
  }

  /** Closes all that is open. Never rejects. */
  close(): Promise<void> {
    return this.#handles.close();
  }

  /**
   * Does what is asked for. Up to its first `await` it goes in the order of arrival: there the lanes are entered.
   *
   * @throws {StoreError} It is refused. Anything else that is thrown is no fault of the client's.
   */
  do(request: SftpRequest): Promise<Reply> {
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
    return await inTurn([this.#names.enter(opensForChange(flags))], async () => {
      const handle = await this.#handles.add(async () => ({
        kind: "file",
        file: await this.#store.open(absolute(path), flags, attributes),
        // What was opened for nothing is open for reading, as by OpenSSH's server.
        mayRead: flags.read || !(flags.write || flags.append),
        mayWrite: flags.write || flags.append,
      }));
      return handleReply(id, handle);
    });
  }

  async #openDirectory({ id, path }: SftpRequest & { readonly path: string }): Promise<Reply> {
    return await inTurn([this.#names.enter(false)], async () => {
      const handle = await this.#handles.add(async () => {
        return { kind: "directory", directory: await this.#store.openDirectory(absolute(path)), left: [] };
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
    const { id } = request;
    switch (request.kind) {
      case "stat":
        return this.#shown(id, await this.#store.attributes(absolute(request.path), true));
      case "lstat":
        return this.#shown(id, await this.#store.attributes(absolute(request.path), false));
      case "readlink":
        return pathReply(id, await this.#store.readLink(absolute(request.path)));
      case "realpath":
        return pathReply(id, await this.#store.realPath(absolute(request.path)));
      case "expand-path":
        return pathReply(id, await this.#store.realPath(expanded(request.path)));
      case "home-directory":
        return pathReply(id, "/");
      case "statvfs":
        return roomReply(id, await this.#store.room(absolute(request.path)));
      default:
        await changeNames(this.#store, request);
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

/**
 * The guests of a folder: started with the node, offered as its operations, exchanged when their files change.
 *
 * @module
 */
import { assertTrusted, type FollowedFiles, followFiles } from "@alknet/core/config";
import { AlknetError, foreign, logger } from "@alknet/core/handler";
import type { Dispatcher, HandlerRegistration, Registry } from "@alknet/core/operations";
import { grants, GuestError, guestRegistrations, parseOrigin } from "@alknet/runtime";
import { dirname, join, resolve } from "node:path";
import { OWN_NAMESPACES } from "../imports/entry.ts";
import { parseFolderGrants } from "./folder_grants.ts";
import type { GuestConfig, GuestsConfig } from "./entry.ts";
import { LiveGuest, type LiveGuestOptions } from "./live_guest.ts";

const FILE = /^([a-z][a-z0-9_-]{0,63})\.m?[jt]s$/;

const log = logger("guests");

/** What guests are started with. */
export interface GuestsPlace {
  /** Relative folders are resolved against its own. */
  readonly configFile: string;
  /** What they may be granted. */
  readonly registry: Registry;
  /** What runs their calls, once the node has started. */
  readonly dispatcher: () => Dispatcher | undefined;
}

/** The guests of a node. */
export interface Guests extends AsyncDisposable {
  /** What they offer. */
  readonly registrations: readonly HandlerRegistration[];
}

/**
 * Starts every guest of a folder, and follows their files.
 *
 * @throws {AlknetError} `GUEST_FAILED`: one does not run. `CONFIG_PERMISSIONS`: others may write to the folder.
 * `INVALID_CONFIG`: there is no such folder, or what is configured names a guest or an operation that is not there.
 */
export async function openGuests(config: GuestsConfig, place: GuestsPlace): Promise<Guests> {
  const folder = resolve(dirname(place.configFile), config.folder);
  const files = await guestFiles(folder, place);
  for (const name of Object.keys(config.guests ?? {})) {
    if (!files.has(name)) throw wrong(place, `guests.${name}: folder ${folder} has no guest of that name`);
  }
  await using stack = new AsyncDisposableStack();
  const started = await Promise.allSettled([...files].map(([name, file]) => {
    const { memory, compute_ms: cpu, timeout_ms: wall } = config;
    const limits = Object.fromEntries(Object.entries({ memory, cpu, wall }).filter(([, value]) => value !== undefined));
    return LiveGuest.start({ name, file, limits, grants: grantsOf(name, config.guests?.[name], place) });
  }));
  const guests: LiveGuest[] = [];
  for (const result of started) {
    if (result.status === "fulfilled") guests.push(stack.use(result.value));
  }
  for (const result of started) {
    if (result.status === "rejected") throw result.reason;
  }
  const registrations = guests.flatMap((guest) => {
    const { scopes = [`${guest.name}:call`, "admin"] } = config.guests?.[guest.name] ?? {};
    const access = { anyScope: scopes };
    return guestRegistrations(guest, { namespace: guest.name, visibility: "external", access });
  });
  for (const { name, operations } of guests) {
    log.info("guest {name}: {count} operations", { name, count: operations.length });
  }
  const following = stack.use(new Following(guests));
  await following.follow();
  const kept = stack.move();
  return { registrations, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function guestFiles(folder: string, place: GuestsPlace): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  try {
    await assertTrusted(folder, "folder of guests");
    for await (const { name: file, isDirectory } of Deno.readDir(folder)) {
      const [, name] = FILE.exec(file) ?? [];
      if (isDirectory || !/\.m?[jt]s$/.test(file)) continue;
      if (name === undefined) {
        throw wrong(place, `folder: ${foreign(file)} is no name of a guest: a-z, 0-9, - and _ will do`);
      }
      if (files.has(name)) throw wrong(place, `folder: two files are called ${name}`);
      if (OWN_NAMESPACES.has(name)) throw wrong(place, `folder: ${file} has a name of the node's own; take another`);
      files.set(name, join(folder, file));
      await assertTrusted(join(folder, file), "guest");
    }
  } catch (cause) {
    if (cause instanceof AlknetError) throw cause;
    throw wrong(place, `folder: ${(cause as Error).message}`, cause);
  }
  return files;
}

function grantsOf(name: string, config: GuestConfig = {}, place: GuestsPlace): LiveGuestOptions["grants"] {
  const { calls = [], calls_as: scopes = [], fetch: origins = [], folders = [], gpu } = config;
  const identity = { id: `guest:${name}`, scopes: [...scopes], resources: {} };
  const at = <T>(member: string, read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof AlknetError)) throw cause;
      throw wrong(place, `guests.${name}.${member}: ${cause.message}`, cause);
    }
  };
  const called = at("calls", () => grants(place.registry, later(place), calls, identity));
  origins.forEach((origin, n) => at(`fetch[${n}]`, () => parseOrigin(origin)));
  const mounts = at("folders", () => parseFolderGrants(folders, dirname(place.configFile)));
  mounts.forEach(({ folder }, n) => at(`folders[${n}]`, () => assertFolder(folder)));
  return {
    ...called,
    ...origins.length > 0 && { allowFetch: { origins } },
    ...mounts.length > 0 && { allowFs: { mounts } },
    ...gpu !== undefined && { allowGpu: { maxBytes: gpu * 2 ** 20 } },
  };
}

function assertFolder(path: string): void {
  try {
    if (Deno.statSync(path).isDirectory) return;
  } catch {
    // It is none that can be granted, whyever.
  }
  throw new AlknetError("INVALID_GRANT", `${path} is no folder that can be opened`);
}

/** The node's dispatcher, which is made of what the guests offer. */
function later({ dispatcher }: GuestsPlace): Pick<Dispatcher, "call" | "subscribe"> {
  const there = (): Dispatcher => {
    const found = dispatcher();
    if (!found) throw new GuestError("E_REFUSED", "the node has not started yet");
    return found;
  };
  return {
    call: (request, signal) => there().call(request, signal),
    subscribe: (request, signal) => there().subscribe(request, signal),
  };
}

/** Looks at the guests whenever one of their files has changed, and follows what they import from then on. */
class Following implements AsyncDisposable {
  readonly #guests: readonly LiveGuest[];
  #followed: FollowedFiles | undefined;
  #paths = "";
  #switching: Promise<void> = Promise.resolve();

  constructor(guests: readonly LiveGuest[]) {
    this.#guests = guests;
  }

  /** Follows the files that there are now. */
  async follow(): Promise<void> {
    const paths = this.#guests.flatMap(({ files }) => files);
    if (this.#paths === paths.join("\0")) return;
    this.#paths = paths.join("\0");
    const before = this.#followed;
    this.#followed = await followFiles(paths, () => this.#look());
    await before?.[Symbol.asyncDispose]();
  }

  async #look(): Promise<void> {
    for (const guest of this.#guests) {
      const { name } = guest;
      try {
        if (await guest.reload()) log.info("guest {name}: its file has changed, and is used as it is now", { name });
      } catch (error) {
        const why = foreign((error as Error).message);
        log.warn("guest {name} stays as it was: {why}", { name, why });
      }
    }
    // Not waited for: it ends what calls this, which waits for this to return.
    this.#switching = this.#switching.then(() => this.follow());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#followed?.[Symbol.asyncDispose]();
    await this.#switching;
    await this.#followed?.[Symbol.asyncDispose]();
  }
}

function wrong({ configFile }: GuestsPlace, reason: string, cause?: unknown): AlknetError {
  return new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.call.guests.${reason}`, { cause });
}

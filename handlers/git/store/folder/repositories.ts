/**
 * The repositories of a node: those below its root, and those that its configuration names elsewhere.
 *
 * @module
 */
import { statSync } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import type { CommitGraph } from "../../graph/commit_graph.ts";
import type { GraphFile } from "../../graph/graph_file.ts";
import { GraphFolder } from "../../graph/graph_folder.ts";
import { ByteCache } from "../../pack/byte_cache.ts";
import type { PackCaches } from "../../pack/pack_file.ts";
import { isRepositoryName } from "../../wire/names.ts";
import type { Maybe, RefStore, Repositories, Repository } from "../types.ts";
import { ClosureReader } from "./closure/closure.ts";
import { type OnStep, receiving } from "./files.ts";
import { Holder } from "./holder.ts";
import { FolderObjects } from "./objects.ts";
import { FolderQuarantine } from "./quarantine.ts";
import { recover } from "./recover.ts";
import { FolderRefs } from "./refs.ts";
import { keepCertificate } from "./receiving/certificate_file.ts";
import { isMirror, isRepositoryFolder, readSettings } from "./repository.ts";

/** Bytes of commit-graphs that stay in memory. */
const GRAPHS = 64 * 1024 * 1024;

/** Where repositories lie. */
export interface RepositoryFolders {
  /** A repository `NAME` is `<root>/<NAME>.git`. */
  readonly root: string;
  /** Names of repositories to their folders; these win. */
  readonly elsewhere: Readonly<Record<string, string>>;
}

/** Objects as they are open; packed anew, they are opened anew for those who come. */
interface Store {
  readonly objects: FolderObjects;
  readonly closure: ClosureReader;
  readonly graph: GraphFolder;
  users: number;
}

interface Open {
  /** Of the folder: one that was made anew since is another. */
  readonly inode: number;
  store: Store;
  holder?: Holder;
  /** The end of what writes last. */
  last: Promise<unknown>;
  users: number;
}

/** What maintenance needs of an open repository. Disposing it lets it go. */
export interface OpenFolder extends Disposable {
  /** Path of the repository. */
  readonly folder: string;
  /** Its objects. */
  readonly objects: FolderObjects;
  /** Its closure. */
  readonly closure: ClosureReader;
  /** Its commit-graph as of now; nothing where there is none. */
  graph(): CommitGraph | undefined;
  /** Its refs. */
  readonly refs: RefStore;
  /** Who writes, once what others have left who died is cleared up. */
  holder(): Promise<Holder>;
  /** Lets those who come open the objects anew. */
  renew(): void;
  /** How many in this process have it open. */
  readonly users: number;
}

/** Repositories of folders. One that several have open is open once. */
export class FolderRepositories implements Repositories {
  readonly #folders: RepositoryFolders;
  readonly #caches: PackCaches;
  readonly #limit: number;
  readonly #onStep?: OnStep;
  readonly #open = new Map<string, Open>();
  readonly #graphs = new ByteCache<GraphFile>(GRAPHS);

  /**
   * @param limit Bytes of an object that is read whole.
   * @param onStep Told of each step of a push.
   */
  constructor(folders: RepositoryFolders, caches: PackCaches, limit: number, onStep?: OnStep) {
    this.#onStep = onStep;
    this.#folders = folders;
    this.#caches = caches;
    this.#limit = limit;
  }

  async open(name: string): Maybe<Repository> {
    const folder = await folderOf(this.#folders, name);
    if (folder === undefined) return undefined;
    const settings = readSettings(folder);
    const { held, store: { objects, closure, graph }, leave } = this.#enter(folder);
    const onStep = this.#onStep;
    const writing = () => writer(folder, held);
    const refs = new FolderRefs({
      folder,
      objects,
      hidden: settings.hidden,
      writing,
      alone: (work) => inTurn(held, work),
      onStep,
    });
    return {
      name,
      objects,
      refs,
      settings,
      isMirror: isMirror(folder),
      closure: () => closure.read(),
      graph: () => graph.read(),
      renewed: () => objects.isOutdated ? new FolderObjects(`${folder}/objects`, this.#caches, this.#limit) : undefined,
      packBytes: () => objects.packBytes(),
      keepCertificate: async (name, bytes) => await keepCertificate(folder, { name, bytes }, await writing()),
      receive: () =>
        receiving(async () =>
          new FolderQuarantine({
            folder: `${folder}/objects`,
            store: objects,
            holder: await writing(),
            caches: this.#caches,
            limit: this.#limit,
            settings: settings.push,
            onStep,
          })
        ),
      [Symbol.dispose]: leave,
    };
  }

  /** Opens one for maintenance, or nothing where there is none of that name. */
  async openFolder(name: string): Maybe<OpenFolder> {
    const folder = await folderOf(this.#folders, name);
    if (folder === undefined) return undefined;
    const { hidden } = readSettings(folder);
    const { held, store: { objects, closure, graph }, leave } = this.#enter(folder);
    const holder = () => writer(folder, held);
    return {
      folder,
      objects,
      closure,
      graph: () => graph.read(),
      refs: new FolderRefs({ folder, objects, hidden, writing: holder, alone: (work) => inTurn(held, work) }),
      holder,
      renew: () => {
        held.store = this.#opened(folder);
      },
      get users() {
        return held.users;
      },
      [Symbol.dispose]: leave,
    };
  }

  async list(): Promise<string[]> {
    return await namesOf(this.#folders);
  }

  #opened(folder: string): Store {
    const objects = new FolderObjects(`${folder}/objects`, this.#caches, this.#limit);
    const graph = new GraphFolder(`${folder}/objects`, this.#graphs);
    return { objects, closure: new ClosureReader(folder, objects), graph, users: 0 };
  }

  #enter(folder: string): { held: Open; store: Store; leave: () => void } {
    const inode = statSync(folder).ino;
    const there = this.#open.get(folder);
    const held = there?.inode === inode
      ? there
      : { inode, store: this.#opened(folder), last: Promise.resolve(), users: 0 };
    this.#open.set(folder, held);
    const { store } = held;
    held.users++;
    store.users++;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      if (--store.users === 0 && store !== held.store) store.objects[Symbol.dispose]();
      if (--held.users > 0) return;
      if (this.#open.get(folder) === held) this.#open.delete(folder);
      held.holder?.[Symbol.dispose]();
      held.store.objects[Symbol.dispose]();
    };
    return { held, store, leave };
  }
}

/** Who writes, once what others have left who died is cleared up. */
async function writer(folder: string, held: Open): Promise<Holder> {
  if (!held.holder || held.holder.gone) held.holder = new Holder(folder);
  const { holder } = held;
  await recover(folder, holder);
  return holder;
}

/** Works when what came before has ended, however it did. */
function inTurn<T>(held: Open, work: () => Promise<T>): Promise<T> {
  const done = held.last.then(work, work);
  held.last = done.catch(() => {});
  return done;
}

/** The folder of a repository, or nothing where there is none that may be opened: its real path lies below the root. */
export async function folderOf({ root, elsewhere }: RepositoryFolders, name: string): Promise<string | undefined> {
  if (!isRepositoryName(name)) return undefined;
  if (Object.hasOwn(elsewhere, name)) {
    const inside = join(elsewhere[name], ".git");
    return [elsewhere[name], inside].find(isRepositoryFolder);
  }
  const [base, folder] = await Promise.all(
    [root, join(root, `${name}.git`)].map((path) => realpath(path).catch(() => undefined)),
  );
  if (base === undefined || folder === undefined || !folder.startsWith(base + sep)) return undefined;
  return isRepositoryFolder(folder) ? folder : undefined;
}

/** The names of all repositories, in order. */
export async function namesOf({ root, elsewhere }: RepositoryFolders): Promise<string[]> {
  const names = new Set(Object.keys(elsewhere).filter(isRepositoryName));
  const look = async (prefix: string, depth: number): Promise<void> => {
    for (const name of await readdir(join(root, prefix)).catch(() => [])) {
      const path = join(root, prefix, name);
      if (!(await lstat(path).catch(() => undefined))?.isDirectory()) continue;
      const full = `${prefix}${name}`;
      if (name.endsWith(".git")) {
        const short = full.slice(0, -4);
        if (isRepositoryName(short) && isRepositoryFolder(path)) names.add(short);
      } else if (depth < 4 && isRepositoryName(full)) await look(`${full}/`, depth + 1);
    }
  };
  await look("", 1);
  return [...names].sort();
}

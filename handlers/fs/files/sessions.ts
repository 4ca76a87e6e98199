/**
 * The write sessions of a node: how many there are, what they have in memory, and what becomes of those that nobody uses.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { MemoryPool } from "./content.ts";
import { Session, type SessionStart } from "./session.ts";
import type { SessionPlace, SessionSlot, SessionStore } from "./session_place.ts";

/** Memory of all sessions: 16 MiB. What has no place in it is written to a file at once. */
const MEMORY = 16 * 1024 * 1024;

/** Options of {@linkcode Sessions}. */
export interface SessionLimits {
  /** Sessions that one identity has at a time. */
  readonly sessions: number;
  /** Milliseconds without a request, after which what was written is committed. */
  readonly sessionIdle: number;
}

/** Who writes, and where it goes. */
export type SessionOwner = Pick<SessionPlace, "commit" | "room"> & { readonly identity: string };

/** All sessions of a store. */
export class Sessions implements AsyncDisposable {
  /** What they need of the store. */
  readonly store: SessionStore;
  readonly #limits: SessionLimits;
  readonly #pool = new MemoryPool(MEMORY);
  readonly #counts = new Map<string, number>();
  readonly #open = new Map<Session, () => void>();
  #closed = false;

  /** None yet. */
  constructor(store: SessionStore, limits: SessionLimits) {
    this.store = store;
    this.#limits = limits;
  }

  /**
   * Begins one.
   *
   * @throws {AlknetError} `QUOTA_EXCEEDED`: the identity has too many.
   */
  async begin(start: SessionStart, { identity, commit, room }: SessionOwner): Promise<Session> {
    if (this.#closed) throw new AlknetError("STORE_CLOSED", "the store is closed");
    const slot = this.#slot(identity);
    const place: SessionPlace = { ...this.store, pool: this.#pool, commit, room };
    const session = new Session(start, place, slot);
    try {
      await session.begin();
    } catch (error) {
      slot[Symbol.dispose]();
      throw error;
    }
    this.#watch(session, slot);
    return session;
  }

  /** Commits what is open, as it stands. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#open.keys()].map((session) => session.end(true)));
  }

  #slot(identity: string): SessionSlot {
    const count = this.#counts.get(identity) ?? 0;
    if (count >= this.#limits.sessions) {
      throw new AlknetError("QUOTA_EXCEEDED", `${count} files are open for writing, which is the most; close some`);
    }
    this.#counts.set(identity, count + 1);
    let taken = true;
    return {
      used: this.store.now(),
      [Symbol.dispose]: () => {
        if (!taken) return;
        taken = false;
        const left = this.#counts.get(identity)! - 1;
        if (left > 0) this.#counts.set(identity, left);
        else this.#counts.delete(identity);
      },
    };
  }

  /** Has it committed when nobody asked anything of it for so long. */
  #watch(session: Session, slot: SessionSlot): void {
    const { sessionIdle } = this.#limits;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const arm = (): void => {
      timer = setTimeout(() => {
        const since = this.store.now() - sessionIdle;
        // What it could not commit is told at the close.
        session.commitIfIdle(since).catch(() => {}).finally(() => this.#open.has(session) && arm());
      }, Math.min(sessionIdle, 2 ** 31 - 1));
      Deno.unrefTimer(Number(timer));
    };
    const over = (): void => {
      clearTimeout(timer);
      this.#open.delete(session);
    };
    this.#open.set(session, over);
    arm();
    const dispose = slot[Symbol.dispose];
    slot[Symbol.dispose] = () => {
      over();
      dispose();
    };
  }
}

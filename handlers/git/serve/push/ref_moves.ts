/**
 * Refs that somebody moves: what stands against each, hooks, the transaction, and who is told. Where the objects come from
 * is others' business.
 *
 * @module
 */
import type { Identity, Logger } from "@alknet/core/handler";
import type { Oid } from "../../objects/oid.ts";
import type { ObjectReader, RefSnapshot, RefUpdate, Repository } from "../../store/types.ts";
import { CommitReader } from "../../walk/commits.ts";
import { isAncestor, unconnected } from "../../walk/connectivity.ts";
import type { Pace } from "../../walk/pace.ts";
import type { PushCommand } from "../../wire/push_request.ts";
import type { PushEvents } from "./events.ts";
import type { CertificateFacts, HookRunner, Push, PushedRef, PushFront } from "./hooks.ts";
import { isProtected, type Refusal, refusal, refusals } from "./policy.ts";

/** What refs are moved with. */
export interface RefMovesParts {
  /** Where they are. */
  readonly repository: Repository;
  /** All of them, as they were when the request came. */
  readonly refs: RefSnapshot;
  /** Who moves them. */
  readonly identity: Identity;
  /** On which way. */
  readonly front: PushFront;
  /** The hooks of the node. */
  readonly hooks: HookRunner;
  /** Who follows. */
  readonly events: PushEvents;
  /** Ends what is begun. */
  readonly signal: AbortSignal;
  /** The connection's log. */
  readonly log: Logger;
}

/** What is asked for. */
export interface RefMovesAsked {
  /** The refs. */
  readonly commands: readonly PushCommand[];
  /** Whether all move, or none. */
  readonly atomic: boolean;
  /** Options of the push. */
  readonly options: readonly string[];
}

/** A certificate that was found to be right, and is kept where refs move by it. */
export interface KeptCertificate {
  /** What it proves. */
  readonly facts: CertificateFacts;
  /** Writes it; disposed, it is gone again. */
  keep(): Promise<Disposable>;
}

/** Moves of refs, from the request to what came of it. */
export class RefMoves {
  /** A certificate, once it is known to be right. */
  certificate?: KeptCertificate;
  readonly #parts: RefMovesParts;
  readonly #asked: RefMovesAsked;
  readonly #refused: Map<string, Refusal>;
  readonly #forced = new Map<string, boolean>();
  #done?: Push;

  /** Looks at what is known to stand against them from the beginning. */
  constructor(parts: RefMovesParts, asked: RefMovesAsked) {
    this.#parts = parts;
    this.#asked = asked;
    this.#refused = refusals(asked.commands, parts.repository.settings.push, parts.refs);
    if (parts.repository.isMirror) this.refuseAll(refusal("mirror", "it follows another repository; push there"));
  }

  /** Commands that nothing stands against yet. */
  left(): PushCommand[] {
    return this.#asked.commands.filter(({ name }) => !this.#refused.has(name));
  }

  /** What stands against a ref. */
  refusalOf(name: string): Refusal | undefined {
    return this.#refused.get(name);
  }

  /** How many do not move. */
  get refusedCount(): number {
    return this.#asked.commands.filter(({ name }) => this.#refused.has(name)).length;
  }

  /** Refuses one, unless it is refused already. */
  refuse(name: string, why: Refusal): void {
    if (!this.#refused.has(name)) this.#refused.set(name, why);
  }

  /** Refuses all that are not refused already. */
  refuseAll(why: Refusal): void {
    for (const { name } of this.#asked.commands) this.refuse(name, why);
  }

  /** Where all are to move or none, one that does not is none that does. */
  settle(): void {
    if (this.#asked.atomic && this.#refused.size > 0) this.refuseAll(refusal("atomic push failure"));
  }

  /**
   * What needs the objects: whether they are all there, and whether a ref is forced.
   *
   * @param objects What is new, and then what is there.
   * @param holds Whether an object is new.
   */
  async check(objects: ObjectReader, holds: (oid: Oid) => boolean, pace: Pace): Promise<void> {
    const { refs, repository: { settings: { push } }, hooks, events } = this.#parts;
    const tips = new Set(this.left().map((command) => command.new).filter((oid) => oid !== null));
    const lacking = await unconnected([...tips], { objects, holds, refs, pace });
    const reader = new CommitReader(objects);
    const isTold = hooks.decides || hooks.follows || events.followed;
    for (const { name, old, new: new_ } of this.left()) {
      if (new_ === null) continue;
      if (lacking.has(new_)) {
        this.refuse(name, refusal("missing necessary objects", `not all of ${new_} is there`));
        continue;
      }
      if (name.startsWith("refs/heads/") && (await objects.info(new_))?.kind !== "commit") {
        this.refuse(name, refusal("not a commit", "a branch points at commits alone"));
        continue;
      }
      if (old === null) continue;
      const guarded = isProtected(name, push.protected, refs);
      const denied = push.denyNonFastForwards && name.startsWith("refs/heads/");
      // It costs a walk.
      if (!guarded && !denied && !isTold) continue;
      const forced = !await isForward(old, new_, objects, reader, pace);
      this.#forced.set(name, forced);
      if (!forced || (!guarded && !denied)) continue;
      this.refuse(
        name,
        guarded
          ? refusal("protected", "it is neither forced nor deleted (alknet.protected)")
          : refusal("non-fast-forward", "no branch is forced (receive.denyNonFastForwards)"),
      );
    }
  }

  /**
   * Asks the hooks.
   *
   * @param say Tells who pushes a text.
   */
  async ask(objects: ObjectReader, say: (text: string) => void): Promise<void> {
    const { hooks, signal, log } = this.#parts;
    if (!hooks.decides || this.left().length === 0) return;
    const said = await hooks.preReceive(this.#push(objects), { signal, log, say });
    if (said !== undefined) {
      if (said !== "") say(said);
      this.refuseAll(refusal("pre-receive hook declined"));
      return;
    }
    const push = this.#push(objects);
    for (const { name } of push.updates) {
      const why = await hooks.update(push, name, { signal, log });
      if (why !== undefined) this.refuse(name, refusal("hook declined", why));
    }
    this.settle();
  }

  /** Moves what is left, and tells those who follow. */
  async move(objects: ObjectReader): Promise<void> {
    const { repository, identity, events } = this.#parts;
    const left = this.left();
    if (left.length === 0) return;
    const updates: RefUpdate[] = left.map(({ name, old, new: new_ }) => ({ name, old, new: new_ }));
    const { atomic } = this.#asked;
    const kept = await this.certificate?.keep();
    try {
      for (const { name, refused } of await repository.refs.transaction(updates, { atomic, who: identity.id })) {
        if (refused !== undefined) this.refuse(name, refusal(refused));
      }
    } catch (error) {
      kept?.[Symbol.dispose]();
      throw error;
    }
    if (this.left().length === 0) {
      kept?.[Symbol.dispose]();
      return;
    }
    // At once, before anything is waited for: those who follow get pushes in the order in which refs moved.
    this.#done = this.#push(objects);
    const { objects: _, front: __, ...told } = this.#done;
    events.publish({ ...told, at: new Date() });
    await this.#moveHead();
  }

  /** Tells the hook that follows, once who pushed has the report. */
  async follow(signal: AbortSignal): Promise<void> {
    const { hooks, log, repository } = this.#parts;
    if (!this.#done || !hooks.follows) return;
    await hooks.postReceive({ ...this.#done, objects: repository.objects }, { signal, log }).catch(() => {});
  }

  #push(objects: ObjectReader): Push {
    const { repository: { name: repo }, identity, front } = this.#parts;
    const updates = this.left().map(({ name, old, new: new_ }): PushedRef => ({
      name,
      old,
      new: new_,
      forced: this.#forced.get(name) ?? false,
    }));
    const { options } = this.#asked;
    const facts = this.certificate?.facts;
    return { repo, identity, front, options, ...(facts && { certificate: facts }), updates, objects };
  }

  /** The first branch of a repository is the one that a clone checks out. */
  async #moveHead(): Promise<void> {
    const { repository, log, refs } = this.#parts;
    const { head } = refs;
    if (head.symref === undefined || head.oid !== undefined) return;
    for (const { name } of refs.list()) if (name.startsWith("refs/heads/")) return;
    const branches = this.left().filter((command) => command.new !== null && command.name.startsWith("refs/heads/"));
    const [first] = branches;
    if (!first || branches.some(({ name }) => name === head.symref)) return;
    await repository.refs.setHead(first.name).catch((error) => {
      log.warn("git repository {repo}: HEAD stays: {error}", {
        repo: repository.name,
        error: (error as { code?: string }).code ?? "a fault",
      });
    });
  }
}

/** Whether a ref that moves so loses nothing: both are commits, and the new one comes after the old. */
export async function isForward(
  old: Oid,
  oid: Oid,
  objects: ObjectReader,
  reader: CommitReader,
  pace: Pace,
): Promise<boolean> {
  for (const one of [old, oid]) if ((await objects.info(one))?.kind !== "commit") return false;
  return await isAncestor(old, oid, reader, pace);
}

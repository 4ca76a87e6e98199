/**
 * receive-pack: refs that move, and the objects that they need (gitprotocol-pack, "Pushing Data To a Server").
 *
 * The order is: what is asked for, what the repository allows, the pack into a quarantine, what it lacks, what may not be
 * forced, the quarantine into the repository, the refs, the report.
 *
 * @module
 */
import { AlknetError, type Identity, type Logger } from "@alknet/core/handler";
import { GitPackError, GitRequestError } from "../errors.ts";
import type { GitLimits } from "../limits.ts";
import type { Quarantine, RefSnapshot, RefUpdate, Repository } from "../store/types.ts";
import { CommitReader } from "../walk/commits.ts";
import { isAncestor, unconnected } from "../walk/connectivity.ts";
import { Pace } from "../walk/pace.ts";
import { shown } from "../wire/command.ts";
import { FLUSH, type PktReader } from "../wire/pkt_line.ts";
import { type PushCommand, type PushRequest, readPushRequest } from "../wire/push_request.ts";
import { reportBytes } from "../wire/report.ts";
import { BandOutput, type Output } from "./output.ts";
import { isProtected, type Refusal, refusal, refusals } from "./push_policy.ts";
import type { Turns } from "./turns.ts";

/** What a push works with. */
export interface ReceivePack {
  /** Where it goes. */
  readonly repository: Repository;
  /** Who pushes. */
  readonly identity: Identity;
  /** What the client sends. */
  readonly input: PktReader;
  /** What it gets. */
  readonly output: Output;
  /** Limits. */
  readonly limits: GitLimits;
  /** Bytes that the request may take. */
  readonly requestBytes: number;
  /** Turns of walks, and of resolving deltas. */
  readonly walks: Turns;
  readonly indexing: Turns;
  /** Ends the service. */
  readonly signal: AbortSignal;
  /** Aborted when the time for a push is over. */
  readonly late: AbortSignal;
  /** Whether the request is all that comes, as over HTTP. */
  readonly whole: boolean;
  /** Told once all that the client sends has been read: nothing is written before. */
  received(): Promise<void>;
  /** The connection's log. */
  readonly log: Logger;
}

/** What a push came to, for the log. */
export interface Pushed {
  /** Refs asked for. */
  commands: number;
  /** Refs that did not move. */
  refused: number;
  /** Objects received. */
  objects: number;
  /** Bytes of the pack that was kept. */
  received: number;
}

/**
 * Serves one push.
 *
 * @throws {GitRequestError} What the client sent is no request; it has not been told. What its stream throws.
 */
export async function receivePack(service: ReceivePack, pushed: Pushed): Promise<void> {
  const { input, limits, requestBytes: bytes } = service;
  const request = await readPushRequest(input, { bytes, commands: limits.commands, idle: limits.negotiationIdle });
  if (!request) return;
  pushed.commands = request.commands.length;
  const push = new Push(service, request, await service.repository.refs.snapshot([]));
  await push.run(pushed);
}

class Push {
  readonly #service: ReceivePack;
  readonly #request: PushRequest;
  readonly #refs: RefSnapshot;
  readonly #refused: Map<string, Refusal>;
  readonly #lines: string[] = [];
  #unpack = "ok";

  constructor(service: ReceivePack, request: PushRequest, refs: RefSnapshot) {
    this.#service = service;
    this.#request = request;
    this.#refs = refs;
    this.#refused = refusals(request.commands, service.repository.settings.push, refs);
  }

  async run(pushed: Pushed): Promise<void> {
    const { output, signal } = this.#service;
    using band = new BandOutput(output);
    try {
      await this.#run(band, pushed);
    } catch (cause) {
      if (!this.#request.sideBand || signal.aborted || cause instanceof GitRequestError) throw cause;
      // A line of its own would be taken for a band.
      await this.#service.received();
      await band.fatal("receive-pack: internal error");
      const said = cause instanceof AlknetError ? cause.message : (cause as { code?: string }).code ?? "a fault";
      throw new AlknetError("GIT_FAILED", `a push was not finished: ${said}`, { cause });
    }
  }

  async #run(band: BandOutput, pushed: Pushed): Promise<void> {
    this.#refuseWhole();
    this.#settle();
    // A quarantine is let go of before the report: who reads it finds nothing of it any more.
    if (this.#left().some((command) => command.new !== null)) {
      await using quarantine = await this.#quarantine();
      if (quarantine) await this.#receive(quarantine, band, pushed);
      if (quarantine) await this.#check(quarantine);
      if (quarantine) await this.#commit(quarantine);
      await this.#move();
    } else {
      await this.#move();
    }
    await this.#service.received();
    const { commands } = this.#request;
    pushed.refused = commands.filter(({ name }) => this.#refused.has(name)).length;
    await this.#report(band);
  }

  /** What stands against a push as a whole. */
  #refuseWhole(): void {
    const { repository, limits } = this.#service;
    const { requireSigned, quota = limits.quota } = repository.settings.push;
    if (requireSigned) this.#refuseAll(refusal("signature required", "this node takes no certificates of pushes yet"));
    const brings = this.#left().some((command) => command.new !== null);
    if (brings && repository.packBytes() >= quota) this.#refuseAll(quotaExceeded(quota));
  }

  async #quarantine(): Promise<Quarantine | undefined> {
    try {
      return await this.#service.repository.receive();
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  async #receive(quarantine: Quarantine, band: BandOutput, pushed: Pushed): Promise<void> {
    const { input, limits, repository, signal, whole } = this.#service;
    const { maxInputSize = Infinity, quota = limits.quota } = repository.settings.push;
    const { objects, objectBytes, deltaBytes, resolvedBytes, baseCache } = limits;
    let begun = false;
    try {
      const ingested = await quarantine.ingest({
        read: async () => {
          // Before its first byte a client may look for deltas for long.
          const bytes = await this.#inTime(input.bytes(begun ? limits.transferStall : undefined));
          begun = true;
          return bytes;
        },
        toEnd: whole,
        bounds: {
          packBytes: Math.min(limits.packBytes, maxInputSize),
          objects,
          objectBytes,
          deltaBytes,
          resolvedBytes,
          baseCache,
        },
        pace: new Pace(signal),
        turn: async () => {
          await this.#service.received();
          if (this.#request.sideBand) band.keepAlive();
          return await this.#service.indexing.take(signal);
        },
        warn: (line) => this.#lines.push(line),
      });
      pushed.objects = ingested.count;
      pushed.received = ingested.bytes;
      if (ingested.count > 0 && repository.packBytes() + ingested.bytes > quota) {
        this.#refuseAll(quotaExceeded(quota));
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#settle();
  }

  /** What needs the objects: whether they are all there, and whether a ref is forced. */
  async #check(quarantine: Quarantine): Promise<void> {
    const { signal, walks } = this.#service;
    if (this.#left().length === 0) return;
    try {
      using _turn = await walks.take(signal);
      await this.#checkTips(quarantine, new Pace(signal));
    } catch (error) {
      this.#failed(error);
    }
    this.#settle();
  }

  async #checkTips(quarantine: Quarantine, pace: Pace): Promise<void> {
    const { objects } = quarantine;
    const { settings: { push } } = this.#service.repository;
    const tips = new Set(this.#left().map((command) => command.new).filter((oid) => oid !== null));
    const walk = { objects, holds: (oid: string) => quarantine.holds(oid), refs: this.#refs, pace };
    const lacking = await unconnected([...tips], walk);
    const reader = new CommitReader(objects);
    for (const { name, old, new: new_ } of this.#left()) {
      if (new_ === null) continue;
      if (lacking.has(new_)) this.#refuse(name, refusal("missing necessary objects", `not all of ${new_} is there`));
      else if (name.startsWith("refs/heads/") && (await objects.info(new_))?.kind !== "commit") {
        this.#refuse(name, refusal("not a commit", "a branch points at commits alone"));
      } else if (old !== null) {
        const guarded = isProtected(name, push.protected, this.#refs);
        const denied = push.denyNonFastForwards && name.startsWith("refs/heads/");
        if ((!guarded && !denied) || await this.#isForward(old, new_, quarantine, reader, pace)) continue;
        this.#refuse(
          name,
          guarded
            ? refusal("protected", "it is neither forced nor deleted (alknet.protected)")
            : refusal("non-fast-forward", "no branch is forced (receive.denyNonFastForwards)"),
        );
      }
    }
  }

  async #isForward(
    old: string,
    oid: string,
    { objects }: Quarantine,
    reader: CommitReader,
    pace: Pace,
  ): Promise<boolean> {
    for (const one of [old, oid]) if ((await objects.info(one))?.kind !== "commit") return false;
    return await isAncestor(old, oid, reader, pace);
  }

  async #commit(quarantine: Quarantine): Promise<void> {
    // What no ref reaches in the end is not kept.
    if (!this.#left().some((command) => command.new !== null)) return;
    try {
      this.#service.signal.throwIfAborted();
      await quarantine.commit();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #move(): Promise<void> {
    const { repository, identity } = this.#service;
    const left = this.#left();
    if (left.length === 0) return;
    const updates: RefUpdate[] = left.map(({ name, old, new: new_ }) => ({ name, old, new: new_ }));
    const { atomic } = this.#request;
    for (const { name, refused } of await repository.refs.transaction(updates, { atomic, who: identity.id })) {
      if (refused !== undefined) this.#refuse(name, refusal(refused));
    }
    if (this.#left().length > 0) await this.#moveHead();
  }

  /** The first branch of a repository is the one that a clone checks out. */
  async #moveHead(): Promise<void> {
    const { repository, log } = this.#service;
    const { head } = this.#refs;
    if (head.symref === undefined || head.oid !== undefined) return;
    for (const { name } of this.#refs.list()) if (name.startsWith("refs/heads/")) return;
    const branches = this.#left().filter((command) => command.new !== null && command.name.startsWith("refs/heads/"));
    const [first] = branches;
    if (!first || branches.some(({ name }) => name === head.symref)) return;
    await repository.refs.setHead(first.name).catch((error) => {
      log.warn("git repository {repo}: HEAD stays: {error}", {
        repo: repository.name,
        error: (error as { code?: string }).code ?? "a fault",
      });
    });
  }

  async #report(band: BandOutput): Promise<void> {
    const { output } = this.#service;
    const { commands, sideBand, report } = this.#request;
    if (sideBand) {
      for (const line of this.#lines) await band.progress(`alknet: ${line}\n`);
      for (const { name } of commands) {
        const found = this.#refused.get(name);
        if (found && found.detail !== "") {
          await band.progress(`alknet: ${shown(name)}: ${found.reason}: ${found.detail}\n`);
        }
      }
    }
    band[Symbol.dispose]();
    const refs = commands.map(({ name }) => ({ name, refused: this.#refused.get(name)?.reason }));
    if (report) { for (const bytes of reportBytes(this.#unpack, refs, sideBand)) await output.put(bytes); }
    else if (sideBand) await output.put(FLUSH);
    await output.flush();
  }

  /** Commands that nothing stands against yet. */
  #left(): PushCommand[] {
    return this.#request.commands.filter(({ name }) => !this.#refused.has(name));
  }

  #refuse(name: string, why: Refusal): void {
    if (!this.#refused.has(name)) this.#refused.set(name, why);
  }

  #refuseAll(why: Refusal): void {
    for (const { name } of this.#request.commands) this.#refuse(name, why);
  }

  /** Where all are to move or none, one that does not is none that does. */
  #settle(): void {
    if (this.#request.atomic && this.#refused.size > 0) this.#refuseAll(refusal("atomic push failure"));
  }

  /** The pack, or what came of it, is not taken. Rethrows what ends the service. */
  #failed(error: unknown): void {
    const { signal, late, log, repository } = this.#service;
    const { code = "" } = error as { code?: string };
    if (error instanceof GitPackError) this.#unpack = error.message;
    else if (late.aborted) this.#unpack = "out of time";
    else if (signal.aborted || error instanceof GitRequestError) throw error;
    else {
      this.#unpack = "internal error";
      // What the file system says has paths in it.
      const said = error instanceof AlknetError ? error.message : code || (error as Error).name;
      log.warn("git repository {repo}: a push: {error}", { repo: repository.name, error: said });
    }
    this.#refuseAll(refusal("unpacker error"));
  }

  async #inTime<T>(waiting: Promise<T>): Promise<T> {
    const { signal } = this.#service;
    const { promise: over, reject } = Promise.withResolvers<never>();
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    waiting.catch(() => {});
    try {
      return await Promise.race([waiting, over]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}

function quotaExceeded(quota: number): Refusal {
  return refusal("quota exceeded", `the repository may have ${quota} bytes of packs (alknet.quota)`);
}

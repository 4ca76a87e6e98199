/**
 * receive-pack: refs that move, and the objects that they need (gitprotocol-pack, "Pushing Data To a Server").
 *
 * The order is: what is asked for, what the repository and the certificate allow, the pack into a quarantine, what it lacks,
 * what may not be forced, the hooks, the quarantine into the repository, the refs, the report.
 *
 * @module
 */
import { AlknetError, type Identity, type IdentityProvider, type Logger } from "@alknet/core/handler";
import { GitPackError, GitRequestError } from "../../errors.ts";
import type { GitLimits } from "../../limits.ts";
import type { ObjectReader, Quarantine, Repository } from "../../store/types.ts";
import { Pace } from "../../walk/pace.ts";
import { shown } from "../../wire/command.ts";
import { FLUSH, type PktReader } from "../../wire/pkt_line.ts";
import { type PushRequest, readPushRequest } from "../../wire/push_request.ts";
import { reportBytes } from "../../wire/report.ts";
import { BandOutput, type Output } from "../output.ts";
import type { Turns } from "../turns.ts";
import { judged } from "./certificates.ts";
import type { PushEvents } from "./events.ts";
import type { HookRunner, PushFront } from "./hooks.ts";
import type { Nonces } from "./nonces.ts";
import { type Refusal, refusal } from "./policy.ts";
import { RefMoves } from "./ref_moves.ts";
import { plain, Said } from "./said.ts";

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
  /** On which way it came. */
  readonly front: PushFront;
  /** Turns of walks, and of resolving deltas. */
  readonly walks: Turns;
  readonly indexing: Turns;
  /** The node's hooks, and who follows. */
  readonly hooks: HookRunner;
  readonly events: PushEvents;
  /** Knows again what was given to be signed. */
  readonly nonces: Nonces;
  /** How certificates are taken: not at all, where they come, or from everybody. */
  readonly signing: "off" | "accept" | "require";
  /** What was given to be signed on this stream; absent where each request stands for itself. */
  readonly nonce?: string;
  /** Says whose a key is. */
  readonly keys?: Pick<IdentityProvider, "resolveFingerprint">;
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
  const { input, limits, requestBytes: bytes, signing } = service;
  const { commands, pushOptions, optionBytes, negotiationIdle: idle } = limits;
  const signed = signing !== "off";
  const request = await readPushRequest(input, { bytes, commands, pushOptions, optionBytes, signed, idle });
  if (!request) return;
  pushed.commands = request.commands.length;
  const { repository, identity, front, hooks, events, signal, log } = service;
  const refs = await repository.refs.snapshot([]);
  const moves = new RefMoves({ repository, refs, identity, front, hooks, events, signal, log }, request);
  await new ReceivedPush(service, request, moves).run(pushed);
}

/** Lines about one ref. */
const MOST_DETAIL = 20;

class ReceivedPush {
  readonly #service: ReceivePack;
  readonly #request: PushRequest;
  readonly #moves: RefMoves;
  readonly #said = new Said();
  #unpack = "ok";

  constructor(service: ReceivePack, request: PushRequest, moves: RefMoves) {
    this.#service = service;
    this.#request = request;
    this.#moves = moves;
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
    await this.#moves.follow(signal);
  }

  async #run(band: BandOutput, pushed: Pushed): Promise<void> {
    const { repository } = this.#service;
    this.#refuseWhole();
    this.#moves.settle();
    // A quarantine is let go of before the report: who reads it finds nothing of it any more.
    if (this.#moves.left().some((command) => command.new !== null)) {
      await using quarantine = await this.#quarantine();
      if (quarantine) await this.#receive(quarantine, band, pushed);
      if (quarantine) await this.#check(quarantine);
      if (quarantine) await this.#ask(quarantine.objects, band);
      if (quarantine) await this.#commit(quarantine);
      await this.#moves.move(repository.objects);
    } else {
      await this.#ask(repository.objects, band);
      await this.#moves.move(repository.objects);
    }
    await this.#service.received();
    pushed.refused = this.#moves.refusedCount;
    await this.#report(band);
  }

  /** What stands against a push as a whole. */
  #refuseWhole(): void {
    const { repository, limits } = this.#service;
    const { quota = limits.quota } = repository.settings.push;
    if (this.#request.moreOptions) {
      const { pushOptions, optionBytes } = limits;
      const detail = `a push may have ${pushOptions} of up to ${optionBytes} bytes`;
      return this.#moves.refuseAll(refusal("too many push options", detail));
    }
    const unsigned = this.#certified();
    if (unsigned) this.#moves.refuseAll(unsigned);
    const brings = this.#moves.left().some((command) => command.new !== null);
    if (brings && repository.packBytes() >= quota) this.#moves.refuseAll(quotaExceeded(quota));
  }

  /** What stands against the certificate, or there being none. */
  #certified(): Refusal | undefined {
    const { repository, identity, nonce, nonces, keys, signing } = this.#service;
    const { certificate, options } = this.#request;
    const keep = (name: string, bytes: Uint8Array) => repository.keepCertificate(name, bytes);
    const known = { repo: repository.name, identity, options, nonce, nonces, keys, keep };
    const judgement = certificate ? judged(certificate, known) : "unsigned";
    if (judgement === "unsigned") {
      return signing === "require"
        ? refusal("signature required", "git push --signed, with gpg.format=ssh and a key that the node knows")
        : undefined;
    }
    if ("refused" in judgement) return judgement.refused;
    this.#moves.certificate = judgement.certificate;
    return undefined;
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
        signal,
        turn: async () => {
          await this.#service.received();
          if (this.#request.sideBand) band.keepAlive();
          return await this.#service.indexing.take(signal);
        },
        warn: (line) => this.#said.say(line),
      });
      pushed.objects = ingested.count;
      pushed.received = ingested.bytes;
      if (ingested.count > 0 && repository.packBytes() + ingested.bytes > quota) {
        this.#moves.refuseAll(quotaExceeded(quota));
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#moves.settle();
  }

  /** What needs the objects. */
  async #check(quarantine: Quarantine, objects: ObjectReader = quarantine.objects): Promise<void> {
    const { signal, walks } = this.#service;
    if (this.#moves.left().length === 0) return;
    try {
      using _turn = await walks.take(signal);
      await this.#moves.check(objects, (oid) => quarantine.holds(oid), new Pace(signal));
    } catch (error) {
      this.#failed(error);
    }
    this.#moves.settle();
  }

  /** Asks the hooks, once all has come: a client that still sends does not read. */
  async #ask(objects: ObjectReader, band: BandOutput): Promise<void> {
    if (!this.#service.hooks.decides || this.#moves.left().length === 0) return;
    await this.#service.received();
    if (this.#request.sideBand) band.keepAlive();
    await this.#moves.ask(objects, (text) => this.#said.say(text));
  }

  async #commit(quarantine: Quarantine): Promise<void> {
    // What no ref reaches in the end is not kept.
    if (!this.#moves.left().some((command) => command.new !== null)) return;
    try {
      this.#service.signal.throwIfAborted();
      await quarantine.commit();
      // What was found in packs that are gone may be gone too.
      using now = this.#service.repository.renewed();
      if (now) await this.#check(quarantine, now);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #report(band: BandOutput): Promise<void> {
    const { output } = this.#service;
    const { commands, sideBand, report } = this.#request;
    if (sideBand) {
      for (const line of this.#said.lines) await band.progress(`alknet: ${line}\n`);
      for (const { name } of commands) {
        const found = this.#moves.refusalOf(name);
        if (!found || found.detail === "") continue;
        for (const line of found.detail.split(/\r?\n/).slice(0, MOST_DETAIL)) {
          await band.progress(`alknet: ${shown(name)}: ${found.reason}: ${plain(line)}\n`);
        }
      }
    }
    band[Symbol.dispose]();
    const refs = commands.map(({ name }) => ({ name, refused: this.#moves.refusalOf(name)?.reason }));
    if (report) { for (const bytes of reportBytes(this.#unpack, refs, sideBand)) await output.put(bytes); }
    else if (sideBand) await output.put(FLUSH);
    await output.flush();
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
    this.#moves.refuseAll(refusal("unpacker error"));
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

/**
 * One run of a service on one stream of bytes, whatever carried it: who may run it, its limits, its end, and its line in
 * the log.
 *
 * @module
 */
import { AlknetError, foreign, type Identity, type Logger, type Slots } from "@alknet/core/handler";
import { GitRequestError } from "../errors.ts";
import type { GitLimits } from "../limits.ts";
import type { Maybe, Repositories, Repository } from "../store/types.ts";
import { pushAdvertisement } from "../wire/advertisement.ts";
import { errorLine, pktLine, type PktReader } from "../wire/pkt_line.ts";
import type { ProtocolVersion } from "../wire/version.ts";
import type { Creating } from "./creating.ts";
import type { Output } from "./output.ts";
import { type Right, rightOf } from "./policy.ts";
import type { PushEvents } from "./push/events.ts";
import type { HookRunner } from "./push/hooks.ts";
import type { Nonces } from "./push/nonces.ts";
import { type Pushed, type ReceivePack, receivePack } from "./push/receive_pack.ts";
import type { Served } from "./upload/selected_pack.ts";
import type { Turns } from "./turns.ts";
import { uploadPack } from "./upload/upload_pack.ts";
import { uploadPackV0 } from "./upload/upload_pack_v0.ts";

/** What all services of a node share. */
export interface GitParts {
  /** The repositories. */
  readonly repositories: Repositories;
  /** Whether public ones are read without identity. */
  readonly anonymous: boolean;
  /** Limits. */
  readonly limits: GitLimits;
  /** Places for services. */
  readonly slots: Slots;
  /** Turns of walks. */
  readonly walks: Turns;
  /** Turns of resolving the deltas of pushes. */
  readonly indexing: Turns;
  /** Looks after repositories, when it has time; absent where nobody does. */
  readonly maintenance?: { look(name: string): void };
  /** Asked about pushes, and told of them. */
  readonly hooks: HookRunner;
  /** Who follows pushes. */
  readonly events: PushEvents;
  /** What is given to be signed. */
  readonly nonces: Nonces;
  /** How certificates of pushes are taken, where a repository does not say that it needs them. */
  readonly signedPush: "off" | "accept" | "require";
  /** Makes repositories by a push; absent where no push does. */
  readonly creating?: Creating;
}

/** What a front brings. */
export interface Run {
  /** The repository, which the service lets go at its end. */
  readonly repository: Repository;
  /** Who asks. */
  readonly identity?: Identity;
  /** What the client sends. */
  readonly input: PktReader;
  /** What it gets. */
  readonly output: Output;
  /** The version that the client asks for. Pushes have no version 2: who asks for it gets version 0. */
  readonly version: ProtocolVersion;
  /** One request; or, after saying what there is, all until the client is done. */
  readonly once: boolean;
  /** For the log. */
  readonly front: "stream" | "ssh" | "http";
  /** The connection's log. */
  readonly log: Logger;
  /** Aborted when the node shuts down. */
  readonly draining?: AbortSignal;
}

/** How a run ended: well, with what the client did, or with a fault of ours. */
export type Outcome = "done" | "protocol" | "refused" | "slow" | "left" | "internal";

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  GIT_PROTOCOL: "protocol",
  GIT_TOO_LARGE: "protocol",
  GIT_REFUSED: "refused",
  GIT_SLOW: "slow",
};

/** A repository and what a client may do with it. */
export interface Opened {
  /** Open, to be disposed. */
  readonly repository: Repository;
  /** The right of who asked. */
  readonly right: Right;
  /** Of one that was made for a push: takes it back, unless something has come into it. */
  readonly unmake?: () => Promise<void>;
}

/** Opens a repository for somebody; nothing where there is none, it cannot be served, or they may not read it. */
export async function openFor(
  name: string | undefined,
  { repositories, anonymous }: GitParts,
  { identity, log }: { readonly identity?: Identity; readonly log: Logger },
): Maybe<Opened> {
  if (name === undefined) return undefined;
  let repository: Repository | undefined;
  try {
    repository = await repositories.open(name);
  } catch (error) {
    log.warn("git repository {repo} cannot be opened: {error}", { repo: name, error: (error as Error).message });
  }
  if (!repository) return undefined;
  const right = rightOf(name, repository.settings, { identity, anonymous });
  if (right !== "none") return { repository, right };
  repository[Symbol.dispose]();
  return undefined;
}

/** As {@linkcode openFor}, for a push: one that is not there is made, where that is allowed and they may. */
export async function openForPush(
  name: string | undefined,
  parts: GitParts,
  who: { readonly identity?: Identity; readonly log: Logger },
): Maybe<Opened> {
  const there = await openFor(name, parts, who);
  const { creating } = parts;
  const { identity, log } = who;
  if (there || name === undefined || !identity || !await creating?.would(name, identity)) return there;
  const unmake = await creating?.make(name, identity);
  const opened = await openFor(name, parts, who);
  if (unmake) {
    log.info("git repository {repo} made by a push of {identity}", { repo: name, identity: foreign(identity.id) });
  }
  return opened && { ...opened, unmake };
}

/** How certificates of pushes to a repository are taken. */
export function signingOf({ settings }: Repository, { signedPush }: GitParts): GitParts["signedPush"] {
  return settings.push.requireSigned ? "require" : signedPush;
}

/**
 * Runs upload-pack to its end, and lets the repository go. The client is told what it did wrong; the log is told the rest.
 * Neither input nor output is ended here.
 */
export async function runUploadPack(run: Run, parts: GitParts): Promise<Outcome> {
  const { repository, identity, input, output, version, once, draining } = run;
  const { limits, walks } = parts;
  const served: Served = { requests: 0, objects: 0 };
  const requestBytes = identity ? limits.requestBytes : limits.anonymousRequestBytes;
  return await runTimed(run, { name: "upload-pack", time: limits.fetchTime, counts: served }, async (late) => {
    const signal = AbortSignal.any([output.gone, late]);
    const service = { repository, input, output, limits, requestBytes, walks, signal, draining };
    if (version === 2) await uploadPack(service, served, once);
    else await uploadPackV0(service, served, { version, once });
    // What was walked this time need not be the next.
    if (served.objects > 0 && !repository.closure()) parts.maintenance?.look(repository.name);
  });
}

/** As {@linkcode runUploadPack}, for one push of somebody who may write. */
export async function runReceivePack(
  run: Run & Pick<ReceivePack, "identity" | "received" | "keys"> & Pick<Opened, "unmake">,
  parts: GitParts,
): Promise<Outcome> {
  const { repository, identity, input, output, front, once: whole, log, draining, received, keys } = run;
  const { limits, walks, indexing, hooks, events, nonces } = parts;
  const signing = signingOf(repository, parts);
  const nonce = whole || signing === "off" ? undefined : nonces.give(repository.name);
  const { requestBytes } = limits;
  const pushed: Pushed = { commands: 0, refused: 0, objects: 0, received: 0 };
  const stop = (): void => void (pushed.commands === 0 && input.cancel());
  draining?.addEventListener("abort", stop, { once: true });
  try {
    return await runTimed(run, { name: "receive-pack", time: limits.pushTime, counts: pushed }, async (late) => {
      const signal = AbortSignal.any([output.gone, late]);
      if (!whole) await advertisePush(run, nonce);
      const shared = { limits, requestBytes, walks, indexing, signal, late, whole, received, log };
      const signed = { signing, nonce, nonces, keys };
      await receivePack({ repository, identity, front, input, output, hooks, events, ...signed, ...shared }, pushed);
      if (pushed.commands > pushed.refused) parts.maintenance?.look(repository.name);
    });
  } finally {
    draining?.removeEventListener("abort", stop);
    await run.unmake?.().catch((error) => {
      log.warn("git repository {repo} stays, and is empty: {error}", {
        repo: repository.name,
        error: (error as { code?: string }).code ?? "a fault",
      });
    });
  }
}

async function advertisePush({ repository, output, version }: Run, nonce: string | undefined): Promise<void> {
  if (version === 1) await output.put(pktLine("version 1"));
  const refs = await repository.refs.snapshot(repository.settings.push.hidden);
  for (const part of pushAdvertisement(refs.list(), nonce)) await output.put(part);
  await output.flush();
}

interface Timed {
  readonly name: "upload-pack" | "receive-pack";
  readonly time: number;
  readonly counts: Served | Pushed;
}

async function runTimed(
  { repository, identity, output, front, log }: Run,
  { name, time, counts }: Timed,
  work: (late: AbortSignal) => Promise<void>,
): Promise<Outcome> {
  const began = performance.now();
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new GitRequestError("GIT_SLOW", "the service takes too long")),
    Math.min(time, 2 ** 31 - 1),
  );
  let outcome: Outcome = "done";
  try {
    await work(late.signal);
  } catch (error) {
    outcome = await told(error, output, log, { repo: repository.name, service: name });
  } finally {
    clearTimeout(timer);
    // Before the log says that it is over.
    repository[Symbol.dispose]();
  }
  const names = Object.keys(counts).map((count) => `${count}={${count}}`).join(" ");
  log.info(
    `git service=${name} repo={repo} front={front} identity={identity} outcome={outcome} ${names} bytes={bytes} ms={ms}`,
    {
      repo: repository.name,
      front,
      identity: identity ? foreign(identity.id) : "-",
      outcome,
      ...counts,
      bytes: output.sent,
      ms: Math.round(performance.now() - began),
    },
  );
  return outcome;
}

/** Tells the client what it can be told, and says what it was. */
async function told(
  error: unknown,
  output: Output,
  log: Logger,
  { repo, service }: { readonly repo: string; readonly service: string },
): Promise<Outcome> {
  if (output.gone.aborted) return "left";
  if (error instanceof GitRequestError) {
    const outcome = OUTCOMES[error.code];
    // After a stall nothing would be taken either.
    if (outcome !== "slow") await say(error.message, output);
    return outcome;
  }
  // What the file system says has paths in it.
  const said = error instanceof AlknetError
    ? error.message
    : (error as { code?: string }).code ?? (error as Error).name;
  log.warn("git repository {repo}: {error}", { repo, error: said });
  if (!(error instanceof AlknetError) || error.code !== "GIT_FAILED") {
    await say(`${service}: internal error`, output);
  }
  return "internal";
}

async function say(words: string, output: Output): Promise<void> {
  await output.put(errorLine(words)).then(() => output.flush()).catch(() => {});
}

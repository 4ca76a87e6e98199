/**
 * The front of `alknet/ssh`: commands that git sends over SSH, answered without a process and without a shell
 * (gitprotocol-pack, "SSH Transport").
 *
 * ```text
 * git-upload-pack '/notes.git'      git-receive-pack, and git-upload-archive, which is not served
 * git upload-pack '/notes.git'      the same
 * ```
 *
 * @module
 */
import { foreign, type Identity, type IdentityProvider, type Logger } from "@alknet/core/handler";
import { printable, repositoryName } from "../wire/names.ts";
import { PktReader } from "../wire/pkt_line.ts";
import { protocolVersion } from "../wire/version.ts";
import { Output } from "./output.ts";
import { allows } from "./policy.ts";
import { type GitParts, openFor, openForPush, type Outcome, runReceivePack, runUploadPack } from "./service.ts";

/** The commands of git's that the node answers: a program of `ssh({ programs })`. */
export interface GitProgram {
  /** What messages call it. */
  readonly name: "git";
  /** Whether words are a command of git's and one path; no other word, and no option, is. */
  matches(command: readonly string[], identity?: Identity): boolean;
  /**
   * Runs one service.
   *
   * @returns The exit code: 0, or 128 where it failed, of which the client has been told.
   */
  run(command: readonly string[], streams: GitProgramStreams, context: GitProgramContext): Promise<number>;
}

/** What a command reads and writes. */
export interface GitProgramStreams {
  /** What the client sends. */
  readonly stdin: ReadableStream<Uint8Array>;
  /** What it gets. */
  readonly stdout: WritableStream<Uint8Array>;
  /** Why it gets nothing, in one line for people. */
  readonly stderr: WritableStream<Uint8Array>;
}

/** For whom a command runs. */
export interface GitProgramContext {
  /** Who has logged in. */
  readonly identity?: Identity;
  /** `GIT_PROTOCOL` says which version is asked for. */
  readonly env: Readonly<Record<string, string>>;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Aborted when the node begins to shut down. */
  readonly draining?: AbortSignal;
  /** The connection's log. */
  readonly log: Logger;
  /** Says whose the key is that signed a push; without it, certificates prove nothing. */
  readonly identityProvider?: Pick<IdentityProvider, "resolveFingerprint">;
}

interface Asked {
  readonly service: string;
  readonly path: string;
}

const SERVICES: ReadonlySet<string> = new Set(["git-upload-pack", "git-receive-pack", "git-upload-archive"]);
/** Exit code of what failed, as git's own. */
const FAILED = 128;

/** The program of some repositories. */
export function gitProgram(parts: GitParts): GitProgram {
  return {
    name: "git",
    matches: (command) => askedOf(command) !== undefined,
    async run(command, { stdin, stdout, stderr }, context) {
      const asked = askedOf(command);
      if (!asked) return FAILED;
      const input = new PktReader(stdin);
      const output = new Output(stdout, parts.limits.transferStall);
      const stop = (): void => {
        input.cancel();
        output.abort(context.signal.reason);
      };
      context.signal.addEventListener("abort", stop, { once: true });
      try {
        const outcome = await serve(asked, { input, output }, context, parts);
        if (outcome === "done") return 0;
        if (typeof outcome === "object") await sayTo(stderr, outcome.refusal);
        return FAILED;
      } finally {
        context.signal.removeEventListener("abort", stop);
        await output.flush().catch(() => {});
      }
    },
  };
}

function askedOf(words: readonly string[]): Asked | undefined {
  const [service, path, ...more] = words[0] === "git" ? [`git-${words[1]}`, ...words.slice(2)] : words;
  if (!SERVICES.has(service) || path === undefined || path.startsWith("-") || more.length > 0) return undefined;
  return { service, path };
}

async function serve(
  { service, path }: Asked,
  streams: { readonly input: PktReader; readonly output: Output },
  { identity, env, draining, log, identityProvider: keys }: GitProgramContext,
  parts: GitParts,
): Promise<Outcome | { readonly refusal: string }> {
  if (service === "git-upload-archive") return { refusal: "upload-archive is not served" };
  // Who logs in over SSH has an identity; without one, all share what one address may have.
  using slot = parts.slots.take(identity?.id, "-");
  if (!slot) return { refusal: "too many services; try again" };
  const refused = (refusal: string): { readonly refusal: string } => {
    const id = identity ? foreign(identity.id) : "-";
    log.warn("not allowed what={what} identity={id} reason={reason}", { what: "git", id, reason: "rights" });
    return { refusal };
  };
  const writes = service === "git-receive-pack";
  const opened = await (writes ? openForPush : openFor)(repositoryName(path), parts, { identity, log });
  if (!opened) return refused(`no repository ${printable(path)}, or no right to it`);
  const { repository, right, unmake } = opened;
  if (writes && !(identity && allows(right, "write"))) {
    repository[Symbol.dispose]();
    return refused(`no right to write to ${printable(path)}`);
  }
  const version = protocolVersion((env.GIT_PROTOCOL ?? "").split(":"));
  const run = { repository, ...streams, version, front: "ssh", once: false, draining, log } as const;
  if (!writes) return await runUploadPack({ ...run, identity }, parts);
  const received = (): Promise<void> => Promise.resolve();
  return await runReceivePack({ ...run, identity: identity!, keys, unmake, received }, parts);
}

async function sayTo(stderr: WritableStream<Uint8Array>, words: string): Promise<void> {
  const writer = stderr.getWriter();
  await writer.write(new TextEncoder().encode(`alknet: ${words}\n`)).catch(() => {});
  writer.releaseLock();
}

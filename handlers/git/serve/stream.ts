/**
 * The front `alknet/git`: each stream begins with git-daemon's request line, and is one run of a service
 * (gitprotocol-pack, "Git Transport").
 *
 * @module
 */
import type { BidiStream, Connection, HandlerContext, Identity } from "@alknet/core/handler";
import { GitCode } from "../codes.ts";
import { GitRequestError } from "../errors.ts";
import { printable, repositoryName } from "../wire/names.ts";
import { errorLine, PktReader } from "../wire/pkt_line.ts";
import { parseRequestLine, type RequestLine } from "../wire/request_line.ts";
import { Output } from "./output.ts";
import { allows } from "./policy.ts";
import { type GitParts, openFor, openForPush, type Outcome, runReceivePack, runUploadPack } from "./service.ts";

/** What is read and dropped of a client that was told to go, so that it reads why. */
const DRAIN = 64 * 1024 * 1024;

const CODES: Readonly<Record<Outcome, number>> = {
  done: GitCode.DONE,
  protocol: GitCode.PROTOCOL,
  refused: GitCode.REFUSED,
  slow: GitCode.SLOW,
  left: GitCode.CANCELLED,
  internal: GitCode.INTERNAL,
};

/** Serves the streams of a connection until it ends. */
export async function serveConnection(connection: Connection, context: HandlerContext, parts: GitParts): Promise<void> {
  const running = new Set<Promise<void>>();
  const drain = (): void => void Promise.allSettled(running).then(() => connection[Symbol.asyncDispose]());
  context.signal.addEventListener("abort", drain);
  try {
    for await (const stream of connection) {
      if (context.signal.aborted) {
        cut(stream, GitCode.CANCELLED);
        continue;
      }
      const run = serveStream(stream, connection, context, parts).finally(() => running.delete(run));
      running.add(run);
      run.catch(() => {});
    }
    await Promise.allSettled(running);
  } finally {
    context.signal.removeEventListener("abort", drain);
  }
}

async function serveStream(
  stream: BidiStream,
  connection: Connection,
  context: HandlerContext,
  parts: GitParts,
): Promise<void> {
  const input = new PktReader(stream.readable);
  const output = new Output(stream.writable, parts.limits.transferStall);
  let outcome: Outcome;
  try {
    outcome = await serve({ input, output, connection, context }, parts);
  } catch (error) {
    if (!(error instanceof GitRequestError)) throw error;
    outcome = error.code === "GIT_SLOW" ? "slow" : error.code === "GIT_REFUSED" ? "refused" : "protocol";
    if (outcome !== "slow") await output.put(errorLine(error.message)).catch(() => {});
  }
  if (outcome === "left" || outcome === "slow") return cut(stream, CODES[outcome]);
  await output.close();
  // A single stream has no codes, and its client would lose what it has not read yet.
  if (!await drained(input, parts.limits.transferStall, context.signal)) stream.stop(CODES[outcome]);
}

interface Front {
  readonly input: PktReader;
  readonly output: Output;
  readonly connection: Connection;
  readonly context: HandlerContext;
}

async function serve({ input, output, connection, context }: Front, parts: GitParts): Promise<Outcome> {
  const first = await input.next(parts.limits.requestLine);
  if (first === undefined) return "done";
  if (typeof first === "string") throw new GitRequestError("GIT_PROTOCOL", "bad request line");
  const line = parseRequestLine(first);
  const { log } = context;
  const { hostname: address } = connection.remoteAddress;
  const identity = identityOf(line, connection, context);
  using slot = parts.slots.take(identity?.id, address);
  if (!slot) throw new GitRequestError("GIT_REFUSED", "too many services; try again");
  const open = line.service === "git-receive-pack" ? openForPush : openFor;
  const opened = await open(repositoryName(line.path), parts, { identity, log });
  if (!opened) {
    log.warn("not allowed src={src} what={what} key={key} reason={reason}", {
      src: address,
      what: "git",
      key: connection.peer.fingerprint ?? "-",
      reason: "rights",
    });
    throw new GitRequestError("GIT_REFUSED", `access denied or repository not exported: ${printable(line.path)}`);
  }
  const { repository, right, unmake } = opened;
  const refusal = refusalOf(line, allows(right, "write"));
  if (refusal !== undefined) {
    repository[Symbol.dispose]();
    throw new GitRequestError("GIT_REFUSED", refusal);
  }
  const { version } = line;
  const run = {
    repository,
    input,
    output,
    version,
    front: "stream",
    once: false,
    log,
    draining: context.signal,
  } as const;
  if (line.service === "git-upload-pack") return await runUploadPack({ ...run, identity }, parts);
  const keys = context.identityProvider;
  const received = (): Promise<void> => Promise.resolve();
  return await runReceivePack({ ...run, identity: identity!, keys, unmake, received }, parts);
}

/** Why a service is not run for somebody who may read; nothing where it is. */
function refusalOf({ service }: RequestLine, mayWrite: boolean): string | undefined {
  const served = service === "git-upload-pack" || (service === "git-receive-pack" && mayWrite);
  return served ? undefined : `service not enabled: ${printable(service)}`;
}

function identityOf({ token }: RequestLine, connection: Connection, context: HandlerContext): Identity | undefined {
  if (token === undefined) return connection.identity;
  if (context.authenticationRefused()) {
    throw new GitRequestError("GIT_REFUSED", "too many wrong tokens; try again later");
  }
  const identity = context.identityProvider.resolveToken(token);
  if (identity) context.authenticated();
  else context.authenticationFailed();
  return identity ?? connection.identity;
}

/** Reads and drops what still comes; whether that was all, in time. A node that shuts down does not wait for it. */
async function drained(input: PktReader, milliseconds: number, shutdown: AbortSignal): Promise<boolean> {
  if (shutdown.aborted) return true;
  const { promise: over, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  const stop = (): void => resolve(true);
  shutdown.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([input.drain(DRAIN).catch(() => true), over]);
  } finally {
    clearTimeout(timer);
    shutdown.removeEventListener("abort", stop);
  }
}

function cut(stream: BidiStream, code: number): void {
  stream.reset(code);
  stream.stop(code);
}

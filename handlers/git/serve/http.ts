/**
 * The front of smart HTTP (gitprotocol-http): two paths a repository.
 *
 * @module
 */
import type { HandlerContext, Identity, IdentityProvider } from "@alknet/core/handler";
import type { Maybe, Ref } from "../store/types.ts";
import { advertisement, pushAdvertisement } from "../wire/advertisement.ts";
import { repositoryName } from "../wire/names.ts";
import { FLUSH, pktLine, PktReader } from "../wire/pkt_line.ts";
import { type ProtocolVersion, protocolVersion } from "../wire/version.ts";
import { type HttpCaller, httpCaller } from "./http_credentials.ts";
import { Output } from "./output.ts";
import { allows } from "./policy.ts";
import {
  type GitParts,
  type Opened,
  openFor,
  openForPush,
  runReceivePack,
  runUploadPack,
  signingOf,
} from "./service.ts";
import { refsAdvertisement } from "./upload/upload_pack_v0.ts";

/** What comes with a request. */
export interface GitHttpEnv {
  /** Whom the connection's certificate names, and from where. */
  readonly peer: { readonly identity?: Identity; readonly remoteAddress?: { readonly hostname: string } };
  /** What the endpoint gave the handler. */
  readonly context: HandlerContext;
}

interface Asked {
  readonly path: string;
  readonly service: string;
  readonly advertise: boolean;
}

/** What is read and dropped of a request's body after the request in it. */
const DRAIN = 64 * 1024;
/** The same of a push that is refused: what its pack still has. */
const DRAIN_PUSH = 64 * 1024 * 1024;
/** How long that may take, in milliseconds. */
const DRAIN_TIME = 600_000;
/** How long an address that guessed too often is told to stay away, and a client for which there is no place; seconds. */
const REFUSED_SECONDS = "60";
const BUSY_SECONDS = "5";

/** Answers a request that is git's; nothing where it is not. */
export async function answerHttp(request: Request, env: GitHttpEnv, parts: GitParts): Maybe<Response> {
  const asked = askedOf(request);
  if (!asked) return undefined;
  const { service } = asked;
  if (service !== "git-upload-pack" && service !== "git-receive-pack") return plain(403, "no such service");
  const caller = httpCaller(request.headers, env);
  if (caller.refused) return plain(429, "too many wrong tokens", { "retry-after": REFUSED_SECONDS });
  if (caller.wrong) return unauthorized();
  const slot = parts.slots.take(caller.identity?.id, env.peer.remoteAddress?.hostname ?? "-");
  if (!slot) return plain(503, "too many services; try again", { "retry-after": BUSY_SECONDS });
  // Both go on to what runs after the answer has begun.
  using held = new DisposableStack();
  held.use(slot);
  const { context: { log, identityProvider: keys } } = env;
  const name = repositoryName(asked.path);
  const pushes = service === "git-receive-pack" && !asked.advertise;
  const opened = await (pushes ? openForPush : openFor)(name, parts, { identity: caller.identity, log });
  if (!opened && service === "git-receive-pack" && name !== undefined) {
    // What the push that follows would make has no refs yet.
    if (await parts.creating?.would(name, caller.identity)) return pushAdvertised([], name, request.headers, parts);
  }
  if (!opened) return caller.identity ? plain(404, "no such repository") : unauthorized();
  held.use(opened.repository);
  const refusal = refusalOf(asked, request, caller, opened);
  if (refusal) {
    held.dispose();
    await opened.unmake?.();
    return refusal;
  }
  if (service === "git-receive-pack") {
    if (asked.advertise) {
      const { repository } = opened;
      const refs = await repository.refs.snapshot(repository.settings.push.hidden);
      return pushAdvertised(refs.list(), repository.name, request.headers, parts, signingOf(repository, parts));
    }
    return await pushed(request, { caller, opened, log, held: held.move(), keys }, parts);
  }
  if (asked.advertise) return await advertised(opened, request.headers);
  return fetched(request, { caller, opened, log, held: held.move() }, parts);
}

function askedOf({ method, url }: Request): Asked | undefined {
  const rest = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  const [, path, what, query] = /^(\/[^?#]*)\/(info\/refs|git-[a-z-]+)(?:\?([^#]*))?$/.exec(rest) ?? [];
  if (what === "info/refs") {
    const service = /^service=(git-[a-z-]+)$/.exec(query ?? "")?.[1];
    return method === "GET" && service !== undefined ? { path, service, advertise: true } : undefined;
  }
  const known = what === "git-upload-pack" || what === "git-receive-pack";
  return method === "POST" && known ? { path, service: what, advertise: false } : undefined;
}

/** What stands against a request of somebody who may read; nothing where nothing does. */
function refusalOf(
  { service, advertise }: Asked,
  { headers }: Request,
  { identity }: HttpCaller,
  { right }: Opened,
): Response | undefined {
  if (service === "git-receive-pack") {
    if (!identity) return unauthorized();
    if (!allows(right, "write")) return plain(403, "no right to write");
  }
  if (advertise) return undefined;
  if (headers.get("content-type") !== `application/x-${service}-request`) {
    return plain(415, "not a request of git's");
  }
  const encoding = headers.get("content-encoding");
  return encoding === null || /^(?:x-)?gzip$/.test(encoding) ? undefined : plain(415, "only gzip is inflated");
}

async function advertised({ repository }: Opened, headers: Headers): Promise<Response> {
  const version = versionOf(headers);
  const { filters } = repository.settings;
  const lines = version === 2 ? advertisement(filters) : [
    pktLine("# service=git-upload-pack"),
    FLUSH,
    ...refsAdvertisement(await repository.refs.snapshot(), { version, stateless: true, filters }),
  ];
  return result("git-upload-pack", "advertisement", new Blob(lines).stream());
}

function pushAdvertised(
  refs: Iterable<Ref>,
  name: string,
  headers: Headers,
  { nonces, signedPush }: GitParts,
  signing: GitParts["signedPush"] = signedPush,
): Response {
  const nonce = signing === "off" ? undefined : nonces.give(name);
  // Version 2 has no pushes: who asks for it gets version 0.
  const version = versionOf(headers) === 1 ? [pktLine("version 1")] : [];
  const lines = [pktLine("# service=git-receive-pack"), FLUSH, ...version, ...pushAdvertisement(refs, nonce)];
  return result("git-receive-pack", "advertisement", new Blob(lines).stream());
}

interface Fetching {
  readonly caller: HttpCaller;
  readonly opened: Opened;
  readonly log: GitHttpEnv["context"]["log"];
  readonly held: DisposableStack;
}

/** One round: the request is read, and answered while it is worked on. */
function fetched(request: Request, { caller, opened, log, held }: Fetching, parts: GitParts): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const input = new PktReader(bodyOf(request));
  const output = new Output(writable, parts.limits.transferStall);
  const run = async (): Promise<void> => {
    using _held = held;
    const { repository } = opened;
    const { identity } = caller;
    const version = versionOf(request.headers);
    const outcome = await runUploadPack(
      { repository, identity, input, output, version, once: true, front: "http", log },
      parts,
    );
    if (outcome === "left" || outcome === "slow") {
      await input.cancel();
      return await output.abort(new Error("the client takes nothing"));
    }
    await input.drain(DRAIN).catch(() => false);
    await output.close();
  };
  run().catch((error) => log.error("git over HTTP: {error}", { error: (error as Error).message }));
  return result("git-upload-pack", "result", readable);
}

/** One push: what is sent is read to its end before there is an answer, as the client sends all before it reads. */
async function pushed(
  request: Request,
  { caller, opened, log, held, keys }: Fetching & { readonly keys: IdentityProvider },
  parts: GitParts,
): Promise<Response> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({}, { highWaterMark: 1 }, {
    // What is said before all is read waits here: nobody reads it yet.
    highWaterMark: 8,
  });
  const input = new PktReader(bodyOf(request));
  const output = new Output(writable, parts.limits.transferStall);
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const received = async (): Promise<void> => {
    // Who still sends after that long is not waited for.
    const timer = setTimeout(answer, DRAIN_TIME);
    await input.drain(DRAIN_PUSH, parts.limits.transferStall).catch(() => false);
    clearTimeout(timer);
    answer();
  };
  const run = async (): Promise<void> => {
    using _held = held;
    const { repository, unmake } = opened;
    const identity = caller.identity!;
    const version = versionOf(request.headers);
    const outcome = await runReceivePack(
      { repository, identity, input, output, version, once: true, front: "http", log, received, keys, unmake },
      parts,
    );
    if (outcome === "left" || outcome === "slow") {
      await input.cancel();
      return await output.abort(new Error("the client takes nothing"));
    }
    await received();
    await output.close();
  };
  run().catch((error) => log.error("git over HTTP: {error}", { error: (error as Error).message })).finally(answer);
  await answered;
  return result("git-receive-pack", "result", readable);
}

function bodyOf({ body, headers }: Request): ReadableStream<Uint8Array> {
  if (!body) return new Blob([]).stream();
  return headers.has("content-encoding") ? body.pipeThrough(new DecompressionStream("gzip")) : body;
}

function versionOf(headers: Headers): ProtocolVersion {
  return protocolVersion((headers.get("git-protocol") ?? "").split(":"));
}

function result(
  service: "git-upload-pack" | "git-receive-pack",
  kind: "advertisement" | "result",
  body: ReadableStream<Uint8Array>,
): Response {
  return new Response(body, {
    headers: { "content-type": `application/x-${service}-${kind}`, "cache-control": "no-cache" },
  });
}

function unauthorized(): Response {
  return plain(401, "a token with the right is needed", { "www-authenticate": 'Basic realm="git"' });
}

function plain(status: number, words: string, headers: Record<string, string> = {}): Response {
  return new Response(`${words}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-cache", ...headers },
  });
}

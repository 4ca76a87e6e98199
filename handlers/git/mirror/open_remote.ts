/**
 * The two ways to a repository elsewhere: a stream of `alknet/git`, and smart HTTP (gitprotocol-http).
 *
 * @module
 */
import { AlknetError, type Connection } from "@alknet/core/handler";
import type { MirrorUrl } from "../store/folder/owning/mirror_url.ts";
import { pktLine, PktReader } from "../wire/pkt_line.ts";
import { formatRequestLine } from "../wire/request_line.ts";
import { type MirrorWays, type Remote, remoteFault } from "./remote.ts";

const SERVICE = "git-upload-pack";
/** Milliseconds for which the end of a stream is waited for. */
const FAREWELL = 2000;

/**
 * Opens the way to a repository.
 *
 * @throws {AlknetError} `MIRROR_FAILED`: it cannot be reached, or not with what is there. What dialling throws.
 */
export async function openRemote(url: MirrorUrl, ways: MirrorWays, signal: AbortSignal): Promise<Remote> {
  const credential = await ways.credential?.(url.host);
  if (url.kind === "https") return new HttpRemote(url, { fetch: ways.fetch ?? fetch, credential, signal });
  if (!ways.dial) throw remoteFault(url.host, "this node dials no others");
  const connection = await ways.dial(url.address, signal);
  try {
    return await StreamRemote.open(connection, { ...url, token: credential });
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** One stream: questions and answers in turn. */
class StreamRemote implements Remote {
  readonly host: string;
  readonly #connection: Connection;
  readonly #lines: PktReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(
    host: string,
    connection: Connection,
    lines: PktReader,
    writer: WritableStreamDefaultWriter<Uint8Array>,
  ) {
    this.host = host;
    this.#connection = connection;
    this.#lines = lines;
    this.#writer = writer;
  }

  static async open(
    connection: Connection,
    { host, path, token }: { readonly host: string; readonly path: string; readonly token?: string },
  ): Promise<StreamRemote> {
    const stream = await connection.open();
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    await writer.write(pktLine(formatRequestLine({ service: SERVICE, path, version: 2, token }, host)));
    return new StreamRemote(host, connection, new PktReader(stream.readable), writer);
  }

  advertised(): Promise<PktReader> {
    return Promise.resolve(this.#lines);
  }

  async ask(question: Uint8Array<ArrayBuffer>): Promise<PktReader> {
    await this.#writer.write(question);
    return this.#lines;
  }

  /** Says that nothing more is asked, and waits a while for the other side's end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#connection.close(), FAREWELL);
    await this.#writer.close().catch(() => {});
    await this.#connection[Symbol.asyncDispose]();
    clearTimeout(timer);
  }
}

/** How requests are made. */
interface HttpParts {
  readonly fetch: typeof globalThis.fetch;
  readonly credential?: string;
  readonly signal: AbortSignal;
}

/** A request for each question. */
class HttpRemote implements Remote {
  readonly host: string;
  readonly #url: string;
  readonly #parts: HttpParts;
  #last?: PktReader;

  constructor({ host, url }: Extract<MirrorUrl, { kind: "https" }>, parts: HttpParts) {
    this.host = host;
    this.#url = url;
    this.#parts = parts;
  }

  async advertised(): Promise<PktReader> {
    return await this.#request(`info/refs?service=${SERVICE}`, `application/x-${SERVICE}-advertisement`);
  }

  async ask(body: Uint8Array<ArrayBuffer>): Promise<PktReader> {
    return await this.#request(SERVICE, `application/x-${SERVICE}-result`, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last?.cancel();
  }

  async #request(path: string, type: string, body?: Uint8Array<ArrayBuffer>): Promise<PktReader> {
    await this.#last?.cancel();
    const { fetch, credential, signal } = this.#parts;
    const headers: Record<string, string> = { accept: type, "git-protocol": "version=2" };
    if (body) headers["content-type"] = `application/x-${SERVICE}-request`;
    if (credential !== undefined) headers.authorization = authorizationOf(credential);
    const method = body ? "POST" : "GET";
    let response: Response;
    try {
      response = await fetch(`${this.#url}/${path}`, { method, headers, body, redirect: "manual", signal });
    } catch (cause) {
      signal.throwIfAborted();
      throw remoteFault(this.host, `no answer: ${wordsOf(cause)}`, { cause });
    }
    const answered = new PktReader(response.body ?? new Blob().stream());
    this.#last = answered;
    const { status } = response;
    const got = response.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
    if (status === 200 && got === type) return answered;
    throw remoteFault(this.host, refusalOf(status, credential !== undefined));
  }
}

function refusalOf(status: number, hasCredential: boolean): string {
  if (status === 401 || status === 403) {
    return hasCredential
      ? `status ${status}: what the vault keeps for it is not taken`
      : `status ${status}: it asks who we are, and the vault keeps no git/HOST:PORT`;
  }
  if (status === 404) return "status 404: there is no such repository, or no right to it";
  if (status >= 300 && status < 400) return `status ${status}: the repository is elsewhere; write the URL where it is`;
  if (status === 200) return "what it answers is not git's smart HTTP";
  return `status ${status}`;
}

/** `user:password` as Basic (RFC 7617), all else as Bearer (RFC 6750). */
function authorizationOf(credential: string): string {
  if (!credential.includes(":")) return `Bearer ${credential}`;
  return `Basic ${new TextEncoder().encode(credential).toBase64()}`;
}

/** The words of a failure that is not ours. */
function wordsOf(cause: unknown): string {
  if (cause instanceof AlknetError) return cause.message;
  const inner = (cause as { cause?: { message?: string } }).cause?.message;
  return inner ?? (cause as Error).message;
}

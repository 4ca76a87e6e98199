/**
 * The conversation with git that `git-remote-alknet` leads (gitremote-helpers, "connect"): git asks for a service, and is
 * then connected with the node's stream.
 *
 * ```text
 * > capabilities              < connect\n\n
 * > connect git-upload-pack   < \n, and then the stream's bytes both ways
 * ```
 *
 * @module
 */
import { parseTarget } from "@alknet/core/address";
import { AlknetError, type BidiStream, type Connection } from "@alknet/core/handler";
import { formatRequestLine, pktLine, repositoryName } from "@alknet/handlers/git";
import { DEFAULT_PORT } from "../node/node.ts";
import { givenToken, prepareReach } from "../reaching/reach.ts";
import { UsageError } from "../terminal/output.ts";

const GIT_ALPN = "alknet/git";
const URL_FORM = /^alknet:\/\/((?:[^@/]+@)?)(\[[^\]/]+\]|[^:/[\]@]+)(?::(\d+))?(\/.+)$/;
const NODE_ID = /^[A-Za-z0-9]{52}$/;
const SERVICES = ["git-upload-pack", "git-receive-pack"];
const DIAL_TIME = 10_000;
/** Longest line of git's: a command and its argument. */
const MAX_LINE = 4096;

/** Where a URL leads. */
export interface GitUrl {
  /** `[NODEID@]HOST:PORT`, or `NODEID`. */
  readonly address: string;
  /** The path, such as `/notes`. */
  readonly path: string;
}

/**
 * Reads `alknet://[NODEID@]HOST[:PORT]/NAME[.git]`, or `alknet://NODEID/NAME[.git]`.
 *
 * @throws {AlknetError} `USAGE`, `INVALID_ADDRESS`: it is none.
 */
export function parseGitUrl(url: string): GitUrl {
  const [, id, host, port, path] = URL_FORM.exec(url) ?? [];
  if (path === undefined) {
    throw new UsageError(
      `URL ${JSON.stringify(url)}: write alknet://[NODEID@]HOST[:PORT]/NAME, or alknet://NODEID/NAME`,
    );
  }
  if (repositoryName(path) === undefined) throw new UsageError(`URL ${JSON.stringify(url)} names no repository`);
  const isNode = id === "" && port === undefined && NODE_ID.test(host);
  const address = isNode ? host : `${id}${host}:${port ?? DEFAULT_PORT}`;
  parseTarget(address);
  return { address, path };
}

/** Leads the conversation to its end. Rejects with what to tell the user. */
export async function remoteHelper(url: string): Promise<void> {
  const { address, path } = parseGitUrl(url);
  const input = new LineReader(Deno.stdin.readable);
  for (let line = await input.line(); line !== undefined && line !== ""; line = await input.line()) {
    const [word, service] = line.split(" ");
    if (word === "capabilities") await say("connect\n\n");
    else if (word !== "connect") {
      throw new AlknetError("GIT_HELPER", `git asks for ${JSON.stringify(word)}: not served`);
    } else if (!SERVICES.includes(service)) await say("fallback\n");
    else return await connect(address, { path, service }, input);
  }
}

async function connect(
  address: string,
  { path, service }: { readonly path: string; readonly service: string },
  input: LineReader,
): Promise<void> {
  const settings = await gitSettings();
  const token = await givenToken({ tokenFile: settings.get("alknet.tokenfile") });
  const transport = settings.get("alknet.transport") ?? "auto";
  if (transport !== "auto" && transport !== "quic" && transport !== "tls") {
    throw new UsageError(`git config alknet.transport is ${JSON.stringify(transport)}; quic, tls or auto is needed`);
  }
  const given = Number(settings.get("protocol.version") ?? 2);
  // Version 2 has no pushes.
  const version = given === 0 ? 0 : given === 1 || service !== "git-upload-pack" ? 1 : 2;
  const home = settings.get("alknet.home");
  const dial = await prepareReach({ address, transport, home, insecure: false, timeout: DIAL_TIME });
  await using connection = await dial(GIT_ALPN, new AbortController().signal);
  const stream = await connection.open();
  const writer = stream.writable.getWriter();
  const host = address.slice(address.lastIndexOf("@") + 1);
  await writer.write(pktLine(formatRequestLine({ service, path, version, token }, host)));
  writer.releaseLock();
  await say("\n");
  await pipe(connection, stream, input);
}

/** Both directions, until the node has said all. */
async function pipe(connection: Connection, stream: BidiStream, input: LineReader): Promise<void> {
  // A node that refuses to hear more still says why.
  input.rest().pipeTo(stream.writable).catch(() => {});
  await stream.readable.pipeTo(Deno.stdout.writable, { preventClose: true });
  connection.close();
}

async function say(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.byteLength;) at += await Deno.stdout.write(bytes.subarray(at));
}

/** What git's configuration says, keys in lower case. */
async function gitSettings(): Promise<Map<string, string>> {
  const pattern = "^(protocol\\.version|alknet\\.(home|transport|tokenfile))$";
  const asked = new Deno.Command("git", {
    args: ["config", "-z", "--get-regexp", pattern],
    stdin: "null",
    stderr: "null",
  });
  const { stdout } = await asked.output();
  const entries = new TextDecoder().decode(stdout).split("\0").filter((entry) => entry !== "");
  return new Map(entries.map((entry) => {
    const end = entry.indexOf("\n");
    return [entry.slice(0, end), entry.slice(end + 1)];
  }));
}

/** Lines first, and then bytes. */
class LineReader {
  readonly #source: ReadableStream<Uint8Array>;
  #held = new Uint8Array();

  constructor(source: ReadableStream<Uint8Array>) {
    this.#source = source;
  }

  async line(): Promise<string | undefined> {
    const reader = this.#source.getReader();
    try {
      for (let end = this.#held.indexOf(10);; end = this.#held.indexOf(10)) {
        if (end >= 0) {
          const line = new TextDecoder().decode(this.#held.subarray(0, end));
          this.#held = this.#held.slice(end + 1);
          return line;
        }
        if (this.#held.byteLength > MAX_LINE) throw new AlknetError("GIT_HELPER", "git sent a line that has no end");
        const { done, value } = await reader.read();
        if (done) return undefined;
        const both = new Uint8Array(this.#held.byteLength + value.byteLength);
        both.set(this.#held);
        both.set(value, this.#held.byteLength);
        this.#held = both;
      }
    } finally {
      reader.releaseLock();
    }
  }

  rest(): ReadableStream<Uint8Array> {
    const held = this.#held;
    return this.#source.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        start: (controller) => void (held.byteLength > 0 && controller.enqueue(held)),
      }),
    );
  }
}

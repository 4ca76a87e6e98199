/**
 * `alknet dial`: stdin and stdout become one stream.
 *
 * Each direction ends by itself: the end of stdin half-closes the stream, the end of the stream closes stdout. The command
 * ends with the second of them, or with the connection.
 *
 * @module
 */
import { type BidiStream, type CloseInfo, type Connection, ConnectionClosedError } from "@alknet/core/handler";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { argument, command } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { ExitCode } from "../../terminal/output.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { ignoreToken, prepareReach, type ReachOptions, reachOptions } from "../../reaching/reach.ts";
import { StopSignals } from "../../terminal/signals.ts";

/** Bytes of stdin that are read at once: each read costs a change of threads. */
const PIECE = 256 * 1024;

/** `alknet dial ALPN ADDRESS`. */
export const dialCommand: Command = command(
  "dial",
  map(
    object({
      alpn: argument(string({ metavar: "ALPN" }), { description: message`Protocol to ask for, such as alknet/echo.` }),
      ...reachOptions(),
    }),
    (options): Action => () => dial(options),
  ),
  {
    brief: message`Connect stdin and stdout to one stream of a protocol.`,
    description:
      message`Connect stdin and stdout to one stream of a protocol. For OpenSSH: ProxyCommand alknet dial alknet/ssh %h:%p`,
  },
);

async function dial(options: ReachOptions & { readonly alpn: string }): Promise<number> {
  const { alpn } = options;
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  try {
    await ignoreToken(options, alpn);
    await using connection = await (await prepareReach(options))(alpn, interrupted.signal);
    interrupted.signal.addEventListener("abort", () => connection.close(0, "interrupted"), { once: true });
    return await pipe(connection, await connection.open());
  } catch (error) {
    if (interrupted.signal.aborted) return ExitCode.INTERRUPTED;
    throw error;
  }
}

/** Both directions, until both are over or the connection is. */
async function pipe(connection: Connection, stream: BidiStream): Promise<number> {
  // An upload that the peer refuses is not a failure by itself: what it still has to say counts.
  const up = fromStdin(stream.writable).catch(() => {});
  const down = stream.readable.pipeTo(Deno.stdout.writable);
  const ended = connection.closed.then(async (info) => {
    // What has arrived goes out first; a stream that was cut says so itself.
    await down;
    if (!isNormal(info)) throw new ConnectionClosedError(info);
  });
  await Promise.race([Promise.all([up, down]), ended]);
  return ExitCode.DONE;
}

/** Stdin into a stream, and its end, until the peer wants no more of it; where stdin breaks, the stream does. */
async function fromStdin(writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  const copying = copyStdin(writer).catch((error) => writer.abort(error));
  await Promise.race([copying, writer.closed]);
}

async function copyStdin(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  const buffer = new Uint8Array(PIECE);
  for (let read = await Deno.stdin.read(buffer); read !== null; read = await Deno.stdin.read(buffer)) {
    await writer.write(buffer.subarray(0, read));
  }
  await writer.close();
}

function isNormal(info: CloseInfo): boolean {
  return info.by === "local" || (info.by === "peer" && (info.code ?? 0) === 0);
}

/**
 * What OpenSSH's client says to the handler, recorded: the bytes before keys are exchanged, and messages after decryption.
 *
 * @module
 */
import { type Connection, type Handler, type HandlerContext, memoryPair } from "@alknet/core/handler";
import assert from "node:assert/strict";
import { ssh2, type Ssh2Peer } from "../../../../handlers/ssh/protocol/ssh2.ts";
import { runProgram } from "../../../support/process.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** One connection. */
export interface Recording {
  /** Identification, then each packet in clear up to the new keys, and what followed as one piece. */
  readonly clear: readonly Bytes[];
  /** Payloads of all packets, decrypted, from the request for authentication on. */
  readonly messages: readonly Bytes[];
}

/** A handler with a loopback port, at which OpenSSH's client finds it. */
export interface Recorder extends AsyncDisposable {
  /** Runs a program of OpenSSH's with options that reach the handler, and keeps what it says. */
  record(program: "ssh" | "sftp", args: readonly string[], stdin: string): Promise<Recording>;
}

const NEWKEYS = 21;
const FIRST_AFTER_KEYS = 5;

/** A recorder for a handler. `key` is the file of a key that it lets in. */
export function recorder(handler: Handler, context: HandlerContext, key: string): Recorder {
  let sent: Bytes[] = [];
  let messages: Bytes[] = [];
  const handling = new Set<Promise<void>>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const carry = async (socket: Deno.TcpConn): Promise<void> => {
    const [near, far] = memoryPair("alknet/ssh", { singleStream: true });
    const done = handle(handler, far, context);
    const stream = await near.open();
    const tap = new TransformStream<Bytes, Bytes>({
      transform(chunk, controller) {
        sent.push(chunk.slice());
        controller.enqueue(chunk);
      },
    });
    await Promise.allSettled([
      socket.readable.pipeThrough(tap).pipeTo(stream.writable),
      stream.readable.pipeTo(socket.writable),
    ]);
    near.close();
    await done;
  };
  const accepting = (async () => {
    for await (const socket of listener) handling.add(carry(socket));
  })();
  const untap = tapPeers((payload) => {
    if (payload[0] >= FIRST_AFTER_KEYS && (payload[0] < 20 || payload[0] >= 50)) messages.push(payload);
  });
  return {
    async record(program, args, stdin) {
      [sent, messages] = [[], []];
      const options = [
        ...["-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", `Port=${port}`],
        ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
      ];
      const to = program === "ssh" && args.includes("-W") ? [...args, "me@127.0.0.1"] : ["me@127.0.0.1", ...args];
      const { code, stderr } = await runProgram(
        program,
        [...options, ...program === "sftp" ? ["-b", "-"] : [], ...to],
        {
          stdin,
        },
      );
      assert.equal(code, 0, `${program} ${args}: ${stderr}`);
      return { clear: inClear(sent), messages };
    },
    async [Symbol.asyncDispose]() {
      untap();
      listener.close();
      await accepting.catch(() => {});
      await Promise.all(handling);
    },
  };
}

/** Serves a connection to its end. */
export async function handle(handler: Handler, connection: Connection, context: HandlerContext): Promise<void> {
  await handler.handle(connection, context);
  connection.close();
}

/** Tells of each payload that a server of ssh2 reads, as it came. */
function tapPeers(tap: (payload: Bytes) => void): () => void {
  const prototype = ssh2.Server.prototype as { emit(name: string, ...rest: unknown[]): boolean };
  const { emit } = prototype;
  prototype.emit = function (name, ...rest) {
    const heard = emit.call(this, name, ...rest);
    if (name === "connection") {
      const { _protocol: protocol } = rest[0] as Ssh2Peer;
      const { _onPayload } = protocol;
      protocol._onPayload = (payload) => {
        tap(new Uint8Array(payload));
        return _onPayload(payload);
      };
    }
    return heard;
  };
  return () => void (prototype.emit = emit);
}

/** Cuts what was sent at its packets, as far as they can be seen (RFC 4253 §4.2, §6). */
function inClear(chunks: readonly Bytes[]): Bytes[] {
  const bytes = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
  const view = new DataView(bytes.buffer);
  let at = bytes.indexOf(10) + 1;
  const parts = [bytes.slice(0, at)];
  for (let type = 0; type !== NEWKEYS;) {
    const end = at + 4 + view.getUint32(at);
    type = bytes[at + 5];
    parts.push(bytes.slice(at, end));
    at = end;
  }
  return [...parts, bytes.slice(at)];
}

/**
 * The server behind the HTTP handler: who may speak to it, how much of it one client can have, and that it comes back.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type BidiStream, memoryPair } from "@alknet/core/handler";
import { http } from "@alknet/handlers/http";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { PYTHON, ROOT } from "../../support/python.ts";
import { contextOf } from "../context.ts";
import { plainFront } from "./support.ts";

const KEPT = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
const ADA = { id: "ada", scopes: ["admin"], resources: {} };

/** Speaks from the port of another socket, on another loopback address. */
const SPOOF = `
import socket, sys
source, port, server = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((source, port)); s.connect(("127.0.0.1", server))
s.sendall(b"GET /who HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
while part := s.recv(4096): sys.stdout.write(part.decode())
`;

Deno.test({
  name: "http: the port of a conversation, spoken from by somebody else on this machine, is nobody's",
  ...needs("linux", "python"),
  async fn() {
    const seen: (string | undefined)[] = [];
    const handler = http({
      routes: (app) => app.get("/who", (c) => c.text(`${seen.push(c.env.identity?.id)}`)),
    });
    await using front = plainFront(handler, { identity: ADA });
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
    await socket.write(new TextEncoder().encode(KEPT));
    await socket.read(new Uint8Array(1000));
    const [[port, server]] = conversations(front.port);
    const { stdout } = await runProgram(PYTHON, ["-c", SPOOF, "127.0.0.2", `${port}`, `${server}`]);
    match(stdout, /^HTTP\/1\.1 403 /);
    deepEqual(seen, []);
    socket.close();
  },
});

Deno.test("http: a connection has as many conversations as the limit says, and the next one waits its turn", async () => {
  const handler = http({ limits: { conversations: 3 } });
  const shutdown = new AbortController();
  const [client, server] = memoryPair("alknet/http");
  const handled = handler.handle(server, contextOf(shutdown.signal));
  const held = await Promise.all([1, 2, 3].map(() => begun(client.open())));
  let served = false;
  const waiting = begun(client.open()).then((conversation) => {
    served = true;
    return conversation;
  });
  // Another of the three is asked again meanwhile, and answered.
  await held[1].ask();
  equal(served, false);
  await held[0].finish();
  const last = await waiting;
  await Promise.all([...held.slice(1), last].map(({ finish }) => finish()));
  client.close();
  await handled;
  shutdown.abort();
  await server[Symbol.asyncDispose]();
});

Deno.test("http: over the limit of all conversations a stream is reset, and nobody else notices", async () => {
  const handler = http({ limits: { allConversations: 2 } });
  const shutdown = new AbortController();
  const pairs = [memoryPair("alknet/http"), memoryPair("alknet/http")];
  const handled = pairs.map(([, server]) => handler.handle(server, contextOf(shutdown.signal)));
  const held = await Promise.all(pairs.map(([client]) => begun(client.open())));
  const refused = await pairs[0][0].open();
  refused.writable.getWriter().closed.catch(() => {});
  const { code } = await refused.readable.getReader().read().catch((error) => error);
  equal(code, "STREAM_CLOSED");
  await Promise.all(held.map(({ ask }) => ask()));
  await Promise.all(held.map(({ finish }) => finish()));
  for (const [client] of pairs) client.close();
  await Promise.all(handled);
  shutdown.abort();
  for (const [, server] of pairs) await server[Symbol.asyncDispose]();
});

Deno.test({
  name: "http: descriptors that ran out are refused conversations, and an inner server again once there are some",
  ...needs("linux", "prlimit"),
  async fn() {
    const program = new URL("./descriptors_program.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = await runProgram("prlimit", [
      "--nofile=200:200",
      Deno.execPath(),
      ...["run", "-A", "--no-check", program],
    ], { cwd: ROOT });
    equal(code, 0, stderr);
    equal(stdout, "before 200\nwithout 0\nafter 200\n");
  },
});

/** A conversation that has asked once and been answered. */
async function begun(opening: Promise<BidiStream>): Promise<{ ask(): Promise<void>; finish(): Promise<void> }> {
  const { readable, writable } = await opening;
  const [writer, reader] = [writable.getWriter(), readable.getReader()];
  writer.closed.catch(() => {});
  const ask = async (): Promise<void> => {
    await writer.write(new TextEncoder().encode(KEPT));
    ok((await reader.read()).value!.byteLength > 0);
  };
  await ask();
  return {
    ask,
    async finish() {
      await writer.close();
      while (!(await reader.read()).done);
    },
  };
}

/** Sockets of this process to a port of this process that is not the front's: local port and that port. */
function conversations(front: number): [local: number, remote: number][] {
  const rows = Deno.readTextFileSync("/proc/net/tcp").split("\n").slice(1).map((row) => row.trim().split(/\s+/));
  const port = (address: string) => parseInt(address.split(":")[1], 16);
  const own = new Set([...Deno.readDirSync("/proc/self/fd")].map(({ name }) => inode(`/proc/self/fd/${name}`)));
  const mine = rows.filter(([, , , , , , , , , number]) => own.has(number));
  const listening = mine.filter(([, , , state]) => state === "0A").map(([, local]) => port(local));
  return mine.filter(([, , , state]) => state === "01").map(([, local, remote]): [number, number] => [
    port(local),
    port(remote),
  ]).filter(([, remote]) => remote !== front && listening.includes(remote));
}

function inode(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(path))?.[1];
  } catch {
    return undefined;
  }
}

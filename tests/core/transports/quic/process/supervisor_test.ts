import assert from "node:assert/strict";
import { router } from "../../../../../core/endpoint/router.ts";
import type { AlknetError } from "../../../../../core/errors.ts";
import type { LinkedConnection } from "../../../../../core/handler/connection.ts";
import { defineHandler } from "../../../../../core/handler/handler.ts";
import { NodeKey } from "../../../../../core/identity/node_key.ts";
import { Driver } from "../../../../../core/transports/quic/dialling/driver.ts";
import { loadQuiche } from "../../../../../core/transports/quic/engine/binding.ts";
import { bindUdp } from "../../../../../core/transports/quic/engine/udp/udp.ts";
import { QuicConnection } from "../../../../../core/transports/quic/connection/quic_connection.ts";
import { Supervisor } from "../../../../../core/transports/quic/process/supervisor.ts";
import { DEFAULT_LIMITS } from "../../../../../core/limits/limits.ts";
import { needs } from "../../../../support/programs.ts";
import { start } from "../../../../support/process.ts";
import { MAGIC } from "../broken_engine.ts";
import { commandLine, enginesOf, environment, exists, folderOf, isAlive, ticksOf, until } from "../processes.ts";
import { ENGINES, type QuicServer, quicServer } from "../support.ts";

const MODULE = import.meta.resolve("../broken_engine.ts");
/** Loopback has 2^24 addresses; this one is nobody's but a culprit's. */
const CULPRIT = "127.0.0.2";
const WATCHED = { module: MODULE, hangTimeout: 2000, firstBan: 3000 } as const;

await loadQuiche();

for (const how of ["loop", "throw", "exit"] as const) {
  Deno.test({
    name: `Supervisor replaces an engine that fails by "${how}" and refuses the address for a while`,
    ...needs("linux"),
    async fn() {
      await using server = await quicServer({ quic: WATCHED });
      const [client, accepted] = await server.pair();
      const [before] = pids(server);
      const folder = folderOf(before);
      await sendMagic(server.port, how);
      const { by, error } = await accepted.closed;
      assert.deepEqual([by, error?.code], ["error", "ENGINE_LOST"]);
      await assert.rejects(accepted.open(), (error: AlknetError) => error.code === "CONNECTION_CLOSED");
      client.close();
      await until("another engine", () => pids(server).length === 1 && pids(server)[0] !== before);
      assert.ok(!isAlive(before));
      assert.ok(!exists(folder), `${folder} is left`);
      assert.equal(server.gate.refused.get("banned"), 1);

      await using culprit = await dialFrom(CULPRIT, server);
      const [served] = await server.pair();
      assert.equal(culprit.connected, false, "the culprit was let in before its ban was over");
      served.close();
      // It has been sending its first packet all along; now that packet is heard.
      (await culprit.connection).close();
    },
  });
}

Deno.test({
  name: "Supervisor shares memory with its engine, on no disk and open to no other program, until the engine is gone",
  ...needs("linux"),
  async fn() {
    const mapped = (pid: number) =>
      Deno.readTextFileSync(`/proc/${pid}/maps`).match(/memfd:alknet-engine/g)?.length ?? 0;
    const before = mapped(Deno.pid);
    {
      await using server = await quicServer({ quic: WATCHED });
      const [client, accepted] = await server.pair();
      assert.deepEqual([mapped(pids(server)[0]), mapped(Deno.pid)], [1, before + 1]);
      const open = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => linkOf(`/proc/self/fd/${name}`));
      assert.ok(
        !open.some((target) => target.includes("memfd:alknet-engine")),
        "a descriptor is left for others to find",
      );
      const stream = await client.open();
      const sent = new Uint8Array(3_000_000).map((_, at) => at >> 10);
      const writer = stream.writable.getWriter();
      writer.write(sent).then(() => writer.close());
      const { value: there } = await accepted[Symbol.asyncIterator]().next();
      assert.deepEqual(new Uint8Array(await new Response(there!.readable).arrayBuffer()), sent);
    }
    assert.equal(mapped(Deno.pid), before);
  },
});

Deno.test({
  name: "Supervisor bans the same address longer the second time, and nobody else",
  ...needs("linux"),
  async fn() {
    await using server = await quicServer({ quic: { ...WATCHED, firstBan: 1 } });
    for (let time = 1; time <= 2; time++) {
      const [before] = pids(server);
      await sendMagic(server.port, "exit");
      await until("another engine", () => pids(server).length === 1 && pids(server)[0] !== before);
      assert.equal(server.gate.refused.get("banned"), time);
      const [client] = await server.pair();
      client.close();
    }
  },
});

Deno.test({
  name: "Endpoint: a hanging QUIC engine leaves TLS connections of the same endpoint alone",
  ...needs("linux"),
  async fn() {
    const echo = defineHandler({
      alpns: ["test/suite"],
      async handle(connection) {
        for await (const { readable, writable } of connection) await readable.pipeTo(writable);
      },
    });
    await using endpoint = await router().use(echo).listen({ quic: WATCHED });
    const [{ port }] = endpoint.addresses;
    const address = `${endpoint.nodeId}@127.0.0.1:${port}`;
    await using connection = await endpoint.connect(address, "test/suite", { transport: "tls" });
    const { readable, writable } = await connection.open();
    const [writer, reader] = [writable.getWriter(), readable.getReader()];
    const [before] = enginesOf(Deno.pid);
    await sendMagic(port, "loop");
    for (let sent = 0; isAlive(before); sent++) {
      await writer.write(Uint8Array.of(sent & 0xff));
      assert.equal((await reader.read()).value?.[0], sent & 0xff);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await until("another engine", () => enginesOf(Deno.pid).length === 1);
    await using again = await endpoint.connect(address, "test/suite", { transport: "quic" });
    assert.equal(again.transport, "quic");
    await writer.close();
  },
});

Deno.test({
  name: "Supervisor replaces an engine that is killed from outside, and blames nobody",
  ...needs("linux"),
  async fn() {
    await using server = await quicServer({ quic: { engine: "process" } });
    const [client, accepted] = await server.pair();
    const [before] = pids(server);
    Deno.kill(before, "SIGKILL");
    assert.equal((await accepted.closed).error?.code, "ENGINE_LOST");
    client.close();
    await until("another engine", () => pids(server).length === 1 && pids(server)[0] !== before);
    assert.equal(server.gate.refused.get("banned"), undefined);
    const [again] = await server.pair();
    again.close();
  },
});

Deno.test({
  name: "Supervisor: an engine that cannot start says why, and leaves nothing",
  ...needs("linux"),
  async fn() {
    await assert.rejects(
      quicServer({ quic: { module: "data:text/javascript,throw new Error('no such luck')" } }),
      (error: AlknetError) => error.code === "ENGINE_LOST" && /no such luck/.test(error.message),
    );
    await using server = await quicServer({ quic: { engine: "process" } });
    const taken = { address: { hostname: "127.0.0.1", port: server.port } };
    const request = {
      ...taken,
      alpns: ["test/suite"],
      profiles: { identity: NodeKey.generate().certificate() },
      nodeId: server.key.id,
      limits: DEFAULT_LIMITS,
      gate: server.gate,
      onConnection: () => {},
    };
    await assert.rejects(
      Supervisor.start(request, { engines: 1 }),
      (error: AlknetError) => error.code === "BIND_FAILED" && error.message.includes(String(server.port)),
    );
    assert.deepEqual(enginesOf(Deno.pid), pids(server));
  },
});

Deno.test({
  name:
    "Supervisor: engines share the port; when one stops all are replaced, for the system then mixes up their remotes",
  ...needs("linux"),
  async fn() {
    await using server = await quicServer({ quic: { engine: "process", engines: 2 } });
    const both = pids(server);
    assert.equal(both.length, 2);
    const pairs: [LinkedConnection, LinkedConnection][] = [];
    const drivers: CulpritDial[] = [];
    for (let i = 0; i < 16; i++) {
      const dial = await dialFrom("127.0.0.1", server);
      drivers.push(dial);
      pairs.push([await dial.connection, await server.next()]);
    }
    Deno.kill(both[0], "SIGKILL");
    for (const [, accepted] of pairs) assert.equal((await accepted.closed).error?.code, "ENGINE_LOST");
    await until("two other engines", () => pids(server).filter((pid) => !both.includes(pid)).length === 2);
    assert.equal(server.gate.refused.get("banned"), undefined);
    for (let i = 0; i < 4; i++) {
      const [again, accepted] = await server.pair();
      again.close();
      await accepted.closed;
    }
    for (const dial of drivers) await dial[Symbol.asyncDispose]();
  },
});

for (const { name, ...quic } of ENGINES) {
  Deno.test(`${name}: closing the listener ends its connections on both sides`, async () => {
    const server = await quicServer({ quic });
    const engines = enginesOf(Deno.pid);
    const [client, accepted] = await server.pair();
    await server.listener.close();
    assert.equal((await client.closed).by, "peer");
    assert.deepEqual(await accepted.closed, { by: "local", code: 0, reason: "shutdown" });
    for (const pid of engines) assert.ok(!isAlive(pid));
    await server[Symbol.asyncDispose]();
  });
}

Deno.test({
  name: "the engine's arguments and environment hold no secret",
  ...needs("linux"),
  async fn() {
    await using server = await quicServer({ quic: { engine: "process" } });
    const [pid] = pids(server);
    const secret = server.key.toPem().split("\n")[1];
    assert.ok(!commandLine(pid).includes(secret));
    assert.ok(!environment(pid).includes(secret));
    assert.ok(!commandLine(pid).includes("PRIVATE"));
    assert.ok(!environment(pid).includes("PRIVATE"));
  },
});

const ENDINGS: readonly { readonly title: string; readonly end: (node: ReturnType<typeof start>) => unknown }[] = [
  { title: "endpoint.shutdown", end: (node) => node.write("shutdown\n") },
  { title: "SIGTERM", end: (node) => node.kill("SIGTERM") },
  { title: "SIGKILL", end: (node) => node.kill("SIGKILL") },
  { title: "an uncaught exception", end: (node) => node.write("throw\n") },
];

for (const hanging of [false, true]) {
  for (const { title, end } of ENDINGS) {
    Deno.test({
      name: `no ${hanging ? "hanging " : ""}engine and no folder outlives its node: ${title}`,
      ...needs("linux"),
      async fn() {
        const program = new URL("../node_program.ts", import.meta.url).pathname;
        await using node = start(Deno.execPath(), ["run", "-A", "--quiet", program]);
        const { port } = await node.json<{ port: number }>();
        const engines = enginesOf(node.pid);
        assert.equal(engines.length, 1);
        const folder = folderOf(engines[0]);
        if (hanging) {
          await sendMagic(port, "loop");
          const used = ticksOf(engines[0]);
          await until("the engine hangs", () => ticksOf(engines[0]) > used + 10);
        }
        await end(node);
        await until(`engine ${engines[0]} ends`, () => !isAlive(engines[0]));
        assert.ok(!exists(folder), `${folder} is left`);
      },
    });
  }
}

function pids(server: QuicServer): number[] {
  return (server.listener as Supervisor).pids;
}

async function sendMagic(port: number, how: string): Promise<void> {
  const udp = await bindUdp({ hostname: CULPRIT, port: 0 });
  const datagram = new TextEncoder().encode(MAGIC + how);
  udp.slot(datagram.byteLength).set(datagram);
  udp.commit(datagram.byteLength, { hostname: "127.0.0.1", port });
  udp.flush();
  udp.close();
}

interface CulpritDial extends AsyncDisposable {
  readonly connection: Promise<LinkedConnection>;
  readonly connected: boolean;
}

/** A dial from an address of its choice. */
async function dialFrom(hostname: string, server: QuicServer): Promise<CulpritDial> {
  const driver = new Driver({ quiche: await loadQuiche(), udp: await bindUdp({ hostname, port: 0 }) });
  const { promise, resolve, reject } = Promise.withResolvers<LinkedConnection>();
  let connected = false;
  driver.socket.dial({
    remote: server.listener.address,
    serverName: `${server.key.id}.alknet`,
    limits: { ...DEFAULT_LIMITS, handshakeTimeout: 60_000 },
    tls: { alpns: ["test/suite"], certificate: NodeKey.generate().certificate(), peer: "require" },
    established(session, facts) {
      connected = true;
      const connection = new QuicConnection(facts, session);
      resolve(connection.connection);
      return connection;
    },
    failed: (info) => reject(new Error(JSON.stringify(info))),
  });
  return {
    connection: promise,
    get connected() {
      return connected;
    },
    [Symbol.asyncDispose]: () => driver.close(),
  };
}

/** Where a link leads, or nothing once it is gone. */
function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Limits } from "../../../../core/limits/limits.ts";
import { inMebibytes, untilLevel } from "../../../support/plateau.ts";
import { ROOMY, type TlsServer, tlsServer } from "./support.ts";

/** A limit of 3 and who it stops: those with a handshake behind them, or those without. */
const LIMITS: readonly { limit: Partial<Limits>; reason: string; handshake: boolean; lasting: boolean }[] = [
  { limit: { maxConnections: 3 }, reason: "connections", handshake: true, lasting: false },
  { limit: { maxConnectionsPerAddress: 3 }, reason: "connections-per-address", handshake: true, lasting: false },
  { limit: { maxHandshakes: 3 }, reason: "handshakes", handshake: false, lasting: false },
  { limit: { connectionBurst: 3, connectionRate: 1 }, reason: "connection-rate", handshake: true, lasting: true },
];

for (const { limit, reason, handshake, lasting } of LIMITS) {
  Deno.test(`TLS: ${Object.keys(limit)[0]} of 3 serves three and refuses the fourth (core.md §18 row 64)`, async () => {
    await using server = await tlsServer({ limits: { ...ROOMY, ...limit } });
    const held: { close: () => void; closed: Promise<unknown> }[] = [];
    for (let i = 0; i < 3; i++) held.push(handshake ? await connected(server) : await silent(server));
    assert.equal(server.gate.connections, 3);
    await assert.rejects(server.dial(), { code: "HANDSHAKE_FAILED" });
    assert.equal(server.gate.refused.get(reason as never), 1);
    for (const one of held) one.close();
    await settled(() => server.gate.connections === 0);
    if (!lasting) (await server.dial()).close();
  });
}

/** What strangers send, and how it ends. */
const STRANGERS: readonly { what: string; bytes: readonly Uint8Array[] }[] = [
  { what: "nothing", bytes: [] },
  { what: "half a hello", bytes: [Uint8Array.of(22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3)] },
  { what: "a record header and no more", bytes: [Uint8Array.of(22, 3, 1, 64, 0)] },
  { what: "HTTP", bytes: [new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n")] },
  { what: "zeros", bytes: [new Uint8Array(4096)] },
  { what: "SSL 2", bytes: [Uint8Array.of(0x80, 0x2e, 1, 0, 2)] },
  { what: "a handshake message that is no hello", bytes: [Uint8Array.of(22, 3, 1, 0, 4, 2, 0, 0, 0)] },
  { what: "empty records", bytes: [Uint8Array.of(22, 3, 1, 0, 0, 22, 3, 1, 0, 0)] },
  { what: "a hello of 16 MiB, announced", bytes: [Uint8Array.of(22, 3, 1, 0, 4, 1, 255, 255, 255)] },
  { what: "a hello whose lengths lie", bytes: [Uint8Array.of(22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0)] },
];

for (const { what, bytes } of STRANGERS) {
  Deno.test(`TLS: a stranger that sends ${what} is dropped (core.md §13)`, async () => {
    await using server = await tlsServer({ limits: { handshakeTimeout: 300 } });
    const socket = await open(server.port);
    for (const part of bytes) socket.write(part);
    await new Promise((resolve) => socket.once("close", resolve));
    await settled(() => server.gate.connections === 0);
    assert.equal(server.accepted, 0);
    assert.equal(server.gate.handshakes, 0);
    (await server.dial()).close();
  });
}

Deno.test("TLS: a hello that trickles in one byte at a time is read (RFC 8446 §5.1)", async () => {
  await using server = await tlsServer();
  const hello = await recordedHello();
  const socket = await open(server.port);
  socket.setNoDelay(true);
  const answered = once(socket, "data") as Promise<[Uint8Array]>;
  for (const byte of hello) {
    socket.write(Uint8Array.of(byte));
    await new Promise((resolve) => setTimeout(resolve));
  }
  // Whatever the server answers is a handshake record: it has read the hello.
  const [answer] = await answered;
  assert.equal(answer[0], 22);
  socket.destroy();
});

Deno.test("TLS: bytes before the handshake is complete are limited (core.md §13)", async () => {
  await using server = await tlsServer({ limits: { maxHandshakeBytes: 2000 } });
  const socket = await open(server.port);
  const part = new Uint8Array(2001);
  part.set([22, 3, 1, 0x40, 0, 1, 0, 7, 0x40]);
  socket.write(part);
  await new Promise((resolve) => socket.once("close", resolve));
  assert.equal(server.accepted, 0);
  (await server.dial()).close();
});

/** Connections at a time. */
const WAVE = 250;

Deno.test("TLS: 10,000 connections that send nothing, half a hello or garbage are shed (core.md §18 row 65)", async () => {
  await using server = await tlsServer({ limits: { handshakeTimeout: 250, maxHandshakes: 512 } });
  let waves = 0;
  const wave = async (): Promise<void> => {
    const sockets = Array.from({ length: WAVE }, (_, i) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.on("connect", () => {
        for (const part of STRANGERS[i % STRANGERS.length].bytes) socket.write(part);
      });
      socket.resume();
      return new Promise((resolve) => socket.once("close", resolve));
    });
    // A good client gets in beside them.
    const [good] = await Promise.all([server.dial(), ...sockets]);
    good.close();
    waves++;
  };
  while (waves < 10_000 / WAVE) await wave();
  const { level, values } = await untilLevel(() => Deno.memoryUsage().rss, async () => {
    for (let more = 0; more < 4; more++) await wave();
  });
  await settled(() => server.gate.connections === 0);
  assert.equal(server.accepted, waves);
  assert.ok(level, `memory still grows: ${inMebibytes(values)}`);
});

async function connected(server: TlsServer): Promise<{ close: () => void; closed: Promise<unknown> }> {
  const dialled = await server.dial();
  await server.next();
  return dialled;
}

async function silent(server: TlsServer): Promise<{ close: () => void; closed: Promise<unknown> }> {
  const before = server.gate.connections;
  const socket = await open(server.port);
  await settled(() => server.gate.connections === before + 1);
  return { close: () => socket.destroy(), closed: new Promise((resolve) => socket.once("close", resolve)) };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.resume();
  return socket;
}

/** Resolves when a condition holds that another task is about to bring about. */
async function settled(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** The hello of our own dialler. */
async function recordedHello(): Promise<Uint8Array> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await tlsServer();
  const dialling = server.dial({ address: { hostname: "127.0.0.1", port: listener.addr.port } });
  using accepted = await listener.accept();
  const buffer = new Uint8Array(8192);
  const length = await accepted.read(buffer);
  accepted.close();
  listener.close();
  await assert.rejects(dialling, { code: "HANDSHAKE_FAILED" });
  return buffer.slice(0, length!);
}

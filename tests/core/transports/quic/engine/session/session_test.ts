import assert from "node:assert/strict";
import { Holdings } from "../../../../../../core/handler/holdings.ts";
import { limitsWith } from "../../../../../../core/limits/limits.ts";
import { hostPort, loadQuiche } from "../../../../../../core/transports/quic/engine/binding.ts";
import { Session } from "../../../../../../core/transports/quic/engine/session/session.ts";
import type {
  SessionHost,
  SessionOptions,
} from "../../../../../../core/transports/quic/engine/session/session_host.ts";
import { tlsConfig } from "../../../../../../core/transports/quic/engine/tls_config.ts";
import { NodeKey } from "../../../../../../core/identity/node_key.ts";
import type { QuicheConfig, QuicheConnection } from "../../../../../../core/transports/quic/engine/binding.ts";
import type { SessionEvents } from "../../../../../../core/transports/quic/link/link.ts";
import type { UdpSocket } from "../../../../../../core/transports/quic/engine/udp/udp_socket.ts";

Deno.test("Session: a handshake that ran out of time is given up once, and not looked at again and again", async () => {
  const quiche = await loadQuiche();
  const limits = limitsWith({ handshakeTimeout: 1000 });
  const remote = { hostname: "127.0.0.1", port: 4433 };
  const local = hostPort({ hostname: "127.0.0.1", port: 4434 });
  const config = tlsConfig(quiche, { alpns: ["test"], peer: "require", datagramSize: 1350, limits });
  let now = 0;
  const failures: string[] = [];
  const host: SessionHost<Session> = {
    wake: () => {},
    established: () => undefined,
    failed: (_session, { reason }) => failures.push(reason!),
    abused: () => {},
    gone: () => {},
    unread: new Holdings(),
    scratch: new Uint8Array(1024),
    now: () => now,
  };
  const room = new Uint8Array(1350);
  const nowhere = { slot: () => room, commit: () => {} } as unknown as UdpSocket;
  const session = new Session({
    quiche: quiche.Connection.connect("x.example", new Uint8Array(8), local, hostPort(remote), config),
    remote,
    local,
    dialled: true,
    datagramSize: 1350,
    limits,
    host,
  });
  session.turn(nowhere);
  assert.ok(session.deadline <= limits.handshakeTimeout);
  now = limits.handshakeTimeout;
  for (let looks = 0; looks < 2; looks++) {
    session.expire();
    session.turn(nowhere);
    assert.ok(session.deadline > now, `looked at again at ${session.deadline}, and it is ${now}`);
  }
  assert.deepEqual(failures, ["handshake timeout"]);
});

const CLIENT = { hostname: "127.0.0.1", port: 4433 };
const SERVER = { hostname: "127.0.0.1", port: 4434 };
const NOBODY = new Proxy({}, { get: () => () => {} }) as SessionEvents;

/** A session of a server whose packets are given by hand, and what its host hears. */
function serving(
  config: QuicheConfig,
  quiche: QuicheConnection,
  changes: Partial<SessionOptions<Session>> = {},
  events: SessionEvents = NOBODY,
) {
  const heard: string[] = [];
  const sent: Uint8Array[] = [];
  const clock = { now: 0 };
  const host: SessionHost<Session> = {
    wake: () => {},
    established: () => {
      heard.push("established");
      return events;
    },
    failed: (_session, { reason }) => heard.push(`failed: ${reason}`),
    abused: (_session, abuse) => heard.push(abuse),
    gone: () => {},
    unread: new Holdings(),
    scratch: new Uint8Array(64 * 1024),
    now: () => clock.now,
  };
  let room: Uint8Array<ArrayBuffer>;
  const udp = {
    slot: (size: number) => room = new Uint8Array(size),
    commit: (length: number) => void sent.push(room.subarray(0, length)),
  } as unknown as UdpSocket;
  const options = { remote: CLIENT, local: hostPort(SERVER), dialled: false, datagramSize: 1350, host, ...changes };
  const session = new Session({ quiche, limits: limitsWith({}), ...options });
  return { session, heard, sent, udp, clock, config };
}

/** What a client of quiche has to send. */
function flightOf(client: QuicheConnection): Uint8Array[] {
  const flight: Uint8Array[] = [];
  const room = new Uint8Array(1350);
  for (let packet = client.send(room); packet; packet = client.send(room)) flight.push(room.slice(0, packet[0]));
  return flight;
}

/** Lets both sides say what they have to say. */
function converse(client: QuicheConnection, { session, sent, udp }: ReturnType<typeof serving>): void {
  for (let turn = 0; turn < 8; turn++) {
    for (const datagram of flightOf(client)) session.receive(datagram);
    session.turn(udp);
    for (const datagram of sent.splice(0)) client.recv(datagram, { from: hostPort(SERVER), to: hostPort(CLIENT) });
  }
}

Deno.test("Session: where a key is to be proven, a session that was resumed is refused (core.md §10.1)", async () => {
  const quiche = await loadQuiche();
  const limits = limitsWith({});
  const options = { alpns: ["test"], peer: "require", datagramSize: 1350, limits } as const;
  // One ticket key for all, as if a ticket had come between two keys.
  const config = tlsConfig(quiche, { ...options, certificate: NodeKey.generate().certificate() });
  const proving = tlsConfig(quiche, { ...options, certificate: NodeKey.generate().certificate() });
  const heard: string[][] = [];
  const resumed: boolean[] = [];
  let ticket: Uint8Array | null = null;
  for (const [mustProve, own] of [[true, proving], [true, tlsConfig(quiche, options)], [false, proving]] as const) {
    const id = crypto.getRandomValues(new Uint8Array(8));
    const client = quiche.Connection.connect("x.example", id, hostPort(CLIENT), hostPort(SERVER), own);
    const held = client as QuicheConnection & { session(): Uint8Array | null; setSession(ticket: Uint8Array): void };
    if (ticket) held.setSession(ticket);
    const scid = crypto.getRandomValues(new Uint8Array(8));
    const quicheOfServer = quiche.Connection.accept(scid, null, hostPort(SERVER), hostPort(CLIENT), config);
    const server = serving(config, quicheOfServer, { mustProve });
    converse(client, server);
    ticket ??= held.session();
    heard.push(server.heard);
    resumed.push(client.isResumed());
  }
  assert.deepEqual(resumed, [false, true, true]);
  assert.deepEqual(heard, [["established"], ["failed: the session was resumed"], ["established"]]);
});

/** An established connection: the session of its server, and its client. */
async function established(events?: SessionEvents) {
  const quiche = await loadQuiche();
  const options = { alpns: ["test"], peer: "none", datagramSize: 1350, limits: limitsWith({}) } as const;
  const config = tlsConfig(quiche, { ...options, certificate: NodeKey.generate().certificate() });
  const scid = crypto.getRandomValues(new Uint8Array(8));
  const trusting = tlsConfig(quiche, { ...options, peer: "require" });
  const client = quiche.Connection.connect("x.example", scid, hostPort(CLIENT), hostPort(SERVER), trusting);
  const cid = crypto.getRandomValues(new Uint8Array(8));
  const accepted = quiche.Connection.accept(cid, null, hostPort(SERVER), hostPort(CLIENT), config);
  const server = serving(config, accepted, {}, events);
  converse(client, server);
  assert.deepEqual(server.heard, ["established"]);
  return { client, cid, ...server };
}

/** A Handshake packet whose keys are gone. */
const deadHandshake = (cid: Uint8Array) => [0xe0, 0, 0, 0, 1, 8, ...cid, 0, 20, ...new Uint8Array(20)];
const retirements = (count: number) => Array.from({ length: count }, () => [0x19, 0x01]).flat();

/** What somebody can send who saw a connection id on the wire and has no keys. */
const FORGERIES: readonly { readonly title: string; datagrams(cid: Uint8Array): number[][] }[] = [
  {
    title: "behind a packet whose keys are gone",
    datagrams: (cid) => [[...deadHandshake(cid), 0x40, ...cid, 0, ...retirements(300), ...new Uint8Array(16)]],
  },
  {
    title: "behind a packet that no version has",
    datagrams: (cid) => [[...deadHandshake(cid), 0x80, ...cid, 0, ...retirements(300), ...new Uint8Array(16)]],
  },
  {
    title: "in packets too short to be protected",
    datagrams: (cid) => Array(300).fill([0x40, ...cid, 0, ...retirements(1), ...new Uint8Array(16)]),
  },
  {
    title: "in packets sealed with no key",
    datagrams: (cid) => Array(300).fill([0x40, ...cid, 0, ...retirements(300), ...new Uint8Array(16)]),
  },
];

for (const { title, datagrams } of FORGERIES) {
  Deno.test(`Session: frames ${title} end no connection (RFC 9000 §21.1.3.3)`, async () => {
    const { client, cid, session, heard, udp, ...rest } = await established();
    for (const datagram of datagrams(cid)) session.receive(Uint8Array.from(datagram));
    session.turn(udp);
    converse(client, { session, heard, udp, ...rest });
    assert.deepEqual(heard, ["established"]);
    assert.ok(!client.isClosed() && !client.isDraining());
  });
}

Deno.test("Session: what was written before the end waits for a network that is away, and goes out when it is back", async () => {
  const ended: string[] = [];
  const { client, ...server } = await established(
    new Proxy({} as SessionEvents, {
      get: (_, name) => ({ by }: { by?: string }) => name === "ended" ? ended.push(by!) : undefined,
    }),
  );
  const { session, clock, udp, sent } = server;
  session.open(1);
  session.send(1, new Uint8Array(10_240), true);
  session.finish();
  session.turn(udp);
  const away = sent.splice(0);
  assert.ok(away.length > 0);
  for (const seconds of [6, 12, 18]) {
    clock.now = seconds * 1000;
    session.expire();
    session.turn(udp);
    assert.deepEqual(ended, [], `after ${seconds} s`);
  }
  for (const datagram of away) client.recv(datagram, { from: hostPort(SERVER), to: hostPort(CLIENT) });
  const room = new Uint8Array(20_000);
  assert.deepEqual(client.streamRecv(1, room), [10_240, true]);
  converse(client, server);
  assert.deepEqual(ended, ["local"]);
});

/** A dialled session that has filled its window before its peer confirmed the handshake, and then says goodbye. */
async function goodbyeWithoutRoom() {
  const quiche = await loadQuiche();
  const options = { alpns: ["test"], peer: "require", datagramSize: 1350, limits: limitsWith({}) } as const;
  const [own, other] = [0, 1].map(() =>
    tlsConfig(quiche, { ...options, certificate: NodeKey.generate().certificate() })
  );
  const [scid, cid] = [0, 1].map(() => crypto.getRandomValues(new Uint8Array(8)));
  const dialling = quiche.Connection.connect("x.example", scid, hostPort(CLIENT), hostPort(SERVER), own);
  const server = quiche.Connection.accept(cid, null, hostPort(SERVER), hostPort(CLIENT), other);
  const changes = { remote: SERVER, local: hostPort(CLIENT), dialled: true };
  const client = serving(own, dialling, changes);
  const { session, sent, udp, heard } = client;
  const exchange = () => {
    for (const datagram of sent.splice(0)) server.recv(datagram, { from: hostPort(CLIENT), to: hostPort(SERVER) });
    for (const datagram of flightOf(server)) session.receive(datagram);
    session.turn(udp);
  };
  session.turn(udp);
  exchange();
  assert.deepEqual(heard, ["established"]);
  session.open(0);
  session.send(0, new Uint8Array(100_000), false);
  session.turn(udp);
  session.close(7, "enough");
  session.turn(udp);
  /** Waits until quiche asks the silent peer again; what it says then is to be little. */
  const probe = async (): Promise<void> => {
    const before = sent.length;
    while (dialling.timeout() !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
    session.expire();
    for (let turns = 0; session.turn(udp); turns++) assert.ok(turns < 10, "it has no end");
    assert.ok(sent.length - before <= 4, `${sent.length - before} packets at once`);
  };
  return { ...client, server, exchange, probe };
}

Deno.test("Session: a goodbye that has no room is said once the peer has made some (RFC 9000 §10.2)", async () => {
  const { server, exchange, probe } = await goodbyeWithoutRoom();
  for (let probes = 0; probes < 3; probes++) await probe();
  for (let round = 0; round < 4; round++) exchange();
  const { isApp, errorCode } = server.peerError() ?? {};
  assert.deepEqual({ isApp, errorCode }, { isApp: true, errorCode: 7 });
});

Deno.test("Session: a goodbye that nobody answers ends in time, and floods nobody", async () => {
  const { session, clock, udp, probe } = await goodbyeWithoutRoom();
  clock.now = limitsWith({}).handshakeTimeout + 1;
  session.expire();
  session.turn(udp);
  for (let probes = 0; probes < 3; probes++) await probe();
  assert.ok(session.deadline >= clock.now, "it is looked at again and again");
});

import assert from "node:assert/strict";
import { limitsWith } from "../../../../../core/limits/limits.ts";
import { hostPort, loadQuiche } from "../../../../../core/transports/quic/engine/binding.ts";
import { Session, type SessionHost } from "../../../../../core/transports/quic/engine/session.ts";
import { tlsConfig } from "../../../../../core/transports/quic/engine/tls_config.ts";
import type { UdpSocket } from "../../../../../core/transports/quic/engine/udp_socket.ts";

Deno.test("Session: a handshake that ran out of time is given up once, and not looked at again and again", async () => {
  const quiche = await loadQuiche();
  const limits = limitsWith({ handshakeTimeout: 1000 });
  const remote = { hostname: "127.0.0.1", port: 4433 };
  const local = hostPort({ hostname: "127.0.0.1", port: 4434 });
  const config = tlsConfig(quiche, { alpns: ["test"], peer: "require", datagramSize: 1350, limits });
  let now = 0;
  const failures: string[] = [];
  const host: SessionHost = {
    wake: () => {},
    established: () => undefined,
    failed: (_session, { reason }) => failures.push(reason!),
    abused: () => {},
    gone: () => {},
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

/**
 * QUIC over bad paths, made by a relay in this process (core.md §6.1, §13).
 *
 * @module
 */
import assert from "node:assert/strict";
import { router } from "../../core/endpoint/router.ts";
import type { Endpoint } from "../../core/endpoint/endpoint.ts";
import type { CloseInfo } from "../../core/errors.ts";
import { defineHandler, type Handler } from "../../core/handler/handler.ts";
import type { Limits } from "../../core/limits/limits.ts";
import { openLossyLink } from "../support/lossy_link.ts";
import { seeded } from "../support/random.ts";
import { LINK_CASES } from "./link_cases.ts";
import { dialTraffic, exchange, traffic } from "./traffic.ts";

/** Longer than any silence that loss alone brings about here. */
const PATIENT: Partial<Limits> = { idleTimeout: 30_000 };
/** So that a blackout need not last half a minute. */
const SHORT_IDLE: Partial<Limits> = { idleTimeout: 3000, keepAlive: 500 };
/** Less than half of the idle time: the sender's probes come at doubling intervals (RFC 9002 §6.2). */
const SHORT_BLACKOUT = 1000;

for (const { name, faults, bytes } of LINK_CASES) {
  Deno.test(`quic: every byte arrives once and in order with ${name}, four streams both ways`, async () => {
    const { seed } = seeded(`lossy link, ${name}`);
    await using node = await listen(PATIENT);
    await using link = await openLossyLink(node.addresses[0], { faults, seed });
    await using connection = await dialTraffic({ ...link.address, fingerprint: node.fingerprint, limits: PATIENT });
    await exchange(connection, { streams: 4, bytes, seed });
    const { loss = 0, duplicate = 0, reorder = 0, jitter = 0 } = faults;
    const { lost, doubled, held } = link.counts;
    assert.deepEqual([lost > 0, doubled > 0, held > 0], [loss > 0, duplicate > 0, reorder + jitter > 0]);
  });
}

Deno.test("quic: with 20 % loss forty handshakes are all done within their time (RFC 9002 §6.2.1)", async () => {
  const { seed } = seeded("lossy handshakes");
  await using node = await listen({});
  await using link = await openLossyLink(node.addresses[0], { faults: { loss: 0.2 }, seed });
  const to = { ...link.address, fingerprint: node.fingerprint };
  await Promise.all(Array.from({ length: 40 }, async (_, index) => {
    await using connection = await dialTraffic(to);
    await exchange(connection, { streams: 1, bytes: 100, seed: seed + index });
  }));
});

Deno.test("quic: a blackout shorter than the idle time loses nothing", async () => {
  const { seed } = seeded("short blackout");
  await using node = await listen(SHORT_IDLE);
  let dark: ReturnType<typeof setTimeout> | undefined;
  await using link = await openLossyLink(node.addresses[0], {
    seed,
    tap: () => {
      if (dark !== undefined || link.counts.entered < 1000) return;
      link.dark = true;
      dark = setTimeout(() => link.dark = false, SHORT_BLACKOUT);
    },
  });
  await using connection = await dialTraffic({ ...link.address, fingerprint: node.fingerprint, limits: SHORT_IDLE });
  await exchange(connection, { streams: 4, bytes: 2_000_000, seed });
  assert.ok(dark !== undefined && link.counts.lost > 0, "the path was never dark");
});

Deno.test("quic: a blackout longer than the idle time ends both sides by timeout (core.md §13 idle time)", async () => {
  const ended = Promise.withResolvers<CloseInfo>();
  const watched = defineHandler({
    alpns: ["test/watched"],
    async handle(connection, context) {
      connection.closed.then(ended.resolve);
      await traffic.handle(connection, context);
    },
  });
  await using node = await listen(SHORT_IDLE, watched);
  await using link = await openLossyLink(node.addresses[0], {
    tap: () => {
      if (link.counts.entered > 500) link.dark = true;
    },
  });
  const { address } = link;
  await using connection = await dialTraffic({
    ...address,
    fingerprint: node.fingerprint,
    limits: SHORT_IDLE,
    alpn: "test/watched",
  });
  await assert.rejects(exchange(connection, { streams: 4, bytes: 2_000_000, seed: 1 }), { code: "CONNECTION_CLOSED" });
  for (const info of [await connection.closed, await ended.promise]) assert.equal(info.by, "timeout");
});

Deno.test("quic: a blackout from the first packet on ends the dial, unreachable (core.md §11)", async () => {
  await using node = await listen({});
  await using link = await openLossyLink(node.addresses[0]);
  link.dark = true;
  const limits = { handshakeTimeout: 500 };
  await assert.rejects(dialTraffic({ ...link.address, fingerprint: node.fingerprint, limits }), {
    code: "UNREACHABLE",
  });
});

Deno.test("quic: two clients behind one lossy path do not mix", async () => {
  const { seed } = seeded("two clients");
  await using node = await listen(PATIENT);
  await using link = await openLossyLink(node.addresses[0], { faults: { loss: 0.02, jitter: 5 }, seed });
  const to = { ...link.address, fingerprint: node.fingerprint, limits: PATIENT };
  await using one = await dialTraffic(to);
  await using other = await dialTraffic(to);
  await Promise.all([
    exchange(one, { streams: 2, bytes: 100_000, seed }),
    exchange(other, { streams: 2, bytes: 100_000, seed: seed ^ 0xffff }),
  ]);
});

/** A node with datagrams as on any path but loopback, so that there are many. */
function listen(limits: Partial<Limits>, handler: Handler = traffic): Promise<Endpoint> {
  return router().use(handler).listen({
    limits,
    transports: ["quic"],
    drain: 0,
    quic: { engine: "in-process", datagramSize: 1350 },
  });
}

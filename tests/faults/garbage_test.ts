/**
 * A million datagrams of garbage at a node with live traffic. `ALKNET_GARBAGE` sets another number.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Connection } from "../../core/handler/connection.ts";
import { openLossyLink } from "../support/lossy_link.ts";
import { inMebibytes, untilLevel } from "../support/plateau.ts";
import { residentMemory } from "../support/proc.ts";
import { needs } from "../support/programs.ts";
import { Random, seeded } from "../support/random.ts";
import { Garbage, type GunReport, startGun } from "./garbage.ts";
import { ROOMY, startNode, type TestNode } from "./node.ts";
import { dialTraffic, exchange, TRAFFIC } from "./traffic.ts";

const COUNT = Number(Deno.env.get("ALKNET_GARBAGE") ?? 1_000_000);
/** Datagrams before the processes' memory is looked at again. */
const ROUND = Math.ceil(COUNT / 4);
/** Packets of real clients that the gun gets to mutate. */
const CORPUS = 64;

Deno.test({
  name: `quic: ${COUNT} datagrams of garbage beside live traffic harm nothing and leave nothing`,
  ...needs("linux"),
  async fn() {
    const { seed } = seeded("garbage");
    await using node = await startNode({ limits: ROOMY });
    const [engine] = node.engines();
    const corpus: Uint8Array[] = [];
    const random = new Random(seed);
    let injected = 0;
    // An attacker on the path, too: each packet of the live clients is followed by a mutated copy from their address.
    await using link = await openLossyLink(node, {
      tap: (datagram, direction, inject) => {
        if (direction !== "to-server") return;
        if (corpus.length < CORPUS) corpus.push(datagram.slice());
        injected++;
        inject(random.mutate(datagram));
      },
    });
    const to = { ...link.address, fingerprint: node.fingerprint, limits: { idleTimeout: 30_000 } };
    await using live = await dialTraffic(to);
    await using overTcp = await dialTraffic({ ...node, transport: "tls" });
    await exchange(live, { streams: 2, bytes: 50_000, seed });
    const round = { done: false, live: 0, dialled: 0 };
    const report: GunReport[] = [];
    const [{ level, values }] = await Promise.all([
      untilLevel(() => residentMemory(node.pid) + residentMemory(engine), async (number) => {
        do report.push(
          await barrage(node, { count: ROUND, corpus, seed: seed ^ (number * 0x10001 + report.length) }),
        ); while (report.length < COUNT / ROUND - 1);
      }).finally(() => round.done = true),
      keepExchanging(live, round),
      keepDialling(to, round),
      exchange(overTcp, { streams: 1, bytes: 5_000_000, seed }),
    ]);

    const sum = (of: (report: GunReport) => number) => report.reduce((all, one) => all + of(one), 0);
    console.log(
      `${sum(({ count }) => count)} datagrams in ${sum(({ seconds }) => seconds).toFixed(1)} s, ` +
        `${sum(({ overflowed }) => overflowed)} overflowed, ${injected} injected; ` +
        `meanwhile ${round.live} exchanges and ${round.dialled} dials; node and engine ${inMebibytes(values)}`,
    );
    assert.deepEqual(node.engines(), [engine], "the engine was replaced");
    assert.ok(round.live > 0 && round.dialled > 0, "no live traffic");
    assert.ok(level, `memory still grows: ${inMebibytes(values)}`);
    await exchange(live, { streams: 2, bytes: 50_000, seed });
  },
});

Deno.test("Garbage repeats itself by its seed", () => {
  const make = (seed: number) => new Garbage(new Random(seed), [new Uint8Array(1200)], [TRAFFIC]);
  const [one, same, other] = [make(1), make(1), make(2)].map((garbage) => {
    return Array.from({ length: 50 }, () => garbage.next().toHex().slice(0, 100));
  });
  assert.deepEqual(one, same);
  assert.notDeepEqual(one, other);
});

async function barrage(
  { hostname, port }: TestNode,
  { corpus, ...how }: { count: number; seed: number; corpus: readonly Uint8Array[] },
): Promise<GunReport> {
  const packets = corpus.map((packet) => packet.toBase64());
  await using gun = startGun({ target: { hostname, port }, corpus: packets, alpns: [TRAFFIC, "h3"], ...how });
  while (true) {
    const said = await gun.json<GunReport | { event: "firing" }>();
    if (said.event === "fired") return said;
  }
}

async function keepExchanging(live: Connection, round: { done: boolean; live: number }): Promise<void> {
  while (!round.done) await exchange(live, { streams: 2, bytes: 200_000, seed: round.live++ });
}

async function keepDialling(
  to: Parameters<typeof dialTraffic>[0],
  round: { done: boolean; dialled: number },
): Promise<void> {
  while (!round.done) {
    await using connection = await dialTraffic(to);
    await exchange(connection, { streams: 1, bytes: 1000, seed: round.dialled++ });
  }
}

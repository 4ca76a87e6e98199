/**
 * Small things over QUIC: streams, round trips, handshakes.
 *
 * @module
 */
import { contestants, denoQuic, ourQuic } from "./contestants.ts";
import { compare, type Effort, type Figure, type Group, type Task } from "./harness.ts";

/** Handshakes in flight. Those of a client share one UDP socket, ours as the peer's. */
const HANDSHAKES_AT_A_TIME = 16;

/** A figure of this file: what the client does, and what it is called. */
interface Small extends Task {
  readonly name: string;
  readonly wanted: number;
}

/** Streams that are opened, carry a little, and end. */
export const streams: Group = group("streams", [
  { name: "open a stream, 64 bytes, reply; one after another", task: "streams", wanted: 1.25 },
  { name: "open a stream, 64 bytes, reply; 64 at a time", task: "streams", atATime: 64, wanted: 1 },
]);

/** Round trips on one stream. */
export const pingPong: Group = group("ping-pong", [
  { name: "64-byte ping-pong on one stream", task: "pingPong", wanted: 0.8 },
]);

/** Full handshakes: ours with certificates of both sides, the peer's with the server's. */
export const handshakes: Group = group("handshakes", [{
  name: `full handshakes, mutual certificates, ${HANDSHAKES_AT_A_TIME} at a time`,
  task: "handshakes",
  atATime: HANDSHAKES_AT_A_TIME,
  wanted: 0.7,
}]);

function group(name: string, figures: readonly Small[]): Group {
  return { name, run: (effort) => measure(figures, effort) };
}

async function measure(wantedFigures: readonly Small[], effort: Effort): Promise<Figure[]> {
  await using running = await contestants([ourQuic(), ourQuic({ engine: "in-process" }), denoQuic()]);
  const figures: Figure[] = [];
  for (const { name, wanted, ...task } of wantedFigures) {
    const [ours, inProcess, peer] = await compare(running.all, task, effort);
    figures.push({ name, unit: "/s", ours, inProcess, peer, peerName: "Deno.QuicEndpoint", wanted });
  }
  return figures;
}

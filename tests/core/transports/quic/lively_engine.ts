/**
 * What an engine can do wrong, or seem to, without any QUIC: it says that it listens, and then does as the query of its
 * address says until it ends by itself with exit code 7.
 *
 * @module
 */
import { FlightRecorder } from "../../../../core/transports/quic/link/flight_recorder.ts";
import { acceptMemory } from "../../../../core/transports/quic/link/engine_memory.ts";
import { FrameWriter, Kind } from "../../../../core/transports/quic/link/frames.ts";

/** Its exit code. */
export const OWN_END = 7;
/** The address that it works for all the time. */
export const IN_HAND = "127.0.0.3";
const INTERVAL = 50;
/** Rounds until it ends: more than twice the silence that the tests allow. */
const ROUNDS = 100;

if (import.meta.main) {
  const [path, , memoryPath] = Deno.args;
  const how = new URL(import.meta.url).search.slice(1);
  const pipe = await Deno.connect({ transport: "unix", path });
  const memory = acceptMemory(memoryPath)!;
  const recorder = new FlightRecorder(memory.record);
  const out = new FrameWriter();
  const say = async () => {
    const bytes = out.take();
    for (let at = 0; at < bytes.byteLength;) at += await pipe.write(bytes.subarray(at));
  };
  out.writeJson(Kind.LISTENING, 0, { hostname: "127.0.0.1", port: 4433 });
  await say();
  recorder.enter({ hostname: IN_HAND, port: 1 });
  for (let round = 0; round < ROUNDS; round++) {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    if (how === "frames") out.write(Kind.GRANT, 1, 0, 1);
    if (how === "turns") recorder.turn();
    if (how === "refusals") out.writeJson(Kind.REFUSED, 0, { address: IN_HAND, reason: "crypto-data" });
    if (how === "nonsense") out.write(Kind.OPENED, 1, 0, 4, new TextEncoder().encode("no JSON"));
    await say();
  }
  recorder.leave();
  Deno.exit(OWN_END);
}

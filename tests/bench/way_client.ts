/**
 * Sends 64 bytes over UDP, waits for them to come back, and again: what a round trip costs before QUIC is part of it.
 *
 * @module
 */
import { bindUdp } from "../../core/transports/quic/engine/udp/udp.ts";
import { serveTasks, stopwatch } from "./client_tasks.ts";

const SMALL = 64;
const to = JSON.parse(Deno.args[0]).address;
using udp = await bindUdp({ hostname: "127.0.0.1", port: 0 });
let arrived = 0;
const count = (): void => void arrived++;

await serveTasks({
  async wayPingPong(seconds) {
    const { elapsed, end } = stopwatch(seconds);
    arrived = 0;
    for (let sent = 1; performance.now() < end; sent++) {
      udp.slot(SMALL);
      udp.commit(SMALL, to);
      udp.flush();
      // As our driver waits: briefly in the thread itself, then on the event loop.
      while (arrived < sent) {
        if (!udp.soon()) await udp.readable();
        udp.receive(count);
      }
    }
    return arrived / elapsed();
  },
});

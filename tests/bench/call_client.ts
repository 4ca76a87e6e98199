/**
 * Our side of the figures of calls, calling over the transport of the first argument.
 *
 * @module
 */
import { NodeKey } from "@alknet/core/identity";
import { CALL_ALPN, CallConnection } from "@alknet/handlers/call";
import { connect } from "../../core/endpoint/dial.ts";
import { serveTasks, stopwatch } from "./client_tasks.ts";

const [transport, facts] = Deno.args;
const options = { transport: transport as "quic" | "tls", key: NodeKey.generate() };
const peer = new CallConnection(await connect(JSON.parse(facts).address, CALL_ALPN, options));
/** 64 bytes, as the peer carries. */
const MESSAGE = { text: "x".repeat(64) };

await serveTasks({
  async unary(seconds, atATime) {
    const { elapsed, end } = stopwatch(seconds);
    let count = 0;
    await Promise.all(Array.from({ length: atATime }, async () => {
      for (; performance.now() < end; count++) await peer.call("bench/echo", MESSAGE);
    }));
    return count / elapsed();
  },
  async events(seconds) {
    const { elapsed, end } = stopwatch(seconds);
    let count = 0;
    for await (const _ of peer.subscribe("bench/events", MESSAGE)) {
      if ((++count & 63) === 0 && performance.now() >= end) break;
    }
    return count / elapsed();
  },
});
Deno.exit();

/**
 * What idle QUIC connections cost a node: memory for each, in the node, in the engine and of our own, and whether they
 * make an active one dearer.
 *
 * ```text
 * deno run -A tests/bench/idle.ts [CONNECTIONS]
 * ```
 *
 * @module
 */
import { idleCost } from "../faults/idle.ts";

const count = Number(Deno.args[0] ?? 2000);
const cost = await idleCost(count);
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
console.log(`${cost.connections} idle QUIC connections, ${cost.lost} lost`);
console.log(`node process, resident:     ${kib(cost.nodePerConnection)} a connection`);
console.log(`engine process, resident:   ${kib(cost.enginePerConnection)} a connection`);
console.log(`our JavaScript heap, both:  ${kib(cost.heapPerConnection)} a connection`);
console.log(`CPU of one exchange:        ${cost.cpuAlone} ms alone, ${cost.cpuBeside} ms beside the idle ones`);
console.log(`CPU of one quiet second:    ${cost.cpuIdle} ms`);

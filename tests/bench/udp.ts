/**
 * Measures the UDP socket alone, between two processes over loopback: bulk under a window (so nothing is lost), and
 * the round trip through `readable()`.
 *
 * ```text
 * deno run -A tests/bench/udp.ts [SECONDS]
 * ```
 *
 * @module
 */
import { bindLinuxUdp } from "../../core/transports/quic/engine/udp/udp_linux.ts";
import { bindUdp, type UdpSocket } from "../../core/transports/quic/engine/udp/udp.ts";
import type { SocketAddress } from "../../core/handler/connection.ts";
import { start } from "../support/process.ts";

const LOOPBACK: SocketAddress = Object.freeze({ hostname: "127.0.0.1", port: 0 });
// Bytes on their way at most: below the receive buffer that an unprivileged process gets.
const WINDOW = 1 << 20;
// node:dgram keeps the system's default receive buffer, some 200 KB with the kernel's overhead.
const NODE_WINDOW = 72 << 10;
const ROUNDS = 2000;
const SIZES = [1452, 8900, 65_000];
const VARIANTS = ["gso gro", "gso", "gro", "plain", "node"] as const;

type Variant = typeof VARIANTS[number];

async function open(variant: Variant): Promise<UdpSocket> {
  if (variant === "node") return await bindUdp(LOOPBACK, { implementation: "node" });
  return bindLinuxUdp(LOOPBACK, { gso: variant.includes("gso"), gro: variant.includes("gro") });
}

/** The other process: tells how many bytes arrived, in 8 bytes, after each batch; a datagram of 1 byte comes back. */
async function receiver(variant: Variant): Promise<void> {
  const socket = await open(variant);
  console.log(JSON.stringify(socket.address));
  let total = 0;
  let peer: SocketAddress | undefined;
  let ping = false;
  while (true) {
    await socket.readable();
    socket.flush();
    while (
      socket.receive((data, from) => {
        peer = from;
        total += data.length;
        ping ||= data.length === 1;
      }) > 0
    ) {
      if (ping) {
        socket.slot(1);
        socket.commit(1, peer!);
      } else {
        const slot = socket.slot(8);
        new DataView(slot.buffer, slot.byteOffset).setFloat64(0, total);
        socket.commit(8, peer!);
      }
      ping = false;
      socket.flush();
    }
  }
}

/** Bytes that went out, and bytes that the receiver says it has. */
interface Flow {
  sent: number;
  arrived: number;
}

async function bulk(
  socket: UdpSocket,
  to: SocketAddress,
  size: number,
  seconds: number,
  window: number,
  flow: Flow,
): Promise<number> {
  const before = flow.sent;
  const start = performance.now();
  const end = start + seconds * 1000;
  const report = (data: Uint8Array): void => {
    flow.arrived = new DataView(data.buffer, data.byteOffset).getFloat64(0);
  };
  while (performance.now() < end || flow.arrived < flow.sent) {
    while (performance.now() < end && flow.sent - flow.arrived + size <= window) {
      // A window's eighth at a time: asking the clock costs more than a datagram does.
      for (let bytes = 0; bytes < window / 8 || bytes === 0; bytes += size) {
        socket.slot(size);
        socket.commit(size, to);
        flow.sent += size;
      }
    }
    socket.flush();
    if (socket.receive(report) === 0) await socket.readable();
  }
  return (flow.sent - before) / (performance.now() - start) / 1000;
}

async function roundTrip(socket: UdpSocket, to: SocketAddress, rounds: number): Promise<number> {
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    socket.slot(1);
    socket.commit(1, to);
    while (!socket.flush()) await socket.readable();
    do await socket.readable(); while (socket.receive(() => {}) === 0);
  }
  return (performance.now() - start) * 1000 / rounds;
}

async function measure(variant: Variant, seconds: number): Promise<void> {
  await using child = start(Deno.execPath(), ["run", "-A", import.meta.filename!, "receive", variant]);
  const to: SocketAddress = Object.freeze(JSON.parse(await child.line(/^\{/)));
  using socket = await open(variant);
  const guard = setTimeout(() => {
    console.error(`${variant}: datagrams were lost, so the window never opened again`);
    Deno.exit(1);
  }, 10_000 + SIZES.length * seconds * 2000);
  const flow: Flow = { sent: ROUNDS, arrived: ROUNDS };
  const micros = await roundTrip(socket, to, ROUNDS);
  const window = variant === "node" ? NODE_WINDOW : WINDOW;
  const cells: string[] = [];
  for (const size of SIZES) {
    const rate = await bulk(socket, to, size, seconds, window, flow);
    cells.push(`${rate.toFixed(0)} MB/s at ${size}`);
  }
  clearTimeout(guard);
  console.log(`${variant.padEnd(8)}${cells.join(", ")}; round trip ${micros.toFixed(0)} µs`);
}

if (Deno.args[0] === "receive") await receiver(Deno.args[1] as Variant);
else for (const variant of VARIANTS) await measure(variant, Number(Deno.args[0] ?? 2));

/**
 * Runs inside of a network namespace of its own, whose loopback the test made slow or narrow, and prints what came of
 * `COUNT` datagrams of `SIZE` bytes.
 *
 * @module
 */
import { bindLinuxUdp } from "../../../../../../core/transports/quic/engine/udp/udp_linux.ts";
import { pattern, put } from "../../../../../suites/udp_suite.ts";

const [size, count, sendBuffer, ahead] = Deno.args.map(Number);
const address = { hostname: "127.0.0.1", port: 0 };
using sender = bindLinuxUdp(address, { sendBuffer });
using receiver = bindLinuxUdp(address);

let blocked = 0;
let arrived = 0;
let wrong = 0;
let queued = 0;
let last = -1;

// Each datagram begins with its number.
function numbered(index: number): Uint8Array {
  const data = pattern(size, index);
  new DataView(data.buffer).setUint32(0, index);
  return data;
}

function receive(): number {
  return receiver.receive((data) => {
    const index = new DataView(data.buffer, data.byteOffset).getUint32(0);
    const expected = numbered(index);
    if (index <= last || data.length !== size || data.some((byte, at) => byte !== expected[at])) wrong++;
    last = index;
    arrived++;
  });
}

while (arrived + sender.dropped < count) {
  while (queued < count && sender.pending * size < ahead) put(sender, numbered(queued++), receiver.address);
  if (!sender.flush()) {
    blocked++;
    // The sender's own `readable` must tell of room, since nothing ever arrives there.
    await sender.readable();
  } else if (queued === count && receive() === 0) await receiver.readable();
  while (receive() > 0);
}
console.log(
  JSON.stringify({ wrong, last, blocked: blocked > 0, dropped: sender.dropped > 0, pending: sender.pending }),
);

/**
 * The engine's part of the way without QUIC: datagrams to the node, what the node says to whom the last one came from.
 *
 * @module
 */
import type { SocketAddress } from "../../core/handler/connection.ts";
import { connectUnix, pollBlocking, read, write } from "../../core/transports/quic/linux/calls.ts";
import { Poll } from "../../core/transports/quic/linux/call_table.ts";
import { PollSet } from "../../core/transports/quic/linux/memory.ts";
import { bindLinuxUdp } from "../../core/transports/quic/engine/udp/udp_linux.ts";

const FOREVER = -1;
const pipe = connectUnix(Deno.args[0]);
const udp = bindLinuxUdp({ hostname: "127.0.0.1", port: 0 });
const set = new PollSet(2);
const bytes = new Uint8Array(65536);
let last: SocketAddress;

const hello = new TextEncoder().encode(JSON.stringify(udp.address));
write(pipe, hello, 0, hello.byteLength);
for (;;) {
  set.set(0, pipe, Poll.IN);
  set.set(1, udp.fd, Poll.IN);
  pollBlocking(set, FOREVER);
  if (set.ready(0) !== 0) {
    const length = read(pipe, bytes, 0, bytes.byteLength);
    if (length <= 0) Deno.exit();
    udp.slot(length).set(bytes.subarray(0, length));
    udp.commit(length, last!);
    udp.flush();
  }
  if (set.ready(1) === 0) continue;
  udp.receive((datagram, from) => {
    last = from;
    bytes.set(datagram);
    write(pipe, bytes, 0, datagram.byteLength);
  });
}

/**
 * What every {@linkcode UdpSocket} does, whichever way it is made.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { SocketAddress } from "../../core/handler/connection.ts";
import {
  bindUdp,
  MAX_DATAGRAM,
  sameAddress,
  type UdpOptions,
  type UdpSocket,
} from "../../core/transports/quic/engine/udp/udp.ts";

/** Makes the socket under test. */
export type Bind = (address: SocketAddress, options?: UdpOptions) => Promise<UdpSocket> | UdpSocket;

/** A datagram as a test keeps it. */
export interface Received {
  readonly data: Uint8Array;
  readonly from: SocketAddress;
}

const IPV4: SocketAddress = { hostname: "127.0.0.1", port: 0 };
const IPV6: SocketAddress = { hostname: "::1", port: 0 };
const BOTH: SocketAddress = { hostname: "::", port: 0 };
const SIZES = [0, 1, 1200, 1452, 8900, MAX_DATAGRAM];

/** Registers the suite for one implementation. */
export function udpSuite(name: string, implementation: "linux" | "node", bind: Bind): void {
  const test = (behaviour: string, fn: () => Promise<void>): void =>
    Deno.test({
      name: `UdpSocket (${name}) ${behaviour}`,
      ignore: implementation === "linux" && Deno.build.os !== "linux",
      fn,
    });

  for (const [family, address] of [["IPv4", IPV4], ["IPv6", IPV6]] as const) {
    test(`carries datagrams of 0 to 65,507 bytes over ${family}`, async () => {
      using a = await bind(address);
      using b = await bind(address);
      for (const size of SIZES) {
        await send(a, [pattern(size, size)], b.address);
        const [datagram] = await collect(b, 1);
        assert.deepEqual(datagram.data, pattern(size, size));
        assert.deepEqual(datagram.from, a.address);
      }
      assert.equal(a.dropped, 0);
    });
  }

  test("carries IPv4 and IPv6 on a socket bound to ::, and shows IPv4 plainly (RFC 4291 §2.5.5.2)", async () => {
    using both = await bind(BOTH);
    const { port } = both.address;
    for (const address of [IPV4, IPV6]) {
      using peer = await bind(address);
      await send(peer, [pattern(100, 1)], { hostname: address.hostname, port });
      const [{ from }] = await collect(both, 1);
      assert.deepEqual(from, peer.address);
      await send(both, [pattern(50, 2)], from);
      const [answer] = await collect(peer, 1);
      assert.deepEqual(answer.data, pattern(50, 2));
    }
  });

  test("keeps order, sizes and destinations of a mixed queue", async () => {
    using a = await bind(IPV4);
    using b = await bind(IPV4);
    using c = await bind(IPV4);
    const sizes = [1200, 1200, 1200, 700, 1200, 0, 0, 8900, 8900, 1, 1, 1452, 1200, 1300, 1300];
    const expected = new Map<UdpSocket, Uint8Array[]>([[b, []], [c, []]]);
    sizes.forEach((size, index) => {
      const to = index % 5 === 3 ? c : b;
      expected.get(to)!.push(pattern(size, index));
      put(a, pattern(size, index), to.address);
    });
    await flushed(a);
    for (const [socket, datagrams] of expected) {
      const received = await collect(socket, datagrams.length);
      assert.deepEqual(received.map(({ data }) => data), datagrams);
    }
  });

  test("carries bursts longer than one segmented send", async () => {
    using a = await bind(IPV4);
    using b = await bind(IPV4);
    for (let burst = 0; burst < 20; burst++) {
      // More than the segments of one send (64, or 128 in newer kernels), less than the smallest receive buffer.
      const datagrams = Array.from({ length: 140 }, (_, index) => pattern(300, burst * 140 + index));
      await send(a, datagrams, b.address);
      const received = await collect(b, datagrams.length);
      assert.deepEqual(received.map(({ data }) => data), datagrams);
    }
  });

  test("takes back what a slot holds beyond the commit", async () => {
    using a = await bind(IPV4);
    using b = await bind(IPV4);
    const first = a.slot(1500);
    assert.equal(first.length, 1500);
    first.fill(7);
    a.slot(1500).set(pattern(1500, 1));
    a.commit(900, b.address);
    put(a, pattern(900, 2), b.address);
    await flushed(a);
    const received = await collect(b, 2);
    assert.deepEqual(received.map(({ data }) => data), [pattern(1500, 1).subarray(0, 900), pattern(900, 2)]);
  });

  test("gives one frozen address object a remote, and sameAddress compares others", async () => {
    using a = await bind(IPV4);
    using b = await bind(IPV4);
    using c = await bind(IPV4);
    const seen: SocketAddress[] = [];
    for (const sender of [a, b, a, b, b, a]) {
      await send(sender, [pattern(10, 0)], c.address);
      seen.push(...(await collect(c, 1)).map(({ from }) => from));
    }
    assert.equal(new Set(seen).size, 2);
    assert.equal(seen[0], seen[2]);
    assert.ok(seen.every((address) => Object.isFrozen(address)));
    assert.ok(sameAddress(seen[0], { ...a.address }));
    assert.ok(!sameAddress(seen[0], b.address));
  });

  test("reads an address that changes between commits anew", async () => {
    using a = await bind(IPV4);
    using b = await bind(IPV4);
    using c = await bind(IPV4);
    const to = { hostname: "127.0.0.1", port: b.address.port };
    await send(a, [pattern(5, 1)], to);
    await collect(b, 1);
    to.port = c.address.port;
    await send(a, [pattern(5, 2)], to);
    const [datagram] = await collect(c, 1);
    assert.deepEqual(datagram.data, pattern(5, 2));
  });

  test("ignores that nobody listens at a destination", async () => {
    using a = await bind(IPV4);
    using b = await bind(IPV4);
    const gone = await bind(IPV4);
    const nobody = gone.address;
    gone.close();
    for (let round = 0; round < 5; round++) {
      await send(a, [pattern(100, round)], nobody);
      await send(a, [pattern(100, round)], b.address);
      const [datagram] = await collect(b, 1);
      assert.deepEqual(datagram.data, pattern(100, round));
    }
  });

  test("refuses slots, lengths and addresses that cannot be", async () => {
    using a = await bind(IPV4);
    assert.throws(() => a.slot(MAX_DATAGRAM + 1), RangeError);
    assert.throws(() => a.slot(-1), RangeError);
    assert.throws(() => a.commit(1, IPV4), RangeError);
    a.slot(10);
    assert.throws(() => a.commit(11, IPV4), RangeError);
    assert.throws(() => a.commit(10, { hostname: "localhost", port: 9 }), TypeError);
    assert.throws(() => a.commit(10, { hostname: "::1", port: 9 }), TypeError);
  });

  test("keeps no more than its limit of outgoing datagrams, and drops the oldest", async () => {
    using a = await bind(IPV4);
    using b = await bind(IPV4);
    const total = 20_000;
    for (let index = 0; index < total; index++) put(a, pattern(1000, index), b.address);
    assert.ok(a.pending <= 8192, `${a.pending} wait`);
    const waiting = a.pending;
    await flushed(a);
    assert.equal(a.pending, 0);
    assert.ok(implementation === "linux" || a.dropped === total - waiting);
  });

  test("hands the rest of a batch over after a handler threw", async () => {
    using a = await bind(IPV4);
    using b = await bind(IPV4);
    await send(a, [pattern(10, 1)], b.address);
    await b.readable();
    assert.throws(() => {
      while (
        b.receive(() => {
          throw new Error("handler");
        }) === 0
      );
    }, /handler/);
    await send(a, [pattern(20, 2)], b.address);
    const [datagram] = await collect(b, 1);
    assert.deepEqual(datagram.data, pattern(20, 2));
  });

  test("ends a batch whose handler closes the socket", async () => {
    using a = await bind(IPV4);
    const b = await bind(IPV4);
    await send(a, [pattern(10, 1), pattern(10, 2), pattern(10, 3)], b.address);
    let handled = 0;
    while (handled === 0) {
      await b.readable();
      b.receive(() => {
        handled++;
        b.close();
      });
    }
    assert.equal(handled, 1);
    assert.equal(b.receive(() => assert.fail("closed")), 0);
  });

  test("readable ends by wake, before and after it began, and by close", async () => {
    const a = await bind(IPV4);
    a.wake();
    await a.readable();
    const waiting = a.readable();
    assert.equal(a.readable(), waiting);
    a.wake();
    await waiting;
    const last = a.readable();
    a.close();
    await last;
    await a.readable();
    a.wake();
    a.close();
    assert.equal(a.flush(), true);
  });

  test("frees its port once closed", async () => {
    const a = await bind(IPV4);
    const waiting = a.readable();
    a.close();
    await waiting;
    using again = await bind(a.address);
    assert.deepEqual(again.address, a.address);
  });

  if (implementation === "linux") {
    test("shares a port with reusePort, every remote with one of the sockets", async () => {
      using a = await bind(IPV4, { reusePort: true });
      using b = await bind(a.address, { reusePort: true });
      assert.deepEqual(a.address, b.address);
      using peer = await bind(IPV4);
      await send(peer, [pattern(10, 1)], a.address);
      const waits = [a.readable(), b.readable()];
      await Promise.race(waits);
      const first: SocketAddress[] = [];
      const served = a.receive((_, from) => first.push(from)) > 0 ? a : b;
      await send(peer, [pattern(10, 2), pattern(10, 3)], a.address);
      await collect(served, served === a ? 2 : 3);
      a.wake();
      b.wake();
      await Promise.all(waits);
    });
  } else {
    test("refuses reusePort, which it could not honour", async () => {
      await assert.rejects(() => bindUdp(IPV4, { implementation, reusePort: true }), /BIND_FAILED|sharing a port/);
    });
  }

  test("tells who holds a port that is in use", async () => {
    using a = await bind(IPV4);
    await assert.rejects(
      () => bindUdp(a.address, { implementation }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "BIND_FAILED");
        assert.match(error.message, new RegExp(`cannot bind udp 127\\.0\\.0\\.1:${a.address.port}: EADDRINUSE`));
        if (Deno.build.os === "linux") assert.match(error.message, new RegExp(`held by pid ${Deno.pid} `));
        return true;
      },
    );
  });

  test("refuses to bind to a name", async () => {
    await assert.rejects(() => bindUdp({ hostname: "localhost", port: 0 }, { implementation }), /not an IP address/);
  });

  test("leaks no descriptor", async () => {
    if (Deno.build.os !== "linux") return;
    const cycle = async (): Promise<void> => {
      using a = await bind(IPV4);
      using b = await bind(BOTH);
      const waiting = b.readable();
      await send(a, [pattern(10, 1)], { hostname: "127.0.0.1", port: b.address.port });
      await waiting;
      const second = b.readable();
      b.close();
      await second;
    };
    await cycle();
    const before = countDescriptors();
    for (let round = 0; round < 10; round++) await cycle();
    assert.equal(countDescriptors(), before);
  });
}

/** `size` bytes that `seed` determines. */
export function pattern(size: number, seed: number): Uint8Array {
  const data = new Uint8Array(size);
  for (let index = 0; index < size; index++) data[index] = (index * 31 + seed * 7 + (index >> 8)) & 0xff;
  return data;
}

/** Queues one datagram. */
export function put(socket: UdpSocket, data: Uint8Array, to: SocketAddress): void {
  socket.slot(data.length).set(data);
  socket.commit(data.length, to);
}

/** Flushes until all is gone. */
export async function flushed(socket: UdpSocket): Promise<void> {
  while (!socket.flush()) await socket.readable();
}

/** Queues and flushes. */
export async function send(socket: UdpSocket, datagrams: readonly Uint8Array[], to: SocketAddress): Promise<void> {
  for (const data of datagrams) put(socket, data, to);
  await flushed(socket);
}

/** Receives copies of `count` datagrams. */
export async function collect(socket: UdpSocket, count: number): Promise<Received[]> {
  const received: Received[] = [];
  while (received.length < count) {
    if (socket.receive((data, from) => received.push({ data: data.slice(), from })) === 0) await socket.readable();
  }
  assert.equal(received.length, count);
  return received;
}

function countDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

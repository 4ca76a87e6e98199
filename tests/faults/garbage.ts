/**
 * Datagrams that no honest client sends: noise, broken headers, mutated packets of real clients, and Initial packets that
 * are sealed as they should be (anybody can: RFC 9001 §5.2) around frames that are not.
 *
 * Run as a program it is a gun: it fires a number of them at a node from several ports, no faster than the node's socket
 * takes them, and prints what became of them.
 *
 * @module
 */
import type { SocketAddress } from "../../core/handler/connection.ts";
import { bindUdp, type UdpSocket } from "../../core/transports/quic/engine/udp/udp.ts";
import {
  clientHello,
  concat,
  cryptoFrame,
  sealInitial,
  varint,
} from "../core/transports/quic/engine/admission/initial_packets.ts";
import { type Child, start } from "../support/process.ts";
import { Random } from "../support/random.ts";

/** What the gun is told. */
export interface GunOptions {
  readonly target: SocketAddress;
  readonly count: number;
  readonly seed: number;
  /** Packets of real clients, base64. */
  readonly corpus: readonly string[];
  /** Protocols that hellos made here may offer. */
  readonly alpns: readonly string[];
}

/** What the gun reports at the end. */
export interface GunReport {
  readonly event: "fired";
  readonly count: number;
  /** Of these, datagrams that the node's socket had no room for. */
  readonly overflowed: number;
  readonly seconds: number;
}

/** Ports that fire. */
const SOURCES = 16;
/** Datagrams between looks at the node's receive queue. */
const BURST = 256;
/** Bytes in that queue at which the gun waits. */
const QUEUE = 512 * 1024;
const SMALLEST_INITIAL = 1200;
const PROGRAM = new URL(import.meta.url).pathname;

/** Fires from a process of its own. */
export function startGun(options: GunOptions): Child {
  return start(Deno.execPath(), ["run", "-A", PROGRAM, JSON.stringify(options)]);
}

/** Makes garbage. */
export class Garbage {
  readonly #random: Random;
  readonly #corpus: readonly Uint8Array[];
  readonly #alpns: readonly string[];

  /**
   * @param random Decides.
   * @param corpus Packets to mutate; at least one.
   * @param alpns Protocols that hellos may offer.
   */
  constructor(random: Random, corpus: readonly Uint8Array[], alpns: readonly string[]) {
    this.#random = random;
    this.#corpus = corpus;
    this.#alpns = alpns;
  }

  /** The next one. */
  next(): Uint8Array {
    const random = this.#random;
    const kind = random.below(100);
    if (kind < 35) return random.bytes(random.below(kind < 30 ? 64 : 1500));
    if (kind < 55) return this.#header();
    if (kind < 97) return random.mutate(random.pick(this.#corpus));
    return this.#sealed();
  }

  /** A long header whose fields are each plausible, and what follows is noise. */
  #header(): Uint8Array {
    const random = this.#random;
    const version = random.pick([0, 1, 1, 1, 0x6b3343cf, 0xff00001d, 0x0a0a0a0a, random.uint32()]);
    const first = Uint8Array.of(0xc0 | random.below(64), version >>> 24, version >>> 16, version >>> 8, version);
    const length = random.pick([0, 1, 7, 8, 20, 21, 255]);
    const token = random.pick([0, 0, 1, 64, 16_383]);
    const body = random.bytes(random.pick([0, 4, 20, 1172, 1300]));
    const ids = [Uint8Array.of(length), random.bytes(random.pick([length, 8])), Uint8Array.of(8), random.bytes(8)];
    return concat(first, ...ids, varint(token), varint(random.below(2000), 2), body).subarray(0, 1500);
  }

  /** An Initial packet that opens, with frames that may not make sense. */
  #sealed(): Uint8Array {
    const random = this.#random;
    const dcid = random.bytes(random.pick([8, 8, 20, 0, 1]));
    const hello = clientHello({ alpns: [random.pick(this.#alpns)], serverName: "example", fill: random.below(400) });
    const crypto = random.chance(0.3) ? hello : random.mutate(hello);
    const offset = random.pick([0, 0, 0, 1, 1000, 2 ** 30, 2 ** 52]);
    const frames = concat(cryptoFrame(offset, crypto), random.bytes(random.pick([0, 0, 1, 40])));
    const payload = random.chance(0.5) ? frames : random.mutate(frames);
    const size = random.pick([SMALLEST_INITIAL, SMALLEST_INITIAL, 1350, 60]);
    return sealInitial({ dcid, scid: random.bytes(8), payload: concat(payload, new Uint8Array(4)), size });
  }
}

/** Looks at the kernel's table before a socket that is not in it is taken for gone. */
const LOOKS = 50;

/** What the kernel knows of a UDP socket of this machine: bytes that wait to be read, and datagrams dropped so far. */
export function receiveQueue(port: number): { bytes: number; drops: number } {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  // The table is read in pieces, and a row is passed over when sockets come and go in between.
  for (let look = 0; look < LOOKS; look++) {
    for (const line of Deno.readTextFileSync("/proc/net/udp").split("\n")) {
      const fields = line.trim().split(/\s+/);
      if (!fields[1]?.endsWith(suffix)) continue;
      return { bytes: parseInt(fields[4].split(":")[1], 16), drops: Number(fields[12]) };
    }
  }
  throw new Error(`no UDP socket on port ${port}`);
}

async function fire({ target, count, seed, corpus, alpns }: GunOptions): Promise<GunReport> {
  const to = Object.freeze(target);
  const garbage = new Garbage(new Random(seed), corpus.map((packet) => Uint8Array.fromBase64(packet)), alpns);
  const sockets = await Promise.all(Array.from({ length: SOURCES }, () => bindUdp({ hostname: "127.0.0.1", port: 0 })));
  const before = receiveQueue(target.port).drops;
  const began = performance.now();
  for (let sent = 0; sent < count; sent += BURST) {
    const socket = sockets[(sent / BURST) % SOURCES];
    for (let n = Math.min(BURST, count - sent); n > 0; n--) put(socket, garbage.next(), to);
    while (!socket.flush()) await socket.readable();
    // Answers are not read, only thrown away.
    while (socket.receive(() => {}) > 0);
    // A sign of life, for whoever waits for the report.
    if (sent % (100 * BURST) === 0) console.log(JSON.stringify({ event: "firing", sent }));
    while (receiveQueue(target.port).bytes > QUEUE) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (receiveQueue(target.port).bytes > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  for (const socket of sockets) socket.close();
  const seconds = (performance.now() - began) / 1000;
  return { event: "fired", count, overflowed: receiveQueue(target.port).drops - before, seconds };
}

function put(socket: UdpSocket, datagram: Uint8Array, to: SocketAddress): void {
  socket.slot(datagram.byteLength).set(datagram);
  socket.commit(datagram.byteLength, to);
}

if (import.meta.main) console.log(JSON.stringify(await fire(JSON.parse(Deno.args[0]) as GunOptions)));

/**
 * Checks of what QUIC and TLS need: datagram sockets, their buffers, the binding, the port.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { portOwner } from "@alknet/core/port-owner";
import type { Home } from "../home/home.ts";
import type { Finding } from "./finding.ts";
import { configuredPorts } from "./node.ts";

/** Socket buffer that takes a burst of a fast path without loss, in bytes. */
const WANTED_BUFFER = 4 * 1024 * 1024;
/** Linux: setsockopt level and option of UDP generic segmentation offload, sockets and datagrams (linux/udp.h). */
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const AF_INET = 2;
const SOCK_DGRAM = 2;

/** Whether the QUIC binding has a binary for this platform. */
export async function checkQuicBinary(): Promise<Finding> {
  const name = "quic";
  try {
    await import("@matrixai/quic/native");
    return { name, status: "ok", finding: `the binding loads on ${Deno.build.os} ${Deno.build.arch}` };
  } catch (error) {
    return {
      name,
      status: "warn",
      finding: `the binding does not load here (${(error as Error).message.split("\n")[0]}); nodes serve TLS alone`,
      mend: "binaries exist for Linux and Windows on x64 and for macOS; elsewhere use --transport tls",
    };
  }
}

/** How large the buffers of a datagram socket may get. */
export function checkUdpBuffers(): Finding | undefined {
  if (Deno.build.os !== "linux") return;
  const name = "udp buffers";
  const limits = ["rmem_max", "wmem_max"].map((limit) => [limit, readNumber(`/proc/sys/net/core/${limit}`)] as const);
  const known = limits.filter((limit): limit is readonly [string, number] => limit[1] !== undefined);
  if (known.length === 0) return { name, status: "warn", finding: "this system does not say how large they may get" };
  const finding = known.map(([limit, bytes]) => `${limit} ${Math.round(bytes / 1024)} KiB`).join(", ");
  const small = known.filter(([, bytes]) => bytes < WANTED_BUFFER);
  if (small.length === 0) return { name, status: "ok", finding };
  return {
    name,
    status: "warn",
    finding: `${finding}; bursts of QUIC packets may be lost`,
    mend: `as root: sysctl -w ${small.map(([limit]) => `net.core.${limit}=${WANTED_BUFFER}`).join(" ")}`,
  };
}

/** Whether the kernel cuts one large datagram write into packets (UDP GSO, Linux 4.18). */
export function checkUdpOffload(): Finding | undefined {
  if (Deno.build.os !== "linux") return;
  const name = "udp offload";
  const works = tryOffload();
  if (works) return { name, status: "ok", finding: "the kernel segments datagrams (GSO)" };
  return {
    name,
    status: "warn",
    finding: "the kernel does not segment datagrams (GSO); QUIC sends each packet by itself",
    mend: "Linux 4.18 and later can; some sandboxes cannot",
  };
}

/** Whether the node's ports are free, and who has them if not. */
export async function checkPorts(home: Home): Promise<Finding> {
  const ports = await configuredPorts(home);
  const name = ports.length === 1 ? `port ${ports[0]}` : `ports ${ports.join(", ")}`;
  for (const port of ports) {
    if (await isFree(port)) continue;
    const owner = await portOwner("tcp", port) ?? await portOwner("udp", port);
    const by = owner === undefined ? "" : ` by ${owner}`;
    return {
      name,
      status: "warn",
      finding: `${port} is in use${by}; if that is your node, all is well`,
      mend: "end that program, or listen elsewhere: alknet serve --listen HOST:PORT",
    };
  }
  return { name, status: "ok", finding: "free for UDP and TCP" };
}

async function isFree(port: number): Promise<boolean> {
  return tcpIsFree(port) && await udpIsFree(port);
}

function tcpIsFree(port: number): boolean {
  try {
    Deno.listen({ port, hostname: "0.0.0.0" }).close();
    return true;
  } catch {
    return false;
  }
}

function udpIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, "0.0.0.0", () => socket.close(() => resolve(true)));
  });
}

function tryOffload(): boolean {
  try {
    const libc = Deno.dlopen("libc.so.6", {
      socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
      setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
      close: { parameters: ["i32"], result: "i32" },
    });
    const { socket, setsockopt, close } = libc.symbols;
    const descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    if (descriptor < 0) return false;
    const segment = new Int32Array([1200]);
    const result = setsockopt(descriptor, SOL_UDP, UDP_SEGMENT, segment, segment.byteLength);
    close(descriptor);
    libc.close();
    return result === 0;
  } catch {
    return false;
  }
}

function readNumber(file: string): number | undefined {
  try {
    const value = Number(Deno.readTextFileSync(file));
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

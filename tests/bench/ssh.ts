/**
 * SSH beside OpenSSH's `sshd`, with OpenSSH's client on both sides: bulk, new sessions, forwarded connections.
 *
 * The client reaches a node through `alknet dial`, whose start takes longer than a whole session of OpenSSH's own; so new
 * sessions are also counted with a ProxyCommand that starts at once, `openssl s_client`.
 *
 * @module
 */
import { runProgram } from "../support/process.ts";
import { compare, type Contestant, type Figure, type Group } from "./harness.ts";
import { type SshWays, sshWays, type Way } from "./ssh_ways.ts";

/** What a run moves for each second that it is to take: nobody's speed, but near. */
const BULK_PER_SECOND = 192 * 1024 * 1024;
const SESSIONS_PER_SECOND = 8;
const AT_ONCE = 100;
const PEER = "sshd";

const BULK: readonly (readonly [way: Way, name: string])[] = [
  ["s_client", "TCP and TLS by openssl s_client"],
  ["dial tls", "TCP and TLS"],
  ["dial quic", "QUIC"],
];
const FORWARDS: readonly (readonly [way: Parameters<SshWays["forward"]>[0], name: string, wanted?: number])[] = [
  ["dial tls", "ssh -L over TCP and TLS", 0.5],
  ["dial quic", "ssh -L over QUIC", 0.5],
  ["tunnel tls", "alknet tunnel -L over TCP and TLS"],
  ["tunnel quic", "alknet tunnel -L over QUIC"],
];

/** Bytes through a session. */
export const sshBulk: Group = {
  name: "ssh bulk",
  async run(effort) {
    await using ways = await sshWays();
    const figures: Figure[] = [];
    for (const direction of ["out of", "into"] as const) {
      const values = await compare(
        (["sshd", ...BULK.map(([way]) => way)] as const).map((way) => bulk(ways, way, direction)),
        { task: "bulk" },
        effort,
      );
      for (const [at, [, name]] of BULK.entries()) {
        const what = { name: `ssh cat ${direction} the node over ${name}`, unit: "MB/s" };
        figures.push({ ...what, ours: values[at + 1], peer: values[0], peerName: PEER });
      }
    }
    return figures;
  },
};

/** New sessions, and commands of a session that is there. */
export const sshSessions: Group = {
  name: "ssh sessions",
  async run(effort) {
    await using ways = await sshWays();
    const all: readonly Way[] = ["sshd", "s_client", "dial tls", "dial quic"];
    const one = await compare(all.map((way) => sessions(ways, way, 1)), { task: "sessions" }, effort);
    const four = await compare(all.map((way) => sessions(ways, way, 4)), { task: "sessions" }, effort);
    return [[one, "one after another"], [four, "4 at a time"]].flatMap(([values, how]) =>
      all.slice(1).map((way, at): Figure => ({
        name: `ssh true, ${how}, by ${
          way === "s_client" ? "openssl s_client" : `alknet ${way.replace(" ", " over ")}`
        }`,
        unit: "/s",
        ours: Number(values[at + 1]),
        peer: Number(values[0]),
        peerName: PEER,
        ...way === "s_client" ? { wanted: 3 } : {},
      }))
    );
  },
};

/** Forwarded connections: one that moves much, and a hundred. */
export const sshForwards: Group = {
  name: "ssh forwards",
  async run(effort) {
    await using stack = new AsyncDisposableStack();
    const ways = stack.use(await sshWays());
    const size = Math.max(1_000_000, Math.round(BULK_PER_SECOND * effort.seconds));
    const file = `${ways.folder}/blob`;
    await runProgram("truncate", ["-s", `${size}`, file]);
    const web = stack.use(Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async ({ url }) => {
      const small = !url.endsWith("/blob");
      return new Response(small ? new Uint8Array(Math.round(size / AT_ONCE)) : (await Deno.open(file)).readable);
    }));
    const to = `127.0.0.1:${web.addr.port}`;
    const ports: number[] = [];
    for (const way of ["sshd", ...FORWARDS.map(([way]) => way)] as const) {
      ports.push(stack.use(await ways.forward(way, to)).port);
    }
    const one = await compare(ports.map((port) => download(port, size)), { task: "one" }, effort);
    const many = await compare(ports.map((port) => downloads(port, size)), { task: "many" }, effort);
    return [[one, "one connection"] as const, [many, `${AT_ONCE} connections at once`] as const].flatMap((
      [values, what],
    ) =>
      FORWARDS.map(([, name, wanted], at): Figure => {
        const figure = { name: `${what} through ${name}`, unit: "MB/s", ours: values[at + 1], peer: values[0] };
        return { ...figure, peerName: `ssh -L to ${PEER}`, ...wanted === undefined ? {} : { wanted } };
      })
    );
  },
};

/** Megabytes a second from the first byte to the last. */
function bulk(ways: SshWays, way: Way, direction: "out of" | "into"): Contestant {
  return asking(async (seconds) => {
    const size = Math.max(1_000_000, Math.round(BULK_PER_SECOND * seconds));
    const file = `${ways.folder}/blob`;
    await runProgram("truncate", ["-s", `${size}`, file]);
    // Each prints a time with the first byte and one with the last.
    const timed = "head -c 1 >/dev/null; date +%s%N; cat >/dev/null; date +%s%N";
    const ssh = (command: string) => ways.ssh(way, "127.0.0.1", command).map((one) => `'${one}'`).join(" ");
    const line = direction === "out of"
      ? `${ssh(`cat ${file}`)} | { ${timed}; }`
      : `${ssh(`sh -c "${timed}"`)} < ${file}`;
    const { code, stdout, stderr } = await runProgram("sh", ["-c", line]);
    const [begun, ended] = stdout.trim().split("\n").map(Number);
    if (code !== 0 || !(ended > begun)) throw new Error(`${way}: ${code} ${stdout} ${stderr}`);
    return size / ((ended - begun) / 1000);
  });
}

/** Sessions a second. */
function sessions(ways: SshWays, way: Way, atATime: number): Contestant {
  return asking(async (seconds) => {
    const [file, ...args] = ways.ssh(way, "127.0.0.1", "true");
    let left = Math.max(atATime, Math.round(seconds * SESSIONS_PER_SECOND));
    const count = left;
    const begun = performance.now();
    await Promise.all(Array.from({ length: atATime }, async () => {
      while (left-- > 0) {
        const { code, stderr } = await runProgram(file, args);
        if (code !== 0) throw new Error(`${way}: ${code} ${stderr}`);
      }
    }));
    return count / ((performance.now() - begun) / 1000);
  });
}

function download(port: number, size: number): Contestant {
  const args = ["-sS", "-o", "/dev/null", "-w", "%{speed_download} %{size_download}", `http://127.0.0.1:${port}/blob`];
  return asking(async () => {
    const { stdout, stderr } = await runProgram("curl", args);
    const [speed, got] = stdout.split(" ").map(Number);
    if (got !== size) throw new Error(`${got} bytes ${stderr}`);
    return speed / 1e6;
  });
}

function downloads(port: number, size: number): Contestant {
  const url = `http://127.0.0.1:${port}/[1-${AT_ONCE}]`;
  const write = ["-o", "/dev/null", "-w", "%{size_download}\n"];
  const args = ["-sS", "-Z", "--parallel-immediate", "--parallel-max", `${AT_ONCE}`, ...write, url];
  return asking(async () => {
    const begun = performance.now();
    const { stdout, stderr } = await runProgram("curl", args);
    const seconds = (performance.now() - begun) / 1000;
    const got = stdout.trim().split("\n").map(Number);
    if (got.length !== AT_ONCE || got.some((one) => one !== Math.round(size / AT_ONCE))) throw new Error(stderr);
    return size / seconds / 1e6;
  });
}

function asking(measure: (seconds: number) => Promise<number>): Contestant {
  return { measure: (_task, seconds) => measure(seconds), [Symbol.asyncDispose]: () => Promise.resolve() };
}

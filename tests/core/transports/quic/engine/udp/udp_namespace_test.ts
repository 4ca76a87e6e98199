import assert from "node:assert/strict";
import { runProgram } from "../../../../../support/process.ts";
import { needs } from "../../../../../support/programs.ts";

interface Case {
  readonly behaviour: string;
  /** What makes loopback so, with `lo` up. */
  readonly setup: string;
  readonly size: number;
  readonly count: number;
  /** Bytes queued before a flush; the queue holds 4 MiB. */
  readonly ahead: number;
  readonly blocked: boolean;
  readonly dropped: boolean;
}

const CASES: readonly Case[] = [
  {
    behaviour: "keeps what the kernel has no room for, and readable tells of room",
    setup: "tc qdisc add dev lo root tbf rate 100mbit burst 100000 limit 50000000",
    size: 5000,
    count: 300,
    ahead: 1 << 20,
    blocked: true,
    dropped: false,
  },
  {
    behaviour: "drops the oldest of what waits when its queue is full, and spoils nothing",
    setup: "tc qdisc add dev lo root tbf rate 400mbit burst 100000 limit 50000000",
    size: 5000,
    count: 3000,
    ahead: 16 << 20,
    blocked: true,
    dropped: true,
  },
  {
    behaviour: "sends datagrams beyond the path's MTU one by one, in fragments",
    setup: "ip link set lo mtu 1500",
    size: 8900,
    count: 200,
    ahead: 1 << 20,
    blocked: false,
    dropped: false,
  },
  {
    behaviour: "segments within the path's MTU",
    setup: "ip link set lo mtu 1500",
    size: 1452,
    count: 1000,
    ahead: 1 << 20,
    blocked: false,
    dropped: false,
  },
];

const PROGRAM = new URL("./udp_namespace.ts", import.meta.url).pathname;

for (const { behaviour, setup, size, count, ahead, blocked, dropped } of CASES) {
  Deno.test({
    name: `LinuxUdpSocket ${behaviour}`,
    ...needs("linux", "netns", "ip", "tc"),
    async fn() {
      const script = `ip link set lo up && ${setup} && exec "$0" run -A "$@"`;
      const sendBuffer = blocked ? 20_000 : 4 << 20;
      const { stdout, stderr } = await runProgram(
        "unshare",
        ["--net", "sh", "-c", script, Deno.execPath(), PROGRAM, `${size}`, `${count}`, `${sendBuffer}`, `${ahead}`],
      );
      assert.notEqual(stdout, "", stderr);
      assert.deepEqual(JSON.parse(stdout), { wrong: 0, last: count - 1, blocked, dropped, pending: 0 });
    },
  });
}

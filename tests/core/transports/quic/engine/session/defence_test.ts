import assert from "node:assert/strict";
import { abuse, type Activity } from "../../../../../../core/transports/quic/engine/session/defence.ts";
import { DEFAULT_LIMITS } from "../../../../../../core/limits/limits.ts";

const MIB = 1024 * 1024;
const DAY = 24 * 60 * 60;
const NOTHING = { received: 0, deliveries: 0, sent: 0, sends: 0, cut: 0 };
const { connectionWindow, maxConnectionWindow, maxStreamWindow } = DEFAULT_LIMITS;

interface Case {
  readonly title: string;
  readonly activity: Partial<Activity>;
  readonly found?: string;
}

const CASES: readonly Case[] = [
  { title: "a handshake and nothing more", activity: { seconds: 1, packets: 10, bytes: 5000 } },
  {
    title: "a keep-alive every five seconds for ten days",
    activity: { seconds: 10 * DAY, packets: 2 * 10 * DAY / 5, bytes: 40 * 2 * 10 * DAY / 5 },
  },
  {
    title: "a gigabyte up, a tenth of it twice",
    activity: {
      seconds: 10,
      packets: 880_000,
      bytes: 880_000 * 1250,
      progress: { ...NOTHING, received: 1000 * MIB, deliveries: 4000 },
    },
  },
  {
    title: "a gigabyte down in packets of 1350 bytes, each acknowledged",
    activity: {
      seconds: 10,
      packets: 800_000,
      bytes: 800_000 * 40,
      progress: { ...NOTHING, sent: 1000 * MIB, sends: 16_000 },
      congestionWindow: 16 * MIB,
    },
  },
  {
    title: "100,000 messages of 64 bytes there and back",
    activity: {
      seconds: 10,
      packets: 200_000,
      bytes: 100_000 * 110 + 100_000 * 36,
      progress: { received: 6_400_000, deliveries: 100_000, sent: 6_400_000, sends: 100_000, cut: 0 },
    },
  },
  {
    title: "100,000 datagram messages out, each acknowledged",
    activity: {
      seconds: 10,
      packets: 100_000,
      bytes: 100_000 * 40,
      progress: { ...NOTHING, sent: 100_000_000, sends: 100_000 },
    },
  },
  {
    title: "a first window that nobody reads",
    activity: { seconds: 5, packets: 13_500, bytes: connectionWindow + 13_500 * 50, progress: NOTHING },
  },
  {
    title: "bytes beyond any window that come to nothing",
    activity: { seconds: 5, packets: 15_000, bytes: 15_000 * 1250 },
    found: "bytes-without-progress",
  },
  {
    title: "small packets that come to nothing",
    activity: { seconds: 5, packets: 6000, bytes: 6000 * 30 },
    found: "packets-without-progress",
  },
  {
    title: "a congestion window that no path has (CVE-2025-4820, CVE-2025-4821)",
    activity: { seconds: 5, packets: 100, bytes: 4000, congestionWindow: 300 * MIB },
    found: "congestion-window",
  },
];

for (const { title, activity, found } of CASES) {
  Deno.test(`abuse: ${title}: ${found ?? "none"}`, () => {
    const whole: Activity = {
      seconds: 0,
      packets: 0,
      bytes: 0,
      progress: NOTHING,
      congestionWindow: 0,
      maxStreamWindow,
      connectionWindow,
      maxConnectionWindow,
      ...activity,
    };
    assert.equal(abuse(whole), found);
  });
}

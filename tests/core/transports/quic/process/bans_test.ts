import assert from "node:assert/strict";
import { Bans } from "../../../../../core/transports/quic/process/bans.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

Deno.test("Bans double each time, up to a day", () => {
  let now = 0;
  const bans = new Bans(MINUTE, () => now);
  for (let times = 0; times < 20; times++) {
    const { address, ms } = bans.add("192.0.2.1");
    assert.equal(address, "192.0.2.1");
    assert.equal(ms, Math.min(MINUTE * 2 ** times, DAY));
    now += ms;
  }
});

Deno.test("Bans.current: those that hold, with the time they still hold", () => {
  let now = 0;
  const bans = new Bans(MINUTE, () => now);
  bans.add("192.0.2.1");
  now = 20_000;
  bans.add("192.0.2.2");
  now = MINUTE - 1;
  assert.deepEqual(bans.current(), [{ address: "192.0.2.1", ms: 1 }, { address: "192.0.2.2", ms: 20_001 }]);
  now = MINUTE;
  assert.deepEqual(bans.current(), [{ address: "192.0.2.2", ms: 20_000 }]);
  now = DAY;
  assert.deepEqual(bans.current(), []);
});

Deno.test("Bans forgive who behaves for ten times the last ban", () => {
  let now = 0;
  const bans = new Bans(MINUTE, () => now);
  bans.add("192.0.2.1");
  assert.equal(bans.add("192.0.2.1").ms, 2 * MINUTE);
  now = 2 * MINUTE + 20 * MINUTE;
  assert.equal(bans.add("192.0.2.1").ms, 4 * MINUTE);
  now += 4 * MINUTE + 40 * MINUTE + 1;
  assert.equal(bans.add("192.0.2.1").ms, MINUTE);
});

Deno.test("Bans hold for the /64 of an IPv6 address (core.md §13)", () => {
  const bans = new Bans(MINUTE, () => 0);
  assert.deepEqual(bans.add("2001:db8::1"), { address: "2001:db8:0:0::/64", ms: MINUTE });
  assert.deepEqual(bans.add("2001:db8::ffff:1"), { address: "2001:db8:0:0::/64", ms: 2 * MINUTE });
});

Deno.test("Bans widen to the /56, then to the /48, when another part of it does the same", () => {
  let now = 0;
  const bans = new Bans(MINUTE, () => now);
  bans.add("2001:db8:7:1200::1");
  assert.deepEqual(bans.add("2001:db8:7:1234::1"), { address: "2001:db8:7:1200::/56", ms: 2 * MINUTE });
  assert.deepEqual(bans.add("2001:db8:7:ff::1"), { address: "2001:db8:7::/48", ms: 4 * MINUTE });
  assert.deepEqual(bans.add("2001:db8:7:1200::1"), { address: "2001:db8:7::/48", ms: 8 * MINUTE });
  // Another site is another.
  assert.deepEqual(bans.add("2001:db8:8:1200::1"), { address: "2001:db8:8:1200::/64", ms: MINUTE });
  now = DAY;
  assert.deepEqual(bans.add("2001:db8:7:1201::1"), { address: "2001:db8:7:1201::/64", ms: MINUTE });
});

Deno.test("Bans of what is no IPv6 network stay as they are: IPv4, link-local, a translator's", () => {
  const bans = new Bans(MINUTE, () => 0);
  for (
    const [one, other] of [["192.0.2.1", "192.0.2.2"], ["fe80::1%9", "fe80::2%9"], ["64:ff9b::c000:201", "192.0.2.3"]]
  ) {
    assert.equal(bans.add(one).ms % MINUTE, 0);
    assert.equal(bans.add(other).ms, MINUTE, other);
  }
});

import assert from "node:assert/strict";
import { type Admission, Gate, type Refusal } from "../../../core/limits/gate.ts";
import { type Limits, limitsWith } from "../../../core/limits/limits.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Addresses that a gate remembers beyond those connected, as gate.ts has it. */
const MAX_SOURCES = 65_536;
/** Nothing here is refused for what is not under test. */
const ROOMY: Partial<Limits> = { connectionBurst: 1_000_000, connectionRate: 1_000_000, maxHandshakes: 1_000_000 };

/** A gate on a clock that the test turns. */
function gated(limits: Partial<Limits>) {
  const clock = { now: 0 };
  const logged: [string, string][] = [];
  const gate = new Gate(limitsWith({ ...ROOMY, ...limits }), {
    now: () => clock.now,
    onRefused: (address, reason) => logged.push([address, reason]),
  });
  return { clock, gate, logged };
}

function admitted(gate: Gate, address: string, options?: { handshake?: boolean }): Admission {
  const admission = gate.admit(address, options);
  assert.ok(typeof admission !== "string", `${address} was refused: ${admission}`);
  return admission;
}

const CEILINGS: { limit: keyof Limits; reason: Refusal; address: (i: number) => string }[] = [
  { limit: "maxConnections", reason: "connections", address: (i) => `10.0.0.${i}` },
  { limit: "maxConnectionsPerAddress", reason: "connections-per-address", address: () => "10.0.0.1" },
  { limit: "maxHandshakes", reason: "handshakes", address: (i) => `10.0.0.${i}` },
];

for (const { limit, reason, address } of CEILINGS) {
  Deno.test(`Gate: ${limit} one below, at and above (core.md §13, §18 row 64)`, () => {
    const { gate } = gated({ [limit]: 3 });
    const inside = [0, 1, 2].map((i) => admitted(gate, address(i)));
    assert.equal(gate.admit(address(3)), reason);
    assert.equal(gate.refused.get(reason), 1);
    inside[0].release();
    admitted(gate, address(3));
    assert.equal(gate.admit(address(4)), reason);
    assert.equal(gate.connections, 3);
  });
}

Deno.test("Gate: a place is given back once, however often it is said", () => {
  const { gate } = gated({});
  const first = admitted(gate, "10.0.0.1");
  admitted(gate, "10.0.0.1");
  for (let i = 0; i < 3; i++) first.handshakeDone();
  assert.deepEqual([gate.connections, gate.handshakes], [2, 1]);
  for (let i = 0; i < 3; i++) first.release();
  assert.deepEqual([gate.connections, gate.handshakes], [1, 1]);
  admitted(gate, "10.0.0.1", { handshake: false }).release();
  assert.deepEqual([gate.connections, gate.handshakes], [1, 1]);
});

Deno.test("Gate: clients must prove their address from retryThreshold handshakes on (RFC 9000 §8.1.2)", () => {
  const { gate } = gated({ retryThreshold: 2 });
  admitted(gate, "10.0.0.1");
  assert.equal(gate.mustRetry, false);
  const second = admitted(gate, "10.0.0.2");
  assert.equal(gate.mustRetry, true);
  second.handshakeDone();
  assert.equal(gate.mustRetry, false);
});

Deno.test("Gate: connectionBurst at once, then connectionRate a second (core.md §13)", () => {
  const { gate, clock } = gated({ connectionBurst: 4, connectionRate: 2 });
  for (let i = 0; i < 4; i++) admitted(gate, "10.0.0.1").release();
  assert.equal(gate.admit("10.0.0.1"), "connection-rate");
  admitted(gate, "10.0.0.2");
  clock.now += SECOND / 2 - 1;
  assert.equal(gate.admit("10.0.0.1"), "connection-rate");
  clock.now += 1;
  admitted(gate, "10.0.0.1").release();
  assert.equal(gate.admit("10.0.0.1"), "connection-rate");
  clock.now += 100 * SECOND;
  for (let i = 0; i < 4; i++) admitted(gate, "10.0.0.1").release();
  assert.equal(gate.admit("10.0.0.1"), "connection-rate", "what is saved up is one burst");
});

Deno.test("Gate: maxAuthFailures a minute, then a minute's refusal of that address alone (core.md §13, §18 row 66)", () => {
  const { gate, clock } = gated({ maxAuthFailures: 5 });
  for (let i = 0; i < 5; i++) assert.equal(gate.authenticationFailed("10.0.0.1"), false);
  assert.equal(gate.isRefused("10.0.0.1"), false);
  assert.equal(gate.authenticationFailed("10.0.0.1"), true);
  assert.equal(gate.isRefused("10.0.0.1"), true);
  assert.equal(gate.isRefused("10.0.0.2"), false);
  clock.now += MINUTE - 1;
  assert.equal(gate.isRefused("10.0.0.1"), true);
  clock.now += 1;
  assert.equal(gate.isRefused("10.0.0.1"), false);
  assert.equal(gate.authenticationFailed("10.0.0.1"), false, "the count began anew");
});

Deno.test("Gate: what is forgiven is so many failures of an address, not those of others behind it (core.md §13)", () => {
  const { gate } = gated({ maxAuthFailures: 2 });
  for (let i = 0; i < 3; i++) gate.authenticationFailed("10.0.0.1");
  assert.equal(gate.isRefused("10.0.0.1"), true);
  gate.forgive("10.0.0.1", 1);
  assert.equal(gate.isRefused("10.0.0.1"), false);
  assert.equal(gate.authenticationFailed("10.0.0.1"), true, "two are left, and this is one more");
  gate.forgive("10.0.0.9", 5);
});

Deno.test("Gate: refusals are counted each, and told once an address and minute (core.md §13)", () => {
  const { gate, clock, logged } = gated({ maxConnectionsPerAddress: 1 });
  for (const address of ["10.0.0.1", "2001:db8::1"]) {
    admitted(gate, address);
    for (let i = 0; i < 3; i++) gate.admit(address);
  }
  const once = [["10.0.0.1", "connections-per-address"], ["2001:db8:0:0::/64", "connections-per-address"]];
  assert.deepEqual(logged, once);
  clock.now += MINUTE;
  gate.admit("10.0.0.1");
  assert.equal(logged.length, 3);
  assert.equal(gate.refused.get("connections-per-address"), 7);
});

Deno.test("Gate: what others refuse is told once an address and minute too, and counted where it was not", () => {
  const { gate, clock, logged } = gated({});
  for (let i = 0; i < 3; i++) gate.note("10.0.0.1", "identity-required");
  for (let i = 0; i < 3; i++) gate.note("10.0.0.1", "crypto-data", { counted: true });
  assert.deepEqual(logged, [["10.0.0.1", "identity-required"]]);
  clock.now += MINUTE;
  gate.note("10.0.0.1", "crypto-data", { counted: true });
  assert.deepEqual(logged.slice(1), [["10.0.0.1", "crypto-data"]]);
  assert.deepEqual([...gate.refused], [["identity-required", 3]]);
});

Deno.test("Gate: adjusted limits hold for newcomers, a closed gate for all", () => {
  const { gate } = gated({ maxConnectionsPerAddress: 1 });
  admitted(gate, "10.0.0.1");
  gate.adjust(limitsWith({ ...ROOMY, maxConnectionsPerAddress: 2 }));
  admitted(gate, "10.0.0.1");
  assert.equal(gate.admit("10.0.0.1"), "connections-per-address");
  gate.close();
  assert.equal(gate.admit("10.0.0.2"), "shutdown");
  assert.equal(gate.connections, 2);
});

Deno.test("Gate: a spray of addresses is forgotten, oldest first, also behind many that stay connected", () => {
  const { gate } = gated({ maxAuthFailures: 1 });
  for (let i = 0; i < 200; i++) admitted(gate, `192.0.2.${i}`);
  for (const stays of ["192.0.2.0", "198.51.100.1"]) {
    gate.authenticationFailed(stays);
    gate.authenticationFailed(stays);
  }
  for (let i = 0; i < MAX_SOURCES + 200; i++) gate.note(`10.${i >> 16}.${i >> 8 & 255}.${i & 255}`, "connections");
  assert.equal(gate.isRefused("198.51.100.1"), false, "it is among the oldest that have no connection");
  assert.equal(gate.isRefused("192.0.2.0"), true, "who is connected is not forgotten");
});

Deno.test("Gate: who only says where it is holds four places of that address, and keeps nobody out who is there", () => {
  const gate = new Gate(limitsWith({ maxConnectionsPerAddress: 6, connectionBurst: 100 }));
  const address = "192.0.2.1";
  const forged: Admission[] = [];
  while (!gate.mustProve(address)) forged.push(gate.admit(address, { proven: false }) as Admission);
  assert.equal(forged.length, 4);
  assert.ok(!gate.mustProve("192.0.2.2"));
  const there = Array.from({ length: 6 }, () => gate.admit(address));
  assert.ok(there.every((admission) => typeof admission !== "string"));
  assert.equal(gate.admit(address), "connections-per-address");
  (there[0] as Admission).release();
  forged[0].prove();
  forged[0].prove();
  assert.equal(gate.admit(address), "connections-per-address", "one who proved it counts from then on");
  for (const admission of forged) admission.release();
  assert.ok(typeof gate.admit(address) !== "string");
  assert.ok(gate.mustProve(address), "who would be refused is told so once it is known to be there");
});

import assert from "node:assert/strict";
import {
  FlightRecorder,
  readRecord,
  readTurns,
  RECORD_SIZE,
} from "../../../../../core/transports/quic/link/flight_recorder.ts";

Deno.test("FlightRecorder: what was entered last and not left can be read from the memory alone", () => {
  const memory = new Uint8Array(RECORD_SIZE);
  const recorder = new FlightRecorder(memory);
  assert.equal(readRecord(memory), undefined);
  const longest = `2001:0db8:0000:0000:0000:0000:192.168.100.200%${"z".repeat(15)}`;
  for (const hostname of ["192.0.2.1", "2001:db8::1", longest, "::1"]) {
    recorder.enter({ hostname, port: 1 });
    assert.equal(readRecord(memory), hostname);
  }
  recorder.leave();
  assert.equal(readRecord(memory), undefined);
  const remote = { hostname: "192.0.2.1", port: 2 };
  recorder.enter(remote);
  recorder.leave();
  recorder.enter(remote);
  assert.equal(readRecord(memory), "192.0.2.1");
});

Deno.test("FlightRecorder blames nobody rather than half an address, and readRecord nobody for a broken record", () => {
  const memory = new Uint8Array(RECORD_SIZE);
  new FlightRecorder(memory).enter({ hostname: "x".repeat(RECORD_SIZE), port: 1 });
  assert.equal(readRecord(memory), undefined);
  assert.equal(readRecord(new Uint8Array(0)), undefined);
  assert.equal(readRecord(new Uint8Array(RECORD_SIZE).fill(255)), undefined);
});

Deno.test("FlightRecorder: turns are counted beside the address, over the end of their number", () => {
  const memory = new Uint8Array(RECORD_SIZE);
  const recorder = new FlightRecorder(memory);
  recorder.enter({ hostname: "192.0.2.1", port: 1 });
  recorder.turn();
  recorder.turn();
  assert.deepEqual([readTurns(memory), readRecord(memory)], [2, "192.0.2.1"]);
  memory.fill(0xff, RECORD_SIZE - 4);
  recorder.turn();
  assert.equal(readTurns(memory), 0);
});

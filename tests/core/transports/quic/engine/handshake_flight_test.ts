/**
 * What is said again of a handshake, and what is not (RFC 9000 §8.1, RFC 9002 §6.2).
 *
 * @module
 */
import assert from "node:assert/strict";
import { HandshakeFlight } from "../../../../../core/transports/quic/engine/handshake_flight.ts";

/** An Initial or Handshake packet, and one with a short header. */
const long = (length: number, mark = 0): Uint8Array => new Uint8Array(length).fill(mark).fill(0xc0, 0, 1);
const short = (length: number): Uint8Array => new Uint8Array(length).fill(0x40, 0, 1);

Deno.test("HandshakeFlight: copies are due at doubling intervals after the first datagram", () => {
  const flight = new HandshakeFlight(true);
  assert.equal(flight.due, Infinity);
  flight.left(long(1200), 1000);
  const due: number[] = [];
  for (let i = 0; i < 4; i++) {
    due.push(flight.due);
    assert.deepEqual(flight.copies(flight.due - 1), []);
    assert.deepEqual(flight.copies(flight.due), [long(1200)]);
  }
  assert.deepEqual(due, [1400, 2200, 3800, 7000]);
});

Deno.test("HandshakeFlight: keeps the last four datagrams of the handshake, and neither acknowledgements nor data", () => {
  const flight = new HandshakeFlight(true);
  for (let mark = 1; mark <= 6; mark++) flight.left(long(1200, mark), 0);
  flight.left(long(47), 0);
  flight.left(short(1200), 0);
  assert.deepEqual(flight.copies(400).map((copy) => copy[1]), [3, 4, 5, 6]);
});

Deno.test("HandshakeFlight: what is kept does not change with the buffer that it was sent from", () => {
  const flight = new HandshakeFlight(true);
  const slot = long(1200, 1);
  flight.left(slot, 0);
  slot.fill(9);
  assert.deepEqual(flight.copies(400), [long(1200, 1)]);
});

Deno.test("HandshakeFlight: a client says its last flight until the server answers with 1-RTT (RFC 9001 §5.7)", () => {
  const flight = new HandshakeFlight(true);
  flight.left(long(1200, 1), 0);
  flight.arrived(long(1200));
  flight.complete();
  assert.equal(flight.due, Infinity, "the first flight was answered");
  flight.left(long(1200, 2), 100);
  flight.arrived(long(1200));
  assert.deepEqual(flight.copies(500), [long(1200, 2)]);
  flight.arrived(short(40));
  assert.deepEqual([flight.due, flight.confirmed], [Infinity, true]);
});

Deno.test("HandshakeFlight: a server that is complete says nothing again (RFC 9001 §4.1.2)", () => {
  const flight = new HandshakeFlight(false);
  flight.arrived(long(1200));
  flight.left(long(1200), 0);
  flight.complete();
  assert.deepEqual([flight.due, flight.confirmed], [Infinity, true]);
});

Deno.test("HandshakeFlight: a server never sends an unproven address more than three times what came (RFC 9000 §8.1)", () => {
  const flight = new HandshakeFlight(false);
  flight.arrived(long(1200));
  flight.left(long(1200), 0);
  flight.left(long(700), 0);
  let sent = 1900;
  for (let i = 0; i < 10; i++) for (const copy of flight.copies(flight.due)) sent += copy.byteLength;
  assert.ok(sent <= 3600, `${sent} bytes`);
  flight.arrived(long(1200));
  assert.equal(flight.copies(flight.due).length, 2, "more came, more may go");
});

Deno.test("HandshakeFlight: an Initial is late for a server that is complete, and for nobody else (RFC 9001 §4.9.1)", () => {
  const handshake = new Uint8Array(1200).fill(0xe0, 0, 1);
  for (const dialled of [true, false]) {
    const flight = new HandshakeFlight(dialled);
    assert.equal(flight.isLate(long(1200)), false);
    flight.arrived(long(1200));
    flight.complete();
    assert.deepEqual([long(1200), handshake, short(40)].map((each) => flight.isLate(each)), [!dialled, false, false]);
  }
});

Deno.test("HandshakeFlight: a server may send three times what came, in datagrams worth it, until the address is proven (RFC 9000 §8.1)", () => {
  const flight = new HandshakeFlight(false);
  assert.equal(flight.allowance, 0);
  flight.arrived(long(1200));
  assert.equal(flight.allowance, 3600);
  flight.left(long(2400), 0);
  assert.equal(flight.allowance, 1200);
  flight.left(short(1), 0);
  assert.equal(flight.allowance, 0, "less than a datagram of an Initial (RFC 9000 §14.1)");
  flight.arrived(long(1200));
  assert.equal(flight.allowance, 4799);
  flight.prove();
  assert.equal(flight.allowance, Infinity);
  for (const free of [new HandshakeFlight(true), new HandshakeFlight(false, true)]) {
    assert.equal(free.allowance, Infinity);
  }
});

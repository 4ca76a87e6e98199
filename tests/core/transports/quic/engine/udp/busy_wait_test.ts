/**
 * Waiting awake: when it is worth it, and when it stops.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import { close, eventfd, write } from "../../../../../../core/transports/quic/linux/calls.ts";
import { hasLibc, Poll } from "../../../../../../core/transports/quic/linux/call_table.ts";
import { Memory, PollSet } from "../../../../../../core/transports/quic/linux/memory.ts";
import { BusyWait, LONGEST } from "../../../../../../core/transports/quic/engine/udp/busy_wait.ts";
import assert from "node:assert/strict";

const ignore = !hasLibc() || navigator.hardwareConcurrency < 2;

Deno.test({
  name: "BusyWait: asleep at first, awake after a short wait, and asleep again after a few long ones",
  ignore,
  fn() {
    const busy = new BusyWait();
    assert.equal(busy.span, 0);
    busy.waited(LONGEST / 2);
    assert.equal(busy.span, LONGEST);
    const spans: number[] = [];
    while (busy.span > 0) {
      busy.waited(LONGEST * 10);
      spans.push(busy.span);
    }
    assert.ok(spans.length <= 4, `${spans}`);
    assert.deepEqual(spans, [...spans].sort((a, b) => b - a), "shorter each time");
    busy.waited(LONGEST);
    assert.equal(busy.span, LONGEST, "and awake again after one short wait");
  },
});

Deno.test({
  name: "BusyWait.poll(): finds what is ready, and gives up after its time or the caller's",
  ignore,
  fn() {
    const event = eventfd();
    const set = new PollSet(1);
    set.set(0, event, Poll.IN);
    const busy = new BusyWait();
    assert.equal(busy.poll(set, Infinity), 0, "asleep: not even a look");
    busy.waited(0);
    assert.equal(busy.poll(set, Infinity), 0, "nothing comes");
    assert.equal(busy.poll(set, 0), 0, "no time");
    const one = new Memory(8);
    one.view.setUint32(0, 1, true);
    write(event, one.bytes, 0, 8);
    assert.equal(busy.poll(set, Infinity), 1);
    close(event);
  },
});

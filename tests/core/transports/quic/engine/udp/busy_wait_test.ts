/**
 * Waiting awake: when it is worth it, and when it stops.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import { close, eventfd, write } from "../../../../../../core/transports/quic/linux/calls.ts";
import { hasLibc, Poll } from "../../../../../../core/transports/quic/linux/call_table.ts";
import { Memory, PollSet } from "../../../../../../core/transports/quic/linux/memory.ts";
import {
  BusyWait,
  FEWEST_ASLEEP,
  LONGEST,
  MOST_ASLEEP,
  STOLEN,
} from "../../../../../../core/transports/quic/engine/udp/busy_wait.ts";
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
    // A clock of its own: on a busy machine others take the processor, and waits are asleep then.
    let time = 0;
    const busy = new BusyWait({ now: () => time += LONGEST / 10 });
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

Deno.test({
  name: "BusyWait: where others take the processor waits are asleep, for longer each time, until it is left alone",
  ignore: navigator.hardwareConcurrency < 2,
  fn() {
    let time = 0;
    let away = 2 * STOLEN;
    const busy = new BusyWait({ look: () => 0, giveWay: () => void (time += away), now: () => time });
    const set = new PollSet(1);
    /** Short waits until one begins awake. */
    const asleep = (): number => {
      for (let waits = 0;; waits++) {
        busy.waited(0);
        if (busy.span > 0) return waits;
      }
    };
    assert.equal(asleep(), 0);
    const rests: number[] = [];
    for (let n = 0; n < 12; n++) {
      assert.equal(busy.poll(set, Infinity), 0);
      assert.equal(busy.span, 0, "asleep at once");
      rests.push(asleep());
    }
    assert.deepEqual(rests.slice(0, 3), [FEWEST_ASLEEP, 2 * FEWEST_ASLEEP, 4 * FEWEST_ASLEEP]);
    assert.equal(rests.at(-1), MOST_ASLEEP);
    away = LONGEST / 4;
    for (let n = 0; n < 12; n++) busy.poll(set, Infinity);
    assert.equal(busy.span, LONGEST, "a processor given back soon is nobody's reason to sleep");
    away = 2 * STOLEN;
    busy.poll(set, Infinity);
    assert.equal(asleep(), FEWEST_ASLEEP, "and the count began anew");
  },
});

Deno.test({
  name: "BusyWait.poll(): what came while others had the processor is found",
  ignore: navigator.hardwareConcurrency < 2,
  fn() {
    let time = 0;
    const look = (): number => time > 0 ? 1 : 0;
    const busy = new BusyWait({ look, giveWay: () => void (time += 2 * STOLEN), now: () => time });
    busy.waited(0);
    assert.equal(busy.poll(new PollSet(1), Infinity), 1);
  },
});

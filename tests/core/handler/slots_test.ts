/**
 * Places for what runs at a time.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { Slots } from "../../../core/handler/slots.ts";

Deno.test("Slots: so many of an identity and of an address, whose hosts of one IPv6 network share", () => {
  const slots = new Slots({ all: 10, identity: 2, address: 1 });
  const [first, second] = [slots.take("a", "192.0.2.1"), slots.take("a", "192.0.2.2")];
  ok(first && second);
  equal(slots.take("a", "192.0.2.3"), undefined);
  ok(slots.take("b", "192.0.2.1"));
  ok(slots.take(undefined, "192.0.2.1"));
  equal(slots.take(undefined, "192.0.2.1"), undefined);
  ok(slots.take(undefined, "192.0.2.2"));
  ok(slots.take(undefined, "2001:db8::1"));
  equal(slots.take(undefined, "2001:db8::2"), undefined);
  first[Symbol.dispose]();
  // Disposing it twice gives one place back.
  first[Symbol.dispose]();
  ok(slots.take("a", "192.0.2.1"));
  equal(slots.take("a", "192.0.2.1"), undefined);
});

Deno.test("Slots: so many in all; an identity is no address of the same name", () => {
  const slots = new Slots({ all: 2, identity: 1, address: 1 });
  const held = slots.take("192.0.2.1", "192.0.2.9");
  ok(held);
  ok(slots.take(undefined, "192.0.2.1"));
  equal(slots.take("c", "192.0.2.1"), undefined);
  held[Symbol.dispose]();
  ok(slots.take("c", "192.0.2.1"));
});

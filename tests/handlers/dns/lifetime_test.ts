/**
 * How long an answer may be kept, read off its bytes (RFC 8484 §5.1; dns.md row 18).
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { decodeMessage, encodeMessage, type Message, type ResourceRecord } from "@alknet/handlers/dns";
import { isOfOthers, lifetimeOf } from "../../../handlers/dns/codec/lifetime.ts";
import { query, record } from "./zone.ts";

const SOA = "home.example. SOA ns.home.example. mail.home.example. 7 3600 600 86400";

function answer(parts: Partial<Message>): Uint8Array {
  const asked = query("www.home.example");
  const flags = { ...asked.flags, aa: true };
  return encodeMessage({
    ...asked,
    flags,
    response: true,
    rcode: 0,
    answer: [],
    authority: [],
    additional: [],
    ...parts,
  });
}

function records(...lines: readonly (readonly [ttl: number, line: string])[]): ResourceRecord[] {
  return lines.map(([ttl, line]) => record(line.replace(" ", ` ${ttl} `), ""));
}

Deno.test("the least TTL of the answers counts, whatever stands behind them; 0 and more than 2^31 too", () => {
  const more = records([1, "home.example. NS ns.home.example."], [2, `${SOA} 3`]);
  const three = records(
    [300, "www.home.example. CNAME a.home.example."],
    [60, "a.home.example. A 192.0.2.1"],
    [90, "a.home.example. A 192.0.2.2"],
  );
  equal(lifetimeOf(answer({ answer: three, authority: more })), 60);
  equal(lifetimeOf(answer({ answer: records([0, "www.home.example. A 192.0.2.1"]) })), 0);
  equal(lifetimeOf(answer({ answer: records([2 ** 32 - 1, "www.home.example. A 192.0.2.1"]) })), 2 ** 32 - 1);
});

Deno.test("a denial is kept as its SOA says, behind other records too; without one it is not kept", () => {
  const ns = [9, "home.example. NS ns.home.example."] as const;
  equal(lifetimeOf(answer({ authority: records(ns, [300, `${SOA} 60`]) })), 60);
  equal(lifetimeOf(answer({ rcode: 3, authority: records([30, `${SOA} 60`]) })), 30);
  equal(lifetimeOf(answer({ authority: records(ns) })), undefined);
  equal(lifetimeOf(answer({ rcode: 3 })), undefined);
  equal(lifetimeOf(answer({ rcode: 2, authority: records([300, `${SOA} 60`]) })), undefined);
  equal(lifetimeOf(answer({ question: undefined })), undefined);
});

Deno.test("what was asked of others is told by its header", () => {
  const { flags } = decodeMessage(answer({}));
  equal(isOfOthers(answer({ flags: { ...flags, ra: true, aa: false } })), true);
  equal(isOfOthers(answer({ flags: { ...flags, ra: true, aa: true } })), false);
  equal(isOfOthers(answer({ flags: { ...flags, ra: false, aa: false } })), false);
});

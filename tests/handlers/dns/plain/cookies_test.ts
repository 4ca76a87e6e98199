/**
 * Cookies of plain DNS: the vectors of RFC 9018 and of SipHash's authors, and what is believed for how long (dns.md §2.4).
 *
 * @module
 */
import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { Cookies, serverCookie } from "../../../../handlers/dns/plain/cookies.ts";
import { ResponseRate } from "../../../../handlers/dns/plain/response_rate.ts";
import { siphash24 } from "../../../../handlers/dns/plain/siphash.ts";

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.fromHex(text);

Deno.test("siphash24(): the vectors of its paper and of its reference, messages of 0 to 15 bytes", () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  const message = Uint8Array.from({ length: 15 }, (_, i) => i);
  // Little-endian, vectors_sip64 of the reference implementation.
  equal(siphash24(key, message).toHex(), "e545be4961ca29a1");
  equal(siphash24(key, new Uint8Array()).toHex(), "310e0edd47db6f72");
  equal(siphash24(key, message.subarray(0, 1)).toHex(), "fd67dc93c539f874");
  equal(siphash24(key, message.subarray(0, 7)).toHex(), "37d1018bf50002ab");
  equal(siphash24(key, message.subarray(0, 8)).toHex(), "6224939a79f5f593");
});

Deno.test("cookies: the vectors of RFC 9018, appendix A", () => {
  const secret = hex("e5e973e5a6b2a43f48e7dc849e37bfcf");
  const client = hex("2464c4abcf10c957");
  // A.1 and A.2: a new one for 198.51.100.100, and it renewed; A.3: of another client.
  equal(serverCookie(secret, client, 1_559_731_985, "198.51.100.100").toHex(), "010000005cf79f111f8130c3eee29480");
  equal(serverCookie(secret, client, 1_559_734_385, "198.51.100.100").toHex(), "010000005cf7a871d4a564a1442aca77");
  const other = serverCookie(secret, hex("fc93fc62807ddb86"), 1_559_734_700, "203.0.113.203");
  equal(other.toHex(), "010000005cf7a9acf73a7810aca2381e");
  // A.4: IPv6.
  const six = serverCookie(
    hex("445536bcd2513298075a5d379663c962"),
    hex("22681ab97d52c298"),
    1_559_741_961,
    "2001:db8:220:1:59de:d0f4:8769:82b8",
  );
  equal(six.toHex(), "010000005cf7c609a6bb79d16625507a");
});

Deno.test("cookies: proven to the address that they were made for, for an hour, beyond the change of the secret", () => {
  let now = 1_800_000_000_000;
  const cookies = new Cookies(() => now);
  const client = hex("2464c4abcf10c957");
  const [here, there] = ["192.0.2.1", "192.0.2.2"];
  equal(cookies.judge(client, here), "new");
  const given = cookies.answer(client, here, "new");
  equal(given.byteLength, 24);
  equal(cookies.judge(given, here), "proven");
  equal(cookies.judge(given, there), "new");
  equal(cookies.judge(given.with(23, given[23] ^ 1), here), "new");
  equal(cookies.judge(given.with(0, given[0] ^ 1), here), "new");
  for (const length of [0, 7, 9, 15, 41]) equal(cookies.judge(new Uint8Array(length), here), "malformed", `${length}`);
  for (const length of [16, 40]) equal(cookies.judge(new Uint8Array(length), here), "new", `${length}`);
  deepEqual(cookies.answer(given, here, "proven"), given);
  now += 1801 * 1000;
  equal(cookies.judge(given, here), "proven");
  notDeepEqual(cookies.answer(given, here, "proven"), given);
  now += 1800 * 1000;
  equal(cookies.judge(given, here), "new");
  now -= 3601 * 1000 + 301_000;
  equal(cookies.judge(given, here), "new", "from the future");
  now += 301_000 + 23.9 * 3_600_000;
  const late = cookies.answer(client, here, "new");
  now += 0.5 * 3_600_000;
  equal(cookies.answer(client, here, "new").byteLength, 24);
  equal(cookies.judge(late, here), "proven", "by the secret before");
});

Deno.test("response rate: five of a kind a second, then short and none by turns; others are others' affair", () => {
  let now = 0;
  const rate = new ResponseRate({ entries: 8, now: () => now });
  const next = (kind = "0 a", group = "g") => rate.judge(group, kind);
  deepEqual(Array.from({ length: 10 }, () => next()), [
    ...Array(5).fill("whole"),
    ...["short", "none", "short", "none", "short"],
  ]);
  equal(next("0 b"), "whole");
  equal(next("0 a", "h"), "whole");
  now += 200;
  deepEqual([next(), next()], ["whole", "short"]);
  // Many others do not make it forgotten at once; nor is it remembered for ever.
  for (let i = 0; i < 4; i++) next(`x${i}`);
  equal(next(), "none");
  for (let i = 0; i < 20; i++) next(`y${i}`);
  equal(next(), "whole");
});

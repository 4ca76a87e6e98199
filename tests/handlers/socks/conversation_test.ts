/**
 * The conversation of SOCKS byte by byte: every form, every split, everything that is refused.
 *
 * @module
 */
import { SocksConversation, type SocksOptions, SocksRefusal, type SocksStep } from "@alknet/handlers/socks";
import assert from "node:assert/strict";

const text = (value: string): number[] => [...new TextEncoder().encode(value)];
const NOBODY = [5, 1, 0];
const PORT_80 = [0, 80];
const CREDENTIALS = { username: "ada", password: "lovelace" };
const login = (username: string, password: string) => [
  ...[5, 2, 0, 2, 1, username.length, ...text(username), password.length, ...text(password)],
];

/** Gives the bytes in pieces of a size; what was replied, and the last step. */
function converse(
  bytes: readonly number[],
  options: SocksOptions,
  size: number,
): { replied: number[]; step: SocksStep } {
  const conversation = new SocksConversation(options);
  const replied: number[] = [];
  let step: SocksStep = { kind: "more" };
  for (let at = 0; at < bytes.length && step.kind === "more"; at += size) {
    step = conversation.receive(Uint8Array.from(bytes.slice(at, at + size)));
    if (step.kind !== "connect") replied.push(...step.reply ?? []);
  }
  return { replied, step };
}

const CONNECTS: readonly {
  name: string;
  bytes: number[];
  to: string;
  options?: SocksOptions;
  granted: number[];
}[] = [
  {
    name: "SOCKS5 to an IPv4 address (RFC 1928 §4)",
    bytes: [...NOBODY, 5, 1, 0, 1, 192, 0, 2, 7, ...PORT_80],
    to: "192.0.2.7 80",
    granted: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "SOCKS5 to an IPv6 address (RFC 1928 §5)",
    bytes: [...NOBODY, 5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1, 1, 187],
    to: "2001:db8:0:0:0:0:0:1 443",
    granted: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "SOCKS5 to a name, which is not resolved here (RFC 1928 §5)",
    bytes: [...NOBODY, 5, 1, 0, 3, 13, ...text("wiki.internal"), ...PORT_80],
    to: "wiki.internal 80",
    granted: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "SOCKS5 among several methods (RFC 1928 §3)",
    bytes: [5, 3, 1, 2, 0, 5, 1, 0, 3, 1, ...text("a"), ...PORT_80],
    to: "a 80",
    granted: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "SOCKS5 with the right credentials (RFC 1929 §2)",
    bytes: [...login("ada", "lovelace"), 5, 1, 0, 3, 1, ...text("a"), ...PORT_80],
    to: "a 80",
    options: { credentials: CREDENTIALS },
    granted: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "SOCKS4 to an address",
    bytes: [4, 1, ...PORT_80, 192, 0, 2, 7, ...text("me"), 0],
    to: "192.0.2.7 80",
    options: { socks4: true },
    granted: [0, 0x5a, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "SOCKS4a to a name",
    bytes: [4, 1, ...PORT_80, 0, 0, 0, 1, 0, ...text("wiki.internal"), 0],
    to: "wiki.internal 80",
    options: { socks4: true },
    granted: [0, 0x5a, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "HTTP CONNECT to a name (RFC 9110 §9.3.6)",
    bytes: text("CONNECT wiki.internal:443 HTTP/1.1\r\nhost: wiki.internal:443\r\n\r\n"),
    to: "wiki.internal 443",
    options: { httpConnect: true },
    granted: text("HTTP/1.1 200 Connection established\r\n\r\n"),
  },
  {
    name: "HTTP CONNECT to an IPv6 address (RFC 9112 §3.2.3)",
    bytes: text("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n"),
    to: "2001:db8::1 443",
    options: { httpConnect: true },
    granted: text("HTTP/1.1 200 Connection established\r\n\r\n"),
  },
];

for (const { name, bytes, to, options = {}, granted } of CONNECTS) {
  Deno.test(`SOCKS: ${name}, in pieces of every size`, () => {
    for (let size = 1; size <= bytes.length; size++) {
      const { replied, step } = converse(bytes, options, size);
      assert.equal(step.kind, "connect", `in pieces of ${size}`);
      if (step.kind !== "connect") return;
      const { hostname, port } = step.destination;
      assert.equal(`${hostname} ${port}`, to);
      // Whatever was answered on the way and is answered at the end is one sequence, however the request was split.
      const all = [...replied, ...step.answer.granted];
      assert.deepEqual(all.slice(-granted.length), granted);
      assert.deepEqual([...step.rest], []);
    }
  });
}

Deno.test("SOCKS: what a client sends right behind its request belongs to the connection", () => {
  const { step } = converse([...NOBODY, 5, 1, 0, 3, 1, 97, ...PORT_80, 1, 2, 3], {}, 100);
  assert.ok(step.kind === "connect");
  assert.deepEqual([...step.rest], [1, 2, 3]);
  assert.deepEqual([...step.answer.granted], [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0], "the greeting is answered first");
});

const ENDS: readonly { name: string; bytes: number[]; options?: SocksOptions; reply: number[] }[] = [
  { name: "BIND (RFC 1928 §4)", bytes: [...NOBODY, 5, 2, 0, 1, 1, 2, 3, 4, ...PORT_80], reply: [5, 7] },
  { name: "UDP ASSOCIATE (RFC 1928 §4)", bytes: [...NOBODY, 5, 3, 0, 1, 1, 2, 3, 4, ...PORT_80], reply: [5, 7] },
  { name: "an unknown command", bytes: [...NOBODY, 5, 9, 0, 1, 1, 2, 3, 4, ...PORT_80], reply: [5, 7] },
  { name: "an unknown kind of address (RFC 1928 §6)", bytes: [...NOBODY, 5, 1, 0, 2, 1, 2, 3, 4], reply: [5, 8] },
  { name: "a name of no characters", bytes: [...NOBODY, 5, 1, 0, 3, 0, ...PORT_80], reply: [5, 1] },
  { name: "a name with a NUL", bytes: [...NOBODY, 5, 1, 0, 3, 3, 97, 0, 98, ...PORT_80], reply: [5, 1] },
  { name: "a name that is no UTF-8", bytes: [...NOBODY, 5, 1, 0, 3, 1, 0xff, ...PORT_80], reply: [5, 1] },
  { name: "a request of another version", bytes: [...NOBODY, 4, 1, 0, 1, 1], reply: [5, 1] },
  { name: "no method in common (RFC 1928 §3)", bytes: [5, 1, 2], reply: [5, 0xff] },
  { name: "no methods at all", bytes: [5, 0], reply: [5, 0xff] },
  {
    name: "nobody where credentials are asked for",
    bytes: NOBODY,
    options: { credentials: CREDENTIALS },
    reply: [5, 0xff],
  },
  {
    name: "a wrong password (RFC 1929 §2)",
    bytes: login("ada", "byron"),
    options: { credentials: CREDENTIALS },
    reply: [1, 1],
  },
  { name: "a wrong name", bytes: login("eve", "lovelace"), options: { credentials: CREDENTIALS }, reply: [1, 1] },
  { name: "SOCKS4 where it is not asked for", bytes: [4, 1, ...PORT_80, 1, 2, 3, 4, 0], reply: [] },
  {
    name: "SOCKS4 past the credentials",
    bytes: [4, 1, ...PORT_80, 1, 2, 3, 4, 0],
    options: { credentials: CREDENTIALS, socks4: true },
    reply: [],
  },
  { name: "SOCKS4 BIND", bytes: [4, 2, ...PORT_80, 1, 2, 3, 4, 0], options: { socks4: true }, reply: [0, 0x5b] },
  { name: "CONNECT where it is not asked for", bytes: text("CONNECT a:1 HTTP/1.1\r\n\r\n"), reply: [] },
  { name: "a GET", bytes: text("GET / HTTP/1.1\r\n\r\n"), options: { httpConnect: true }, reply: [] },
  {
    name: "a CONNECT to a port beyond 65535",
    bytes: text("CONNECT a:65536 HTTP/1.1\r\n\r\n"),
    options: { httpConnect: true },
    reply: text("HTTP/1.1 400 "),
  },
  {
    name: "a CONNECT that never ends",
    bytes: text(`CONNECT a:1 HTTP/1.1\r\n${"x".repeat(9000)}`),
    options: { httpConnect: true },
    reply: [],
  },
  { name: "TLS", bytes: [0x16, 3, 1], reply: [] },
];

for (const { name, bytes, options = {}, reply } of ENDS) {
  Deno.test(`SOCKS: ${name} is refused and hung up on`, () => {
    for (const size of [1, 3, bytes.length]) {
      const { replied, step } = converse(bytes, options, size);
      assert.equal(step.kind, "end");
      const greeting = replied.length > reply.length && replied[0] === 5 && reply.length > 0 ? 2 : 0;
      assert.deepEqual(replied.slice(greeting, greeting + reply.length), reply, `in pieces of ${size}`);
      assert.ok(reply.length > 0 || replied.length === 0, "nothing is said to who speaks something else");
    }
  });
}

Deno.test("SOCKS: each refusal has its number (RFC 1928 §6)", () => {
  const { step } = converse([...NOBODY, 5, 1, 0, 3, 1, 97, ...PORT_80], {}, 3);
  assert.ok(step.kind === "connect");
  for (const why of Object.values(SocksRefusal)) assert.equal(step.answer.refused(why)[1], why);
});

Deno.test("SOCKS: 20,000 mutated conversations end or go on, and nothing throws (ssh.md row 10)", () => {
  const seed = 20261124;
  console.log(`seed ${seed}`);
  let state = seed;
  const random = (below: number): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
  const kinds: Record<string, number> = {};
  for (let n = 0; n < 20_000; n++) {
    const { bytes, options } = CONNECTS[random(CONNECTS.length)];
    const mutated = [...bytes];
    for (let times = random(3); times >= 0; times--) mutated[random(mutated.length)] = random(256);
    const { step } = converse(mutated, options ?? {}, 1 + random(mutated.length));
    kinds[step.kind] = (kinds[step.kind] ?? 0) + 1;
  }
  assert.ok(kinds.connect > 0 && kinds.end > 0 && kinds.more > 0, JSON.stringify(kinds));
});

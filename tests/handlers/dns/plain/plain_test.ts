/**
 * Plain DNS over UDP and TCP, by dig, kdig and raw datagrams (dns.md §2.4; rows 1, 21, 22).
 *
 * @module
 */
import { logger } from "@alknet/core/handler";
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import {
  type AddressPrefix,
  decodeMessage,
  type DnsLimits,
  type DnsStore,
  encodeMessage,
  isAmong,
  listenPlain,
  type Message,
  parsePrefix,
  type PlainListener,
  Rcode,
  Transfers,
} from "../../../../handlers/dns/mod.ts";
import { partsOver, query, storeWith } from "../zone.ts";

const ZONE = [
  "www 60 A 192.0.2.7",
  ...Array.from({ length: 12 }, (_, i) => `big 60 TXT ${"x".repeat(40)}${i}`),
  ...Array.from({ length: 40 }, (_, i) => `n${i} 60 A 192.0.2.1`),
];

/** A listener with a zone, and a socket that asks it. */
async function plain(changes: Partial<DnsLimits> = {}, zone = ZONE, prefixes: AddressPrefix[] = []) {
  const [store] = storeWith("home.example", zone);
  const parts = partsOver(store, changes);
  const mayTransfer = ({ address }: { address: string }) => isAmong(address, prefixes);
  const transfers = new Transfers({ zones: store.zones, rates: parts.rates, mayTransfer });
  const listener = await listening(store, { ...parts, transfers });
  const [{ port }] = listener.addresses;
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    ...{ parts, store, port, socket, listener },
    async [Symbol.asyncDispose]() {
      socket.close();
      await listener[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    },
  };
}

function listening(
  store: DnsStore,
  parts: Omit<Parameters<typeof listenPlain>[1], "zoneOf" | "log">,
): Promise<PlainListener> {
  const zoneOf: Parameters<typeof listenPlain>[1]["zoneOf"] = (name) => store.zones.find(name)?.name.key;
  return listenPlain(["127.0.0.1:0"], { ...parts, zoneOf, log: logger("dns") });
}

/** EDNS with a cookie. */
const edns = (data: Uint8Array) => ({ udpSize: 1232, version: 0, dnssecOk: false, options: [{ code: 10, data }] });

/** The cookie that an answer brings. */
const cookieOf = (message: Message) => message.edns!.options.find(({ code }) => code === 10)!.data;

/** Names the datagram behind all others. */
const LAST = 0xfff0;

/** What comes back for some datagrams, once one behind them, which has a cookie, has its answer. */
async function answersTo(
  { socket, port }: { socket: Socket; port: number },
  ...datagrams: Uint8Array[]
): Promise<Message[]> {
  const got: Message[] = [];
  let { promise, resolve } = Promise.withResolvers<Message>();
  const take = (bytes: Uint8Array) => {
    const message = decodeMessage(bytes);
    if (message.id === LAST) resolve(message);
    else got.push(message);
  };
  socket.on("message", take);
  const send = (bytes: Uint8Array) => new Promise((sent) => socket.send(bytes, port, "127.0.0.1", sent));
  const ask = async (name: string, cookie: Uint8Array): Promise<Message> => {
    ({ promise, resolve } = Promise.withResolvers<Message>());
    const bytes = encodeMessage(query(name, "A", { id: LAST, edns: edns(cookie) }));
    const again = setInterval(() => send(bytes), 500);
    await send(bytes);
    return await promise.finally(() => clearInterval(again));
  };
  const cookie = cookieOf(await ask(`n${asked++ % 40}.home.example`, crypto.getRandomValues(new Uint8Array(8))));
  for (const bytes of datagrams) await send(bytes);
  // Answers may overtake each other: all are there when a round brings none.
  for (let before = -1; before !== got.length;) {
    before = got.length;
    for (let i = 0; i < 3; i++) await ask("www.home.example", cookie);
  }
  socket.off("message", take);
  const ids = new Set(datagrams.map((bytes) => bytes[0] << 8 | bytes[1]));
  return got.filter(({ id }) => ids.has(id));
}

let asked = 0;
const short = ({ flags: { tc }, answer }: Message) => tc && answer.length === 0;

Deno.test({
  name:
    "plain: dig and kdig read zones over UDP and TCP; more than 512 bytes go to who has a cookie alone (rows 1, 21)",
  ...needs("dig", "kdig"),
  async fn() {
    await using at = await plain();
    const dig = async (...args: string[]) => {
      const shared = ["@127.0.0.1", "-p", `${at.port}`, "+timeout=5", "+tries=1"];
      const { code, stdout, stderr } = await runProgram("dig", [...shared, ...args]);
      equal(code, 0, stdout + stderr);
      return stdout;
    };
    const www = await dig("www.home.example", "A");
    match(www, /status: NOERROR/);
    match(www, /flags: qr aa rd;/);
    match(www, /www\.home\.example\.\s+60\s+IN\s+A\s+192\.0\.2\.7/);
    match(www, /\(UDP\)/);
    const [, cookie] = /COOKIE: ([0-9a-f]{48}) \(good\)/.exec(www)!;
    match(await dig("+notcp", "+ignore", "big.home.example", "TXT"), /flags: qr aa tc rd;.* ANSWER: 0/);
    match(await dig("+notcp", "+ignore", "+nocookie", "big.home.example", "TXT"), /flags: qr aa tc rd;/);
    const whole = await dig("+notcp", "+ignore", `+cookie=${cookie}`, "big.home.example", "TXT");
    match(whole, /flags: qr aa rd;.* ANSWER: 12/);
    const small = await dig("+notcp", "+ignore", `+cookie=${cookie}`, "+bufsize=600", "big.home.example", "TXT");
    match(small, /flags: qr aa tc rd;/);
    // Of its own accord it comes again by TCP.
    match(await dig("+nocookie", "big.home.example", "TXT"), /ANSWER: 12[\s\S]*\(TCP\)/);
    match(await dig("elsewhere.example", "A"), /status: REFUSED[\s\S]*flags: qr rd;/);
    match(await dig("none.home.example", "A"), /status: NXDOMAIN/);
    const { stdout } = await runProgram("kdig", ["@127.0.0.1", "-p", `${at.port}`, "+tcp", "www.home.example", "A"]);
    match(stdout, /status: NOERROR[\s\S]*192\.0\.2\.7/);
  },
});

Deno.test("plain: five of the same a second, then TC and nothing by turns; a proven cookie is no flood (row 22)", async () => {
  await using at = await plain();
  const same = Array.from({ length: 20 }, (_, id) => encodeMessage(query("www.home.example", "A", { id })));
  const got = await answersTo(at, ...same);
  const whole = got.filter((one) => !one.flags.tc);
  // A busy machine may take a second over them, in which five more are due.
  ok(whole.length >= 5 && whole.length < 20, `${whole.length}`);
  ok(got.some(short), "short ones");
  ok(got.length < 20, "some have no answer");
  equal(got.filter(({ flags: { tc } }) => tc).every(short), true);
  // Names that are not there count together.
  const none = Array.from(
    { length: 20 },
    (_, id) => encodeMessage(query(`x${id}.home.example`, "A", { id: 100 + id })),
  );
  const negative = await answersTo(at, ...none);
  ok(negative.filter(({ flags, rcode }) => !flags.tc && rcode === Rcode.NXDOMAIN).length < 20);
  ok(negative.length < 20);
  const other = Array.from({ length: 20 }, (_, id) => encodeMessage(query(`o${id}.example`, "A", { id: 200 + id })));
  ok((await answersTo(at, ...other)).length < 20, "refusals too");
  // What others write as an address costs that address nothing elsewhere.
  const zone = at.store.zones.list()[0];
  await answersTo(
    at,
    ...Array.from({ length: 100 }, (_, i) => encodeMessage(query(`y${i}.home.example`, "A", { id: 1000 + i }))),
  );
  ok(at.parts.rates.negative({ front: "dot", address: "127.0.0.1" }, zone));
  const [first] = await answersTo(at, encodeMessage(query("n39.home.example", "A", { edns: edns(new Uint8Array(8)) })));
  const proven = edns(cookieOf(first));
  const many = Array.from(
    { length: 20 },
    (_, id) => encodeMessage(query("www.home.example", "A", { id: 300 + id, edns: proven })),
  );
  equal((await answersTo(at, ...many)).filter(({ answer }) => answer.length === 1).length, 20);
});

Deno.test("plain: answers, and what is no message, get nothing; what is half a message a code; nobody recurses", async () => {
  await using at = await plain();
  const response = encodeMessage({ ...query("www.home.example", "A", { id: 1 }), response: true });
  const nothing = [response, new Uint8Array(), new Uint8Array(11), crypto.getRandomValues(new Uint8Array(5000))];
  nothing.push(encodeMessage(query("www.home.example", "A", { id: 2 })).subarray(0, 11));
  deepEqual(await answersTo(at, ...nothing), []);
  const half = [
    encodeMessage(query("www.home.example", "A", { id: 3 })).subarray(0, 20),
    encodeMessage(query("www.home.example", "A", { id: 4, edns: edns(new Uint8Array(7)) })),
  ];
  const told = await answersTo(at, ...half);
  deepEqual(told.map(({ id, rcode }) => [id, rcode]), [[3, Rcode.FORMERR], [4, Rcode.FORMERR]]);
  const flags = { aa: false, tc: false, rd: true, ra: false, ad: false, cd: false };
  const [refused] = await answersTo(at, encodeMessage(query("a.example", "A", { id: 5, flags })));
  deepEqual([refused.rcode, refused.flags.ra], [Rcode.REFUSED, false]);
});

Deno.test({
  name: "plain: whole zones go by TCP to addresses that may have them, and over UDP to nobody",
  ...needs("kdig"),
  async fn() {
    for (const prefixes of [[], [parsePrefix("127.0.0.0/8")]]) {
      await using at = await plain({}, ZONE, prefixes);
      const args = ["@127.0.0.1", "-p", `${at.port}`, "+timeout=5", "+retry=0", "home.example", "AXFR"];
      const { stdout } = await runProgram("kdig", args);
      equal((stdout.match(/IN\t(?:A|TXT)\t/g) ?? []).length, prefixes.length === 0 ? 0 : ZONE.length, stdout);
      const [refused] = await answersTo(at, encodeMessage(query("home.example", "AXFR", { id: 1 })));
      equal(refused.rcode, Rcode.REFUSED);
    }
  },
});

Deno.test("plain: a port that is taken is said so; TCP is bounded by address, and lives on with the next", async () => {
  await using at = await plain();
  const options = { ...at.parts, zoneOf: () => undefined, log: logger("dns") };
  await rejects(listenPlain([`127.0.0.1:${at.port}`], options), {
    code: "BIND_FAILED",
    message: new RegExp(`plain DNS: 127\\.0\\.0\\.1:${at.port} is in use`),
  });
  await rejects(listenPlain(["nowhere:53"], options), { code: "INVALID_ADDRESS" });
  const open = await Promise.all(
    Array.from({ length: 32 }, () => Deno.connect({ port: at.port, hostname: "127.0.0.1" })),
  );
  const asked = async (connection: Deno.TcpConn) => {
    const message = encodeMessage(query("www.home.example"));
    const sent = Uint8Array.of(message.byteLength >> 8, message.byteLength & 0xff, ...message);
    const into = new Uint8Array(512);
    return await connection.write(sent).then(() => connection.read(into)).catch(() => null);
  };
  for (const one of open) ok(await asked(one));
  const more = await Deno.connect({ port: at.port, hostname: "127.0.0.1" });
  equal(await asked(more), null);
  more.close();
  for (const one of open) one.close();
  for (;;) {
    using again = await Deno.connect({ port: at.port, hostname: "127.0.0.1" });
    if (await asked(again)) break;
  }
});

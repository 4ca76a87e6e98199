/**
 * DNS over HTTPS as a function: what is refused, for how long answers are kept, JSON (rows 17 to 19 and 29 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  answerDoh,
  decodeMessage,
  type DnsCaller,
  encodeMessage,
  formatRdata,
  type Message,
} from "../../../../handlers/dns/mod.ts";
import { partsOver, query, storeWith } from "../zone.ts";

const URL_OF = "https://node.example/dns-query";
const CALLER: DnsCaller = { front: "doh", address: "192.0.2.1" };
const MESSAGE = "application/dns-message";

function served() {
  const [store] = storeWith("home.example", [
    "www 60 A 192.0.2.1",
    "two 600 CNAME www",
    "odd 60 TYPE731 \\# 6 abcdef012345",
    'svc 60 HTTPS 1 . alpn="h2"',
  ]);
  const parts = partsOver(store);
  return async (path: string, init: RequestInit = {}): Promise<Response> =>
    (await answerDoh(new Request(URL_OF + path, init), CALLER, parts))!;
}

function inUrl(message: Message): string {
  return `?dns=${Buffer.from(encodeMessage(message)).toString("base64url")}`;
}

function posted(body: Uint8Array, type = MESSAGE): RequestInit {
  return { method: "POST", body: body as Uint8Array<ArrayBuffer>, headers: { "content-type": type } };
}

Deno.test("what is no question is told so by its status (row 17)", async () => {
  const ask = served();
  const good = encodeMessage(query("www.home.example"));
  const cases: readonly (readonly [string, RequestInit, number])[] = [
    ["?dns=a+b/", {}, 400],
    ["?dns=", {}, 400],
    ["?dns=AAAAAAAAAAAAAAAAAAAAA", {}, 400],
    ["", {}, 400],
    [inUrl(query("www.home.example", "A", { response: true })), {}, 400],
    ["", posted(new Uint8Array(4097)), 413],
    ["", { method: "PUT" }, 405],
    ["", posted(good, "text/plain"), 415],
    [inUrl(query("www.home.example")), { headers: { accept: "image/png" } }, 406],
    [inUrl(query("www.home.example")), { headers: { accept: "application/dns-json" } }, 406],
    ["?name=www.home.example", { headers: { accept: MESSAGE } }, 406],
    ["?name=www.home.example&type=0x1", {}, 400],
    [`?name=${"a".repeat(64)}.example`, {}, 400],
    ["", posted(good), 200],
  ];
  for (const [path, init, status] of cases) {
    const answer = await ask(path, init);
    equal(answer.status, status, `${init.method ?? "GET"} ${path}`);
    equal(answer.headers.get("access-control-allow-origin"), "*");
    await answer.body?.cancel();
  }
});

Deno.test("an answer is kept for its least TTL, a negative for the SOA's, others not at all (row 18)", async () => {
  const ask = served();
  const kept = async (path: string) => {
    const answer = await ask(path);
    await answer.body?.cancel();
    return answer.headers.get("cache-control");
  };
  for (const form of [(name: string) => inUrl(query(name)), (name: string) => `?name=${name}`]) {
    equal(await kept(form("two.home.example")), "max-age=60");
    equal(await kept(form("nope.home.example")), "max-age=300");
    equal(await kept(form("elsewhere.example")), "no-store");
  }
});

Deno.test("types without a form and with one come as bytes and as text (rows 19 and 29)", async () => {
  const ask = served();
  const json = async (path: string) => (await (await ask(path)).json()).Answer[0];
  deepEqual(await json("?name=odd.home.example&type=TYPE731"), {
    name: "odd.home.example.",
    type: 731,
    TTL: 60,
    data: "\\# 6 abcdef012345",
  });
  equal((await json("?name=svc.home.example&type=65")).data, '1 . alpn="h2"');
  const answer = await ask(inUrl(query("odd.home.example", "TYPE731")));
  const message = decodeMessage(new Uint8Array(await answer.arrayBuffer()));
  equal(message.answer[0].data.toHex(), "abcdef012345");
});

Deno.test("a name in the data of a SRV that others have compressed comes whole (row 29)", () => {
  const header = "0001 8400 0001 0001 0000 0000";
  const question = "045f736970 03656e64 00 0021 0001";
  // Priority, weight, port, then `a` before a pointer to `end`.
  const answer = "c00c 0021 0001 0000003c 000a 0001 0002 01bb 0161 c011";
  const message = decodeMessage(Uint8Array.fromHex(`${header}${question}${answer}`.replaceAll(" ", "")));
  equal(formatRdata(33, message.answer[0].data), "1 2 443 a.end.");
  equal(formatRdata(33, decodeMessage(encodeMessage(message)).answer[0].data), "1 2 443 a.end.");
});

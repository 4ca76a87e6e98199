import assert from "node:assert/strict";
import { Account } from "../../../core/handler/account.ts";
import { readJson } from "../../../handlers/http/request/request_body.ts";

const SIZE = 60_000;
const LIMITS = { body: SIZE, anonymousBody: SIZE, bodyTime: 60_000 };
const TEXT = new TextEncoder().encode(JSON.stringify("x".repeat(SIZE - 2)));

/** A request whose body comes as it is sent. */
function upload(
  announced: boolean,
): { request: Request; send(from: number, to: number): Promise<void>; end(): Promise<void> } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const headers = new Headers({ "content-type": "application/json" });
  if (announced) headers.set("content-length", `${SIZE}`);
  const writer = writable.getWriter();
  return {
    request: new Request("http://a/call", { method: "POST", headers, body: readable }),
    send: (from, to) => writer.write(TEXT.subarray(from, to)),
    end: () => writer.close(),
  };
}

for (const announced of [true, false]) {
  const how = announced ? "whose length is announced" : "in chunks";

  Deno.test(`bodies ${how} are read while the client's connection may have them held, and all of them in the end`, async () => {
    const account = new Account(2 * SIZE);
    const uploads = Array.from({ length: 5 }, () => upload(announced));
    const bodies = uploads.map(({ request }) => readJson(request, LIMITS, { identity: undefined, kept: account }));
    let most = 0;
    const sent = uploads.map(async ({ send, end }) => {
      for (let at = 0; at < SIZE; at += SIZE / 10) {
        await send(at, at + SIZE / 10);
        most = Math.max(most, account.held);
      }
      await end();
    });
    for (const body of await Promise.all(bodies)) assert.ok("value" in body && String(body.value).length === SIZE - 2);
    await Promise.all(sent);
    assert.ok(most >= SIZE, `${most} bytes`);
    assert.ok(most <= 2 * SIZE, `${most} bytes`);
    assert.equal(account.held, 0);
  });

  Deno.test(`a body ${how} for which there is no room in time is 408, and holds nothing`, async () => {
    const account = new Account(SIZE);
    account.take(SIZE);
    const { request, send, end } = upload(announced);
    const sending = send(0, SIZE).then(end).catch(() => {});
    const body = await readJson(request, { ...LIMITS, bodyTime: 20 }, { identity: undefined, kept: account });
    assert.ok("status" in body && body.status === 408, JSON.stringify(body));
    await request.body?.cancel().catch(() => {});
    await sending;
    assert.equal(account.held, SIZE);
  });
}

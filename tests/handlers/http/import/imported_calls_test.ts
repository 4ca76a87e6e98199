import assert from "node:assert/strict";
import { capabilitiesOf, type HandlerRegistration, type JsonValue } from "@alknet/core/operations";
import { fromJsonSchema, OutboundClient } from "@alknet/handlers/http";
import { eventData } from "../../../../handlers/http/import/event_source.ts";
import { TestClock } from "../operations.ts";
import { until } from "../support.ts";
import { find, imported } from "./pets.ts";
import { compose, composing, Service } from "./service.ts";

Deno.test("an imported operation asks and fails as its document says (http.md §15 row 81, X11)", async () => {
  await using service = new Service(() => Response.json({ error: "gone" }, { status: 404, statusText: "Not Found" }));
  using shop = imported(service, { auth: { type: "bearer" } });
  const dispatcher = composing(shop.bundles, capabilitiesOf({ shop: "secret" }));
  const input = { id: "a/b", lang: "de", tag: ["x", "y"], "X-Trace": "t", undeclared: 1 };
  await assert.rejects(compose(dispatcher, "shop/showPet", input), {
    code: "HTTP_404",
    message: "HTTP 404: Not Found",
    retryable: false,
    details: { error: "gone" },
  });
  const [{ line, headers }] = service.seen;
  assert.equal(line, "GET /v2/pets/a%2Fb?lang=de&tag=x&tag=y");
  assert.deepEqual([headers.get("authorization"), headers.get("x-trace")], ["Bearer secret", "t"]);
});

Deno.test("a path parameter stays one segment (http.md §15 row 82)", async () => {
  await using service = new Service(() => Response.json({ name: "x" }));
  using shop = imported(service);
  const dispatcher = composing(shop.bundles);
  for (const id of ["../admin", "a?b", "a#b", "a%2fb", "ä"]) await compose(dispatcher, "shop/showPet", { id });
  assert.deepEqual(service.seen.map(({ line }) => line), [
    "GET /v2/pets/..%2Fadmin",
    "GET /v2/pets/a%3Fb",
    "GET /v2/pets/a%23b",
    "GET /v2/pets/a%252fb",
    "GET /v2/pets/%C3%A4",
  ]);
  for (const id of ["..", ".", ""]) {
    await assert.rejects(compose(dispatcher, "shop/showPet", { id }), { code: "INVALID_INPUT" }, id);
  }
  await assert.rejects(compose(dispatcher, "shop/showPet", { id: "1", "X-Trace": "a\r\nb" }), {
    code: "INVALID_INPUT",
  });
  assert.equal(service.seen.length, 5);
});

Deno.test("credentials come from capabilities alone, each in its header (http.md §15 rows 83, 84)", async () => {
  await using service = new Service(() => Response.json({ name: "x" }));
  const kinds = [
    [{ type: "bearer" }, "authorization", "Bearer c"],
    [{ type: "apiKey", header: "X-Key" }, "x-key", "c"],
    [{ type: "basic" }, "authorization", "Basic c"],
  ] as const;
  for (const name of ["SHOP", "SHOP_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY"]) {
    Deno.env.set(name, "http://127.0.0.1:9");
  }
  try {
    for (const [auth, header, value] of kinds) {
      using shop = imported(service, { auth });
      await compose(composing(shop.bundles, capabilitiesOf({ shop: "c" })), "shop/showPet", { id: "1" });
      assert.equal(service.seen.at(-1)?.headers.get(header), value);
      const asked = service.seen.length;
      await assert.rejects(compose(composing(shop.bundles), "shop/showPet", { id: "1" }), {
        code: "INTERNAL",
        message: "no credential for service shop",
      });
      assert.equal(service.seen.length, asked, "no request was sent");
    }
  } finally {
    for (const name of ["SHOP", "SHOP_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY"]) Deno.env.delete(name);
  }
});

Deno.test("answers by media type (http.md §15 row 85)", async () => {
  const answers: [string | undefined, string | Uint8Array<ArrayBuffer>, unknown][] = [
    ["application/json", '{"a":1}', { a: 1 }],
    ["application/problem+json; charset=utf-8", "[1]", [1]],
    ["text/plain", "hi", "hi"],
    ["application/json", "", null],
    ["image/png", new Uint8Array([1, 2, 255]), "AQL/"],
  ];
  await using service = new Service((_, n) => {
    const [type, body] = answers[n] ?? ["application/json", "{"];
    return new Response(body, { headers: { "content-type": type ?? "" } });
  });
  using shop = imported(service);
  const dispatcher = composing(shop.bundles);
  for (const [, , output] of answers) assert.deepEqual(await compose(dispatcher, "shop/showPet", { id: "1" }), output);
  await assert.rejects(compose(dispatcher, "shop/showPet", { id: "1" }), { code: "INTERNAL" });
});

Deno.test("a service that is busy is asked again later, where that does no harm (http.md §15 row 86)", async () => {
  const busy = () => new Response(null, { status: 503, headers: { "retry-after": "1" } });
  await using service = new Service((_, n) => n === 0 || n >= 2 ? busy() : Response.json({ name: "x" }));
  const clock = new TestClock();
  using shop = imported(service, {}, clock);
  const dispatcher = composing(shop.bundles);
  const answer = compose(dispatcher, "shop/showPet", { id: "1" });
  await until(() => clock.timers > 0, "the client waits");
  clock.advance(999);
  assert.equal(service.seen.length, 1);
  clock.advance(1);
  assert.deepEqual(await answer, { name: "x" });
  await assert.rejects(compose(dispatcher, "shop/post_pets", { body: { name: "x" } }), {
    code: "HTTP_503",
    retryable: true,
    details: { retry_after: 1 },
  });
  assert.equal(service.seen.length, 3);
  assert.equal(service.seen[2].body, '{"name":"x"}');
});

Deno.test("a wait beyond the deadline is not begun (http.md §15 row 87)", async () => {
  await using service = new Service(() => new Response(null, { status: 503, headers: { "retry-after": "60" } }));
  const clock = new TestClock();
  using shop = imported(service, {}, clock);
  const dispatcher = composing(shop.bundles, undefined, clock);
  for (const seen of [1, 1]) {
    await assert.rejects(compose(dispatcher, "shop/showPet", { id: "1" }), { code: "HTTP_503" });
    assert.equal(service.seen.length, seen, "the URL is left alone");
  }
});

/** Runs an imported subscription, as a local operation that has its registration does. */
function subscribe(bundles: readonly HandlerRegistration[], signal: AbortSignal): AsyncIterable<JsonValue> {
  const { handler } = find(bundles, "shop/events");
  assert.ok(handler.kind === "stream");
  return handler.fn({}, { signal, capabilities: capabilitiesOf({}), timeLeft: undefined } as never);
}

const EVENTS = new TextEncoder().encode(
  '\ufeff: hi\r\ndata: {"a":"ä🙂"}\r\n\r\ndata: one\rdata:two\r\rid: 7\nevent: x\ndata\n\ndata: [DONE]\n\ndata: cut off',
);

Deno.test("eventData joins what is split anywhere, and takes every line end (http.md §15 row 88)", async () => {
  for (let size = 1; size <= EVENTS.byteLength; size++) {
    const chunks = async function* () {
      for (let at = 0; at < EVENTS.byteLength; at += size) yield EVENTS.slice(at, at + size);
    };
    const data = await Array.fromAsync(eventData(chunks()));
    assert.deepEqual(data, ['{"a":"ä🙂"}', "one\ntwo", "", "[DONE]"], `chunks of ${size}`);
  }
});

Deno.test("server-sent events become values: JSON, text, null (http.md §15 row 88)", async () => {
  await using service = new Service(() => new Response(EVENTS, { headers: { "content-type": "text/event-stream" } }));
  using shop = imported(service);
  const values = await Array.fromAsync(subscribe(shop.bundles, new AbortController().signal));
  assert.deepEqual(values, [{ a: "ä🙂" }, "one\ntwo", null, "[DONE]"]);
  assert.equal(service.seen[0].headers.get("accept"), "text/event-stream");
});

Deno.test("an abort of an imported subscription closes its connection (http.md §15 row 89)", async () => {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: () => cancelled.resolve(),
  });
  await using service = new Service(() => new Response(body, { headers: { "content-type": "text/event-stream" } }));
  using shop = imported(service);
  const controller = new AbortController();
  await assert.rejects(async () => {
    for await (const value of subscribe(shop.bundles, controller.signal)) {
      assert.equal(value, 1);
      controller.abort(new Error("enough"));
    }
  });
  await cancelled.promise;
});

Deno.test("a redirect to another origin takes no credential along (http.md §15 row 90)", async () => {
  await using other = new Service(() => Response.json({ name: "x" }));
  await using service = new Service((_, n) =>
    new Response(null, { status: 302, headers: { location: n === 0 ? "/v2/moved" : `${other.origin}/y` } })
  );
  for (
    const [auth, header] of [[{ type: "bearer" }, "authorization"], [
      { type: "apiKey", header: "X-Key" },
      "x-key",
    ]] as const
  ) {
    service.seen.length = other.seen.length = 0;
    using shop = imported(service, { auth });
    await compose(composing(shop.bundles, capabilitiesOf({ shop: "c" })), "shop/showPet", { id: "1" });
    assert.deepEqual(service.seen.map(({ headers }) => headers.has(header)), [true, true]);
    assert.deepEqual(other.seen.map(({ line, headers }) => [line, headers.has(header)]), [["GET /y", false]]);
  }
});

Deno.test("fromJsonSchema: path, query, body; statuses by the spec's errors (http.md §15 row 91)", async () => {
  await using service = new Service((_, n) =>
    n === 0 ? Response.json(1) : new Response(null, { status: n === 1 ? 409 : 410 })
  );
  using client = new OutboundClient();
  const bundle = fromJsonSchema(
    {
      name: "shop/rename",
      namespace: "shop",
      op_type: "mutation",
      visibility: "external",
      input_schema: { type: "object", required: ["id"] },
      output_schema: {},
      error_schemas: [{ code: "TAKEN", description: "", schema: {}, http_status: 409 }],
      access_control: { required_scopes: [] },
    },
    { namespace: "shop", baseUrl: service.origin, client },
    { method: "post", path: "/pets/{id}" },
  );
  assert.deepEqual([bundle.spec.visibility, bundle.provenance], ["internal", "from_jsonschema"]);
  const dispatcher = composing([bundle]);
  assert.equal(await compose(dispatcher, "shop/rename", { id: 7, loud: true, body: { name: "x" } }), 1);
  const [{ line, body, headers }] = service.seen;
  assert.deepEqual([line, body, headers.get("content-type")], [
    "POST /pets/7?loud=true",
    '{"name":"x"}',
    "application/json",
  ]);
  // What the composing operation does not declare itself reaches its caller inside INTERNAL (call.md §8.3).
  for (const code of ["TAKEN", "HTTP_410"]) {
    await assert.rejects(compose(dispatcher, "shop/rename", { id: 7 }), { code: "INTERNAL", details: { code } });
  }
});

Deno.test("an imported operation cannot be called from outside (http.md §15 row 93)", async () => {
  await using service = new Service(() => Response.json({}));
  using shop = imported(service);
  const dispatcher = composing(shop.bundles);
  await assert.rejects(dispatcher.call({ operation: "shop/showPet", input: { id: "1" } }), { code: "NOT_FOUND" });
  assert.equal(service.seen.length, 0);
});

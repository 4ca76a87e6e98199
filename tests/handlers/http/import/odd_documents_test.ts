import assert from "node:assert/strict";
import type { HandlerRegistration, JsonObject, JsonValue } from "@alknet/core/operations";
import { fromOpenApi, type LeftOut, OutboundClient } from "@alknet/handlers/http";
import { eventData } from "../../../../handlers/http/import/event_source.ts";
import { compose, composing, Service } from "./service.ts";

const INFO = { title: "odd", version: "1" };
const OK = { "200": { description: "all" } };

/** What a document of these paths gives, and what of it is left out. */
function read(paths: unknown, more: object = {}, baseUrl = "https://a.example") {
  const leftOut: LeftOut[] = [];
  const client = new OutboundClient();
  const document = { openapi: "3.1.0", info: INFO, paths, ...more } as JsonValue;
  const bundles = fromOpenApi(document, { namespace: "s", baseUrl, client }, { onLeftOut: (one) => leftOut.push(one) });
  return { bundles, leftOut, client, names: bundles.map(({ spec }) => spec.name) };
}

/** The schema of a body, as an operation takes it. */
function post(schema: JsonValue, more: object = {}): { bundle: HandlerRegistration; reasons: string[] } {
  const content = { "application/json": { schema } };
  const paths = {
    "/x": {
      post: {
        operationId: "x",
        requestBody: { required: true, content },
        responses: { "200": { description: "", content } },
      },
    },
  };
  const { bundles, leftOut } = read(paths, more);
  return { bundle: bundles[0], reasons: leftOut.map(({ reason }) => reason) };
}

Deno.test("fromOpenApi sets extension fields aside wherever they may stand", () => {
  const get = { operationId: "list", responses: { "x-cache": false, ...OK, "x-else": { a: 1 } }, "x-owner": "team" };
  const { names, leftOut } = read({ "x-owner": "team-green", "x-gateway": { get }, "/boats": { get, "x-y": [1] } }, {
    openapi: "3.0.3",
  });
  assert.deepEqual([names, leftOut], [["s/list"], []]);
});

Deno.test("fromOpenApi reads merge keys of YAML 1.1", () => {
  const text = `
openapi: 3.0.3
info: { title: a, version: "1" }
x-base: &base { type: object, required: [name] }
x-errors: &errors { "404": { description: none } }
paths:
  /boats:
    post:
      operationId: add
      requestBody: { required: true, content: { application/json: { schema: { <<: *base, properties: { name: { type: string } } } } } }
      responses: { <<: *errors, "201": { description: made } }
`;
  const [{ spec, checkInput }] = fromOpenApi(text, { namespace: "s", baseUrl: "https://a.example" });
  assert.deepEqual(spec.error_schemas.map(({ code }) => code), ["HTTP_404"]);
  assert.notEqual(checkInput({ body: {} }), undefined);
  assert.equal(checkInput({ body: { name: "x" } }), undefined);
});

Deno.test("fromOpenApi sends a body in the media type that is declared, or leaves the operation out", async () => {
  await using service = new Service(() => Response.json(null));
  const schema = { type: "object", required: ["amount"], properties: { amount: { type: "integer" }, to: {} } };
  const types = {
    form: "application/x-www-form-urlencoded",
    patch: "application/merge-patch+json",
    charset: "application/json; charset=utf-8",
    text: "text/plain",
    any: "*/*",
    upload: "multipart/form-data",
    bytes: "application/octet-stream",
    xml: "application/xml",
  };
  const paths = Object.fromEntries(
    Object.entries(types).map(([name, type]) => {
      const body = name === "text" ? {} : { schema };
      return [`/${name}`, {
        post: { operationId: name, requestBody: { required: true, content: { [type]: body } }, responses: OK },
      }];
    }),
  );
  const { bundles, names, leftOut, client } = read(paths, {}, service.origin);
  using _ = client;
  assert.deepEqual(names, ["s/form", "s/patch", "s/charset", "s/text", "s/any"]);
  for (const { method, path, reason } of leftOut) {
    assert.equal(method, "POST");
    assert.ok(reason.includes(types[path.slice(1) as keyof typeof types]), reason);
  }
  assert.equal(leftOut.length, 3);
  const dispatcher = composing(bundles);
  const body = { amount: 5, to: ["a b", "c&d=é"] };
  for (const name of ["form", "patch", "charset", "any"]) await compose(dispatcher, `s/${name}`, { body });
  await compose(dispatcher, "s/text", { body: "a,b" });
  await assert.rejects(compose(dispatcher, "s/form", { body: { amount: 5, to: { deep: 1 } } }), {
    code: "INVALID_INPUT",
  });
  await assert.rejects(compose(dispatcher, "s/form", {}), { code: "INVALID_INPUT" });
  await assert.rejects(compose(dispatcher, "s/text", { body: { a: 1 } }), { code: "INVALID_INPUT" });
  const json = JSON.stringify(body);
  assert.deepEqual(service.seen.map(({ headers, body }) => [headers.get("content-type"), body]), [
    [types.form, "amount=5&to=a%20b&to=c%26d%3D%C3%A9"],
    [types.patch, json],
    [types.charset, json],
    ["application/json", json],
    [types.text, "a,b"],
  ]);
});

Deno.test("fromOpenApi: readOnly is required of answers alone, writeOnly of requests (OpenAPI 3.0.3, Schema Object)", () => {
  const Secret = { type: "string", writeOnly: true };
  const Boat = {
    type: "object",
    required: ["id", "name", "secret"],
    properties: {
      id: { type: "string", readOnly: true },
      name: { type: "string" },
      secret: { $ref: "#/components/schemas/Secret" },
    },
  };
  const { bundle } = post({ $ref: "#/components/schemas/Boat" }, {
    openapi: "3.0.3",
    components: { schemas: { Boat, Secret } },
  });
  const required = (schema: JsonValue) =>
    ((schema as JsonObject).$defs as Record<string, { required: string[] }>).Boat.required;
  assert.deepEqual(required(bundle.spec.input_schema), ["name", "secret"]);
  assert.deepEqual(required(bundle.spec.output_schema), ["id", "name"]);
  assert.equal(bundle.checkInput({ body: { name: "x", secret: "y" } }), undefined);
  assert.notEqual(bundle.checkInput({ body: { name: "x", id: "1" } }), undefined);
});

Deno.test("fromOpenApi: a pattern of another language is no check, and the rest of its schema holds", () => {
  for (const pattern of ["(?i)^abc$", "^[A-Z", "(?P<a>x)", "^\\A\\Z++$"]) {
    const { bundle } = post({
      type: "object",
      required: ["n"],
      properties: { n: { type: "integer" }, py: { type: "string", pattern } },
    });
    assert.equal(bundle.checkInput({ body: { n: 1, py: "ABC" } }), undefined, pattern);
    assert.match(bundle.checkInput({ body: { n: "1" } })!, /\/body\/n must be integer/, pattern);
  }
  // Those that a browser takes, with and without `u`.
  for (const pattern of ["^[A-Z]{2}\\-\\d+$", "^\\p{L}[\\w-.]*$", "^\\S+@\\S+\\.\\S+$"]) {
    const { bundle } = post({ type: "object", properties: { code: { type: "string", pattern } }, required: ["code"] });
    assert.equal(bundle.checkInput({ body: { code: "AB-1" } }), undefined, pattern);
    assert.notEqual(bundle.checkInput({ body: { code: 1 } }), undefined, pattern);
  }
});

Deno.test("fromOpenApi: names that meet have a way out, and one odd operation costs itself alone", async () => {
  await using service = new Service(() => Response.json(null));
  const name = { name: "name", schema: { type: "string" } };
  const content = { "application/json": { schema: { type: "object" } } };
  const get = (operationId: string) => ({ get: { operationId, responses: OK } });
  const { bundles, names, leftOut, client } = read(
    {
      "/boats/{name}": {
        put: {
          operationId: "put",
          parameters: [{ ...name, in: "path", required: true }, { ...name, in: "query" }, { ...name, in: "header" }],
          responses: OK,
        },
      },
      "/body": {
        post: {
          operationId: "body",
          parameters: [{ name: "body", in: "query" }],
          requestBody: { content },
          responses: OK,
        },
      },
      "/users": get("查询用户"),
      "/users/all": get("删除用户"),
      "/pets": get("pets list"),
      "/pets/all": get("pets_list"),
      "/gone": { get: { operationId: "gone", responses: { "200": { $ref: "#/components/responses/None" } } } },
      "/session": {
        get: { operationId: "session", parameters: [{ name: "sid", in: "cookie", required: true }], responses: OK },
      },
      "no-slash": get("escape"),
      "/#Action=List": get("action"),
      "/tld/{zone}": { get: { responses: OK } },
      "/tld": { get: { responses: OK } },
      "/list?kind=all": { get: { operationId: "kinds", parameters: [{ name: "n", in: "query" }], responses: OK } },
    },
    {},
    service.origin,
  );
  using _ = client;
  assert.deepEqual(names, [
    "s/put",
    "s/body",
    "s/____",
    "s/get_users_all",
    "s/pets_list",
    "s/get_tld",
    "s/get_tld_2",
    "s/kinds",
  ]);
  assert.deepEqual(leftOut.map(({ method = "*", path }) => `${method} ${path}`), [
    "GET /pets/all",
    "GET /gone",
    "GET /session",
    "GET no-slash",
    "GET /#Action=List",
  ]);
  assert.match(leftOut[0].reason, /GET \/pets and to GET \/pets\/all; give one another operationId/);
  assert.match(leftOut[1].reason, /responses\/None/);
  assert.match(leftOut[2].reason, /cookie parameter sid/);
  const dispatcher = composing(bundles);
  await compose(dispatcher, "s/put", { name: "a/b", name_query: "q", name_header: "h" });
  await compose(dispatcher, "s/body", { body: { a: 1 }, body_query: "q" });
  await compose(dispatcher, "s/kinds", { n: 1 });
  assert.deepEqual(service.seen.map(({ line, headers, body }) => [line, headers.get("name"), body]), [
    ["PUT /boats/a%2Fb?name=q", "h", ""],
    ["POST /body?body=q", null, '{"a":1}'],
    ["GET /list?kind=all&n=1", null, ""],
  ]);
  // Whoever is not told of what is left out is told by an error.
  assert.throws(
    () =>
      fromOpenApi({ openapi: "3.1.0", info: INFO, paths: { "no-slash": get("a") } }, {
        namespace: "s",
        baseUrl: "https://a.example",
      }),
    /no slash/,
  );
});

Deno.test("fromOpenApi: a reference by anchor is that schema or refused; what is not there is never anything", () => {
  const schemas = {
    Boat: { $anchor: "boat", type: "object", required: ["name"], properties: { next: { $ref: "#boat" } } },
  };
  const { bundle } = post({ $ref: "#boat" }, { components: { schemas } });
  assert.equal(bundle.checkInput({ body: { name: "x", next: { name: "y" } } }), undefined);
  assert.match(bundle.checkInput({ body: { name: "x", next: {} } })!, /\/body\/next/);
  assert.ok(!JSON.stringify(bundle.spec).includes('"paths"'));
  for (const $ref of ["#nothing", "#/components/schemas/None", "other.yaml#/a", "#%"]) {
    assert.equal(post({ $ref }, { components: { schemas } }).reasons.length, 1, $ref);
  }
  assert.match(post({ $id: "https://a.example/x", $ref: "#/a" }).reasons[0], /\$id/);
  assert.deepEqual(read(undefined, { webhooks: {} }).names, []);
});

Deno.test("parameters are written in the style that is declared (OpenAPI 3.1, Style Values)", async () => {
  await using service = new Service(() => Response.json(null));
  const parameter = (style: string, explode?: boolean) => ({ name: "p", in: "query", style, explode });
  const list = ["a b", "c,d"];
  const cases: [parameter: object, value: JsonValue, target: string][] = [
    [{ name: "p", in: "query" }, list, "/x?p=a%20b&p=c%2Cd"],
    [parameter("form", false), list, "/x?p=a%20b,c%2Cd"],
    [parameter("spaceDelimited", false), ["a", "b"], "/x?p=a%20b"],
    [parameter("pipeDelimited", false), ["a", "b"], "/x?p=a|b"],
    [parameter("deepObject", true), { a: 1, b: "x y" }, "/x?p%5Ba%5D=1&p%5Bb%5D=x%20y"],
    [{ name: "p", in: "query" }, { a: 1, b: 2 }, "/x?a=1&b=2"],
    [parameter("form", false), { a: 1, b: 2 }, "/x?p=a,1,b,2"],
    [
      { name: "p", in: "query", content: { "application/json": { schema: {} } } },
      { a: [1] },
      "/x?p=%7B%22a%22%3A%5B1%5D%7D",
    ],
    [{ name: "p", in: "path", required: true }, ["a/b", 1, true], "/x/a%2Fb,1,true"],
    [{ name: "p", in: "path", required: true }, { a: 1, "b,c": "d" }, "/x/a,1,b%2Cc,d"],
  ];
  for (const [one, value, target] of cases) {
    const path = (one as { in: string }).in === "path" ? "/x/{p}" : "/x";
    const { bundles, client } = read(
      { [path]: { get: { operationId: "x", parameters: [one], responses: OK } } },
      {},
      service.origin,
    );
    using _ = client;
    await compose(composing(bundles), "s/x", { p: value });
    assert.equal(service.seen.at(-1)!.line, `GET ${target}`);
  }
  for (
    const one of [{ name: "p", in: "path", style: "matrix" }, { name: "p", in: "path", style: "label" }, {
      name: "p",
      in: "query",
      content: { "text/xml": {} },
    }]
  ) {
    const { leftOut } = read({ "/x/{p}": { get: { operationId: "x", parameters: [one], responses: OK } } });
    assert.equal(leftOut.length, 1, JSON.stringify(one));
  }
});

Deno.test("fromOpenApi: twice the document at about twice the cost, in converted schemas", () => {
  const document = (size: number) => {
    const ref = (n: number) => ({ $ref: `#/components/schemas/S${n % size}` });
    const schemas: Record<string, JsonValue> = {};
    const paths: Record<string, JsonValue> = {};
    for (let n = 0; n < size; n++) {
      schemas[`S${n}`] = {
        type: "object",
        properties: { next: ref(n + 1), far: ref(7 * n + 3), list: { type: "array", items: ref(n + 11) } },
      };
      const content = { content: { "application/json": { schema: ref(n) } } };
      const answers = Object.fromEntries(
        ["200", "400", "404", "409"].map((status) => [status, { description: "", ...content }]),
      );
      paths[`/p${n}`] = { post: { operationId: `op${n}`, requestBody: content, responses: answers } };
    }
    return { paths, components: { schemas } };
  };
  const objects = (size: number): number => {
    const { paths, components } = document(size);
    const seen = new Set<object>();
    const count = (value: unknown): void => {
      if (typeof value !== "object" || value === null || seen.has(value)) return;
      seen.add(value);
      Object.values(value).forEach(count);
    };
    const { bundles } = read(paths, { components });
    assert.equal(bundles.length, size);
    bundles.forEach(({ spec }) => count(spec));
    return seen.size;
  };
  // Objects that the import keeps: a copy for each operation would be their square.
  const [small, large] = [objects(50), objects(100)];
  assert.ok(large < 2.2 * small, `${small}, then ${large}`);
  // A chain of names, however long, is no depth of calls.
  const chain = Object.fromEntries(
    Array.from(
      { length: 20_000 },
      (_, n) => [`S${n}`, { properties: { next: { $ref: `#/components/schemas/S${n + 1}` } } }],
    ),
  );
  chain.S20000 = { properties: {} } as never;
  assert.equal(post({ $ref: "#/components/schemas/S0" }, { components: { schemas: chain } }).reasons.length, 0);
});

Deno.test("eventData gives an event as soon as it is complete, in time that grows with its length, up to a limit", async () => {
  const pull = Promise.withResolvers<void>();
  async function* source() {
    yield new TextEncoder().encode("data: 1\r\r");
    await pull.promise;
    yield new TextEncoder().encode("\ndata: 2\r\n\r\ndata: 3\n\n");
  }
  const values = eventData(source());
  // The rest has not come, and is not waited for.
  assert.deepEqual(await values.next(), { done: false, value: "1" });
  pull.resolve();
  assert.deepEqual([await values.next(), await values.next()].map(({ value }) => value), ["2", "3"]);
  assert.equal((await values.next()).done, true);

  // A line break that two chunks share is one, and no empty line.
  const shared = ["data: a\r", "\ndata: b\r", "\n\r", "\n"].map((text) => new TextEncoder().encode(text));
  assert.deepEqual(await Array.fromAsync(eventData(ReadableStream.from(shared))), ["a\nb"]);

  const chunk = new TextEncoder().encode("x".repeat(1024 * 1024));
  let asked = 0;
  async function* endless() {
    yield new TextEncoder().encode("data: ");
    for (;; asked++) yield chunk;
  }
  await assert.rejects(eventData(endless()).next(), RangeError);
  assert.ok(asked <= 65, `${asked} MiB were read`);
});

/**
 * A credential goes to the service that it is for: not where a document, a redirect or the environment would send it.
 *
 * @module
 */
import { deepEqual, equal, throws } from "node:assert/strict";
import { selfSignedCertificate } from "@alknet/core/identity";
import { capabilitiesOf, type JsonObject } from "@alknet/core/operations";
import { fromOpenApi } from "@alknet/handlers/http";
import { createServer } from "node:https";
import { runProgram } from "../../../support/process.ts";
import { composing } from "./service.ts";

const PROGRAM = new URL("./outbound_program.ts", import.meta.url).pathname;

/** A document with one operation at a path, with these parameters. */
function document(path: string, parameters: readonly JsonObject[] = []): JsonObject {
  const get = { operationId: "pets", parameters: [...parameters], responses: { 200: { description: "" } } };
  return { openapi: "3.1.0", info: { title: "x", version: "1" }, paths: { [path]: { get } } };
}

/** A listener that notes what reaches it, and answers. */
function listening(answer: () => Response = () => new Response("{}")) {
  const seen: Record<string, string>[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    seen.push(Object.fromEntries(request.headers));
    return answer();
  });
  return { seen, port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("fromOpenApi: a path that would go on with the host is refused, whatever follows", () => {
  const config = { namespace: "shop", baseUrl: "http://127.0.0.1", auth: { type: "bearer" } } as const;
  for (const path of [":8080/steal", "@elsewhere.example/x", ".elsewhere.example/x", "x", "", "\\\\elsewhere"]) {
    throws(() => fromOpenApi(document(path), config), { code: "SCHEMA_PARSE" }, path);
  }
});

Deno.test("fromOpenApi: what a document says of host, framing and hops is never sent", async () => {
  await using service = listening();
  const named = ["Host", "Transfer-Encoding", "Connection", "Content-Length", "Cookie", "X-Own"];
  const parameters = named.map((name) => ({ name, in: "header", schema: { type: "string" } }));
  const config = { namespace: "shop", baseUrl: `http://127.0.0.1:${service.port}` };
  const dispatcher = composing(fromOpenApi(document("/pets", parameters), config));
  const input = Object.fromEntries(named.map((name) => [name, "internal.admin"]));
  await dispatcher.call({ operation: "compose/any", input: { name: "shop/pets", input } });
  const [{ host, cookie, "x-own": own, "transfer-encoding": framing }] = service.seen;
  deepEqual([host, cookie, own, framing], [`127.0.0.1:${service.port}`, undefined, "internal.admin", undefined]);
});

Deno.test("an imported call follows a redirect to another origin with nothing of what it was given to say", async () => {
  await using elsewhere = listening();
  const away = { status: 302, headers: { location: `http://127.0.0.1:${elsewhere.port}/x` } };
  await using service = listening(() => new Response(null, away));
  const config = {
    namespace: "shop",
    baseUrl: `http://127.0.0.1:${service.port}`,
    auth: { type: "apiKey", header: "X-Key" },
    defaultHeaders: { "x-tenant": "ours" },
  } as const;
  const credentials = capabilitiesOf({ shop: "SECRET" });
  const dispatcher = composing(fromOpenApi(document("/pets"), config), credentials);
  await dispatcher.call({ operation: "compose/any", input: { name: "shop/pets", input: {} } });
  equal(service.seen[0]["x-key"], "SECRET");
  const [{ "x-key": key, "x-tenant": tenant }] = elsewhere.seen;
  deepEqual([key, tenant], [undefined, undefined]);
});

Deno.test("OutboundClient: the environment cannot switch off the check of certificates", async () => {
  const { certificate, privateKey } = selfSignedCertificate({ names: ["localhost"] });
  const seen: unknown[] = [];
  const server = createServer({ key: privateKey, cert: certificate }, ({ headers }, answer) => {
    seen.push(headers.authorization);
    answer.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const told = await sent(`https://localhost:${port}/`, { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
  await new Promise((resolve) => server.close(resolve));
  deepEqual([told, seen], ["DEPTH_ZERO_SELF_SIGNED_CERT", []]);
});

Deno.test("OutboundClient: the environment cannot put a proxy between", async () => {
  using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let asked = 0;
  const accepting = (async () => {
    for await (const socket of proxy) {
      asked++;
      socket.close();
    }
  })();
  const url = `http://127.0.0.1:${proxy.addr.port}`;
  // Nobody listens there: a request that comes through the proxy would end otherwise.
  using closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  const env = { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: url, http_proxy: url, NO_PROXY: "", DENO_NO_UPDATE_CHECK: "1" };
  equal(await sent(`http://127.0.0.1:${port}/`, env), "ECONNREFUSED");
  equal(asked, 0);
  proxy.close();
  await accepting;
});

async function sent(url: string, env: Readonly<Record<string, string>>): Promise<string> {
  const args = ["run", "-A", "--no-check", "--quiet", PROGRAM, url];
  const { stdout } = await runProgram(Deno.execPath(), args, { env: { DENO_NO_UPDATE_CHECK: "1", ...env } });
  return stdout.trim();
}

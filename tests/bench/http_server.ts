/**
 * HTTPS servers to measure: the handler (`alknet`) with a call through the direct surface and the same in a bare route of
 * Hono, or `Deno.serve` alone (`deno`). The second argument is a folder of files to serve.
 *
 * @module
 */
import { router } from "@alknet/core";
import { NodeKey } from "@alknet/core/identity";
import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
import { http, type HttpApp, staticSite } from "@alknet/handlers/http";
import Type from "typebox";
import { BENCH_LIMITS } from "./protocols.ts";

const [kind, folder] = Deno.args;
if (kind === "alknet") await serveHandler();
else serveDeno();
Deno.addSignalListener("SIGTERM", () => Deno.exit());

async function serveHandler(): Promise<void> {
  const add = operation({
    name: "math/add",
    type: "query",
    input: Type.Object({ a: Type.Number(), b: Type.Number() }),
    output: Type.Number(),
  });
  const dispatcher = new Dispatcher({ registry: nodeRegistry([provide(add, ({ a, b }) => a + b)]) });
  const handler = http({ decoy: staticSite({ root: folder }), dispatcher, routes });
  const endpoint = await router().use(handler).listen({ transports: ["tls"], limits: BENCH_LIMITS });
  tell(endpoint.addresses[0].port);
}

function routes(app: HttpApp): void {
  app.get("/hono/add", (c) => c.json(Number(c.req.query("a")) + Number(c.req.query("b"))));
  app.post("/hono/add", async (c) => {
    const { a, b } = await c.req.json();
    return c.json(a + b);
  });
}

function serveDeno(): void {
  const { certificate: cert, privateKey: key } = NodeKey.generate().certificate();
  const onListen = ({ port }: { port: number }): void => tell(port);
  Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen }, async ({ url }) => {
    if (!url.endsWith("/blob.bin")) return new Response("ok", { headers: { "content-type": "text/plain" } });
    return new Response((await Deno.open(`${folder}/blob.bin`)).readable);
  });
}

function tell(port: number): void {
  console.log(JSON.stringify({ port }));
}

/**
 * Measures the HTTP handler through the TLS front, beside Deno.serve with TLS of its own, in the same run: requests a
 * second of h2 and HTTP/1.1, and a file of 64 MiB; and a call through the direct surface beside the same in a bare route
 * of Hono on the same server. The clients are h2load and curl, the servers processes of their own.
 *
 * ```text
 * deno run -A tests/bench/http.ts [REQUESTS]
 * ```
 *
 * @module
 */
import { router } from "@alknet/core";
import { NodeKey } from "@alknet/core/identity";
import { Dispatcher, operation, provide, Registry } from "@alknet/handlers/call";
import { http, staticSite } from "@alknet/handlers/http";
import { runProgram, start } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import Type from "typebox";

const SIZE = 64 * 1024 * 1024;
const RATES = [
  { name: "h2 requests/s, 10 connections × 10 streams", options: ["-c", "10", "-m", "10"] },
  { name: "h2 requests/s, 1 connection × 100 streams", options: ["-c", "1", "-m", "100"] },
  { name: "HTTP/1.1 requests/s, 10 connections", options: ["--h1", "-c", "10"] },
];

const add = operation({
  name: "math/add",
  type: "query",
  input: Type.Object({ a: Type.Number(), b: Type.Number() }),
  output: Type.Number(),
});

/** Serves with the handler (`alknet`) or with Deno alone (`deno`); prints the port. */
async function serve(kind: string, folder: string): Promise<void> {
  if (kind === "alknet") {
    const dispatcher = new Dispatcher({ registry: new Registry([provide(add, ({ a, b }) => a + b)]) });
    const handler = http({
      decoy: staticSite({ root: folder }),
      dispatcher,
      routes(app) {
        app.get("/hono/add", (c) => c.json(Number(c.req.query("a")) + Number(c.req.query("b"))));
        app.post("/hono/add", async (c) => {
          const { a, b } = await c.req.json();
          return c.json(a + b);
        });
      },
    });
    const endpoint = await router().use(handler).listen({ transports: ["tls"] });
    console.log(endpoint.addresses[0].port);
    return;
  }
  const { certificate: cert, privateKey: key } = NodeKey.generate().certificate();
  const onListen = ({ port }: { port: number }) => console.log(port);
  Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen }, async ({ url }) => {
    if (!url.endsWith("/blob.bin")) return new Response("ok", { headers: { "content-type": "text/plain" } });
    const headers = { "content-length": `${SIZE}` };
    return new Response((await Deno.open(`${folder}/blob.bin`)).readable, { headers });
  });
}

async function requestsPerSecond(
  base: string,
  options: readonly string[],
  requests: string,
  path = "/healthz",
): Promise<number> {
  const { stdout } = await runProgram("h2load", ["-n", requests, ...options, base + path]);
  if (!/ 0 failed, 0 errored/.test(stdout)) throw new Error(stdout);
  return Number(/([\d.]+) req\/s/.exec(stdout)?.[1]);
}

async function megabytesPerSecond(base: string, version: string): Promise<number> {
  const args = ["-sSk", version, "-o", "/dev/null", "-w", "%{speed_download}", `${base}/blob.bin`];
  const { stdout } = await runProgram("curl", args);
  return Number(stdout) / 1e6;
}

/** Calls by GET and by POST through the direct surface, and through a bare route that does the same. */
async function directCalls(base: string, requests: string, folder: string): Promise<void> {
  const post = ["-d", `${folder}/input.json`, "-H", "content-type: application/json"];
  for (const { name, options } of RATES) {
    for (const [method, more, query] of [["GET", [], "?a=2&b=3"], ["POST", post, ""]] as const) {
      const rate = (path: string, count: string) => requestsPerSecond(base, [...options, ...more], count, path + query);
      for (const path of ["/math/add", "/hono/add"]) await rate(path, "2000");
      const [ours, peer] = [await rate("/math/add", requests), await rate("/hono/add", requests)];
      report(`direct surface, ${method}, ${name}`, ours, peer, "a bare route of Hono");
    }
  }
}

function report(name: string, ours: number, peer: number, beside = "Deno.serve with TLS"): void {
  const [a, b] = [ours, peer].map((figure) => Math.round(figure).toLocaleString("en"));
  console.log(`${name}: ${a}; ${beside} ${b}; ratio ${(ours / peer).toFixed(2)}`);
}

async function main(requests = "60000"): Promise<void> {
  await using folder = await temporaryFolder();
  await folder.write("blob.bin", new Uint8Array(SIZE));
  await folder.write("input.json", '{"a":2,"b":3}');
  const self = ["run", "-A", new URL(import.meta.url).pathname, "serve"];
  await using ours = start(Deno.execPath(), [...self, "alknet", folder.path]);
  await using peer = start(Deno.execPath(), [...self, "deno", folder.path]);
  const bases = [];
  for (const child of [ours, peer]) bases.push(`https://127.0.0.1:${await child.line(/^\d+$/)}`);
  for (const { name, options } of RATES) {
    // Once to warm up.
    for (const base of bases) await requestsPerSecond(base, options, "2000");
    const [a, b] = [
      await requestsPerSecond(bases[0], options, requests),
      await requestsPerSecond(bases[1], options, requests),
    ];
    report(name, a, b);
  }
  await directCalls(bases[0], requests, folder.path);
  for (const version of ["--http2", "--http1.1"]) {
    const [a, b] = [await megabytesPerSecond(bases[0], version), await megabytesPerSecond(bases[1], version)];
    report(`file of 64 MiB with curl ${version}, MB/s`, a, b);
  }
}

if (import.meta.main) {
  if (Deno.args[0] === "serve") await serve(Deno.args[1], Deno.args[2]);
  else await main(Deno.args[0]);
}

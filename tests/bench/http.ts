/**
 * The HTTP handler behind TLS beside `Deno.serve` with TLS of its own, and a call through the direct surface beside the
 * same in a bare route of Hono on the same server. The clients are h2load and curl.
 *
 * @module
 */
import { runProgram, start } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { compare, type Contestant, type Figure, type Group, script } from "./harness.ts";
import { h2Requests } from "./h2load.ts";

const SIZE = 64 * 1024 * 1024;

/** How clients connect. */
const CLIENTS = [
  { name: "h2, 10 connections × 10 streams", options: ["-c", "10", "-m", "10"] },
  { name: "h2, 1 connection × 100 streams", options: ["-c", "1", "-m", "100"] },
  { name: "HTTP/1.1, 10 connections", options: ["--h1", "-c", "10"] },
] as const;

/** Requests through the TLS front and the inner server, and a file. */
export const http: Group = {
  name: "http",
  async run(effort) {
    await using folder = await temporaryFolder();
    await folder.write("blob.bin", new Uint8Array(SIZE));
    await using ours = await serve("alknet", folder.path);
    await using deno = await serve("deno", folder.path);
    const bases = [ours.base, deno.base];
    const figures: Figure[] = [];
    const peerName = "Deno.serve with TLS";
    for (const { name, options } of CLIENTS) {
      const asking = bases.map((base) => h2Requests([...options, `${base}/healthz`]));
      const [ours, peer] = await compare(asking, { task: "requests" }, effort);
      figures.push({ name: `HTTP requests, ${name}`, unit: "/s", ours, peer, peerName });
    }
    for (const version of ["--http2", "--http1.1"]) {
      const loading = bases.map((base) => download(version, `${base}/blob.bin`));
      const [ours, peer] = await compare(loading, { task: "download" }, { ...effort, seconds: 0 });
      figures.push({ name: `HTTP file of 64 MiB, curl ${version}`, unit: "MB/s", ours, peer, peerName });
    }
    return figures;
  },
};

/** A call as a REST request. */
export const direct: Group = {
  name: "direct",
  async run(effort) {
    await using folder = await temporaryFolder();
    await folder.write("input.json", '{"a":2,"b":3}');
    await using server = await serve("alknet", folder.path);
    const post = ["-d", `${folder.path}/input.json`, "-H", "content-type: application/json"];
    const figures: Figure[] = [];
    for (const { name, options } of CLIENTS) {
      for (const [method, more, query] of [["GET", [], "?a=2&b=3"], ["POST", post, ""]] as const) {
        const paths = [`/math/add${query}`, `/hono/add${query}`];
        const asking = paths.map((path) => h2Requests([...options, ...more, server.base + path]));
        const [ours, peer] = await compare(asking, { task: "requests" }, effort);
        const what = {
          name: `REST call, ${method}, ${name}`,
          unit: "/s",
          ours,
          peer,
          peerName: "a bare route of Hono",
        };
        figures.push({ ...what, wanted: 0.8 });
      }
    }
    return figures;
  },
};

async function serve(kind: "alknet" | "deno", folder: string): Promise<AsyncDisposable & { readonly base: string }> {
  await using started = new AsyncDisposableStack();
  const server = started.use(start(Deno.execPath(), ["run", "-A", script("http_server.ts"), kind, folder]));
  const { port } = await server.json<{ port: number }>();
  const running = started.move();
  return { base: `https://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Megabytes a second of curl. */
function download(version: string, url: string): Contestant {
  const args = ["-sSk", version, "-o", "/dev/null", "-w", "%{speed_download} %{size_download}", url];
  return asking(async () => {
    const [speed, size] = (await runProgram("curl", args)).stdout.split(" ").map(Number);
    if (size !== SIZE) throw new Error(`${url} gave ${size} bytes`);
    return speed / 1e6;
  });
}

function asking(measure: (seconds: number) => Promise<number>): Contestant {
  return { measure: (_task, seconds) => measure(seconds), [Symbol.asyncDispose]: () => Promise.resolve() };
}

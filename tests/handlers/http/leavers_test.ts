import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import { router } from "@alknet/core";
import { http } from "@alknet/handlers/http";
import { needs } from "../../support/programs.ts";
import { OPEN_LIMITS } from "./fronts.ts";
import { openFiles, plainFront, until } from "./support.ts";

/** A client that can leave without a word. */
interface Leaver {
  write(bytes: Uint8Array): Promise<void>;
  /** Waits for some bytes of a response. */
  read(): Promise<void>;
  leave(): void | Promise<void>;
}

type Handler = ReturnType<typeof http>;

interface Carrier extends AsyncDisposable {
  join(): Promise<Leaver>;
}

interface CarrierKind {
  readonly name: string;
  readonly clients: number;
  serve(handler: Handler): Promise<Carrier> | Carrier;
}

const ascii = (text: string) => new TextEncoder().encode(text);
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/** What a client does before it leaves. */
const MOMENTS: Record<string, (client: Leaver) => Promise<void>> = {
  "after connecting": () => Promise.resolve(),
  "in the middle of the headers": (client) => client.write(ascii("GET /healthz HTTP/1.1\r\nHo")),
  "in the middle of the body": (client) =>
    client.write(ascii("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\nx")),
  "in the middle of a response": async (client) => {
    await client.write(ascii("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n"));
    await client.read();
  },
  "before a response": (client) => client.write(ascii("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")),
  "in the middle of an h2 frame": (client) => client.write(ascii(`${PREFACE}\0\0\x20\x01\x05\0\0\0\x01\x82`)),
  "in the middle of the h2 preface": (client) => client.write(ascii(PREFACE.slice(0, 10))),
};

const CARRIERS: CarrierKind[] = [
  { name: "a pair in memory", clients: 3000, serve: serveMemory },
  { name: "TLS", clients: 1000, serve: serveTls },
  { name: "QUIC", clients: 3000, serve: serveQuic },
];
const AT_ONCE = 50;

for (const { name, clients, serve } of CARRIERS) {
  Deno.test({
    name: `http over ${name}: ${clients} clients that leave at any moment cost only themselves`,
    ...needs("linux"),
    async fn() {
      const site = endless();
      await using carrier = await serve(site.handler);
      await askProperly(carrier);
      const files = openFiles();
      const moments = Object.values(MOMENTS);
      let next = 0;
      const leaving = Promise.all(Array.from({ length: AT_ONCE }, async () => {
        while (next < clients) {
          const moment = moments[next++ % moments.length];
          const client = await carrier.join();
          // Whoever is served may be gone before it has said everything.
          await moment(client).catch(() => {});
          await client.leave();
        }
      }));
      let left = false;
      leaving.then(() => left = true, () => left = true);
      await until(() => left, `all ${clients} clients have left; ${next} had come`);
      await leaving;
      await askProperly(carrier);
      assert.ok(site.begun() >= Math.floor(clients / moments.length), `only ${site.begun()} responses began`);
      await until(() => site.running() === 0, "every response ended");
      await until(() => openFiles() <= files, `open files are back to ${files}; there are ${openFiles()}`);
    },
  });
}

/** A handler with a response that never ends by itself, how many of those began, and how many run. */
function endless(): { handler: Handler; begun(): number; running(): number } {
  let begun = 0;
  let running = 0;
  const handler = http({
    routes(app) {
      app.get("/endless", () => {
        begun++;
        running++;
        const body = new ReadableStream<Uint8Array>({
          pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
          cancel: () => void running--,
        });
        return new Response(body);
      });
    },
  });
  return { handler, begun: () => begun, running: () => running };
}

async function askProperly(carrier: Carrier): Promise<void> {
  const client = await carrier.join();
  await client.write(ascii("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  await client.read();
  await client.leave();
}

function serveMemory(handler: Handler): Carrier {
  const front = plainFront(handler);
  return {
    async join() {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
      return {
        write: async (bytes) => void await socket.write(bytes),
        read: async () => assert.ok(await socket.read(new Uint8Array(1000))),
        leave: () => socket.close(),
      };
    },
    [Symbol.asyncDispose]: () => front[Symbol.asyncDispose](),
  };
}

async function serveTls(handler: Handler): Promise<Carrier> {
  const endpoint = await router().use(handler).listen({ transports: ["tls"], limits: OPEN_LIMITS });
  const [{ port }] = endpoint.addresses;
  return {
    join: () =>
      new Promise<Leaver>((resolve, reject) => {
        const options = { host: "127.0.0.1", port, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false };
        const socket = connectTls(options, () => {
          const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
          socket.off("error", reject);
          socket.on("error", () => {});
          resolve({
            write: (bytes) =>
              new Promise((done, failed) => socket.write(bytes, (error) => error ? failed(error) : done())),
            read: () => new Promise((done) => socket.once("data", () => done())),
            leave: () => {
              socket.destroy();
              return closed;
            },
          });
        });
        socket.once("error", reject);
      }),
    [Symbol.asyncDispose]: () => endpoint.shutdown(),
  };
}

async function serveQuic(handler: Handler): Promise<Carrier> {
  const options = { transports: ["quic"], limits: OPEN_LIMITS, quic: { engine: "in-process" } } as const;
  const endpoint = await router().use(handler).listen(options);
  const [{ hostname, port }] = endpoint.addresses;
  const connection = await endpoint.connect(`${endpoint.nodeId}@${hostname}:${port}`, "alknet/http", {
    transport: "quic",
  });
  return {
    async join() {
      const stream = await connection.open();
      const writer = stream.writable.getWriter();
      const reader = stream.readable.getReader();
      writer.closed.catch(() => {});
      reader.closed.catch(() => {});
      return {
        write: (bytes) => writer.write(bytes),
        read: async () => assert.ok((await reader.read()).value),
        leave: () => {
          stream.reset(1);
          stream.stop(1);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      connection.close();
      await endpoint.shutdown();
    },
  };
}

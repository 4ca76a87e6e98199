/**
 * `@grpc/grpc-js` with TLS on Node, both sides, with messages of bytes: no time of the peer goes to a schema.
 *
 * node peer_grpc.mjs server CERT KEY        prints its port
 * node peer_grpc.mjs client CERT FACTS      does tasks, one JSON object a line
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [role, certificate, last] = process.argv.slice(2);
const grpc = createRequire(`${process.cwd()}/`)("@grpc/grpc-js");
const same = (bytes) => bytes;
const method = (path, responseStream) => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const SERVICE = { echo: method("/bench/echo", false), events: method("/bench/events", true) };
const MESSAGE = Buffer.alloc(64, "x");

if (role === "server") {
  const server = new grpc.Server();
  server.addService(SERVICE, {
    echo: (call, done) => done(null, call.request),
    events(call) {
      const pump = () => {
        while (!call.cancelled && call.write(call.request));
      };
      call.on("drain", pump);
      pump();
    },
  });
  const pair = { cert_chain: readFileSync(certificate), private_key: readFileSync(last) };
  const credentials = grpc.ServerCredentials.createSsl(null, [pair]);
  server.bindAsync("127.0.0.1:0", credentials, (_error, port) => console.log(JSON.stringify({ port })));
} else {
  const Client = grpc.makeGenericClientConstructor(SERVICE, "bench");
  const credentials = grpc.credentials.createSsl(readFileSync(certificate));
  const client = new Client(`localhost:${JSON.parse(last).port}`, credentials);
  const echo = () =>
    new Promise((resolve, reject) => client.echo(MESSAGE, (e, answer) => e ? reject(e) : resolve(answer)));
  const tasks = {
    async unary(end, atATime) {
      let count = 0;
      await Promise.all(Array.from({ length: atATime }, async () => {
        for (; performance.now() < end; count++) await echo();
      }));
      return count;
    },
    async events(end) {
      let count = 0;
      const call = client.events(MESSAGE);
      call.on("error", () => {});
      for await (const _ of call) {
        if ((++count & 63) === 0 && performance.now() >= end) break;
      }
      call.cancel();
      return count;
    },
  };
  for await (const line of createInterface(process.stdin)) {
    const { task, seconds, atATime = 1 } = JSON.parse(line);
    const start = performance.now();
    const count = await tasks[task](start + seconds * 1000, atATime);
    console.log(JSON.stringify({ value: count / ((performance.now() - start) / 1000) }));
  }
  process.exit();
}

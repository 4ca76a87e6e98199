/**
 * Asks a server over TLS for names, so many at a time on each of some connections; the first argument is its port, the
 * second a zone, if it is not that of the forwarded names. Answers are counted, not read: what is measured is the server.
 *
 * @module
 */
import { encodeMessage, parseName, plainQuery } from "@alknet/handlers/dns";
import { Buffer } from "node:buffer";
import { connect, type TLSSocket } from "node:tls";
import { serveTasks } from "../client_tasks.ts";

/** Names that are asked for, again and again. */
const NAMES = 1000;
const CONNECTIONS = 4;
/** Questions on a connection without an answer. */
const IN_FLIGHT = 25;
const NO_ERROR = 0;

const [port, zone = "forwarded.example"] = [Number(Deno.args[0]), Deno.args[1]];
const queries = Array.from({ length: NAMES }, (_, n) => {
  const bytes = encodeMessage(plainQuery({ name: parseName(`n${n}.${zone}.`), type: 1, class: 1 }));
  return Buffer.from([bytes.byteLength >>> 8, bytes.byteLength & 0xff, ...bytes]);
});
let next = 0;

/** Some questions as one piece. */
function questions(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => queries[next++ % NAMES]));
}

/** Asks on one connection until a time; gives how many answers came. */
async function load(until: number): Promise<number> {
  const socket: TLSSocket = connect({ port, host: "127.0.0.1", ALPNProtocols: ["dot"], rejectUnauthorized: false });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let count = 0;
  let rest: Buffer = Buffer.alloc(0);
  socket.on("error", reject);
  socket.on("close", () => resolve(count));
  socket.once("secureConnect", () => socket.write(questions(IN_FLIGHT)));
  socket.on("data", (part: Buffer) => {
    const bytes = rest.byteLength === 0 ? part : Buffer.concat([rest, part]);
    let at = 0;
    let answers = 0;
    while (bytes.byteLength - at >= 2 && bytes.byteLength - at >= 2 + bytes.readUInt16BE(at)) {
      const rcode = bytes[at + 5] & 0xf;
      if (rcode !== NO_ERROR) return reject(new Error(`an answer has code ${rcode}`));
      at += 2 + bytes.readUInt16BE(at);
      answers++;
    }
    rest = bytes.subarray(at);
    count += answers;
    if (performance.now() >= until) socket.destroy();
    else if (answers > 0) socket.write(questions(answers));
  });
  return await promise;
}

await serveTasks({
  async questions(seconds) {
    const began = performance.now();
    const until = began + Math.max(0.2, seconds) * 1000;
    const counts = await Promise.all(Array.from({ length: CONNECTIONS }, () => load(until)));
    return counts.reduce((sum, count) => sum + count, 0) / (performance.now() - began) * 1000;
  },
});
Deno.exit();

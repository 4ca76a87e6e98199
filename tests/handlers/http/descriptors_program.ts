/**
 * A program that runs out of descriptors while it serves HTTP, and has some again. It prints how requests were answered
 * before, without, and after; 0 is no answer.
 *
 * @module
 */
import { http } from "@alknet/handlers/http";
import { memoryPair } from "@alknet/core/handler";
import { contextOf } from "../context.ts";

const shutdown = new AbortController();
const handler = http();

console.log("before", await ask());
const taken: Deno.FsFile[] = [];
// One for the socket of the conversation, none for the server to accept it with.
try {
  while (taken.length < 10_000) taken.push(await Deno.open("/dev/null"));
} catch { /* that is all of them */ }
taken.pop()?.close();
console.log("without", await ask());
for (const file of taken) file.close();
console.log("after", await ask());
shutdown.abort();
Deno.exit(0);

/** Asks over a connection of its own; gives the status, or 0 where the conversation was cut. */
async function ask(): Promise<number> {
  const [client, server] = memoryPair("alknet/http");
  handler.handle(server, contextOf(shutdown.signal));
  const { readable, writable } = await client.open();
  try {
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    const { value } = await Promise.race([
      readable.getReader().read(),
      new Promise<{ value: undefined }>((resolve) => setTimeout(() => resolve({ value: undefined }), 3000)),
    ]);
    return value ? Number(new TextDecoder().decode(value).split(" ")[1]) : 0;
  } catch {
    return 0;
  } finally {
    client.close();
  }
}

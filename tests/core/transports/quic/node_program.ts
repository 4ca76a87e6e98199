/**
 * A node of its own, for tests of what is left when it ends: says where it listens, then obeys lines of its standard input.
 *
 * @module
 */
import { router } from "../../../../core/endpoint/router.ts";
import { defineHandler } from "../../../../core/handler/handler.ts";
import { NodeKey } from "../../../../core/identity/node_key.ts";

if (import.meta.main) {
  const key = NodeKey.generate();
  const endpoint = await router().use(defineHandler({ alpns: ["test/suite"], handle: () => {} })).listen({
    key,
    transports: ["quic"],
    // So long that only the end of the node can end a hanging engine.
    quic: { module: import.meta.resolve("./broken_engine.ts"), hangTimeout: 600_000 },
  });
  console.log(JSON.stringify({ port: endpoint.addresses[0].port, key: key.toPem() }));
  for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    if (line.startsWith("throw")) {
      queueMicrotask(() => {
        throw new Error("uncaught on purpose");
      });
    }
    if (line.startsWith("shutdown")) await endpoint.shutdown({ drain: 0 });
  }
}

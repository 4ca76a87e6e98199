import assert from "node:assert/strict";
import { defineHandler, router } from "../../../core/mod.ts";
import { ask, ROOMY, TRANSPORTS } from "./support.ts";

const echo = defineHandler({
  alpns: ["test/echo"] as const,
  async handle(connection) {
    for await (const { readable, writable } of connection) await readable.pipeTo(writable).catch(() => {});
  },
});

for (const engine of ["process", "in-process"] as const) {
  Deno.test({
    name: `an endpoint on every address answers from the one that was dialled (engine: ${engine})`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using endpoint = await router().use(echo).listen({ listen: "[::]:0", limits: ROOMY, quic: { engine } });
      const [{ port }] = endpoint.addresses;
      for (const host of ["127.0.0.1", "127.0.0.2", "127.9.8.7", "[::1]"]) {
        for (const transport of TRANSPORTS) {
          const address = `${endpoint.nodeId}@${host}:${port}`;
          await using connection = await endpoint.connect(address, "test/echo", { transport });
          assert.equal(await ask(await connection.open(), "hello"), "hello", `${host} over ${transport}`);
        }
      }
    },
  });
}

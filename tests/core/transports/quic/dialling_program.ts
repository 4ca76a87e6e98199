/**
 * A program of its own, for tests of systems that refuse it something: `serve` dials a node of its own over QUIC.
 *
 * @module
 */
import { router } from "../../../../core/endpoint/router.ts";
import { defineHandler } from "../../../../core/handler/handler.ts";

const endpoint = () =>
  router().use(defineHandler({ alpns: ["test/suite"], handle: async ({ closed }) => void await closed })).listen({});

const PROGRAMS: Readonly<Record<string, () => Promise<string>>> = {
  async serve() {
    await using node = await endpoint();
    const [{ hostname, port }] = node.addresses;
    const connection = await node.connect(`${node.nodeId}@${hostname}:${port}`, "test/suite", { transport: "quic" });
    connection.close();
    await connection.closed;
    return connection.transport;
  },
};

if (import.meta.main) console.log(await PROGRAMS[Deno.args[0]]());

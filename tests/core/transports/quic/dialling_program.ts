/**
 * A program of its own, for tests of systems that refuse it something: `serve` dials a node of its own over QUIC,
 * `families` tries its IPv6 address first.
 *
 * @module
 */
import { firstToConnect } from "../../../../core/endpoint/happy_eyeballs.ts";
import { router } from "../../../../core/endpoint/router.ts";
import { defineHandler } from "../../../../core/handler/handler.ts";
import { DEFAULT_LIMITS } from "../../../../core/limits/limits.ts";
import { dialQuic } from "../../../../core/transports/quic/dialling/dial.ts";

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
  async families() {
    await using node = await endpoint();
    const [{ port }] = node.addresses;
    const expectation = { kind: "fingerprints", fingerprints: [node.fingerprint] } as const;
    const request = { serverName: `${node.nodeId}.alknet`, alpn: "test/suite", expectation, limits: DEFAULT_LIMITS };
    const failed: string[] = [];
    const attempt = (hostname: string, signal: AbortSignal) => {
      const dial = dialQuic({ ...request, address: { hostname, port }, signal });
      dial.catch((error) => failed.push(`${hostname} ${error.code}`));
      return dial;
    };
    const connection = await firstToConnect(["::1", "127.0.0.1"], attempt, new AbortController().signal);
    const { hostname } = connection.remoteAddress;
    connection.close();
    await connection.closed;
    return `${failed.join()}, ${hostname}`;
  },
};

if (import.meta.main) console.log(await PROGRAMS[Deno.args[0]]());

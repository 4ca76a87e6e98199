import { connectionSuite } from "../../../../suites/connection_suite.ts";
import { quicServer, VARIANTS } from "../support.ts";

for (const { name, ...quic } of VARIANTS) {
  connectionSuite(name, async (alpn) => {
    const server = await quicServer({ alpns: [alpn], quic });
    const [client, accepted] = await server.pair();
    return {
      client,
      server: accepted,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  }, { multiStream: true, codes: true });
}

import { connectionSuite } from "../../../suites/connection_suite.ts";
import { tlsServer } from "./support.ts";

connectionSuite("TLS", async (alpn) => {
  const server = await tlsServer({ alpns: [alpn] });
  const client = await server.dial({ alpn });
  return {
    client,
    server: await server.next(),
    [Symbol.asyncDispose]: async () => {
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}, { multiStream: false, codes: false });

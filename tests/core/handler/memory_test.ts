import { memoryPair } from "../../../core/handler/memory.ts";
import { connectionSuite } from "../../suites/connection_suite.ts";

for (const singleStream of [false, true]) {
  connectionSuite(`memoryPair, ${singleStream ? "single stream" : "many streams"}`, (alpn) => {
    const [client, server] = memoryPair(alpn, { singleStream });
    return Promise.resolve({
      client,
      server,
      [Symbol.asyncDispose]: () => {
        client.close();
        return Promise.resolve();
      },
    });
  }, { multiStream: !singleStream, codes: !singleStream });
}

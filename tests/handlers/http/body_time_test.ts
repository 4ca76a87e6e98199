import assert from "node:assert/strict";
import { testApi } from "./operations.ts";
import { parseAnswer, plainFront, rawExchange } from "./support.ts";

for (const framing of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
  for (const path of ["/call", "/batch", "/subscribe", "/math/add"]) {
    Deno.test(`POST ${path}: a body that never ends (${framing}) is answered 408, and its connection closed`, async () => {
      const handler = testApi({ limits: { bodyTime: 50, idle: 500 } });
      await using front = plainFront(handler, { alpn: "alknet/http", singleStream: false });
      const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`;
      const answer = await rawExchange(front.port, head + (framing.startsWith("C") ? "{" : "1\r\n{\r\n"));
      const { status, headers, body } = parseAnswer(answer);
      assert.equal(status, 408, answer);
      assert.equal(headers.connection, "close");
      assert.match(body, /INVALID_INPUT.*50 ms/);
    });
  }
}

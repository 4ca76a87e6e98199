import assert from "node:assert/strict";
import { findProgram, needs } from "../../support/programs.ts";
import { start } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { WAYS } from "./fronts.ts";
import { testApi, Tokens, WRITER } from "./operations.ts";

const TOKEN = new TextEncoder().encode(WRITER).toBase64({ alphabet: "base64url", omitPadding: true });

/** Reads a subscription, then makes a call over a WebSocket, and reports both. */
const PAGE = `<!doctype html><title>test</title><script>
const report = { values: [] };
const events = new EventSource("/subscribe?operation=stream/count&input=" + encodeURIComponent('{"to":3}'));
events.onmessage = ({ data }) => report.values.push(JSON.parse(data).n);
events.addEventListener("end", () => report.values.push("end"));
// Open again after the end, the browser is sent away, and stays away.
events.onerror = () => {
  if (events.readyState !== EventSource.CLOSED) return;
  const socket = new WebSocket("wss://" + location.host + "/alknet/call", ["alknet.call", "alknet.bearer.${TOKEN}"]);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    report.protocol = socket.protocol;
    const payload = { operationId: "/notes/create", input: { title: "abc" } };
    socket.send(new TextEncoder().encode(JSON.stringify({ type: "call.requested", id: "1", payload })));
  };
  socket.onmessage = ({ data }) => {
    report.answer = JSON.parse(new TextDecoder().decode(data));
    socket.onclose = () => fetch("/report", { method: "POST", body: JSON.stringify(report) });
    socket.close();
  };
};
</script>`;

for (const way of WAYS.filter(({ name }) => name.endsWith("over TLS") && !name.startsWith("alknet/http"))) {
  Deno.test({
    name:
      `${way.name}: Chromium reads an EventSource to its end, once, and calls over a WebSocket (http.md §15 rows 53, 55)`,
    ...needs("chromium"),
    async fn() {
      const reported = Promise.withResolvers<unknown>();
      const handler = testApi({
        routes(app) {
          app.get("/page", (c) => c.html(PAGE));
          app.post("/report", async (c) => {
            reported.resolve(await c.req.json());
            return c.body(null, 204);
          });
        },
      });
      await using folder = await temporaryFolder();
      await using served = await way.serve(handler, new Tokens());
      await using _browser = start(findProgram("chromium")!, [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        ...(way.version === "1.1" ? ["--disable-http2"] : []),
        "--ignore-certificate-errors",
        `--user-data-dir=${folder.path}`,
        "--remote-debugging-port=0",
        `${served.base}/page`,
      ]);
      // A guard against hanging, not a measurement.
      const guard = setTimeout(() => reported.reject(new Error("Chromium reports nothing")), 30_000);
      assert.deepEqual(await reported.promise.finally(() => clearTimeout(guard)), {
        values: [1, 2, 3, "end"],
        protocol: "alknet.call",
        answer: { type: "call.responded", id: "1", payload: { output: { noteId: "n-3" } } },
      });
    },
  });
}

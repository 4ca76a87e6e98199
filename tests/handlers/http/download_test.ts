import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { http, staticSite } from "@alknet/handlers/http";
import { needs } from "../../support/programs.ts";
import { runProgram } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { WAYS } from "./fronts.ts";
import { until } from "./support.ts";

const SIZE = 64 * 1024 * 1024;
/** What the kernel, the windows and curl itself may hold of a response that nobody reads; far below an endless one. */
const HELD = 48 * 1024 * 1024;

for (const way of WAYS) {
  Deno.test({
    name: `${way.name}: a file of 64 MiB arrives whole (core.md §18 row 18)`,
    ...needs("curl"),
    async fn() {
      await using folder = await temporaryFolder();
      const bytes = new Uint32Array(SIZE / 4).map((_, i) => Math.imul(i, 2654435761));
      const file = await folder.write("blob.bin", new Uint8Array(bytes.buffer));
      await using served = await way.serve(http({ decoy: staticSite({ root: folder.path }) }));
      const got = `${file}.got`;
      const { code, stderr } = await runProgram("curl", [...way.curl, "-sS", "-o", got, `${served.base}/blob.bin`]);
      assert.equal(code, 0, stderr);
      assert.equal(digest(await Deno.readFile(got)), digest(new Uint8Array(bytes.buffer)));
    },
  });

  Deno.test({
    name: `${way.name}: a client that does not read holds a bounded part of a response (core.md §18 row 20)`,
    ...needs("curl"),
    async fn() {
      let produced = 0;
      let ended = false;
      const handler = http({
        routes(app) {
          app.get("/endless", () =>
            new Response(
              new ReadableStream<Uint8Array>({
                pull(controller) {
                  controller.enqueue(new Uint8Array(65_536));
                  produced += 65_536;
                },
                cancel: () => void (ended = true),
              }, { highWaterMark: 0 }),
            ));
        },
      });
      await using served = await way.serve(handler);
      // Nobody reads its output: curl blocks once the pipe is full, and then reads no more.
      const child = new Deno.Command("curl", {
        args: [...way.curl, "-sS", "-o", "-", `${served.base}/endless`],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      let seen = 0;
      let quietSince = performance.now();
      await until(() => {
        if (produced !== seen || produced === 0) quietSince = performance.now();
        seen = produced;
        return produced > 4 * HELD || performance.now() - quietSince > 300;
      }, "the response stands still");
      assert.ok(produced <= HELD, `${produced} bytes were produced for a client that reads none`);
      child.kill("SIGKILL");
      await child.stdout.cancel();
      await child.status;
      await until(() => ended, "the response is given up");
    },
  });
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

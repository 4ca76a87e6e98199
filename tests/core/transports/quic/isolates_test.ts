/**
 * Several isolates of one process: one of them has the native binding, the others dial over TCP, and none crashes.
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { prepareDial } from "../../../../core/endpoint/dial.ts";
import type { Endpoint } from "../../../../core/endpoint/endpoint.ts";
import { router } from "../../../../core/endpoint/router.ts";
import type { Connection } from "../../../../core/handler/connection.ts";
import { defineHandler } from "../../../../core/handler/handler.ts";
import { runProgram } from "../../../support/process.ts";
import { ROOT } from "../../../support/python.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { addressOf } from "../../endpoint/support.ts";
import { ALPN, DiallingWorker } from "./dialling_worker.ts";

const WORKERS = 6;

await prepareDial("quic");

Deno.test("quic: where one isolate has the engine, a worker is refused with a reason, and dials over TCP", async () => {
  await using endpoint = await listen();
  const address = addressOf(endpoint);
  using worker = new DiallingWorker();
  const { code, message } = await worker.dial({ address, transport: "quic" });
  equal(code, "NO_TRANSPORT", message);
  match(message!, /another worker or isolate of this process/);
  equal((await worker.dial({ address, transport: "auto" })).transport, "tls");
});

Deno.test("quic: many workers that dial at once leave the process alive", async () => {
  await using endpoint = await listen();
  const address = addressOf(endpoint);
  const carried = await Promise.all(Array.from({ length: WORKERS }, async () => {
    using worker = new DiallingWorker();
    return (await worker.dial({ address, transport: "auto" })).transport;
  }));
  equal(carried.join(), "tls,".repeat(WORKERS).slice(0, -1));
});

Deno.test("quic: of workers beside an isolate without the engine one has it, and after its end another", async () => {
  await using endpoint = await listen();
  await using folder = await temporaryFolder();
  const module = JSON.stringify(`${ROOT}tests/core/transports/quic/dialling_worker.ts`);
  const program = await folder.write(
    "main.ts",
    `import { DiallingWorker } from ${module};
    const task = { address: ${JSON.stringify(addressOf(endpoint))}, transport: "quic" } as const;
    for (let round = 0; round < 3; round++) {
      using one = new DiallingWorker();
      using other = new DiallingWorker();
      const first = await one.dial(task);
      const [second, third] = [await other.dial(task), await one.dial(task)];
      console.log(first.transport, second.code, third.transport);
    }`,
  );
  const config = ["--config", `${ROOT}deno.json`];
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), ["run", "-A", "--no-check", ...config, program]);
  equal(code, 0, stderr);
  equal(stdout, "quic NO_TRANSPORT quic\n".repeat(3));
});

Deno.test("quic: test files that dial live through deno test --parallel", async () => {
  await using endpoint = await listen();
  await using folder = await temporaryFolder();
  const dial = JSON.stringify(`${ROOT}core/endpoint/dial.ts`);
  for (let file = 0; file < 4; file++) {
    await folder.write(
      `dial_${file}_test.ts`,
      `import { connect, prepareDial } from ${dial};
      await prepareDial();
      for (let test = 0; test < 5; test++) {
        Deno.test("dial " + test, async () => {
          await using connection = await connect(${JSON.stringify(addressOf(endpoint))}, "${ALPN}");
          await connection.open();
        });
      }`,
    );
  }
  const args = ["test", "-A", "--no-check", "--parallel", "--config", `${ROOT}deno.json`, folder.path];
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), args, { env: { NO_COLOR: "1" } });
  equal(code, 0, stdout + stderr);
  match(stdout, /\| 20 passed \| 0 failed/);
});

function listen(): Promise<Endpoint> {
  // It says farewell to who does: else a dialler over TCP waits for that.
  const handle = async (connection: Connection): Promise<void> => {
    for await (const { readable, writable } of connection) await readable.pipeTo(writable);
  };
  return router().use(defineHandler({ alpns: [ALPN], handle })).listen({ listen: "127.0.0.1:0" });
}

/**
 * How an engine process is started, watched and ended, where the machine or the node makes it hard.
 *
 * @module
 */
import assert from "node:assert/strict";
import { router } from "../../../../../core/endpoint/router.ts";
import type { AlknetError } from "../../../../../core/errors.ts";
import { defineHandler } from "../../../../../core/handler/handler.ts";
import { EngineProcess } from "../../../../../core/transports/quic/process/engine_process.ts";
import { loadQuiche } from "../../../../../core/transports/quic/engine/binding.ts";
import { keepLogs } from "../../../../support/logs.ts";
import { childrenOf } from "../../../../support/proc.ts";
import { runProgram } from "../../../../support/process.ts";
import { needs } from "../../../../support/programs.ts";
import { PYTHON, ROOT } from "../../../../support/python.ts";
import { temporaryFolder } from "../../../../support/temp.ts";
import { IN_HAND, OWN_END } from "../lively_engine.ts";
import { commandLine, until } from "../processes.ts";
import { quicServer } from "../support.ts";

const LIVELY = import.meta.resolve("../lively_engine.ts");
const PROGRAM = new URL("../dialling_program.ts", import.meta.url).pathname;
/** Less than half of the time that a lively engine lives. */
const SILENCE = 2000;

await loadQuiche();

for (const how of ["frames", "turns"]) {
  Deno.test({
    name: `Supervisor: an engine gives a sign of life by ${how} alone, whatever else waits in the pipe`,
    ...needs("linux"),
    async fn() {
      await using logs = await keepLogs();
      await using _server = await quicServer({ quic: { module: `${LIVELY}?${how}`, hangTimeout: SILENCE } });
      await until("the engine ends", () => logs.lines.some((line) => line.includes("its connections are lost")));
      assert.ok(logs.lines.some((line) => line.includes(`exit code ${OWN_END}`)), logs.lines.join("\n"));
      assert.ok(!logs.lines.some((line) => line.includes("hangs")), logs.lines.join("\n"));
    },
  });
}

Deno.test({
  name: "Supervisor: an engine that stands still is killed, and whose packet it had in hand is refused",
  ...needs("linux"),
  async fn() {
    await using logs = await keepLogs();
    await using server = await quicServer({ quic: { module: `${LIVELY}?nothing`, hangTimeout: SILENCE } });
    await until("somebody is banned", () => server.gate.refused.has("banned"));
    assert.ok(logs.lines.some((line) => line.includes("hangs")));
    assert.ok(logs.lines.some((line) => line.includes("SIGKILL")), logs.lines.join("\n"));
    assert.ok(logs.lines.some((line) => line.includes(IN_HAND)));
  },
});

Deno.test({
  name: "Supervisor: what the node itself cannot do with a frame is logged, and nobody is refused for it",
  ...needs("linux"),
  async fn() {
    await using logs = await keepLogs();
    await using server = await quicServer({ quic: { module: `${LIVELY}?nonsense`, hangTimeout: 600_000 } });
    await until("the engine ends", () => logs.lines.some((line) => line.includes("its connections are lost")));
    const line = logs.lines.find((line) => line.includes("its connections are lost"))!;
    assert.match(line, /SyntaxError/);
    assert.equal(server.gate.refused.get("banned"), undefined);
  },
});

Deno.test({
  name: "Endpoint: what its engines close for abuse is one line an address and minute (core.md §13)",
  ...needs("linux"),
  async fn() {
    await using logs = await keepLogs();
    const quiet = router().use(defineHandler({ alpns: ["test/suite"], handle: () => {} }));
    const quic = { module: `${LIVELY}?refusals`, hangTimeout: 600_000 };
    await using _endpoint = await quiet.listen({ transports: ["quic"], quic });
    await until("the engine ends", () => logs.lines.some((line) => line.includes("its connections are lost")));
    const lines = logs.lines.filter((line) => line.includes(`"src":"${IN_HAND}"`));
    assert.deepEqual([lines.length, lines[0].includes("crypto-data")], [1, true], lines.join("\n"));
  },
});

Deno.test({
  name: "EngineProcess: engines that cannot be started leave no descriptor, no mapping and no folder",
  ...needs("linux"),
  async fn() {
    await using folder = await temporaryFolder();
    const before = [memfds(), mappings()];
    await inFolder(folder.path, async () => {
      for (let i = 0; i < 20; i++) {
        await assert.rejects(
          EngineProcess.start({} as never, [folder.join("nothing")], {} as never),
          (error: AlknetError) => error.code === "ENGINE_LOST" && error.message.includes("nothing"),
        );
      }
    });
    assert.deepEqual([memfds(), mappings()], before);
    assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  },
});

Deno.test({
  name: "EngineProcess: a running engine has nothing on a disk that could be full",
  ...needs("linux"),
  async fn() {
    await using folder = await temporaryFolder();
    await inFolder(folder.path, async () => {
      await using _server = await quicServer({ quic: { engine: "process" } });
      const engine = childrenOf(Deno.pid).find((pid) => commandLine(pid).includes("alknet-engine-"))!;
      assert.ok(!Deno.readTextFileSync(`/proc/${engine}/maps`).includes("alknet-engine-"));
      assert.deepEqual([...Deno.readDirSync(folder.path)], []);
    });
  },
});

Deno.test({
  name: "Endpoint: without a folder for temporary files TLS is served alone, and QUIC alone says what is missing",
  ...needs("linux"),
  async fn() {
    await using logs = await keepLogs();
    await using folder = await temporaryFolder();
    await inFolder(folder.join("missing"), async () => {
      const quiet = router().use(defineHandler({ alpns: ["test/suite"], handle: () => {} }));
      await using endpoint = await quiet.listen({});
      assert.deepEqual(endpoint.transports, ["tls"]);
      assert.ok(logs.lines.some((line) => line.includes("TMPDIR")), logs.lines.join("\n"));
      await assert.rejects(
        quiet.listen({ transports: ["quic"] }),
        (error: AlknetError) => error.code === "NO_TRANSPORT" && error.message.includes("TMPDIR"),
      );
    });
  },
});

for (const errno of [1, 38]) {
  Deno.test({
    name: `Endpoint: where the system refuses memory without a name (errno ${errno}) QUIC is served all the same`,
    ...needs("linux", "python"),
    ignore: Deno.build.arch !== "x86_64",
    async fn() {
      const command = [`${ROOT}tests/peers/deny.py`, "memfd_create", String(errno), Deno.execPath()];
      const { code, stdout, stderr } = await runProgram(PYTHON, [...command, "run", "-A", "--quiet", PROGRAM, "serve"]);
      assert.deepEqual([code, stdout], [0, "quic\n"], stderr);
    },
  });
}

function memfds(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).includes("memfd:alknet-engine");
    } catch {
      return false;
    }
  }).length;
}

function mappings(): number {
  return Deno.readTextFileSync("/proc/self/maps").split("memfd:alknet-engine").length;
}

/** Runs something with another folder for temporary files. */
async function inFolder(path: string, action: () => Promise<void>): Promise<void> {
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", path);
  try {
    await action();
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
  }
}

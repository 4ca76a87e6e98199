/**
 * `alknet dial`, from its start to the first byte that comes back, beside `openssl s_client`. What it takes is the
 * start of a runtime and the loading of modules: the handshake is the least of it.
 *
 * @module
 */
import { runAlknet, start } from "../support/process.ts";
import { findProgram } from "../support/programs.ts";
import { ROOT } from "../support/python.ts";
import { temporaryFolder } from "../support/temp.ts";
import { type Figure, type Group, median, script } from "./harness.ts";
import { ECHO_ALPN } from "./protocols.ts";

/** A run takes a fraction of a second, so there can be more of them. */
const RUNS_A_ROUND = 2;

/** Over both transports. */
export const dialStart: Group = {
  name: "dial",
  async run({ rounds }) {
    await using folder = await temporaryFolder();
    const home = folder.join("home");
    await runAlknet(["init", "--no-passphrase", "--home", home]);
    await using node = start(Deno.execPath(), ["run", "-A", script("node_server.ts")]);
    const { address } = await node.json<{ address: string }>();
    const dial = (transport: string): string[] => {
      const command = [Deno.execPath(), "run", "-A", `${ROOT}cli/main.ts`, "dial", "--home", home];
      return [...command, "--transport", transport, ECHO_ALPN, address];
    };
    const commands = [dial("quic"), dial("tls")];
    const openssl = findProgram("openssl");
    if (openssl) commands.push(sClient(openssl, address));
    const times = await compareCommands(commands, rounds > 1 ? rounds * RUNS_A_ROUND : 1);
    return ["quic", "tls"].map((transport, at): Figure => ({
      name: `alknet dial over ${transport}, start to first byte`,
      unit: "ms",
      ours: times[at],
      peer: times[2],
      peerName: "openssl s_client",
      lessIsBetter: true,
    }));
  },
};

function sClient(program: string, address: string): string[] {
  const [id, place] = address.split("@");
  return [program, "s_client", "-quiet", "-connect", place, "-alpn", ECHO_ALPN, "-servername", `${id}.alknet`];
}

async function compareCommands(commands: readonly string[][], rounds: number): Promise<number[]> {
  const times = commands.map((): number[] => []);
  // The first run of each fills the caches of the runtime and the system.
  for (const command of commands) await firstByte(command);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < commands.length; turn++) {
      const at = (round + turn) % commands.length;
      times[at].push(await firstByte(commands[at]));
    }
  }
  return times.map(median);
}

/** Milliseconds until a program has sent a line to the echo handler and shows what came back. */
async function firstByte([program, ...args]: string[]): Promise<number> {
  const begun = performance.now();
  await using child = start(program, args, { signal: "SIGKILL" });
  await child.write("hello\n");
  await child.line("hello");
  return performance.now() - begun;
}

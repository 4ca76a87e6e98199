/**
 * Calls and subscriptions over QUIC, beside `@grpc/grpc-js` with TLS on Node.
 *
 * @module
 */
import { runProgram, start } from "../support/process.ts";
import { NODE_PEERS } from "../support/python.ts";
import { temporaryFolder } from "../support/temp.ts";
import { contestants } from "./contestants.ts";
import { clientOf } from "./node_peer.ts";
import { compare, type Contestant, type Figure, type Group, script, startContestant } from "./harness.ts";

/** What is measured, and what is wanted of it. */
const FIGURES = [
  { name: "calls, 1 at a time", task: "unary", atATime: 1, wanted: 2 },
  { name: "calls, 64 at a time", task: "unary", atATime: 64, wanted: 4 },
  { name: "events of a subscription", task: "events", atATime: 1, wanted: 1.5 },
] as const;

/** Unary calls and events. */
export const calls: Group = {
  name: "calls",
  async run(effort) {
    await using folder = await temporaryFolder();
    await using running = await contestants([ours("process"), ours("in-process"), grpc(folder.path)]);
    const figures: Figure[] = [];
    for (const { name, task, atATime, wanted } of FIGURES) {
      const [ours, inProcess, peer] = await compare(running.all, { task, atATime }, effort);
      figures.push({ name: `${name}, QUIC`, unit: "/s", ours, inProcess, peer, peerName: "@grpc/grpc-js", wanted });
    }
    return figures;
  },
};

function ours(engine: "process" | "in-process"): Promise<Contestant> {
  return startContestant({
    server: [script("call_server.ts"), JSON.stringify({ transports: ["quic"], quic: { engine } })],
    client: [script("call_client.ts"), "quic"],
  });
}

/** The peer; the files of its certificate go into the folder. */
async function grpc(folder: string): Promise<Contestant> {
  const files = [`${folder}/certificate.pem`, `${folder}/key.pem`] as const;
  const made = await runProgram("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost".split(" "),
    ...["-addext", "subjectAltName=DNS:localhost", "-out", files[0], "-keyout", files[1]],
  ]);
  if (made.code !== 0) throw new Error(`openssl made no certificate: ${made.stderr}`);
  await using started = new AsyncDisposableStack();
  const program = script("peer_grpc.mjs");
  const server = started.use(start("node", [program, "server", ...files], { cwd: NODE_PEERS }));
  const facts = JSON.stringify(await server.json());
  const client = started.use(start("node", [program, "client", files[0], facts], { cwd: NODE_PEERS }));
  return clientOf(client, started);
}

/**
 * `alknet serve`: its first line, reloads, what it refuses to start with, and its end (core.md §12, §14; §18 rows 61 to 63, 71, 73).
 *
 * @module
 */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { start, startAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome, nextEvent, type ServingNode } from "./home.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

Deno.test("alknet serve --json: the first line names node, addresses and ALPNs (design.md The command)", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  const { event, nodeId, addresses, alpns, transports } = node.listening;
  equal(event, "listening");
  equal(nodeId, home.nodeId);
  deepEqual(addresses, [`127.0.0.1:${node.port}`]);
  deepEqual(alpns, [
    "alknet/call",
    "alknet/echo",
    "h2",
    "http/1.1",
    "alknet/http",
    "alknet/git",
    "dot",
    "doq",
    "alknet/dns",
    "alknet/blobs",
    "/iroh-bytes/4",
  ]);
  equal((transports as string[]).includes("tls"), true);
});

Deno.test("alknet serve without init makes a node that lasts", async () => {
  await using folder = await temporaryFolder();
  const args = ["serve", "--json", "--listen", "127.0.0.1:0", "--home", folder.join("home")];
  const ids = [];
  for (let start = 0; start < 2; start++) {
    await using child = startAlknet(args);
    ids.push((await child.json()).nodeId);
  }
  equal(ids[0], ids[1]);
});

Deno.test("alknet serve in a pipe logs to stderr and prints nothing on stdout", async () => {
  await using home = await initHome();
  await using child = startAlknet(["serve", "--home", home.path, "--listen", "127.0.0.1:0"]);
  match(
    await child.errorLine(/listening/),
    new RegExp(`Z INFO serve: listening nodeId=${home.nodeId} .*alpns=alknet/call,alknet/echo,`),
  );
  child.kill("SIGTERM");
  equal((await child.status).code, 0);
  equal(child.output, "");
});

Deno.test({
  name: "alknet serve on a terminal shows the node id, addresses and each ALPN with its handler, then live counters",
  ...needs("script", "linux"),
  async fn() {
    await using home = await initHome();
    const alknet = [Deno.execPath(), "run", "-A", MAIN, "serve", "--home", home.path, "--listen", "127.0.0.1:0"];
    await using terminal = start("script", ["-qefc", alknet.join(" "), "/dev/null"], { env: { NO_COLOR: "1" } });
    await terminal.line(`node       ${home.nodeId}`);
    const where = await terminal.line(/^listening +127\.0\.0\.1:\d+ over /);
    await terminal.line(/alknet\/echo +0 +0 +0 B +0 B +returns what it is sent/);
    await terminal.line(/h2 +0 +0 +0 B +0 B +operations, health check/);
    const port = Number(/:(\d+) /.exec(where)![1]);
    const socket = await openEcho({ port });
    socket.end("12345");
    equal(await textOf(socket), "12345");
    await terminal.line(/alknet\/echo +0 +1 +5 B +5 B/);
    // Ctrl-C, as the terminal gives it.
    await terminal.write("\x03");
    equal((await terminal.status).code, 130);
  },
});

Deno.test("alknet serve reports each connection and what it carried", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  const socket = await openEcho(node);
  const { alpn, transport, address } = await nextEvent(node.child, "connection");
  deepEqual({ alpn, transport, address }, { alpn: "alknet/echo", transport: "tls", address: "127.0.0.1" });
  socket.end("12345");
  for await (const _ of socket);
  const closed = await nextEvent(node.child, "closed");
  equal(closed.bytesReceived, 5);
  equal(closed.bytesSent, 5);
});

Deno.test("alknet serve takes over changes of the dynamic part, and keeps what it has when the file is invalid", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  const before = await home.config();
  equal((await home.run("token", "create")).code, 0);
  deepEqual(await nextEvent(node.child, "reloaded"), { event: "reloaded", peers: 0, tokens: 1 });
  await home.writeConfig('{"auth": {"peers": [{"peer_id": 7}]}}');
  match(
    (await nextEvent(node.child, "reload-failed")).error as string,
    /auth\.peers\[0\]\.peer_id: expected string, found number/,
  );
  await home.writeConfig(before);
  deepEqual(await nextEvent(node.child, "reloaded"), { event: "reloaded", peers: 0, tokens: 0 });
});

Deno.test("alknet serve holds changed rate limits for newcomers and keeps who is there (core.md §12.2)", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  const before = await home.config();
  const first = await openEcho(node);
  await home.writeConfig({ ...before, rate_limits: { max_connections_per_ip: 1 } });
  await nextEvent(node.child, "reloaded");
  await rejects(openEcho(node));
  match(
    await node.child.errorLine(/refused/),
    /WARN endpoint: refused src=127\.0\.0\.1 reason=connections-per-address/,
  );
  await home.writeConfig(before);
  await nextEvent(node.child, "reloaded");
  const second = await openEcho(node);
  for (const socket of [first, second]) {
    socket.end("12345");
    equal(await textOf(socket), "12345");
  }
});

Deno.test("alknet serve names a static field that changed, without effect (core.md §18 row 61)", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  await home.writeConfig({ ...await home.config(), drain_timeout_ms: 5000, transports: ["tls"] });
  const { fields } = await nextEvent(node.child, "restart-needed");
  deepEqual((fields as string[]).toSorted(), ["drain_timeout_ms", "transports"]);
  node.child.kill("SIGTERM");
  equal((await nextEvent(node.child, "draining")).milliseconds, 2000);
});

Deno.test({
  name: "alknet serve reads its config again on SIGHUP",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await initHome();
    await using node = await home.serve();
    node.child.kill("SIGHUP");
    equal((await nextEvent(node.child, "hangup")).outcome, "unchanged");
  },
});

/** A change of the configuration, and what the one line must say (core.md §18 row 62). */
const BAD_CONFIGS: readonly (readonly [string, Record<string, unknown> | string, RegExp])[] = [
  ["an unknown field", { lisen: ["127.0.0.1:0"] }, /lisen/],
  ["a wrong type", { drain_timeout_ms: "soon" }, /drain_timeout_ms: expected integer, found string/],
  ["port 99999", { listen: ["127.0.0.1:99999"] }, /listen\[0\]: expected HOST:PORT.*port 99999 is above 65535/],
  ["an address without a port", { listen: "127.0.0.1" }, /listen: expected HOST:PORT.*the port is missing/],
  ["an unknown handler", { handlers: { gopher: {} } }, /handlers\.gopher: expected one of call, dns, echo, http/],
  ["an unknown option of a handler", { handlers: { echo: { loud: true } } }, /handlers\.echo/],
  ["a bad decoy", { handlers: { http: { decoy: { kind: "redirect", to: "javascript:1" } } } }, /decoy\.to/],
  ["a site without a folder", { handlers: { http: { decoy: { kind: "staticSite", root: "absent" } } } }, /absent/],
  ["a missing certificate", {
    certificate: { mode: "x509", certificate_file: "c.pem", key_file: "k.pem" },
  }, /c\.pem does not exist/],
  ["half a file", '{"listen": [', /line 1, column 13/],
  ["an empty file", "", /an empty file/],
  ["duplicate peers", { auth: { peers: [{ peer_id: "a" }, { peer_id: "a" }] } }, /duplicate peer_id: a/],
];

for (const [what, change, expected] of BAD_CONFIGS) {
  Deno.test(`alknet serve with ${what} in its config: one line, exit code 1 (core.md §18 row 62)`, async () => {
    await using home = await initHome();
    await home.writeConfig(typeof change === "string" ? change : { ...await home.config(), ...change });
    const { code, stdout, stderr } = await home.run("serve", "--listen", "127.0.0.1:0");
    match(stderr, expected);
    match(stderr, /^alknet: [^\n]+\n$/);
    equal(stdout, "");
    equal(code, 1);
  });
}

Deno.test("alknet serve --config of a file that is not there: one line, exit code 1, nothing made", async () => {
  await using home = await initHome();
  const { code, stderr } = await home.run("serve", "--config", `${home.path}/absent.json`);
  equal(code, 1);
  match(stderr, /^alknet: config [^\n]*absent\.json does not exist[^\n]*\n$/);
  deepEqual([...Deno.readDirSync(home.path)].map(({ name }) => name).filter((name) => name.startsWith("absent")), []);
});

Deno.test("alknet serve on a port in use: one line that says by whom, exit code 1 (core.md §18 row 63)", async () => {
  await using home = await initHome();
  const { promise: up, resolve } = Promise.withResolvers<void>();
  const holder = createServer().listen(0, "127.0.0.1", resolve);
  await up;
  try {
    const { port } = holder.address() as AddressInfo;
    // One address that is free comes first: it must be let go again.
    const listen = ["--listen", "127.0.0.1:0", "--listen", `127.0.0.1:${port}`];
    const { code, stdout, stderr } = await home.run("serve", "--json", ...listen);
    equal(code, 1, stderr);
    equal(stdout, "");
    match(stderr, new RegExp(`^alknet: [^\\n]*${port}[^\\n]*\\n$`));
    if (Deno.build.os === "linux") match(stderr, new RegExp(`pid ${Deno.pid}\\b`));
  } finally {
    holder.close();
  }
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  const expected = signal === "SIGTERM" ? 0 : 130;
  Deno.test({
    name: `alknet serve drains on ${signal} and exits with ${expected} (core.md §18 row 71)`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using home = await initHome();
      await home.writeConfig({ ...await home.config(), drain_timeout_ms: 600_000 });
      await using node = await home.serve();
      const socket = await openEcho(node);
      await nextEvent(node.child, "connection");
      node.child.kill(signal);
      equal((await nextEvent(node.child, "draining")).signal, signal);
      // The connection works until its end, and the node ends with it rather than at the drain time.
      socket.end("still here");
      equal(await textOf(socket), "still here");
      equal((await nextEvent(node.child, "stopped")).drained, true);
      equal((await node.child.status).code, expected);
    },
  });
}

Deno.test({
  name: "alknet serve ends at once on the second SIGINT (core.md §18 row 71)",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await initHome();
    // Waiting for the drain time would outlast the test.
    await home.writeConfig({ ...await home.config(), drain_timeout_ms: 600_000 });
    await using node = await home.serve();
    const socket = await openEcho(node);
    await nextEvent(node.child, "connection");
    node.child.kill("SIGINT");
    await nextEvent(node.child, "draining");
    node.child.kill("SIGINT");
    equal((await nextEvent(node.child, "stopped")).drained, false);
    equal((await node.child.status).code, 130);
    socket.destroy();
  },
});

/** A TLS connection to the echo handler, whose handshake is complete. */
function openEcho({ port }: Pick<ServingNode, "port">): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ALPNProtocols: ["alknet/echo"], rejectUnauthorized: false });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

async function textOf(socket: TLSSocket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}

for (const args of [["--json"], []]) {
  Deno.test(`alknet serve ${args.join(" ")} serves on when nobody reads what it says`, async () => {
    await using home = await initHome();
    const command = ["run", "-A", MAIN, "serve", "--home", home.path, "--listen", "127.0.0.1:0", "--transport", "tls"];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...command, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    try {
      const port = await portOf(args.length > 0 ? child.stdout : child.stderr);
      // Each connection is two lines of some hundred bytes, of which a pipe holds 64 KiB.
      for (let i = 0; i < 700; i++) {
        const socket = await new Promise<TLSSocket>((resolve, reject) => {
          // From many addresses, each of which is let in.
          const tcp = createConnection({ port, host: "127.0.0.1", localAddress: `127.0.0.${10 + i % 100}` });
          tcp.once("error", reject);
          const options = { socket: tcp, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false };
          const socket: TLSSocket = connect(options, () => resolve(socket)).once("error", reject);
        });
        socket.destroy();
      }
      child.kill("SIGTERM");
      equal((await child.status).code, 0);
    } finally {
      await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
      await child.status;
    }
  });
}

/** The port in the first line that names one; nothing more is read. */
async function portOf(output: ReadableStream<Uint8Array>): Promise<number> {
  const reader = output.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let port: string | undefined;
  while (port === undefined) {
    text += decoder.decode((await reader.read()).value, { stream: true });
    port = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
  }
  reader.releaseLock();
  return Number(port);
}

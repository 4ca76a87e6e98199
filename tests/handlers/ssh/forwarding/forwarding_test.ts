/**
 * Forwarding at the node: where to, from where, and where not (ssh.md rows 5 and 6).
 *
 * @module
 */
import "../node.ts";
import { connect } from "../../../../core/endpoint/dial.ts";
import { openTunnel, parseForward, type TunnelEvent } from "@alknet/handlers/tunnel";
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Destinations } from "../../../../handlers/ssh/forwarding/destinations.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { sshClient } from "../client.ts";
import { sshNode } from "../node.ts";
import { until } from "../node_process.ts";

const PROGRAMS = needs("ssh", "ssh-keygen");

/** What the rules give; names as a resolver of the test has them. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "web.internal": ["10.0.0.7"],
  "sneaky.example": ["127.0.0.1"],
  "both.example": ["127.0.0.1", "192.0.2.9"],
  "metadata.example": ["169.254.169.254"],
  localhost: ["::1", "127.0.0.1"],
  "six.example": ["2001:db8::1"],
};
const resolve = (name: string): Promise<readonly string[]> => {
  const literal = /^[\d.]+$|:/.test(name) ? [name] : NAMES[name];
  return literal ? Promise.resolve(literal) : Promise.reject(new Error("no such name"));
};

const DESTINATIONS: readonly (readonly [rules: string[], host: string, port: number, result: string])[] = [
  [["*:443"], "web.internal", 443, "10.0.0.7"],
  [["*:443"], "WEB.internal.", 443, "10.0.0.7"],
  [["*:443"], "web.internal", 80, "forbidden"],
  [["*.internal:*"], "web.internal", 1, "10.0.0.7"],
  [["*.internal:*"], "web.internal.example", 1, "forbidden"],
  [["10.0.0.0/8:*"], "web.internal", 22, "10.0.0.7"],
  [["10.0.0.0/8:*"], "10.255.0.1", 22, "10.255.0.1"],
  [["10.0.0.0/8:*"], "11.0.0.1", 22, "forbidden"],
  [["[2001:db8::]/32:*"], "six.example", 22, "unreadable"],
  [["[2001:db8::/32]:*"], "six.example", 22, "2001:db8::1"],
  [["*:*"], "sneaky.example", 22, "forbidden"],
  [["*:*"], "both.example", 22, "192.0.2.9"],
  [["*:*"], "localhost", 22, "forbidden"],
  [["*:*"], "127.0.0.1", 22, "forbidden"],
  [["*:*"], "::1", 22, "forbidden"],
  [["*:*"], "::ffff:127.0.0.1", 22, "forbidden"],
  [["*:*"], "::ffff:7f00:1", 22, "forbidden"],
  [["*:*"], "0.0.0.0", 22, "forbidden"],
  [["*:*"], "::", 22, "forbidden"],
  [["*:*"], "metadata.example", 80, "forbidden"],
  [["*:*"], "fe80::1", 80, "forbidden"],
  [["0.0.0.0/0:*"], "127.0.0.1", 22, "forbidden"],
  [["localhost:22"], "localhost", 22, "::1"],
  [["127.0.0.1:22"], "127.0.0.1", 22, "127.0.0.1"],
  [["127.0.0.1:22"], "127.0.0.1", 23, "forbidden"],
  [["sneaky.example:22"], "sneaky.example", 22, "127.0.0.1"],
  [["known.example:22"], "known.example", 22, "unresolvable"],
  [["web.internal:22"], "unknown.example", 22, "forbidden"],
  [[], "web.internal", 443, "forbidden"],
];
for (const [rules, host, port, result] of DESTINATIONS) {
  Deno.test(`Destinations(${rules}): ${host} port ${port} is ${result} (ssh.md row 6)`, async () => {
    if (result === "unreadable") return void assert.throws(() => new Destinations(rules), RangeError);
    const found = await new Destinations(rules, resolve).find(host, port);
    assert.equal(typeof found === "string" ? found : found.address, result);
  });
}

Deno.test("Destinations: the system's resolver reads 0, octal and decimal as addresses, and they are refused (ssh.md row 6)", async () => {
  const all = new Destinations(["*:*"]);
  for (const host of ["0", "127.1", "0x7f000001", "2130706433", "017700000001"]) {
    assert.equal(await all.find(host, 22), "forbidden", host);
  }
});

for (
  const rule of ["", "host", "host:", "host:65536", "host:x", "10.0.0.0/33:1", "10.0.0.0/x:1", "name/8:1", "[::1:22"]
) {
  Deno.test(`Destinations: ${JSON.stringify(rule)} is refused, and named`, () => {
    assert.throws(() => new Destinations([rule]), (error: Error) => error.message.includes(JSON.stringify(rule)));
  });
}

/** Serves what is asked over HTTP, until disposed of. */
function web(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("wiki"));
}

Deno.test({
  name: "alknet/ssh: ssh -W goes where the policy lets it, and nowhere else, with reason 1 (ssh.md rows 5, 6)",
  ...PROGRAMS,
  async fn() {
    await using server = web();
    const { port } = server.addr;
    await using node = await sshNode({ policy: { forward: [`127.0.0.1:${port}`] } });
    const request = "GET / HTTP/1.0\r\n\r\n";
    const { stdout } = await node.ssh(["-W", `127.0.0.1:${port}`], [], request);
    assert.match(stdout, /wiki$/);
    const refused = await node.ssh(["-o", "LogLevel=INFO", "-W", "127.0.0.1:1"], [], "");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /administratively prohibited/);
  },
});

Deno.test({
  name: "alknet/ssh: ssh -R on port 0 says which port it is, and connections there come here (ssh.md row 5)",
  ...needs("ssh", "ssh-keygen", "curl"),
  async fn() {
    await using server = web();
    await using node = await sshNode({ policy: { listen: ["localhost:*"] } });
    await using ssh = node.start(["-N", "-o", "LogLevel=INFO", "-R", `localhost:0:127.0.0.1:${server.addr.port}`], []);
    const [, port] = /Allocated port (\d+)/.exec(await ssh.errorLine(/Allocated port/))!;
    const { stdout } = await runProgram("curl", ["-sS", `http://localhost:${port}/`]);
    assert.equal(stdout, "wiki");
  },
});

Deno.test({
  name: "alknet/ssh: our own tunnel through our own node: -L, -R, Unix sockets, and SOCKS by curl (ssh.md row 5)",
  ...needs("ssh-keygen", "curl"),
  async fn() {
    await using server = web();
    const { port } = server.addr;
    await using node = await sshNode({
      transport: "quic",
      policy: { forward: [`localhost:${port}`, `127.0.0.1:${port}`], listen: ["127.0.0.1:*"] },
    });
    const connection = await connect(`${node.nodeId}@127.0.0.1:${node.port}`, "alknet/ssh", { transport: "quic" });
    const events: TunnelEvent[] = [];
    const listening = Promise.withResolvers<void>();
    await using _open = await openTunnel(connection, {
      user: "anyone",
      keys: [{ text: await Deno.readTextFile(`${node.folder}/user`) }],
      local: [parseForward(`${node.folder}/here.sock:localhost:${port}`)],
      remote: [parseForward(`0:127.0.0.1:${port}`)],
      dynamic: [{ hostname: "127.0.0.1", port: 0 }],
      onEvent: (event) => {
        events.push(event);
        if (events.length === 3) listening.resolve();
      },
    });
    await listening.promise;
    const at = Object.fromEntries(events.map((one) => one.event === "listening" ? [one.kind, one.at] : []));
    for (
      const args of [
        ["--unix-socket", at.local, "http://wiki/"],
        [`http://${at.remote}/`],
        ["--socks5-hostname", at.dynamic, `http://localhost:${port}/`],
      ]
    ) {
      assert.equal((await runProgram("curl", ["-sS", ...args])).stdout, "wiki", args.join(" "));
    }
    const refused = await runProgram("curl", ["-sS", "--socks5-hostname", at.dynamic, "http://localhost:1/"]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /\(2\)|not allowed/, "SOCKS says that a rule forbids it");
  },
});

Deno.test({
  name: "alknet/ssh: a client has 512 forwarded connections at once; one that ends makes room (ssh.md layer 3)",
  ...needs("ssh-keygen"),
  async fn() {
    await using stack = new AsyncDisposableStack();
    const taken = new Set<Socket>();
    const server = createServer((socket) => void taken.add(socket.on("error", () => {})));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stack.defer(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    stack.defer(() => taken.forEach((socket) => socket.destroy()));
    const { port } = server.address() as AddressInfo;
    await using node = await sshNode({ policy: { forward: [`127.0.0.1:${port}`] } });
    await using peer = await sshClient({
      address: `${node.nodeId}@127.0.0.1:${node.port}`,
      key: `${node.folder}/user`,
    });
    await peer.ready;
    const channels = await Promise.all(Array.from({ length: 512 }, () => peer.forward("127.0.0.1", port)));
    await assert.rejects(peer.forward("127.0.0.1", port), /open failure/i);
    const closed = new Promise((resolve) => channels[0].once("close", resolve));
    channels[0].resume();
    channels[0].close();
    await closed;
    await until(() => peer.forward("127.0.0.1", port).then(() => true, () => false), "room");
  },
});

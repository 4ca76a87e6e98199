/**
 * `alknet ping` and `alknet dial` against a node of their own (design.md "The command"; core.md §18 row 53).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { connect } from "node:tls";
import "../runner/open_libraries.ts";
import { router } from "@alknet/core";
import { runAlknet, runProgram, startAlknet } from "../support/process.ts";
import { seeded } from "../support/random.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome, nextEvent, type ServingNode, type TestHome } from "./home.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

for (const transport of ["quic", "tls"] as const) {
  Deno.test(`alknet ping --transport ${transport}: handshake, round trips, transport, node id`, async () => {
    await using home = await initHome();
    await using node = await home.serve();
    const args = ["ping", pinned(home, node), "--transport", transport, "-c", "3", "-i", "0ms"];
    const people = await runAlknet(args);
    equal(people.code, 0, people.stderr);
    match(people.stdout, new RegExp(`over ${transport}, handshake \\d+\\.\\d+ ms\\npeer ${home.nodeId}\\n1: `));
    const { code, stdout, stderr } = await runAlknet([...args, "--json"]);
    equal(code, 0, stderr);
    const [connected, ...rest] = lines(stdout);
    equal(connected.event, "connected");
    equal(connected.transport, transport);
    equal(connected.nodeId, home.nodeId);
    match(connected.fingerprint as string, /^ed25519:[0-9a-f]{64}$/);
    equal((connected.handshake as number) > 0, true);
    deepEqual(rest.map(({ event, sequence, count }) => [event, sequence ?? count]), [
      ["reply", 1],
      ["reply", 2],
      ["reply", 3],
      ["summary", 3],
    ]);
  });

  Deno.test(`alknet dial --transport ${transport}: 1 MiB there and back, each end half-closed`, async () => {
    await using home = await initHome();
    await using node = await home.serve();
    const sent = seeded(`alknet dial over ${transport}`).bytes(1024 * 1024);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", MAIN, "dial", "--transport", transport, "alknet/echo", pinned(home, node)],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = child.output();
    const writer = child.stdin.getWriter();
    await writer.write(sent);
    await writer.close();
    const { code, stdout, stderr } = await output;
    equal(code, 0, new TextDecoder().decode(stderr));
    equal(new TextDecoder().decode(stderr), "");
    equal(stdout.byteLength, sent.byteLength);
    equal(stdout.every((byte, i) => byte === sent[i]), true);
  });

  Deno.test(`alknet dial --transport ${transport} of an ALPN that the node lacks: one line, exit code 1`, async () => {
    await using home = await initHome();
    await using node = await home.serve();
    const args = ["dial", "--transport", transport, "alknet/echo2", pinned(home, node)];
    const { code, stdout, stderr } = await runAlknet(args);
    equal(code, 1);
    equal(stdout, "");
    match(stderr, /^alknet: [^\n]*alknet\/echo2[^\n]*\n$/);
  });

  Deno.test(`alknet dial --transport ${transport} with another node's id: refused, exit code 1`, async () => {
    await using home = await initHome();
    await using other = await initHome();
    await using node = await home.serve();
    const args = ["dial", "--transport", transport, "alknet/echo", pinned(other, node)];
    const { code, stdout, stderr } = await runAlknet(args, { stdin: "must not arrive" });
    equal(code, 1);
    equal(stdout, "");
    match(stderr, /^alknet: [^\n]*has fingerprint \w+:[^\n]*expected ed25519:[^\n]*\n$/);
  });
}

Deno.test("alknet ping proves the home's key: the node knows an authorized peer by name", async () => {
  await using home = await initHome();
  await using client = await initHome();
  await using node = await home.serve();
  await home.run("authorize", client.nodeId, "--name", "worker-b", "--scope", "relay:connect");
  await nextEvent(node.child, "reloaded");
  for (const transport of ["quic", "tls"]) {
    await client.run("ping", pinned(home, node), "-c", "1", "--transport", transport);
    const { identity, fingerprint } = await nextEvent(node.child, "connection");
    equal(identity, "worker-b", transport);
    match(fingerprint as string, /^ed25519:/);
  }
});

Deno.test("alknet ping without a home is anonymous", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  await runAlknet(["ping", pinned(home, node), "-c", "1", "--transport", "tls", "--home", `${home.path}/absent`]);
  const { identity, fingerprint } = await nextEvent(node.child, "connection");
  deepEqual([identity, fingerprint], [undefined, undefined]);
});

Deno.test("alknet ping --transport auto takes TLS where nothing answers over UDP (core.md §18 row 53)", async () => {
  await using home = await initHome();
  await using node = await home.serve("--transport", "tls");
  const { code, stdout, stderr } = await runAlknet(["ping", pinned(home, node), "--json", "-c", "1"]);
  equal(code, 0, stderr);
  equal(lines(stdout)[0].transport, "tls");
});

Deno.test("alknet ping --transport auto with the wrong key over UDP does not try TLS (core.md §18 row 53)", async () => {
  await using home = await initHome();
  await using other = await initHome();
  await using node = await home.serve();
  const { code, stderr } = await runAlknet(["ping", pinned(other, node)]);
  equal(code, 1);
  match(stderr, /over QUIC has fingerprint/);
  // Whatever the node saw of that dial came before this one.
  await runAlknet(["dial", "--transport", "quic", "alknet/http", pinned(home, node)], { stdin: "" });
  for (;;) {
    const { alpn, transport } = await nextEvent(node.child, "connection");
    equal(transport, "quic");
    if (alpn === "alknet/http") break;
  }
});

Deno.test("alknet ping without a node id asks for a valid certificate; --insecure says what it does", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  const args = ["ping", node.address, "-c", "1"];
  const refused = await runAlknet(args);
  equal(refused.code, 1);
  match(refused.stderr, /^alknet: [^\n]*no authority known here vouches for it[^\n]*\n$/);
  const believed = await runAlknet([...args, "--insecure"]);
  equal(believed.code, 0, believed.stderr);
  match(believed.stderr, /^alknet: warning: --insecure: [^\n]+\n$/);
});

Deno.test("alknet ping --ca trusts the certificate of the public profile", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  const file = `${home.path}/authority.pem`;
  await Deno.writeTextFile(file, await publicCertificate(node.port));
  const args = ["ping", `localhost:${node.port}`, "--transport", "tls", "-c", "1"];
  equal((await runAlknet(args)).code, 1);
  const { code, stderr } = await runAlknet([...args, "--ca", file]);
  equal(code, 0, stderr);
});

for (
  const [what, text, expected] of [
    ["without a certificate", "secret words", /holds no "-----BEGIN CERTIFICATE-----"/],
    [
      "with a broken one",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      /number 1 cannot be decoded/,
    ],
  ] as const
) {
  Deno.test(`alknet ping --ca of a file ${what}: one line, exit code 1, nothing sent`, async () => {
    await using folder = await temporaryFolder();
    const file = await folder.write("authorities.pem", text);
    const { code, stderr } = await runAlknet(["ping", "127.0.0.1:1", "--ca", file]);
    equal(code, 1);
    match(stderr, /^alknet: [^\n]*authorities\.pem[^\n]*\n$/);
    match(stderr, expected);
    equal(stderr.includes("secret words"), false);
  });
}

Deno.test("alknet ping where nothing listens: one line, exit code 1", async () => {
  // Bound and closed again: free a moment ago.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { code, stdout, stderr } = await runAlknet(["ping", `127.0.0.1:${port}`, "--transport", "tls"]);
  equal(code, 1);
  equal(stdout, "");
  match(stderr, new RegExp(`^alknet: [^\\n]*127\\.0\\.0\\.1:${port}[^\\n]*\\n$`));
});

Deno.test("alknet ping --token says that echo carries none, without repeating it; two tokens are one too many", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  const token = "alk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
  const args = ["ping", pinned(home, node), "-c", "1", "--token", token];
  const { code, stdout, stderr } = await runAlknet(args);
  equal(code, 0);
  match(stderr, /^alknet: warning: alknet\/echo carries no token[^\n]*\n$/);
  equal((stdout + stderr).includes(token), false);
  const file = `${home.path}/token`;
  await Deno.writeTextFile(file, token);
  equal((await runAlknet([...args, "--token-file", file])).code, 2);
});

Deno.test("alknet: a token that is none is refused before anything is sent, by every command that takes one", async () => {
  await using home = await initHome();
  const file = `${home.path}/token`;
  const utf16 = new Uint8Array(
    new Uint16Array([0xfeff, ..."alk_x"].map((c) => typeof c === "string" ? c.charCodeAt(0) : c)).buffer,
  );
  const cases: [content: Uint8Array<ArrayBuffer> | string, said: RegExp][] = [
    ["", /token file \S+ is empty\n/],
    [" \n\n", /token file \S+ is empty\n/],
    ["two words", /token file \S+ holds no token: one is a single word/],
    ['{"token":"alk_x"}', /holds no token/],
    [utf16, /it is not UTF-8; save it as that/],
    [new Uint8Array([0xff, 0xfe, 0x00]), /it is not UTF-8/],
  ];
  // Nothing listens there: who tried to connect would say so.
  const at = `${home.nodeId}@127.0.0.1:1`;
  for (const [content, said] of cases) {
    if (typeof content === "string") await Deno.writeTextFile(file, content);
    else await Deno.writeFile(file, content);
    const command = cases.findIndex(([one]) => one === content) % 3;
    const args = [["call", at, "node/info"], ["ops", at], ["dial", "alknet/echo", at]][command];
    const { code, stderr } = await home.run(...args, "--token-file", file);
    equal(code, 1, stderr);
    match(stderr, said);
    equal(stderr.split("\n").length, 2, "one line");
  }
  for (const token of ["", "two words", "ä"]) {
    const { code, stderr } = await home.run("call", at, "node/info", "--token", token);
    equal(code, 2);
    match(stderr, /--token is no token/);
  }
  // One with the mark that some editors write is one.
  await Deno.writeTextFile(file, "\ufeffalk_x\r\n");
  match(
    (await home.run("call", at, "node/info", "--token-file", file, "--transport", "tls")).stderr,
    /nothing listens there/,
  );
});

Deno.test({
  name: "alknet dial ends with 130 on ctrl-C, connected or not",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await initHome();
    await using node = await home.serve();
    await using child = startAlknet(["dial", "alknet/echo", pinned(home, node)]);
    await child.write("ready\n");
    equal(await child.line(), "ready");
    child.kill("SIGINT");
    equal((await child.status).code, 130);
    equal(child.errors, "");

    // Accepts, and never says a word of TLS.
    const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using waiting = startAlknet(["dial", "--transport", "tls", "alknet/echo", `127.0.0.1:${silent.addr.port}`]);
    using _accepted = await silent.accept();
    waiting.kill("SIGINT");
    equal((await waiting.status).code, 130);
    equal(waiting.errors, "");
    silent.close();
  },
});

Deno.test({
  name: "alknet ping ends with 130 on ctrl-C and sums up what there was",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await initHome();
    await using node = await home.serve();
    await using child = startAlknet(["ping", pinned(home, node), "--json", "-c", "2", "-i", "1h"]);
    await child.line(/"reply"/);
    child.kill("SIGINT");
    equal((JSON.parse(await child.line(/"summary"/))).count, 1);
    equal((await child.status).code, 130);
  },
});

Deno.test({
  name: "alknet dial and ping end quietly when nobody reads their output any more",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await initHome();
    await using node = await home.serve();
    const alknet = `'${Deno.execPath()}' run -A '${MAIN}'`;
    for (const command of [`yes | ${alknet} dial alknet/echo`, `${alknet} ping -c 1000 -i 0ms`]) {
      const script = `{ ${command} ${pinned(home, node)}; echo "code $?" >&2; } | head -n 1 >/dev/null`;
      const { stderr } = await runProgram("sh", ["-c", script]);
      equal(stderr, "code 0\n", command);
    }
  },
});

Deno.test({
  name: "alknet dial --transport tls to a node that is killed: one line, exit code 1",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await initHome();
    await using node = await home.serve();
    await using child = startAlknet(["dial", "--transport", "tls", "alknet/echo", pinned(home, node)]);
    await child.write("ready\n");
    equal(await child.line(), "ready");
    node.child.kill("SIGKILL");
    equal((await child.status).code, 1);
    match(await child.errorLine(), /^alknet: /);
  },
});

Deno.test("alknet dial ends when the peer wants no more and has said all, though stdin stays open", async () => {
  await using home = await initHome();
  await using endpoint = await router().use({
    alpns: ["alknet/farewell"],
    handle: async (connection) => {
      for await (const stream of connection) {
        stream.stop(7);
        const writer = stream.writable.getWriter();
        await writer.write(new TextEncoder().encode("farewell\n"));
        await writer.close();
      }
    },
  }).listen({ transports: ["quic"], identityProvider: { resolveFingerprint: () => {}, resolveToken: () => {} } });
  const [{ hostname, port }] = endpoint.addresses;
  const address = `${endpoint.nodeId}@${hostname}:${port}`;
  await using child = startAlknet(["dial", "--home", home.path, "--transport", "quic", "alknet/farewell", address]);
  await child.write("hello\n");
  equal(await child.line(), "farewell");
  equal((await child.status).code, 0);
  equal(child.errors, "");
});

function pinned(home: TestHome, node: ServingNode): string {
  return `${home.nodeId}@${node.address}`;
}

function lines(text: string): Record<string, unknown>[] {
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

/** PEM of what a client without a pin is shown. */
function publicCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ALPNProtocols: ["h2"],
      rejectUnauthorized: false,
    };
    const socket = connect(options, () => {
      const base64 = new Uint8Array(socket.getPeerCertificate().raw).toBase64();
      socket.destroy();
      resolve(`-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`);
    });
    socket.once("error", reject);
  });
}

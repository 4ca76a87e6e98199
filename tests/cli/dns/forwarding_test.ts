/**
 * Names of others, asked of real upstreams by real clients (rows 39, 49 to 51, 55, 56 of dns.md §11).
 *
 * @module
 */
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { createServer, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { decodeMessage, encodeMessage, type Message } from "@alknet/handlers/dns";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { freeTcpPort, startUnbound, type Unbound, UNBOUND_NAME } from "../../support/unbound.ts";
import { dnsHome, kdig } from "../dns_home.ts";
import { initHome, type TestHome } from "../home.ts";

const RECORDS = [
  "www.example.org. 300 IN A 192.0.2.1",
  "alias.example.org. 300 IN CNAME www.example.org.",
  "inside.example.org. 300 IN A 192.168.0.1",
  "inside.private.example.org. 300 IN A 192.168.0.2",
];
const EVERYBODY_HERE = { prefixes: ["127.0.0.0/8"] };

async function configured(home: TestHome, dns: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const config = await home.config();
  await home.writeConfig({ ...config, ...more, handlers: { ...config.handlers as object, dns } });
}

function byDot({ port, fingerprint }: Unbound): Record<string, unknown> {
  return { via: "dot", address: `127.0.0.1:${port}`, pins: [fingerprint] };
}

Deno.test({
  name:
    "unbound is asked over TLS, for who may: answers, chains, negatives, filtered addresses; then they are kept (rows 39, 49, 55)",
  ...needs("unbound", "kdig", "openssl"),
  async fn() {
    await using unbound = await startUnbound(RECORDS);
    await using home = await dnsHome();
    const forwarding = { upstreams: [byDot(unbound)], private_zones: ["private.example.org"] };
    await configured(home, forwarding);
    {
      await using node = await home.serve();
      const refused = await kdig(node.port, "+tls", "+edns", "www.example.org");
      match(refused, /REFUSED/);
      match(refused, /EDE[^\n]*18/);
      doesNotMatch(refused, /Flags: [^\n]*\bra\b/);
      match(await kdig(node.port, "+tls", "www.home.example"), /192\.0\.2\.7/);
    }
    await configured(home, { ...forwarding, recursion: EVERYBODY_HERE });
    await using node = await home.serve();
    for (const way of ["+tls", "+quic", "+https"]) {
      const answer = await kdig(node.port, way, "www.example.org");
      match(answer, /Flags: [^\n]*\bra\b/, way);
      match(answer, /www\.example\.org\.\s+\d+\s+IN\s+A\s+192\.0\.2\.1\n/);
    }
    match(await kdig(node.port, "+tls", "alias.example.org"), /CNAME\s+www\.example\.org\./);
    match(await kdig(node.port, "+tls", "none.example.org"), /NXDOMAIN[\s\S]*SOA/);
    match(await kdig(node.port, "+tls", "www.example.org", "AAAA"), /NOERROR[\s\S]*SOA/);
    const inside = await kdig(node.port, "+tls", "+edns", "inside.example.org");
    match(inside, /NOERROR[\s\S]*EDE[^\n]*17/);
    doesNotMatch(inside, /192\.168/);
    match(await kdig(node.port, "+tls", "inside.private.example.org"), /192\.168\.0\.2/);
    match(await kdig(node.port, "+tls", "+norec", "www.example.org"), /REFUSED/);
    match(await kdig(node.port, "+tls", "+dnssec", "www.example.org"), /flags: do;[\s\S]*192\.0\.2\.1/);
    match(await kdig(node.port, "+tls", "localhost"), /127\.0\.0\.1/);
    // Unbound is gone, and what it said is known.
    await unbound.child[Symbol.asyncDispose]();
    match(await kdig(node.port, "+tls", "www.example.org"), /192\.0\.2\.1/);
    match(await kdig(node.port, "+tls", "+edns", "other.example.org"), /SERVFAIL[\s\S]*EDE[^\n]*2[23]/);
    match(
      (await home.run("dns", "query", "www.example.org", `@${home.nodeId}@${node.address}`)).stdout,
      /192\.0\.2\.1/,
    );
  },
});

Deno.test({
  name: "unbound is asked over HTTPS, another node over QUIC and on alknet/dns (row 49)",
  ...needs("unbound", "kdig", "openssl"),
  async fn() {
    const https = freeTcpPort();
    await using unbound = await startUnbound(RECORDS, `  interface: 127.0.0.1@${https}\n  https-port: ${https}\n`);
    await using first = await dnsHome();
    const made = await runProgram("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=first"],
      ...["-addext", "subjectAltName=DNS:first.example", "-keyout", `${first.path}/tls.key`],
      ...["-out", `${first.path}/tls.pem`],
    ]);
    equal(made.code, 0, made.stderr);
    await Deno.chmod(`${first.path}/tls.key`, 0o600);
    const printed = await runProgram("openssl", [
      ...["x509", "-in", `${first.path}/tls.pem`, "-noout", "-fingerprint", "-sha256"],
    ]);
    const pin = `SHA256:${printed.stdout.split("=")[1].trim().replaceAll(":", "").toLowerCase()}`;
    await configured(
      first,
      {
        upstreams: [{ via: "doh", url: `https://127.0.0.1:${https}/`, pins: [unbound.fingerprint] }],
        recursion: EVERYBODY_HERE,
      },
      { certificate: { mode: "x509", certificate_file: "tls.pem", key_file: "tls.key" } },
    );
    await using asked = await first.serve();
    const ways = [
      { via: "doq", address: asked.address, pins: [pin] },
      { via: "alknet", address: `${first.nodeId}@${asked.address}` },
      { via: "dot", address: asked.address, pins: [pin] },
    ];
    for (const way of ways) {
      await using second = await initHome();
      await configured(second, { upstreams: [way], recursion: EVERYBODY_HERE });
      await using node = await second.serve();
      for (const [name, address] of [["www.example.org", "192.0.2.1"], ["www.home.example", "192.0.2.7"]]) {
        const { code, stdout, stderr } = await second.run(
          ...["dns", "query", name, `@${second.nodeId}@${node.address}`, "--short"],
        );
        deepEqual([code, stdout], [0, `${address}\n`], `${way.via}: ${stdout}${stderr}`);
      }
    }
  },
});

Deno.test({
  name: "an upstream that is not who it should be is not asked: SERVFAIL, EDE 22 (row 50)",
  ...needs("unbound", "kdig", "openssl"),
  async fn() {
    await using unbound = await startUnbound(RECORDS);
    await using home = await initHome();
    const other = `SHA256:${"00".repeat(32)}`;
    const address = `127.0.0.1:${unbound.port}`;
    for (const who of [{ pins: [other] }, { name: "other.example" }, { name: UNBOUND_NAME }, {}]) {
      await configured(home, { upstreams: [{ via: "dot", address, ...who }], recursion: EVERYBODY_HERE });
      await using node = await home.serve();
      const answer = await kdig(node.port, "+tls", "+edns", "www.example.org");
      match(answer, /SERVFAIL[\s\S]*EDE[^\n]*22/, JSON.stringify(who));
      doesNotMatch(answer, /192\.0\.2\.1\b/);
      match(await node.child.errorLine("upstream"), /WARN dns: upstream 127\.0\.0\.1:\d+ fails: /);
    }
  },
});

/** An upstream over TLS that lies as it is asked to, by the first label. */
async function liar(): Promise<{ readonly port: number; readonly pem: string; asked: number } & AsyncDisposable> {
  const { selfSignedCertificate } = await import("@alknet/core/identity");
  const pair = selfSignedCertificate({ names: ["localhost"] });
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert: pair.certificate, key: pair.privateKey, ALPNProtocols: ["dot"] }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    let bytes = new Uint8Array(0);
    socket.on("data", (part: Uint8Array) => {
      bytes = Uint8Array.from([...bytes, ...part]);
      while (bytes.byteLength >= 2 && bytes.byteLength >= 2 + (bytes[0] << 8 | bytes[1])) {
        const end = 2 + (bytes[0] << 8 | bytes[1]);
        made.asked++;
        lie(socket, decodeMessage(bytes.slice(2, end)));
        bytes = bytes.slice(end);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const made = {
    port: (server.address() as AddressInfo).port,
    pem: pair.certificate,
    asked: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return made;
}

function lie(socket: TLSSocket, query: Message): void {
  const { name } = query.question!;
  const how = new TextDecoder().decode(name.wire.slice(1, 1 + name.wire[0]));
  const answer: Message = {
    ...query,
    response: true,
    answer: [{ name, type: 1, class: 1, ttl: 60, data: Uint8Array.of(203, 0, 113, 66) }],
  };
  const send = (message: Message, cut = 0): void => {
    const bytes = encodeMessage(message);
    socket.write(
      Uint8Array.of(bytes.byteLength >>> 8, bytes.byteLength & 0xff, ...bytes.slice(0, bytes.byteLength - cut)),
    );
  };
  if (how === "stall") return;
  if (how === "other-id") return send({ ...answer, id: answer.id ^ 0x100 });
  if (how === "truncated") return send({ ...answer, flags: { ...answer.flags, tc: true } });
  if (how === "half") {
    send(answer, 3);
    return void socket.end();
  }
  if (how === "garbage") {
    return void socket.write(Uint8Array.of(0, 12, answer.id >>> 8, answer.id & 0xff, ...Array(10).fill(0xff)));
  }
  if (how === "header") return void socket.write(Uint8Array.of(0, 3, 1, 2, 3));
  if (how === "question") return send({ ...answer, question: { ...query.question!, type: 28 } });
  send({ ...answer, answer: [{ ...answer.answer[0], data: Uint8Array.of(192, 0, 2, 1) }] });
}

Deno.test({
  name:
    "upstreams that stall, lie, cut and send garbage cost their question alone, and never become an answer (row 51)",
  ...needs("kdig", "openssl"),
  async fn() {
    await using upstream = await liar();
    await using home = await initHome();
    const { fingerprintOf } = await import("@alknet/core/identity");
    const { X509Certificate } = await import("node:crypto");
    const pin = fingerprintOf(new X509Certificate(upstream.pem).raw);
    await configured(home, {
      upstreams: [{ via: "dot", address: `127.0.0.1:${upstream.port}`, pins: [pin] }],
      recursion: EVERYBODY_HERE,
    });
    await using node = await home.serve();
    // The first wait side by side; each of the last ends the connection to the upstream.
    for (const lies of [["stall", "other-id", "truncated", "question", "garbage"], ["header"], ["half"]]) {
      const answers = await Promise.all(lies.map((how) => kdig(node.port, "+tls", "+edns", `${how}.example.org`)));
      for (const [n, answer] of answers.entries()) {
        match(answer, /SERVFAIL[\s\S]*EDE[^\n]*23/, lies[n]);
        doesNotMatch(answer, /203\.0\.113\.66/);
      }
    }
    match(await kdig(node.port, "+tls", "honest.example.org"), /192\.0\.2\.1\b/);
    ok(upstream.asked >= 8);
    doesNotMatch(node.child.errors, /example\.org/);
  },
});

Deno.test("handlers.dns: an upstream that cannot be one is told with its place", async () => {
  await using home = await initHome();
  const id = home.nodeId;
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ via: "udp", address: "192.0.2.1:53" }, /upstreams[\s\S]*via/],
    [{ via: "dot" }, /handlers\.dns\.upstreams\[0\]: a dot upstream has an address/],
    [{ via: "dot", address: `${id}@192.0.2.1:853` }, /has a node id, which a dot upstream does not prove; use pins/],
    [{ via: "alknet", address: "192.0.2.1:4433" }, /has no node id; write NODEID@HOST:PORT/],
    [{ via: "alknet", address: `${id}@192.0.2.1:4433`, name: "a.example" }, /neither name nor pins/],
    [{ via: "dot", address: "192.0.2.1:99999" }, /port 99999/],
    [{ via: "dot", address: "192.0.2.1", pins: ["SHA256:00"] }, /SHA256:00[^\n]*fingerprint/],
    [{ via: "dot", address: "192.0.2.1", name: "192.0.2.1" }, /no host name/],
    [{ via: "doh", address: "192.0.2.1" }, /a doh upstream has a url and no address/],
    [{ via: "doh", url: "http://dns.example/" }, /no https:\/\/ URL/],
    [{ via: "doh", url: "https://a:b@dns.example/" }, /neither user nor query/],
    [{ via: "doq", url: "https://dns.example/" }, /url is for doh/],
  ];
  for (const [upstream, words] of wrong) {
    await configured(home, { upstreams: [upstream] });
    const { code, stderr } = await home.run("serve", "--listen", "127.0.0.1:0");
    equal(code, 1, stderr);
    match(stderr, words);
  }
  for (
    const [dns, words] of [
      [{ recursion: { prefixes: ["192.0.2.1/24"] } }, /handlers\.dns\.recursion\.prefixes: [^\n]*192\.0\.2\.1\/24/],
      [{ private_zones: ["a..b"] }, /handlers\.dns\.private_zones\[0\]: [^\n]*empty label/],
      [{ upstreams: [] }, /upstreams/],
    ] as const
  ) {
    await configured(home, dns);
    const { code, stderr } = await home.run("serve", "--listen", "127.0.0.1:0");
    equal(code, 1, stderr);
    match(stderr, words);
  }
});

Deno.test({
  name: "counters tell of upstreams and of what is kept, which can be forgotten, by who may",
  ...needs("unbound", "kdig", "openssl"),
  async fn() {
    await using unbound = await startUnbound(RECORDS);
    await using home = await initHome();
    await configured(home, { upstreams: [byDot(unbound)], recursion: EVERYBODY_HERE });
    await using node = await home.serve();
    const call = async (name: string, input: Record<string, unknown>, scope?: string) => {
      const args = ["call", `${home.nodeId}@${node.address}`, name, JSON.stringify(input)];
      if (scope !== undefined) {
        args.push("--token", (await home.run("token", "create", "--scope", scope)).stdout.trim());
      }
      return await home.run(...args);
    };
    // It has no zone, and answers over HTTPS too.
    for (const way of ["+tls", "+https", "+quic"]) match(await kdig(node.port, way, "www.example.org"), /192\.0\.2\.1/);
    const { stdout } = await call("dns/stats", {}, "dns:read");
    const { cache, upstreams } = JSON.parse(stdout);
    deepEqual([cache.entries, cache.hits, cache.stale], [1, 2, 0]);
    deepEqual(upstreams, { [`127.0.0.1:${unbound.port}`]: { asked: 1, failed: 0 } });
    equal((await call("dns/cache/flush", {})).code, 1);
    equal((await call("dns/cache/flush", {}, "dns:read")).code, 1);
    deepEqual(JSON.parse((await call("dns/cache/flush", { name: "elsewhere.example" }, "dns:write")).stdout), {
      dropped: 0,
    });
    deepEqual(JSON.parse((await call("dns/cache/flush", { name: "example.org" }, "dns:write")).stdout), { dropped: 1 });
    match(await kdig(node.port, "+tls", "www.example.org"), /192\.0\.2\.1/);
    deepEqual(JSON.parse((await call("dns/stats", {}, "dns:read")).stdout).upstreams, {
      [`127.0.0.1:${unbound.port}`]: { asked: 2, failed: 0 },
    });
    const asked = async (scope?: string) =>
      JSON.parse((await call("dns/query", { name: "www.example.org" }, scope)).stdout);
    deepEqual([(await asked()).Status, (await asked("dns:read")).Status], [5, 5]);
    const { Status, Answer, RA } = await asked("dns:recurse");
    deepEqual([Status, Answer[0].data, RA], [0, "192.0.2.1", true]);
  },
});

Deno.test({
  name: "a node that is its own upstream waits for itself once, and says SERVFAIL",
  ...needs("kdig"),
  async fn() {
    await using home = await initHome();
    const port = freeTcpPort();
    const itself = { via: "alknet", address: `${home.nodeId}@127.0.0.1:${port}` };
    await configured(home, { upstreams: [itself], recursion: EVERYBODY_HERE, log_queries: true });
    await using node = await home.serve("--listen", `127.0.0.1:${port}`);
    await node.child.errorLine("WARN dns: handlers.dns.log_queries: names that are asked for are written to this log");
    match(await kdig(port, "+tls", "www.example.org"), /SERVFAIL/);
    await node.child.errorLine("query www.example.org. A rcode=2 src=127.0.0.1 proto=dot");
    const token = (await home.run("token", "create", "--scope", "dns:read")).stdout.trim();
    const stats = await home.run("call", itself.address, "dns/stats", "{}", "--token", token);
    equal(JSON.parse(stats.stdout).upstreams[itself.address].asked, 1);
  },
});

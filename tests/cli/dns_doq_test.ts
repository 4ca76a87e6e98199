/**
 * DNS over QUIC for stock clients, and what limits hold whom: kdig, dnspython and aioquic (dns.md §2, §9, §11).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { connect } from "node:tls";
import { runProgram } from "../support/process.ts";
import { inMebibytes, untilLevel } from "../support/plateau.ts";
import { childrenOf, residentMemory } from "../support/proc.ts";
import { needs } from "../support/programs.ts";
import { startPeer } from "../support/python.ts";
import { temporaryFolder } from "../support/temp.ts";
import { ADDRESS, dnsHome, hostile, kdig, limit, NAME } from "./dns_home.ts";

/** RFC 9250 §4.3. */
const PROTOCOL = 2;
const LOAD = 4;
/** no_application_protocol (RFC 7301 §3.2), as QUIC carries alerts (RFC 9001 §4.8). */
const NO_APPLICATION_PROTOCOL = 0x100 + 120;

Deno.test({
  name: "kdig asks over TLS, QUIC and HTTPS and is told the same; what was padded comes back padded (rows 1 and 6)",
  ...needs("kdig", "linux"),
  async fn() {
    await using home = await dnsHome();
    await using node = await home.serve();
    for (const way of ["+tls", "+quic", "+https", "+https-get"]) {
      const said = await kdig(node.port, way, "+padding", NAME);
      match(said, /status: NOERROR[\s\S]*Flags: qr aa/, said);
      match(said, /www\.home\.example\.\s+300\s+IN\s+A\s+192\.0\.2\.7/);
      match(said, /PADDING: \d+ B[\s\S]*Received 468 B/);
      const plain = await kdig(node.port, way, "+nopadding", "+noedns", NAME);
      match(plain, /192\.0\.2\.7[\s\S]*Received 50 B/, plain);
      const absent = await kdig(node.port, way, "nope.home.example");
      match(absent, /NXDOMAIN[\s\S]*IN\s+SOA/);
      match(await kdig(node.port, way, "elsewhere.example"), /REFUSED/);
    }
    match(await kdig(node.port, "+quic", "home.example", "AXFR"), /server replied with error 'REFUSED'/);
  },
});

Deno.test({
  name: "dnspython asks over TLS and QUIC: padding, and how long a connection is kept (rows 6 and 7)",
  ...needs("python"),
  async fn() {
    await using home = await dnsHome();
    await using node = await home.serve();
    await using peer = startPeer("dns_client.py");
    const ask = async (via: string, options: readonly (readonly [number, string])[], name = NAME) => {
      const { rcode, size, answer, options: told } = await peer.ask<Record<string, unknown>>({
        ...{ via, options, name, port: node.port },
      });
      const seen = (told as [number, string][]).map(([code, data]) => code === 12 ? [code] : [code, data]);
      return [rcode, answer, size, seen];
    };
    const plain = 61;
    for (const via of ["tls", "quic"]) {
      deepEqual(await ask(via, []), ["NOERROR", [ADDRESS], plain, []]);
      deepEqual(await ask(via, [[12, "0000"]]), ["NOERROR", [ADDRESS], 468, [[12]]]);
    }
    deepEqual(await ask("tls", [[11, ""]]), ["NOERROR", [ADDRESS], plain + 6, [[11, "0064"]]]);
    deepEqual(await ask("tls", [[11, ""], [12, ""]]), ["NOERROR", [ADDRESS], 468, [[11, "0064"], [12]]]);
    deepEqual(await ask("tls", [[11, "000000"]]), ["FORMERR", [], 34, []]);
    const { rcode, options } = await peer.ask<{ rcode: string; options: [number, string][] }>({
      ...{ via: "quic", name: "home.example", type: "AXFR", port: node.port },
    });
    deepEqual([rcode, options[0][0], options[0][1].slice(0, 4)], ["REFUSED", 15, "0015"]);
  },
});

Deno.test({
  name: "dnspython gets odd bytes and letters of a name back as it wrote them, cold and from the cache (row 27)",
  ...needs("python"),
  async fn() {
    await using home = await dnsHome();
    const added = await home.run("dns", "record", "add", "home.example", "*.wild", "TXT", "x");
    equal(added.code, 0, added.stderr);
    await using node = await home.serve();
    await using peer = startPeer("dns_client.py");
    for (const via of ["tls", "quic"]) {
      for (const name of ["a\\000\\255\\.B.wild.home.example.", "A\\000\\255\\.b.wIld.Home.example."]) {
        for (let round = 0; round < 2; round++) {
          const { owners } = await peer.ask({ via, name, type: "TXT", port: node.port });
          deepEqual(owners, [name]);
        }
      }
    }
  },
});

Deno.test({
  name: "what is no DNS over QUIC closes its connection, and no other (rows 9 and 11)",
  ...needs("python"),
  async fn() {
    await using home = await dnsHome();
    await using node = await home.serve();
    await using peer = hostile(node.port);
    const asked = `${
      "0000" + "0100" + "0001" + "0000".repeat(3)
    }03777777${"04686f6d65"}076578616d706c65000001${"0001"}`;
    const framed = (message: string) => (message.length / 2).toString(16).padStart(4, "0") + message;
    const keepalive = `${asked.slice(0, 20)}0001${asked.slice(24)}0000290400000000000004000b0000`;
    const wrong = {
      "an id": framed(`0007${asked.slice(4)}`),
      "a second message": framed(asked) + framed(asked),
      "an early end": framed(asked).slice(0, 40),
      "the keepalive of TCP": framed(keepalive),
      "no length": "",
      "a short length": "0005aa",
    };
    for (const [title, bytes] of Object.entries(wrong)) {
      const { before, closed, code } = await peer.does("wrong", { bytes, end: true });
      deepEqual([before, closed, code], [[ADDRESS], true, PROTOCOL], title);
    }
    const oneWay = await peer.does("wrong", { oneWay: true, bytes: framed(asked), end: true });
    deepEqual([oneWay.closed, oneWay.code], [true, PROTOCOL]);
    match(await node.child.errorLine(/ WARN dns: /), /refused src=127\.0\.0\.1 reason=protocol proto=doq$/);
    // `dot` is TCP's, `doq` is QUIC's.
    equal((await peer.does("refused", { alpn: "dot" })).code, NO_APPLICATION_PROTOCOL);
    const code = await new Promise((resolve) => {
      const options = { port: node.port, host: "127.0.0.1", ALPNProtocols: ["doq"], rejectUnauthorized: false };
      const socket = connect(options, () => resolve(socket.alpnProtocol));
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    match(String(code), /ALERT_NO_APPLICATION_PROTOCOL|ECONNRESET|NoApplicationProtocol/i);
    match(await kdig(node.port, "+quic", NAME), /192\.0\.2\.7/);
  },
});

Deno.test({
  name: "500 streams at once are answered; those that are cancelled, left open or hoarded are cut (rows 12 and 13)",
  ...needs("python"),
  async fn() {
    await using home = await dnsHome();
    await using node = await home.serve();
    await using peer = hostile(node.port);
    deepEqual(await peer.does("burst", { streams: 500 }), { answered: 500, closed: false });
    deepEqual(await peer.does("cancel"), { resets: [3, 3], answer: [ADDRESS] });
    deepEqual(await peer.does("endless"), { answer: [ADDRESS], stop: PROTOCOL, again: [ADDRESS] });
    const { reset, held, closed, code } = await peer.does("hoard", { streams: 64 });
    deepEqual([reset, held, closed, code], [LOAD, [ADDRESS], true, LOAD]);
  },
});

Deno.test({
  name: "streams by the ten thousand that are cancelled leave nothing behind (row 14)",
  ...needs("python", "linux"),
  async fn() {
    await using home = await dnsHome();
    await using node = await home.serve();
    await using peer = hostile(node.port);
    const streams = 12_500;
    const work = async (round: number) => {
      const stops = round % 2 === 0;
      deepEqual(await peer.does("churn", { streams, stops }), { resets: streams, answer: [ADDRESS], closed: false });
    };
    const { level, values } = await untilLevel(() => memoryOf(node.child.pid), work, { rounds: 16 });
    ok(level && values.length >= 3, inMebibytes(values));
  },
});

Deno.test({
  name: "a flood over QUIC and TLS from one address is refused, and everybody at another is answered",
  ...needs("kdig", "python", "linux"),
  async fn() {
    await using home = await dnsHome();
    await using node = await home.serve();
    await using peer = hostile(node.port);
    const flood = peer.does("flood");
    match(await node.child.errorLine(/ WARN dns: /), /refused src=127\.0\.0\.1 reason=query-rate proto=do[tq]$/);
    const friend = "127.0.0.2";
    for (let round = 0; round < 10; round++) {
      const ways = ["+quic", "+tls", "+https"].map((way) => kdig(node.port, way, "-b", friend, NAME));
      for (const said of await Promise.all(ways)) match(said, /NOERROR[\s\S]*192\.0\.2\.7/, said);
    }
    await peer.write("\n");
    const { sent, refused, closed } = await flood;
    ok(Number(sent) > 1000 && Number(refused) > 0 && Number(closed) > 0, JSON.stringify({ sent, refused, closed }));
  },
});

Deno.test({
  name: "a certificate with the name of the node is an identity, with limits of its own (row 10)",
  ...needs("kdig", "openssl", "linux"),
  async fn() {
    await using home = await dnsHome();
    await using folder = await temporaryFolder();
    const [key, certificate] = ["key.pem", "certificate.pem"].map((name) => folder.join(name));
    const made = await runProgram("openssl", [
      ...["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=client"],
      ...["-keyout", key, "-out", certificate],
    ]);
    equal(made.code, 0, made.stderr);
    const spki = await runProgram("openssl", [
      "pkey",
      "-in",
      key,
      "-pubout",
      "-outform",
      "DER",
      "-out",
      folder.join("spki"),
    ]);
    equal(spki.code, 0, spki.stderr);
    const publicKey = (await Deno.readFile(folder.join("spki"))).subarray(-32);
    const authorized = await home.run("authorize", `ed25519:${publicKey.toHex()}`, "--name", "client");
    equal(authorized.code, 0, authorized.stderr);
    await limit(home, { negative_rate: { per_second: 1, burst: 1 } });
    await using node = await home.serve();
    const absent = "nope.home.example";
    match(await kdig(node.port, "+tls", absent), /NXDOMAIN/);
    // A second may have passed.
    let said = "";
    for (let tries = 0; tries < 10 && !said.includes("REFUSED"); tries++) said = await kdig(node.port, "+tls", absent);
    match(said, /REFUSED/);
    const own = [`+tls-certfile=${certificate}`, `+tls-keyfile=${key}`];
    match(await kdig(node.port, "+tls", `+tls-sni=${home.nodeId}.alknet`, ...own, absent), /NXDOMAIN/);
    // Without the name of the node nobody asks for the certificate.
    match(await kdig(node.port, "+tls", ...own, absent), /REFUSED/);
  },
});

/** Resident memory of a node and its engine. */
function memoryOf(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + residentMemory(each), 0);
}

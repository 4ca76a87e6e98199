import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect, type ConnectOptions } from "../../../core/endpoint/dial.ts";
import { interleaved } from "../../../core/endpoint/happy_eyeballs.ts";
import { router } from "../../../core/endpoint/router.ts";
import { defineHandler } from "../../../core/handler/handler.ts";
import { selfSignedCertificate } from "../../../core/identity/certificate.ts";
import { fingerprintOf } from "../../../core/identity/fingerprint.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { selfSigned } from "../../../core/identity/x509_writer.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { addressOf, ask, Authority, hostOf, readText, TRANSPORTS, withCertificate } from "./support.ts";

const ALPN = "alknet/test";

/** Answers the number of bytes that it was sent. */
const counting = defineHandler({
  alpns: [ALPN],
  async handle(connection) {
    runs++;
    for await (const stream of connection) {
      const { length } = await readText(stream);
      const writer = stream.writable.getWriter();
      await writer.write(new TextEncoder().encode(String(length)));
      await writer.close();
    }
  },
});
/** How often it ran. */
let runs = 0;

async function answers(address: string, options: ConnectOptions): Promise<boolean> {
  await using connection = await connect(address, ALPN, options);
  return await ask(await connection.open(), "four") === "4";
}

for (const transport of TRANSPORTS) {
  const title = (what: string): string => `connect over ${transport}: ${what}`;

  Deno.test(title("a pinned node id that is right connects, another is refused (core.md §18 row 45)"), async () => {
    await using endpoint = await router().use(counting).listen({ transports: [transport] });
    assert.ok(await answers(addressOf(endpoint), { transport }));
    const other = `${NodeKey.generate().id}@${hostOf(endpoint)}`;
    await assert.rejects(connect(other, ALPN, { transport }), (error) => {
      const { code, message } = error as Error & { code: string };
      assert.equal(code, "FINGERPRINT_MISMATCH");
      assert.ok(message.includes(endpoint.fingerprint), message);
      return true;
    });
  });

  Deno.test(title("a pin looks at the key alone: expired, another name (core.md §18 row 46)"), async () => {
    const key = NodeKey.generate();
    await using endpoint = await router().use(counting).listen({
      transports: [transport],
      key: withCertificate(key, expiredCertificate(key)),
    });
    assert.ok(await answers(addressOf(endpoint), { transport }));
  });

  Deno.test(title("without a pin, a key certificate is refused (core.md §18 row 47)"), async () => {
    await using endpoint = await router().use(counting).listen({ transports: [transport] });
    const { port } = endpoint.addresses[0];
    for (const host of ["127.0.0.1", "localhost"]) {
      await assert.rejects(connect(`${host}:${port}`, ALPN, { transport }), { code: "CERTIFICATE_REJECTED" });
    }
    assert.ok(await answers(hostOf(endpoint), { transport, insecure: true }));
  });

  Deno.test({
    name: title("a test authority: right name, wrong name, expired, authority unknown (core.md §18 row 48)"),
    ...needs("openssl"),
    fn: async () => {
      await using folder = await temporaryFolder();
      const authority = await Authority.make(folder);
      const { certificate: authorities } = authority;
      const cases = [
        { name: "localhost", days: 20, trusts: true, accepted: true },
        { name: "other.example", days: 20, trusts: true, accepted: false },
        { name: "localhost", days: -1, trusts: true, accepted: false },
        { name: "localhost", days: 20, trusts: false, accepted: false },
      ];
      for (const { name, days, trusts, accepted } of cases) {
        const certificate = await authority.issue(name, days);
        await using endpoint = await router().use(counting).listen({
          transports: [transport],
          certificate,
          key: withCertificate(NodeKey.generate(), certificate),
        });
        const address = `localhost:${endpoint.addresses[0].port}`;
        const options = { transport, authorities: trusts ? authorities : undefined };
        if (accepted) assert.ok(await answers(address, options));
        else await assert.rejects(connect(address, ALPN, options), { code: "CERTIFICATE_REJECTED" }, `${name} ${days}`);
      }
    },
  });

  Deno.test(title("a SHA256 pin holds one certificate, not its key's next one (core.md §18 row 49)"), async () => {
    const certificate = selfSignedCertificate({ names: ["localhost"] });
    const fingerprint = fingerprintOf(new X509Certificate(certificate.certificate).raw);
    const listening = (pair: typeof certificate) =>
      router().use(counting).listen({
        transports: [transport],
        certificate: pair,
        key: withCertificate(NodeKey.generate(), pair),
      });
    const pinned = { transport, fingerprints: [fingerprint] };
    {
      await using endpoint = await listening(certificate);
      assert.ok(await answers(hostOf(endpoint), pinned));
    }
    await using endpoint = await listening(selfSignedCertificate({ names: ["localhost"] }));
    await assert.rejects(connect(hostOf(endpoint), ALPN, pinned), { code: "FINGERPRINT_MISMATCH" });
  });

  Deno.test(title("an ALPN that nobody serves is refused (core.md §18 rows 3 and 5)"), async () => {
    const before = runs;
    await using endpoint = await router().use(counting).listen({ transports: [transport] });
    for (const alpn of ["alknet/test2", "alknet/tes", "ALKNET/TEST", "x"]) {
      await assert.rejects(connect(addressOf(endpoint), alpn, { transport }), { code: "ALPN_REFUSED" }, alpn);
    }
    assert.equal(runs, before);
  });

  Deno.test(title("abort and time limit reject at once, with their reason (core.md §18 row 55)"), async () => {
    // Takes connections and datagrams and never answers.
    const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepting = tcp.accept().catch(() => undefined);
    const address = `${NodeKey.generate().id}@127.0.0.1:${tcp.addr.port}`;
    const reason = new Error("enough");
    const controller = new AbortController();
    const dialling = connect(address, ALPN, { transport, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(dialling, (error) => error === reason);
    await assert.rejects(connect(address, ALPN, { transport, signal: controller.signal }), (error) => error === reason);
    const code = transport === "tls" ? "TIMEOUT" : /TIMEOUT|UNREACHABLE/;
    await assert.rejects(connect(address, ALPN, { transport, timeout: 100 }), { code });
    tcp.close();
    (await accepting)?.close();
  });
}

Deno.test("connect with auto: TCP when UDP does not answer (core.md §18 row 53)", async () => {
  await using endpoint = await router().use(counting).listen({ transports: ["tls"] });
  await using connection = await connect(addressOf(endpoint), ALPN, { timeout: 5000 });
  assert.equal(connection.transport, "tls");
});

Deno.test("connect with auto: QUIC when it answers, and no second try after a refusal (core.md §18 row 53)", async () => {
  await using endpoint = await router().use(counting).listen({});
  {
    await using connection = await connect(addressOf(endpoint), ALPN);
    assert.equal(connection.transport, "quic");
  }
  const { accepted } = endpoint.stats();
  const other = `${NodeKey.generate().id}@${hostOf(endpoint)}`;
  await assert.rejects(connect(other, ALPN), { code: "FINGERPRINT_MISMATCH" });
  assert.ok(endpoint.stats().accepted <= accepted + 1, "a second transport was tried");
});

Deno.test("connect: nothing listens, no such name (core.md §11)", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  for (const host of ["127.0.0.1", "localhost", "no-such-name.invalid"]) {
    await assert.rejects(connect(`${host}:${port}`, ALPN, { transport: "tls" }), { code: "UNREACHABLE" });
  }
});

Deno.test("connect: what cannot be dialled is said before anything is sent", async () => {
  const { id } = NodeKey.generate();
  const wrong: [string, ConnectOptions, string][] = [
    ["127.0.0.1", {}, "INVALID_ADDRESS"],
    ["abc@127.0.0.1:1", {}, "INVALID_NODE_ID"],
    [`${id}@127.0.0.1:1`, { fingerprints: ["sha1:00"] }, "INVALID_FINGERPRINT"],
    [`${id}@127.0.0.1:1`, { transport: "quic", proxy: "127.0.0.1:1" }, "PROXY"],
    [`${id}@127.0.0.1:1`, { transport: "tls", proxy: "nowhere" }, "INVALID_ADDRESS"],
  ];
  for (const [address, options, code] of wrong) await assert.rejects(connect(address, ALPN, options), { code });
  await assert.rejects(connect(`${id}@127.0.0.1:1`, "h2", { transport: "quic" }), { code: "NO_TRANSPORT" });
});

Deno.test("connect over quic: an address that is none, or of no interface here, costs only its own dial", async () => {
  const pin = NodeKey.generate().id;
  const options = { transport: "quic", timeout: 300 } as const;
  await assert.rejects(connect(`${pin}@999.1.1.1:443`, ALPN, options), { code: "UNREACHABLE" });
  await assert.rejects(connect(`${pin}@[fe80::1%nowhere]:443`, ALPN, options), { code: "TIMEOUT" });
});

Deno.test("interleaved takes the families in turn, the first one first (RFC 8305 §4)", () => {
  const of = (...addresses: string[]) =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const cases: [string[], string[]][] = [
    [["::1", "::2", "1.1.1.1", "2.2.2.2"], ["::1", "1.1.1.1", "::2", "2.2.2.2"]],
    [["1.1.1.1", "::1", "::2", "::3"], ["1.1.1.1", "::1", "::2", "::3"]],
    [["::1", "::2", "::3", "1.1.1.1"], ["::1", "1.1.1.1", "::2", "::3"]],
    [["1.1.1.1", "1.1.1.1"], ["1.1.1.1"]],
  ];
  for (const [found, order] of cases) assert.deepEqual(interleaved(of(...found)), order);
});

/** A key certificate of `key` that was over long ago and names someone else. */
function expiredCertificate(key: NodeKey): ReturnType<NodeKey["certificate"]> {
  const der = selfSigned({
    commonName: "someone else",
    names: [],
    notBefore: new Date("2001-01-01"),
    notAfter: new Date("2002-01-01"),
    spki: Uint8Array.fromHex("302a300506032b6570032100" + key.publicKey.toHex()),
    algorithm: Uint8Array.fromHex("300506032b6570"),
    sign: (data) => key.sign(data),
  });
  return { certificate: new X509Certificate(der).toString(), privateKey: key.toPem() };
}

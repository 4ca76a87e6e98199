import assert from "node:assert/strict";
import { defineHandler, router } from "../../../core/mod.ts";
import { selfSignedCertificate } from "../../../core/identity/certificate.ts";
import { fingerprintOf } from "../../../core/identity/fingerprint.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { ask, hostOf, ROOMY, TRANSPORTS } from "./support.ts";

const echo = defineHandler({
  alpns: ["test/echo"] as const,
  async handle(connection) {
    for await (const { readable, writable } of connection) await readable.pipeTo(writable).catch(() => {});
  },
});

for (const transport of TRANSPORTS) {
  Deno.test(`a renewed certificate is shown to newcomers over ${transport}, and nobody is dropped`, async () => {
    const [first, second] = [0, 1].map(() => selfSignedCertificate({ names: ["localhost"] }));
    await using endpoint = await router().use(echo).listen({
      certificate: first,
      transports: [transport],
      limits: ROOMY,
      key: NodeKey.generate(),
    });
    const dial = () => endpoint.connect(hostOf(endpoint), "test/echo", { transport, insecure: true });
    await using before = await dial();
    assert.equal(before.peer.fingerprint, fingerprint(first.certificate));
    const stream = await before.open();
    const writer = stream.writable.getWriter();
    await writer.write(Uint8Array.of(1));
    const reader = stream.readable.getReader();
    assert.deepEqual([...(await reader.read()).value!], [1]);

    assert.throws(() => endpoint.adjustCertificate({ ...second, privateKey: first.privateKey }), {
      code: "TLS_CONFIG",
    });
    assert.throws(() => endpoint.adjustCertificate({ certificate: "x", privateKey: "y" }), { code: "TLS_CONFIG" });
    endpoint.adjustCertificate(second);
    let shown = await dial();
    // An engine is a process of its own, and learns of it a moment later.
    for (let more = 100; more > 0 && shown.peer.fingerprint !== fingerprint(second.certificate); more--) {
      shown.close();
      shown = await dial();
    }
    await using after = shown;
    assert.equal(after.peer.fingerprint, fingerprint(second.certificate));
    assert.equal(await ask(await after.open(), "hello"), "hello");
    await writer.write(Uint8Array.of(2));
    assert.deepEqual([...(await reader.read()).value!], [2]);
    await writer.close();
  });
}

Deno.test("an endpoint that began without a public certificate has none to change", async () => {
  await using endpoint = await router().use(echo).listen({ transports: ["tls"] });
  const pair = selfSignedCertificate({ names: ["localhost"] });
  assert.throws(() => endpoint.adjustCertificate(pair), { code: "TLS_CONFIG" });
});

function fingerprint(pem: string): string {
  const base64 = /-----BEGIN CERTIFICATE-----([^-]+)/.exec(pem)![1].replace(/\s/g, "");
  return fingerprintOf(Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)));
}

/** Kinds of keys, as `openssl req -newkey` takes them, and whether both transports can show them. */
const KINDS: readonly (readonly [kind: readonly string[], served: boolean])[] = [
  [["rsa:2048"], true],
  [["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], true],
  [["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], true],
  [["ed25519"], true],
  [["rsa:1024"], false],
  [["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], false],
  [["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], false],
  [["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], false],
  [["ed448"], false],
];

for (const [kind, served] of KINDS) {
  Deno.test({
    name: `listen: a certificate with a key of ${kind.at(-1)} is ${
      served ? "served over both" : "refused, with what would do"
    }`,
    ...needs("openssl"),
    async fn() {
      await using folder = await temporaryFolder();
      const files = { key: folder.join("key.pem"), certificate: folder.join("certificate.pem") };
      const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      const out = ["-nodes", "-x509", "-days", "1", "-keyout", files.key, "-out", files.certificate];
      const made = await runProgram("openssl", ["req", "-newkey", ...kind, ...out, ...names]);
      assert.equal(made.code, 0, made.stderr);
      const certificate = {
        certificate: await Deno.readTextFile(files.certificate),
        privateKey: await Deno.readTextFile(files.key),
      };
      const listening = router().use(echo).listen({ listen: "127.0.0.1:0", certificate });
      if (!served) {
        await assert.rejects(listening, (error: Error & { code: string }) => {
          assert.equal(error.code, "TLS_CONFIG");
          assert.match(error.message, /RSA of 2048 bits or more, P-256, P-384 or Ed25519$/);
          return true;
        });
        return;
      }
      await using endpoint = await listening;
      assert.deepEqual(endpoint.transports, ["quic", "tls"]);
    },
  });
}

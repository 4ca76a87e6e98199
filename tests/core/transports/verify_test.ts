import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { AlknetError, DialError } from "../../../core/errors.ts";
import { selfSignedCertificate } from "../../../core/identity/certificate.ts";
import { fingerprintOf } from "../../../core/identity/fingerprint.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { checkPeer, provenPeer, trustedAuthorities } from "../../../core/transports/verify.ts";
import { forgeriesOf } from "./forgeries.ts";

const key = NodeKey.generate();
const ecdsa = new Uint8Array(new X509Certificate(selfSignedCertificate({ names: ["localhost"] }).certificate).raw);

Deno.test("provenPeer names key certificates, other certificates and their absence (core.md §9)", () => {
  assert.equal(provenPeer(key.certificateDer).fingerprint, key.fingerprint);
  assert.equal(provenPeer(ecdsa).fingerprint, fingerprintOf(ecdsa));
  assert.deepEqual(provenPeer(undefined), {});
});

for (const { what, der } of forgeriesOf(key.certificateDer)) {
  Deno.test(`provenPeer refuses a certificate with ${what} (core.md §9, possession)`, () => {
    assert.throws(() => provenPeer(der), (error) => error instanceof AlknetError && error.code === "VERIFIER");
    const expectation = { kind: "fingerprints", fingerprints: [key.fingerprint, fingerprintOf(der)] } as const;
    assert.throws(
      () => checkPeer(expectation, [der]),
      (error) => error instanceof DialError && error.code === "CERTIFICATE_REJECTED",
    );
  });
}

Deno.test("checkPeer holds fingerprints, and says what was expected and seen (core.md §10.4)", () => {
  const other = NodeKey.generate().fingerprint;
  const chain = [key.certificateDer];
  const expecting = (...fingerprints: string[]) => ({ kind: "fingerprints", fingerprints }) as const;
  assert.equal(checkPeer(expecting(key.fingerprint), chain).fingerprint, key.fingerprint);
  assert.equal(checkPeer(expecting(other, key.fingerprint), chain).fingerprint, key.fingerprint);
  for (const expectation of [expecting(other), expecting()]) {
    assert.throws(() => checkPeer(expectation, chain, "host"), (error) => {
      assert.ok(error instanceof DialError);
      assert.equal(error.code, "FINGERPRINT_MISMATCH");
      assert.ok(error.message.includes(key.fingerprint));
      return true;
    });
  }
  assert.throws(() => checkPeer(expecting(key.fingerprint), []), { code: "CERTIFICATE_REJECTED" });
});

Deno.test("trustedAuthorities is PEM, the same text each time (core.md §10.4)", () => {
  assert.match(trustedAuthorities(), /^-----BEGIN CERTIFICATE-----/m);
  assert.equal(trustedAuthorities(), trustedAuthorities());
});

/**
 * Whom a caller trusts: call.md §26 rows 142 to 145. What is refused has sent no frame.
 *
 * @module
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { type CertificateKeyPair, type ConnectOptions, type Endpoint, router } from "@alknet/core";
import { NodeKey } from "@alknet/core/identity";
import { Dispatcher, nodeRegistry } from "@alknet/core/operations";
import { call, connectCall } from "@alknet/handlers/call";
import { selfSignedCertificate } from "../../../core/identity/certificate.ts";
import { fingerprintOf } from "../../../core/identity/fingerprint.ts";
import { addressOf, Authority, hostOf, TRANSPORTS, withCertificate } from "../../core/endpoint/support.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { OPEN_LIMITS } from "../http/fronts.ts";
import { once } from "./fixtures.ts";

for (const transport of TRANSPORTS) testTrust(transport);

function testTrust(transport: (typeof TRANSPORTS)[number]): void {
  const title = (what: string, row: number): string =>
    `connectCall over ${transport}: ${what} (call.md §26 row ${row})`;

  /** A node that answers `a/b`, and counts the connections that reached its handler. */
  async function start(certificate?: CertificateKeyPair): Promise<{ endpoint: Endpoint; served: () => number }> {
    let served = 0;
    const dispatcher = new Dispatcher({ registry: nodeRegistry([once("a/b", () => 1)]) });
    const endpoint = await router().use(call(dispatcher, { onConnection: () => void served++ })).listen({
      transports: [transport],
      limits: OPEN_LIMITS,
      ...(certificate && { certificate, key: withCertificate(NodeKey.generate(), certificate) }),
    });
    return { endpoint, served: () => served };
  }

  async function calls(endpoint: Endpoint, address: string, dial: ConnectOptions = {}): Promise<void> {
    await using client = await connectCall(endpoint, address, { dial: { transport, ...dial } });
    assert.equal(await client.call("a/b", {}), 1);
  }

  async function refuses(
    { endpoint, served }: Awaited<ReturnType<typeof start>>,
    code: string,
    address: string,
    dial?: ConnectOptions,
  ): Promise<void> {
    const before = served();
    await assert.rejects(calls(endpoint, address, dial), { code });
    assert.equal(served(), before, "no frame was sent");
  }

  Deno.test(title("a pinned key is the only one trusted", 142), async () => {
    const node = await start();
    await using endpoint = node.endpoint;
    await calls(endpoint, hostOf(endpoint), { fingerprints: [endpoint.fingerprint] });
    await calls(endpoint, addressOf(endpoint));
    const other = NodeKey.generate().fingerprint;
    await refuses(node, "FINGERPRINT_MISMATCH", hostOf(endpoint), { fingerprints: [other] });
  });

  Deno.test(title("without a pin, a key's own certificate is refused", 143), async () => {
    const node = await start();
    await using endpoint = node.endpoint;
    await refuses(node, "CERTIFICATE_REJECTED", hostOf(endpoint));
  });

  Deno.test({
    name: title("without a pin, an authority's certificate counts for its host name alone", 144),
    ...needs("openssl"),
    fn: async () => {
      await using folder = await temporaryFolder();
      const authority = await Authority.make(folder);
      const { certificate: authorities } = authority;
      for (const [name, isRight] of [["localhost", true], ["other.example", false]] as const) {
        const node = await start(await authority.issue(name));
        await using endpoint = node.endpoint;
        const address = `localhost:${endpoint.addresses[0].port}`;
        if (isRight) await calls(endpoint, address, { authorities });
        else await refuses(node, "CERTIFICATE_REJECTED", address, { authorities });
      }
    },
  });

  Deno.test(title("a pinned certificate is trusted until it is renewed", 145), async () => {
    const certificate = selfSignedCertificate({ names: ["localhost"] });
    const fingerprints = [fingerprintOf(new X509Certificate(certificate.certificate).raw)];
    {
      const { endpoint } = await start(certificate);
      await using _ = endpoint;
      await calls(endpoint, hostOf(endpoint), { fingerprints });
    }
    const node = await start(selfSignedCertificate({ names: ["localhost"] }));
    await using endpoint = node.endpoint;
    await refuses(node, "FINGERPRINT_MISMATCH", hostOf(endpoint), { fingerprints });
  });
}

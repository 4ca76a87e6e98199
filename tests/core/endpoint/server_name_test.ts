/**
 * What a dial may say of a server beside its address (row 75 of dns.md §11).
 *
 * @module
 */
import { equal, rejects } from "node:assert/strict";
import { connect } from "../../../core/endpoint/dial.ts";
import { router } from "../../../core/endpoint/router.ts";
import { defineHandler } from "../../../core/handler/handler.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { startUnbound, UNBOUND_NAME } from "../../support/unbound.ts";
import { Authority, hostOf, TRANSPORTS, withCertificate } from "./support.ts";

const quiet = defineHandler({ alpns: ["alknet/test"], handle: () => Promise.resolve() });

Deno.test({
  name: "a server that agrees on no protocol is taken where that is said; the name is checked all the same (row 75)",
  ...needs("unbound", "openssl"),
  async fn() {
    await using unbound = await startUnbound();
    const address = `127.0.0.1:${unbound.port}`;
    const trusted = { transport: "tls", authorities: unbound.certificate } as const;
    const named = { ...trusted, serverName: UNBOUND_NAME };
    await rejects(connect(address, "dot", named), { code: "ALPN_REFUSED" });
    {
      await using connection = await connect(address, "dot", { ...named, alpnOptional: true });
      equal(connection.alpn, "dot");
    }
    for (const serverName of ["other.example.test", undefined]) {
      const dialling = connect(address, "dot", { ...trusted, serverName, alpnOptional: true });
      await rejects(dialling, { code: "CERTIFICATE_REJECTED" });
    }
    const pinned = { transport: "tls", fingerprints: [unbound.fingerprint], alpnOptional: true } as const;
    await using _connection = await connect(address, "dot", { ...pinned, serverName: "other.example.test" });
  },
});

for (const transport of TRANSPORTS) {
  Deno.test({
    name: `an address over ${transport} has the name that is given: that one in the certificate, no other`,
    ...needs("openssl"),
    async fn() {
      await using folder = await temporaryFolder();
      const authority = await Authority.make(folder);
      const certificate = await authority.issue("right.example");
      await using endpoint = await router().use(quiet).listen({
        transports: [transport],
        certificate,
        key: withCertificate(NodeKey.generate(), certificate),
      });
      const options = { transport, authorities: authority.certificate, alpnOptional: true } as const;
      {
        await using _ = await connect(hostOf(endpoint), "alknet/test", { ...options, serverName: "right.example" });
      }
      const wrong = connect(hostOf(endpoint), "alknet/test", { ...options, serverName: "wrong.example" });
      await rejects(wrong, { code: "CERTIFICATE_REJECTED" });
      const other = connect(hostOf(endpoint), "alknet/other", { ...options, serverName: "right.example" });
      await rejects(other, { code: "ALPN_REFUSED" });
    },
  });
}

/**
 * A certificate of the configuration that is renewed while the node runs.
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";
import { selfSignedCertificate } from "@alknet/core/identity";
import { initHome, nextEvent } from "./home.ts";

Deno.test("alknet serve shows a certificate that is renewed, without a restart; one that does not fit changes nothing", async () => {
  await using home = await initHome();
  const [first, second] = ["first.example", "second.example"].map((name) => selfSignedCertificate({ names: [name] }));
  const write = async ({ certificate, privateKey }: typeof first) => {
    await Deno.writeTextFile(`${home.path}/tls.pem`, certificate);
    await Deno.writeTextFile(`${home.path}/tls.key`, privateKey, { mode: 0o600 });
  };
  await write(first);
  await home.writeConfig({
    ...await home.config(),
    certificate: { mode: "x509", certificate_file: "tls.pem", key_file: "tls.key" },
  });
  await using node = await home.serve("--transport", "tls");
  equal(await shownBy(node.port), "first.example");
  await Deno.writeTextFile(`${home.path}/tls.pem`, second.certificate);
  match(String((await nextEvent(node.child, "certificate-failed")).error), /tls\.key does not fit/);
  equal(await shownBy(node.port), "first.example");
  await write(second);
  await nextEvent(node.child, "certificate-renewed");
  equal(await shownBy(node.port), "second.example");
});

/** The name in the certificate that a browser is shown. */
async function shownBy(port: number): Promise<string> {
  const options = { port, host: "127.0.0.1", ALPNProtocols: ["http/1.1"], rejectUnauthorized: false };
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const socket: TLSSocket = connect(options, () => resolve(socket)).once("error", reject);
  });
  const { subjectAltName = "" } = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  return subjectAltName.replace("DNS:", "");
}

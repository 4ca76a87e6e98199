/**
 * The peer of our TLS transport, serving: `node:tls` and its events, no streams of ours.
 *
 * @module
 */
import { createServer, type TlsOptions, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { selfSignedCertificate } from "../../core/identity/certificate.ts";
import { BLOCK, SINK_ALPN, SOURCE_ALPN } from "./protocols.ts";

function sink(socket: TLSSocket): void {
  let count = 0;
  socket.on("data", (chunk: Uint8Array) => count += chunk.byteLength);
  socket.on("end", () => socket.end(String(count)));
}

function source(socket: TLSSocket): void {
  const block = new Uint8Array(BLOCK);
  let wanted = true;
  const send = (): void => {
    while (wanted && socket.write(block));
  };
  socket.on("drain", send);
  socket.once("data", send);
  socket.on("end", () => {
    wanted = false;
    socket.end();
  });
}

const { certificate, privateKey } = selfSignedCertificate({ names: ["localhost", "127.0.0.1"] });
const server = createServer(
  {
    cert: certificate,
    key: privateKey,
    ALPNProtocols: [SINK_ALPN, SOURCE_ALPN],
    allowHalfOpen: true,
  } as TlsOptions,
);
server.on("secureConnection", (socket) => {
  socket.on("error", () => {});
  if (socket.alpnProtocol === SINK_ALPN) sink(socket);
  else source(socket);
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port, certificate }));
});

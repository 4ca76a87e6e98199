/**
 * The peer of our QUIC, serving: `Deno.QuicEndpoint`, which needs a flag that nothing of ours may need.
 *
 * @module
 */
import { selfSignedCertificate } from "../../core/identity/certificate.ts";
import type { BenchStream } from "./client_tasks.ts";
import { ALPNS, ECHO_ALPN, sink, SINK_ALPN, source, SOURCE_ALPN } from "./protocols.ts";

const SERVE: Readonly<Record<string, (stream: BenchStream) => Promise<void>>> = {
  [ECHO_ALPN]: ({ readable, writable }) => readable.pipeTo(writable),
  [SINK_ALPN]: sink,
  [SOURCE_ALPN]: source,
};

async function serve(incoming: Deno.QuicIncoming): Promise<void> {
  const connection = await incoming.accept<false>();
  const handle = SERVE[connection.protocol!];
  for await (const stream of connection.incomingBidirectionalStreams) handle(stream).catch(() => {});
}

const { certificate, privateKey } = selfSignedCertificate({ names: ["localhost", "127.0.0.1"] });
const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
const listener = endpoint.listen({
  cert: certificate,
  key: privateKey,
  alpnProtocols: [...ALPNS],
  maxConcurrentBidirectionalStreams: 1024,
});
console.log(JSON.stringify({ port: endpoint.addr.port, certificate }));
for await (const incoming of listener) serve(incoming).catch(() => {});

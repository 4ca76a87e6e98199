/**
 * Every way in which a real HTTP client reaches the handler; the suite of the handler runs over each.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../core/transports/quic/quic.ts";
import "../../../core/transports/quic/linux/call_table.ts";
import { type Endpoint, router } from "@alknet/core";
import { selfSignedCertificate } from "@alknet/core/identity";
import type { HTTP_ALPNS } from "@alknet/handlers/http";
import type { Handler, IdentityProvider } from "@alknet/core/handler";
import { bridge, plainFront } from "./support.ts";

/** A handler being served. */
export interface Served extends AsyncDisposable {
  /** Where curl finds it, without a slash at the end. */
  readonly base: string;
  /** Begins the shutdown and waits for it. */
  shutdown(): Promise<void>;
}

/** A way to the handler. */
export interface Way {
  /** ALPN, transport and version of HTTP. */
  readonly name: string;
  /** The ALPN that requests see. */
  readonly alpn: string;
  /** What curl says that it spoke. */
  readonly version: "1.1" | "2";
  /** Options that make curl go this way. */
  readonly curl: readonly string[];
  /** Serves a handler. */
  serve(handler: Handler<typeof HTTP_ALPNS>, identityProvider?: IdentityProvider): Promise<Served>;
}

/** The ways. */
export const WAYS: readonly Way[] = [
  { name: "h2 over TLS", alpn: "h2", version: "2", curl: ["--insecure", "--http2"], serve: serveTls },
  { name: "http/1.1 over TLS", alpn: "http/1.1", version: "1.1", curl: ["--insecure", "--http1.1"], serve: serveTls },
  ...own("a pair in memory", serveMemory),
  ...own("TLS", (handler, provider) => serveOwn(handler, "tls", provider)),
  ...own("QUIC", (handler, provider) => serveOwn(handler, "quic", provider)),
];

/** `alknet/http` over a carrier, in both versions. */
function own(carrier: string, serve: Way["serve"]): Way[] {
  const alpn = "alknet/http";
  return [
    { name: `${alpn} (HTTP/1.1) over ${carrier}`, alpn, version: "1.1", curl: ["--http1.1"], serve },
    { name: `${alpn} (h2) over ${carrier}`, alpn, version: "2", curl: ["--http2-prior-knowledge"], serve },
  ];
}

/** Limits that the machine's own tests would reach: everything comes from one address. */
export const OPEN_LIMITS = { connectionRate: 100_000, connectionBurst: 100_000, maxConnectionsPerAddress: 10_000 };

/** What browsers accept the kind of, if not the issuer: they know no Ed25519. */
const CERTIFICATE = selfSignedCertificate({ names: ["localhost", "127.0.0.1"] });

async function serveTls(
  handler: Handler<typeof HTTP_ALPNS>,
  identityProvider?: IdentityProvider,
): Promise<Served> {
  const options = { transports: ["tls"], limits: OPEN_LIMITS, certificate: CERTIFICATE } as const;
  const endpoint = await router().use(handler).listen({ ...options, identityProvider });
  return {
    base: `https://127.0.0.1:${endpoint.addresses[0].port}`,
    shutdown: () => endpoint.shutdown(),
    [Symbol.asyncDispose]: () => endpoint.shutdown(),
  };
}

function serveMemory(handler: Handler<typeof HTTP_ALPNS>, identityProvider?: IdentityProvider): Promise<Served> {
  const front = plainFront(handler, { alpn: "alknet/http", singleStream: false, identityProvider });
  return Promise.resolve({
    base: `http://127.0.0.1:${front.port}`,
    shutdown: () => front.drain(),
    [Symbol.asyncDispose]: () => front[Symbol.asyncDispose](),
  });
}

/** A plain port that leads through a dialled connection: over QUIC one for all, over TLS one each. */
async function serveOwn(
  handler: Handler<typeof HTTP_ALPNS>,
  transport: "quic" | "tls",
  identityProvider?: IdentityProvider,
): Promise<Served> {
  const quic = { engine: "in-process" } as const;
  const options = { transports: [transport], limits: OPEN_LIMITS, quic, identityProvider };
  const endpoint = await router().use(handler).listen(options);
  const dial = () => dialOwn(endpoint, transport);
  const shared = transport === "quic" ? await dial() : undefined;
  const entry = bridge(async () => await (shared ?? await dial()).open());
  return {
    base: `http://127.0.0.1:${entry.port}`,
    shutdown: () => endpoint.shutdown(),
    async [Symbol.asyncDispose]() {
      shared?.close();
      await entry[Symbol.asyncDispose]();
      await endpoint.shutdown();
      await shared?.[Symbol.asyncDispose]();
    },
  };
}

function dialOwn(endpoint: Endpoint, transport: "quic" | "tls") {
  const [{ hostname, port }] = endpoint.addresses;
  return endpoint.connect(`${endpoint.nodeId}@${hostname}:${port}`, "alknet/http", { transport });
}

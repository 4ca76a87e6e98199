/**
 * The schema of `handlers.dns`.
 *
 * @module
 */
import Type, { type Static, type TSchema } from "typebox";

const closed = { additionalProperties: false };
const count = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const rate = Type.Object({ per_second: count, burst: count }, closed);

const text = (description: string) => Type.String({ minLength: 1, description });

const upstream = Type.Object({
  via: Type.Enum(["dot", "doq", "doh", "alknet"]),
  address: Type.Optional(text("HOST[:853]; for alknet NODEID@HOST:PORT")),
  url: Type.Optional(text("for doh: https://HOST[:PORT]/PATH")),
  name: Type.Optional(text("name in its certificate, where the address is an IP address")),
  pins: Type.Optional(
    Type.Array(text("SHA256:… or ed25519:…"), {
      minItems: 1,
      description: "fingerprints of certificates, instead of an authority's word",
    }),
  ),
  trust_ad: Type.Optional(Type.Boolean({ description: "whether it is believed that it validated" })),
}, closed);

const pkarr = Type.Object({
  relay: Type.Optional(
    Type.Enum(["off", "peers", "open"], {
      description: "whose packets are kept at /pkarr/: nobody's, those of peers and of callers with pkarr:publish, all",
    }),
  ),
  relays: Type.Optional(
    Type.Array(text("https://HOST/PATH or NODEID@HOST:PORT"), { description: "who is asked and told" }),
  ),
  origins: Type.Optional(
    Type.Array(text("keys.example"), {
      description: "domains below which commands look for nodes, by the system's DNS",
    }),
  ),
  publish: Type.Optional(
    Type.Union([
      Type.Literal(false),
      Type.Literal("auto"),
      Type.Object({
        addresses: Type.Array(text("HOST:PORT"), { minItems: 1, maxItems: 8 }),
        private: Type.Optional(Type.Boolean({ description: "whether private addresses are meant" })),
      }, closed),
    ], { description: "where this node says that it is; auto: where it listens" }),
  ),
  iroh: Type.Optional(Type.Boolean({ description: "whether clients of iroh find it too" })),
  https: Type.Optional(Type.Boolean({ description: "whether browsers find it too, by HTTPS records" })),
  mdns: Type.Optional(
    Type.Boolean({ description: "whether this node says where it is to who asks for its id on its own networks" }),
  ),
}, closed);

const schema = Type.Object({
  doh: Type.Optional(Type.Boolean({ description: "whether HTTP answers at /dns-query" })),
  plain: Type.Optional(
    Type.Array(text("HOST:PORT, as 192.0.2.7:53"), {
      minItems: 1,
      description: "where plain DNS is answered, over UDP and TCP: from the node's zones alone",
    }),
  ),
  ddr: Type.Optional(
    Type.String({ minLength: 1, description: "name in this node's certificate, for clients that know its address" }),
  ),
  transfer: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.String()), {
      description: "by zone: addresses and prefixes that may have all of it",
    }),
  ),
  notify: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.String()), {
      description: "by zone: IP:PORTs that are told by UDP when it changes",
    }),
  ),
  upstreams: Type.Optional(Type.Array(upstream, { minItems: 1, description: "who is asked for names of others" })),
  recursion: Type.Optional(
    Type.Object({
      prefixes: Type.Array(Type.String(), {
        description: "addresses that may ask for names of others; the scope dns:recurse may from anywhere",
      }),
    }, closed),
  ),
  private_zones: Type.Optional(
    Type.Array(text("home.example"), { description: "zones of others in which private addresses are right" }),
  ),
  pkarr: Type.Optional(pkarr),
  log_queries: Type.Optional(Type.Boolean({ description: "whether the log tells what is asked" })),
  limits: Type.Optional(
    Type.Record(Type.String(), Type.Union([count, rate]), {
      description: "limits by their names; bytes, milliseconds, counts, or a rate",
    }),
  ),
}, closed);

/** The schema of `handlers.dns`. */
export const DNS_SCHEMA: TSchema = schema;
/** Options of `handlers.dns`. */
export type DnsConfig = Static<typeof schema>;
/** Options of `handlers.dns.pkarr`. */
export type PkarrConfig = Static<typeof pkarr>;
/** One of `upstreams`. */
export type UpstreamConfig = Static<typeof upstream>;

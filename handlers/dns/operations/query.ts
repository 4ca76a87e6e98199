/**
 * `dns/query`, `dns/stats` and `dns/cache/flush`: the engine, asked without a message.
 *
 * @module
 */
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import type { DnsCaller } from "../caller.ts";
import { jsonOf, plainQuery } from "../codec/json.ts";
import { parseType } from "../codec/mnemonics.ts";
import { CLASS_IN } from "../codec/types.ts";
import {
  closed,
  ERRORS,
  nothing,
  type OperationsParts,
  READERS,
  told,
  typeText,
  wholeName,
  WRITERS,
} from "./shared.ts";

const { DNS_SYNTAX, DNS_BUSY } = ERRORS;
const record = Type.Object({
  name: Type.String(),
  type: Type.Integer(),
  TTL: Type.Integer({ description: "seconds" }),
  data: Type.String({ description: "as master files have it" }),
}, closed);
const counters = Type.Record(Type.String(), Type.Integer());

const query = operation({
  name: "dns/query",
  type: "query",
  description: "Asks this node for records of a name, as its clients of DNS do.",
  input: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 1024, description: "www.home.example" }),
    type: Type.Optional(typeText),
    dnssec: Type.Optional(Type.Boolean({ description: "whether signatures are wanted" })),
  }, closed),
  output: Type.Object({
    Status: Type.Integer({ description: "0 is NOERROR, 3 NXDOMAIN, 5 REFUSED" }),
    TC: Type.Boolean(),
    RD: Type.Boolean(),
    RA: Type.Boolean(),
    AD: Type.Boolean(),
    CD: Type.Boolean(),
    Question: Type.Array(Type.Object({ name: Type.String(), type: Type.Integer() }, closed)),
    Answer: Type.Optional(Type.Array(record)),
    Authority: Type.Optional(Type.Array(record)),
    Comment: Type.Optional(Type.String()),
  }, closed),
  errors: { DNS_SYNTAX, DNS_BUSY },
});

const stats = operation({
  name: "dns/stats",
  type: "query",
  description: "Counters of DNS since the node began.",
  input: nothing,
  output: Type.Object({
    queries: Type.Integer(),
    rcodes: counters,
    answerCache: Type.Object({ entries: Type.Integer(), hits: Type.Integer() }, closed),
    cache: Type.Optional(counters),
    upstreams: Type.Optional(Type.Record(Type.String(), counters)),
    refused: counters,
    zones: Type.Integer(),
    packets: Type.Optional(Type.Integer({ description: "signed packets that are kept" })),
  }, closed),
  access: READERS,
});

const flush = operation({
  name: "dns/cache/flush",
  type: "mutation",
  description: "Forgets what others said: all of it, or of a name and those below it.",
  input: Type.Object({
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: "example.org" })),
  }, closed),
  output: Type.Object({ dropped: Type.Integer({ description: "answers" }) }, closed),
  errors: { DNS_SYNTAX },
  access: WRITERS,
});

/** `dns/query`, `dns/stats` and `dns/cache/flush`. */
export function queryOperations({ zones, engine, rates, forwarder, packets }: OperationsParts): HandlerRegistration[] {
  return [
    provide(query, async ({ name: text, type = "A", dnssec }, { identity, signal }) => {
      const question = told(() => ({ name: wholeName(text), type: parseType(type), class: CLASS_IN }));
      // Operations know no address: strangers share one group.
      const caller: DnsCaller = { front: "operations", address: "operations", identity };
      if (!rates.query(caller)) throw new CallError("DNS_BUSY", "too many queries; try again", { retryable: true });
      const answer = await engine.resolve(plainQuery(question, { dnssec }), caller, signal);
      const { Question, Answer, Authority, ...rest } = jsonOf(answer);
      return {
        ...rest,
        Question: [...Question],
        ...(Answer && { Answer: [...Answer] }),
        ...(Authority && { Authority: [...Authority] }),
      };
    }),
    provide(stats, () => {
      const { queries, rcodes, answerCache, cache, upstreams } = engine.stats();
      return {
        queries,
        rcodes: { ...rcodes },
        answerCache: { ...answerCache },
        ...(cache && { cache: { ...cache } }),
        ...(upstreams && {
          upstreams: Object.fromEntries(Object.entries(upstreams).map(([label, counts]) => [label, { ...counts }])),
        }),
        refused: Object.fromEntries(rates.refused),
        zones: zones.list().length,
        ...(packets && { packets: packets.size }),
      };
    }),
    provide(flush, ({ name }) => ({
      dropped: forwarder?.flush(name === undefined ? undefined : told(() => wholeName(name))) ?? 0,
    })),
  ];
}

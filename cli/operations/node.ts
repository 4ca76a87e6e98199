/**
 * `node/…`: who the node is, what it carries, and who is connected.
 *
 * @module
 */
import { type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import { formatSocketAddress } from "@alknet/core/address";
import Type, { type Static } from "typebox";
import manifest from "../deno.json" with { type: "json" };
import type { ServeEvent } from "./observe.ts";
import { ADMIN_SCOPE, endpointOf, type RunningNode } from "./running_node.ts";

/** Reads counters and connections. */
const READ_SCOPE = "node:read";
const readers = { anyScope: [READ_SCOPE, ADMIN_SCOPE] };
const closed = { additionalProperties: false };
const nothing = Type.Union([Type.Null(), Type.Object({}, closed)], { description: "nothing: null or {}" });
const count = (description: string) => Type.Integer({ minimum: 0, description });

const info = operation({
  name: "node/info",
  type: "query",
  description: "Who the node is and what it serves; to those who may read the node, also its version and addresses.",
  input: nothing,
  output: Type.Object({
    nodeId: Type.String(),
    fingerprint: Type.String(),
    alpns: Type.Array(Type.String()),
    transports: Type.Array(Type.String()),
    version: Type.Optional(Type.String()),
    addresses: Type.Optional(Type.Array(Type.String())),
    startedAt: Type.Optional(Type.String({ description: "RFC 3339" })),
  }, closed),
});

const stats = operation({
  name: "node/stats",
  type: "query",
  description: "Counters of the node since its start.",
  input: nothing,
  output: Type.Object({
    uptime: count("milliseconds"),
    memory: count("resident bytes of the process"),
    accepted: count("connections since the start"),
    refused: Type.Record(Type.String(), count("refusals"), { description: "by reason" }),
    protocols: Type.Array(Type.Object({
      alpn: Type.String(),
      description: Type.String(),
      open: count("connections that run"),
      total: count("connections since the start"),
      bytesReceived: count("bytes"),
      bytesSent: count("bytes"),
    }, closed)),
  }, closed),
  access: readers,
});

const connectionEvent = Type.Object({
  event: Type.Enum(["connection", "closed"]),
  id: Type.String(),
  alpn: Type.String(),
  transport: Type.String(),
  address: Type.String(),
  port: Type.Integer(),
  fingerprint: Type.Optional(Type.String()),
  identity: Type.Optional(Type.String()),
  bytesReceived: Type.Optional(count("bytes")),
  bytesSent: Type.Optional(count("bytes")),
  by: Type.Optional(Type.String()),
  code: Type.Optional(Type.Integer()),
  reason: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
  missed: Type.Optional(count("events before this one that you were too slow for")),
}, closed);

const connections = operation({
  name: "node/connections",
  type: "subscription",
  description: "The connections that run, then each as it begins and ends.",
  input: nothing,
  output: connectionEvent,
  access: readers,
});

/** The operations of `node/`. */
export function nodeOperations(node: RunningNode): HandlerRegistration[] {
  return [
    provide(info, (_input, { identity }) => {
      const { nodeId, fingerprint, alpns, transports, addresses } = endpointOf(node);
      const open = { nodeId, fingerprint, alpns: [...alpns], transports: [...transports] };
      if (!identity?.scopes.some((scope) => readers.anyScope.includes(scope))) return open;
      return {
        ...open,
        version: manifest.version,
        addresses: addresses.map(formatSocketAddress),
        startedAt: node.startedAt.toISOString(),
      };
    }),
    provide(stats, () => {
      const { accepted, refused } = endpointOf(node).stats();
      return {
        uptime: Math.max(0, Date.now() - node.startedAt.getTime()),
        memory: Deno.memoryUsage().rss,
        accepted,
        refused: { ...refused },
        protocols: node.observer.traffic().map((each) => ({ ...each })),
      };
    }),
    provide(connections, async function* (_input, { signal }) {
      const events = node.events.follow(signal);
      for (const event of node.observer.running()) yield connectionOf(event);
      for await (const { value, missed } of events) {
        if (value.event !== "connection" && value.event !== "closed") continue;
        yield { ...connectionOf(value), ...(missed > 0 && { missed }) };
      }
    }),
  ];
}

/** Without the members that are undefined: an answer is JSON. */
function connectionOf(event: ServeEvent): Static<typeof connectionEvent> {
  const known = Object.entries(event).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as Static<typeof connectionEvent>;
}

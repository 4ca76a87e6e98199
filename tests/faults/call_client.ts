/**
 * A caller that subscribes and waits to be killed: `call_client.ts ADDRESS TRANSPORT COUNT [TOKEN]`. Over a WebSocket the
 * address is a URL.
 *
 * @module
 */
import { connect } from "@alknet/core/dial";
import { NodeKey } from "@alknet/core/identity";
import { CALL_ALPN, CallConnection, CallSession } from "@alknet/handlers/call";
import { WebSocketCarrier } from "../../handlers/http/websocket/websocket_carrier.ts";
import { openSocket } from "../handlers/call/ways.ts";

const [address, transport, count, token] = Deno.args;
const client = transport === "websocket" ? await overWebSocket() : await overConnection(transport as "quic" | "tls");
for (let n = 0; n < Number(count); n++) client.subscribe("log/silent").next().catch(() => {});
await client.closed;

async function overConnection(transport: "quic" | "tls"): Promise<CallSession> {
  return new CallConnection(await connect(address, CALL_ALPN, { transport, key: NodeKey.generate() }));
}

async function overWebSocket(): Promise<CallSession> {
  const identity = { id: "node", scopes: [], resources: {} };
  return new CallSession(new WebSocketCarrier(await openSocket(address, token), { identity, maxMessage: 2 ** 26 }));
}

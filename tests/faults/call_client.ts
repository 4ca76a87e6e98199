/**
 * A caller that subscribes and waits to be killed: `call_client.ts ADDRESS TRANSPORT COUNT`.
 *
 * @module
 */
import { connect } from "@alknet/core/dial";
import { NodeKey } from "@alknet/core/identity";
import { CALL_ALPN, CallConnection } from "@alknet/handlers/call";

const [address, transport, count] = Deno.args;
const key = NodeKey.generate();
const connection = await connect(address, CALL_ALPN, { transport: transport as "quic" | "tls", key });
const client = new CallConnection(connection);
for (let n = 0; n < Number(count); n++) client.subscribe("log/silent").next().catch(() => {});
await client.closed;

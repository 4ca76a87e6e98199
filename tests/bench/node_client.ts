/**
 * Our side, dialling: one node key, connections over the transport of the first argument.
 *
 * @module
 */
import { parseAddress } from "../../core/handler/address.ts";
import { connect } from "../../core/endpoint/dial.ts";
import { fingerprintOfNodeId } from "../../core/identity/fingerprint.ts";
import { NodeKey } from "../../core/identity/node_key.ts";
import { limitsWith } from "../../core/limits/limits.ts";
import { dialQuic } from "../../core/transports/quic/quic.ts";
import { type Dial, serveTasks, streamTasks } from "./client_tasks.ts";

const [transport, datagramSize, facts] = Deno.args;
const { address } = JSON.parse(facts);
const key = NodeKey.generate();
const limits = limitsWith();

/** The size of datagrams is no option of a dial, so that one goes to the transport directly. */
const dialWithSize: Dial = (alpn) => {
  const { host: hostname, port, nodeId } = parseAddress(address);
  const request = {
    address: { hostname, port },
    alpn,
    expectation: { kind: "fingerprints", fingerprints: [fingerprintOfNodeId(nodeId!)] },
    certificate: key.certificate(),
    limits,
    signal: new AbortController().signal,
  } as const;
  return dialQuic(request, { datagramSize: Number(datagramSize) });
};
const dial: Dial = (alpn) => connect(address, alpn, { transport: transport as "quic" | "tls", key });

await serveTasks(streamTasks(Number(datagramSize) > 0 ? dialWithSize : dial, { singleStream: transport === "tls" }));
Deno.exit();

/**
 * `pkarr/publish` and `pkarr/resolve`: the relay, for nodes that call it.
 *
 * @module
 */
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import { Buffer } from "node:buffer";
import Type from "typebox";
import type { DnsCaller } from "../caller.ts";
import { keyOf } from "../pkarr/key.ts";
import { publish, type RelayParts } from "../relay/publishing.ts";
import { closed, ERRORS, told } from "./shared.ts";

const { PKARR_INVALID, DNS_BUSY, DNS_SERIAL } = ERRORS;
const key = Type.String({ minLength: 52, maxLength: 52, description: "a public key in z-base-32" });
/** 1072 bytes in base64. */
const payload = Type.String({ maxLength: 1432, description: "signature, timestamp and message, in base64" });

const publishing = operation({
  name: "pkarr/publish",
  type: "mutation",
  description: "Has this node keep a signed packet, if it keeps those of this key.",
  input: Type.Object({ key, payload }, closed),
  output: Type.Object({ stored: Type.Enum(["stored", "same"]) }, closed),
  errors: {
    PKARR_INVALID,
    DNS_BUSY,
    DNS_SERIAL: { ...DNS_SERIAL, description: "this node has a newer packet of the key" },
  },
});

const resolving = operation({
  name: "pkarr/resolve",
  type: "query",
  description: "The newest signed packet of a key that this node has.",
  input: Type.Object({ key }, closed),
  output: Type.Object({
    payload,
    timestamp: Type.String({ description: "microseconds since 1970" }),
  }, closed),
  errors: { DNS_BUSY },
});

/** `pkarr/publish` and `pkarr/resolve`. */
export function packetOperations(parts: RelayParts): HandlerRegistration[] {
  const { packets, rates } = parts;
  // Operations know no address: strangers share one group.
  const callerOf = (identity: DnsCaller["identity"]): DnsCaller => ({
    front: "operations",
    address: "operations",
    identity,
  });
  return [
    provide(publishing, ({ key, payload }, { identity }) => {
      const bytes = new Uint8Array(Buffer.from(payload, "base64"));
      const became = told(() => publish({ key, payload: bytes }, callerOf(identity), parts));
      if (became === "older") throw new CallError("DNS_SERIAL", "there is a newer packet of this key");
      if (typeof became === "string") return { stored: became };
      switch (became.refused) {
        case "rate":
          throw tooOften();
        case "forbidden":
          throw new CallError("FORBIDDEN", "packets of this key are not kept here");
        default:
          throw new CallError("PKARR_INVALID", `no signed packet of this key: ${became.refused}`);
      }
    }),
    provide(resolving, ({ key }, { identity }) => {
      if (!rates.query(callerOf(identity))) throw tooOften();
      const packet = keyOf(key) && told(() => packets.get(key));
      if (!packet) throw new CallError("NOT_FOUND", "there is no packet of this key here");
      return { payload: Buffer.from(packet.toRelayPayload()).toString("base64"), timestamp: `${packet.timestamp}` };
    }),
  ];
}

function tooOften(): CallError {
  return new CallError("DNS_BUSY", "too many at once; try again", { retryable: true });
}

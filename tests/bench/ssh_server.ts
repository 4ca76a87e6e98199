/**
 * A node that serves SSH to one key, to be measured. Arguments: the file of the host key, that of the user's public key.
 *
 * @module
 */
import { router } from "@alknet/core";
import type { Identity } from "@alknet/core/handler";
import { ssh } from "@alknet/handlers/ssh";
import { fingerprintsOf, publicKeyBlob } from "@alknet/handlers/ssh-key";
import { BENCH_LIMITS } from "./protocols.ts";

const [hostKeyFile, userKeyFile] = Deno.args;
const known = new Set(fingerprintsOf(publicKeyBlob(await Deno.readTextFile(userKeyFile))));
const identity: Identity = { id: "bench", scopes: [], resources: {} };
const identityProvider = {
  resolveFingerprint: (fingerprint: string) => known.has(fingerprint) ? identity : undefined,
  resolveToken: () => undefined,
};
const policies = { bench: { shell: true, exec: true, forward: ["127.0.0.1:*"], listen: ["127.0.0.1:*"] } };
const handler = ssh({ hostKeys: [await Deno.readTextFile(hostKeyFile)], policies });
const endpoint = await router().use(handler).listen({
  transports: ["quic", "tls"],
  identityProvider,
  limits: BENCH_LIMITS,
});
const [{ hostname, port }] = endpoint.addresses;
console.log(JSON.stringify({ nodeId: endpoint.nodeId, hostname, port }));
Deno.addSignalListener("SIGTERM", async () => {
  await endpoint.shutdown({ drain: 0 });
  Deno.exit();
});

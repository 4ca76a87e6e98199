/**
 * A node that serves SSH to one key, to be measured. Arguments: the file of the host key, that of the user's public key; and,
 * for who measures files, a folder, and the id of a node that may have it without SSH.
 *
 * @module
 */
import { fingerprintOfNodeId, router } from "@alknet/core";
import type { Identity } from "@alknet/core/handler";
import { serveFolder, sftp } from "@alknet/handlers/sftp";
import { ssh } from "@alknet/handlers/ssh";
import { fingerprintsOf, publicKeyBlob } from "@alknet/handlers/ssh-key";
import { BENCH_LIMITS } from "./protocols.ts";

const [hostKeyFile, userKeyFile, root, nodeId] = Deno.args;
const known = new Set(fingerprintsOf(publicKeyBlob(await Deno.readTextFile(userKeyFile))));
if (nodeId) known.add(fingerprintOfNodeId(nodeId));
const identity: Identity = { id: "bench", scopes: [], resources: {} };
const identityProvider = {
  resolveFingerprint: (fingerprint: string) => known.has(fingerprint) ? identity : undefined,
  resolveToken: () => undefined,
};
const files = root ? { root } : undefined;
const policy = { shell: true, exec: true, forward: ["127.0.0.1:*"], listen: ["127.0.0.1:*"], sftp: files };
const handler = ssh({
  hostKeys: [await Deno.readTextFile(hostKeyFile)],
  policies: { bench: policy },
  subsystems: { sftp: (stream, { policy, ...client }) => serveFolder(stream, policy.sftp!, client) },
});
const bare = sftp({ policies: files ? { bench: files } : {} });
const endpoint = await router().use(handler).use(bare).listen({
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

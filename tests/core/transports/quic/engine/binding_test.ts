import assert from "node:assert/strict";
import { NodeKey } from "../../../../../core/identity/node_key.ts";
import { DEFAULT_LIMITS } from "../../../../../core/limits/limits.ts";
import { errorCodeOf, hostPort, loadQuiche } from "../../../../../core/transports/quic/engine/binding.ts";
import { tlsConfig } from "../../../../../core/transports/quic/engine/tls_config.ts";

Deno.test("errorCodeOf: the largest code of a peer becomes one that can be sent (RFC 9000 §16)", () => {
  const largest = new Error(`StreamStopped(${2n ** 62n - 1n})`);
  assert.equal(errorCodeOf("StreamStopped", largest), Number.MAX_SAFE_INTEGER);
  assert.equal(errorCodeOf("StreamReset", new Error("StreamReset(7)")), 7);
  assert.equal(errorCodeOf("StreamReset", largest), undefined);
});

Deno.test("hostPort: the binding takes what it gives for a link-local remote (RFC 4007 §11)", async () => {
  const quiche = await loadQuiche();
  const certificate = NodeKey.generate().certificate();
  const options = {
    alpns: ["test"],
    certificate,
    peer: "require",
    datagramSize: 1350,
    limits: DEFAULT_LIMITS,
  } as const;
  const remote = { hostname: "fe80::1%2", port: 4433 };
  const local = hostPort({ hostname: "::", port: 4433 });
  const config = tlsConfig(quiche, options);
  quiche.Connection.accept(new Uint8Array(8), null, local, hostPort(remote), config);
  quiche.Connection.connect(null, new Uint8Array(8), local, hostPort(remote), config);
  assert.throws(() =>
    quiche.Connection.connect(null, new Uint8Array(8), local, { host: "fe80::1%2", port: 1 }, config)
  );
});

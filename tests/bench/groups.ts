/**
 * All groups, in the order in which they run.
 *
 * @module
 */
import { calls } from "./calls.ts";
import { dialStart } from "./dial_start.ts";
import { floor } from "./floor.ts";
import type { Group } from "./harness.ts";
import { idle } from "./idle_connections.ts";
import { bulkEngines, bulkEthernet, bulkLoopback } from "./quic_bulk.ts";
import { handshakes, pingPong, streams } from "./quic_small.ts";
import { tlsBulk } from "./tls_bulk.ts";
import { vaultDerivation, vaultSealing } from "./vault.ts";

/** Every group of figures. */
export const GROUPS: readonly Group[] = [
  bulkEthernet,
  bulkLoopback,
  bulkEngines,
  streams,
  pingPong,
  handshakes,
  floor,
  tlsBulk,
  dialStart,
  idle,
  calls,
  vaultDerivation,
  vaultSealing,
];

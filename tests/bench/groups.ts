/**
 * All groups, in the order in which they run.
 *
 * @module
 */
import { blobAdding, blobThreads } from "./fs/adding.ts";
import { blobProviders } from "./fs/providers.ts";
import { sharedTrees } from "./fs/trees.ts";
import { blobHashing } from "./blobs.ts";
import { calls } from "./calls.ts";
import { callsWebSocket } from "./calls_websocket.ts";
import { computing } from "./compute.ts";
import { dialStart } from "./dial_start.ts";
import { floor } from "./floor.ts";
import type { Group } from "./harness.ts";
import { dnsEncrypted } from "./dns/encrypted.ts";
import { dnsForwarding } from "./dns/forwarding.ts";
import { dnsZones } from "./dns/zones.ts";
import { direct, http } from "./http.ts";
import { guests } from "./guests.ts";
import { idle } from "./idle_connections.ts";
import { manyOperations } from "./many_operations.ts";
import { bulkEngines, bulkEthernet, bulkLoopback } from "./quic_bulk.ts";
import { gitClone, gitFetch, gitIndexPack } from "./git/git.ts";
import { mixPackets } from "./mix.ts";
import { msgMailbox, msgSealing } from "./msg.ts";
import { handshakes, pingPong, streams } from "./quic_small.ts";
import { sshBulk, sshForwards, sshSessions } from "./ssh.ts";
import { sftpBulk, sftpListing } from "./sftp.ts";
import { tensorFiles } from "./tensor.ts";
import { tlsBulk } from "./tls_bulk.ts";
import { vaultDerivation, vaultSealing } from "./vault.ts";
import { way } from "./way.ts";

/** Every group of figures. */
export const GROUPS: readonly Group[] = [
  bulkEthernet,
  bulkLoopback,
  bulkEngines,
  streams,
  pingPong,
  handshakes,
  way,
  floor,
  tlsBulk,
  dialStart,
  idle,
  calls,
  callsWebSocket,
  manyOperations,
  http,
  direct,
  dnsForwarding,
  dnsZones,
  dnsEncrypted,
  sshBulk,
  sshSessions,
  sshForwards,
  sftpBulk,
  sftpListing,
  blobHashing,
  blobThreads,
  blobAdding,
  blobProviders,
  sharedTrees,
  gitClone,
  gitFetch,
  gitIndexPack,
  msgSealing,
  msgMailbox,
  mixPackets,
  tensorFiles,
  computing,
  guests,
  vaultDerivation,
  vaultSealing,
];

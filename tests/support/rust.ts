/**
 * Where the peers written in Rust are built.
 *
 * @module
 */
import { ROOT } from "./python.ts";

/** Where they are built. */
export const RUST_PEERS: string = `${ROOT}.cache/rust_peers`;
/** Stock iroh-blobs over stdin and stdout. */
export const IROH_PEER: string = `${RUST_PEERS}/iroh_peer`;

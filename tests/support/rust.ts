/**
 * Where the peers written in Rust are built.
 *
 * @module
 */
import { ROOT } from "./python.ts";

/** Where they are built. */
export const RUST_PEERS: string = `${ROOT}.cache/rust_peers`;
/** Where the one of signed packets is built. */
export const RUST_PKARR: string = `${ROOT}.cache/rust_pkarr`;
/** Stock pkarr: reads a packet and signs it again. */
export const PKARR_PEER: string = `${RUST_PKARR}/pkarr_peer`;
/** Stock iroh-blobs over stdin and stdout. */
export const IROH_PEER: string = `${RUST_PEERS}/iroh_peer`;
/** Where the one of Nym's packets is built. */
export const RUST_SPHINX: string = `${ROOT}.cache/rust_sphinx`;
/** Nym's packets, to be measured. */
export const SPHINX_PEER: string = `${RUST_SPHINX}/sphinx_peer`;

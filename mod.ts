/**
 * Alknet: one port, every protocol by its ALPN.
 *
 * @module
 */
export * from "@alknet/core";

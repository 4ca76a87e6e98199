/**
 * Endpoint, router, identity and configuration: everything but the protocols.
 *
 * @module
 */
export * from "./handler/mod.ts";

/**
 * Who is measured.
 *
 * @module
 */
import { type Contestant, script, startContestant } from "./harness.ts";

/** How our side of a QUIC figure runs. */
export interface OurOptions {
  /** Where the engine runs. Default `process`, which is what a node does. */
  readonly engine?: "process" | "in-process";
  /** Engine processes. */
  readonly engines?: number;
  /** Longest datagrams, both ways. Default: as it comes. */
  readonly datagramSize?: number;
  /** Client processes. Default 1. */
  readonly clients?: number;
}

/** Our node and our client, over QUIC. */
export function ourQuic({ clients, ...quic }: OurOptions = {}): Promise<Contestant> {
  return startContestant({
    server: [script("node_server.ts"), JSON.stringify({ transports: ["quic"], quic })],
    client: [script("node_client.ts"), "quic", String(quic.datagramSize ?? 0)],
    clients,
  });
}

/** Our node and our client, over TCP and TLS. */
export function ourTls(): Promise<Contestant> {
  return startContestant({
    server: [script("node_server.ts"), JSON.stringify({ transports: ["tls"] })],
    client: [script("node_client.ts"), "tls", "0"],
  });
}

/** `Deno.QuicEndpoint` at both ends. */
export function denoQuic(): Promise<Contestant> {
  const flag = "--unstable-net";
  return startContestant({
    server: [flag, script("peer_quic_server.ts")],
    client: [flag, script("peer_quic_client.ts")],
  });
}

/** `node:tls` at both ends, with nothing between it and the bytes. */
export function nodeTls(): Promise<Contestant> {
  return startContestant({ server: [script("peer_tls_server.ts")], client: [script("peer_tls_client.ts")] });
}

/** Starts contestants; those that started are ended if one does not. */
export async function contestants<const T extends readonly Promise<Contestant>[]>(
  starting: T,
): Promise<AsyncDisposable & { readonly all: Contestant[] }> {
  const results = await Promise.allSettled(starting);
  const all = results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  const end = async (): Promise<void> => {
    for (const contestant of all) await contestant[Symbol.asyncDispose]();
  };
  const failed = results.find((result) => result.status === "rejected");
  if (failed) {
    await end();
    throw failed.reason;
  }
  return { all, [Symbol.asyncDispose]: end };
}

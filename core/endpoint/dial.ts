/**
 * Dialling: one attempt to reach one address, over QUIC, over TCP and TLS, or over whichever answers.
 *
 * @module
 */
import { AlknetError, DialError } from "../errors.ts";
import type { Connection } from "../handler/connection.ts";
import { fingerprintOfNodeId, nodeIdOf, parseFingerprint } from "../identity/fingerprint.ts";
import type { NodeKey } from "../identity/node_key.ts";
import { type Limits, limitsWith } from "../limits/limits.ts";
import { logger } from "../log.ts";
import { type CertificateKeyPair, IDENTITY_NAME_SUFFIX } from "../identity/key_pair.ts";
import { carries } from "../transports/tls_profile.ts";
import type { DialRequest, Expectation } from "../transports/transport.ts";
import { type Address, isIpAddress, parseAddress } from "../handler/address.ts";
import { firstToConnect, resolveHost } from "./happy_eyeballs.ts";

const log = logger("dial");

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  /** `auto` tries QUIC, and TCP and TLS when UDP does not answer. Default `auto`. */
  readonly transport?: "quic" | "tls" | "auto";
  /** The key whose node certificate proves who we are. Default: none; we are anonymous. */
  readonly key?: NodeKey;
  /** Another certificate to present instead. */
  readonly certificate?: CertificateKeyPair;
  /** Accept any of these fingerprints, besides the node id of the address. */
  readonly fingerprints?: readonly string[];
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly authorities?: string;
  /** Skip the check of the server's certificate. */
  readonly insecure?: boolean;
  /**
   * The server's name where the address has none: sent as SNI, and what the certificate must be for. Default: the host.
   * Where a node's key is pinned, that key's own name is sent instead.
   */
  readonly serverName?: string;
  /** Over TCP, take a server that agrees on no protocol at all; one that agrees on another is refused as ever. */
  readonly alpnOptional?: boolean;
  /** SOCKS5 proxy to go through, `HOST:PORT`; never around it. */
  readonly proxy?: string;
  /** Time for the whole attempt, in milliseconds. Default 10 000. */
  readonly timeout?: number;
  /** Changes to the default limits. */
  readonly limits?: Partial<Limits>;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

/** Milliseconds for a whole attempt. */
const DEFAULT_TIMEOUT = 10_000;
/** The part of that time after which silence over UDP means that UDP does not get through. */
const QUIC_SHARE = 0.3;
/** How a fingerprint that is a node's key begins. */
const KEY_PIN = "ed25519:";

/**
 * Dials a node.
 *
 * @param address `[NODEID@]HOST:PORT`. A node id pins the server's key; without one its certificate must be valid.
 * @param alpn The one protocol asked for.
 * @throws {DialError} See its codes.
 * @throws {AlknetError} `INVALID_ADDRESS`, `INVALID_NODE_ID` or `INVALID_FINGERPRINT`.
 */
export async function connect(address: string, alpn: string, options: ConnectOptions = {}): Promise<Connection> {
  const plan = planned(address, alpn, options);
  const { signal: outer, timeout = DEFAULT_TIMEOUT } = options;
  outer?.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort(outer?.reason);
  outer?.addEventListener("abort", abort);
  const timer = setTimeout(() => {
    controller.abort(new DialError("TIMEOUT", `${address} did not answer within ${timeout} ms`));
  }, timeout);
  try {
    return await dial(plan, controller.signal, timeout);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", abort);
  }
}

/** What is dialled, and how, once every option has been looked at. */
interface Plan {
  readonly target: Address;
  readonly transport: "quic" | "tls" | "auto";
  readonly proxy?: Address;
  /** What every attempt has in common. */
  readonly request: Omit<DialRequest, "address" | "signal">;
}

function planned(text: string, alpn: string, options: ConnectOptions): Plan {
  const { transport = "auto", key, certificate, fingerprints = [], authorities, insecure, proxy } = options;
  const target = parseAddress(text);
  const host = options.serverName ?? target.host;
  const pins = fingerprints.map(parseFingerprint);
  if (target.nodeId !== undefined) pins.unshift(fingerprintOfNodeId(target.nodeId));
  const expectation: Expectation = insecure
    ? { kind: "insecure" }
    : pins.length > 0
    ? { kind: "fingerprints", fingerprints: pins }
    : { kind: "authorities", host, authorities };
  const request = {
    serverName: serverNameFor(host, pins),
    alpn,
    alpnOptional: options.alpnOptional,
    expectation,
    certificate: certificate ?? key?.certificate(),
    limits: limitsWith(options.limits),
  };
  return { target, transport, request, proxy: proxy === undefined ? undefined : parseAddress(proxy) };
}

/**
 * Loads what dialling needs, so that the first dial takes only its own time. Nothing is sent.
 *
 * @param transport Transport that will be asked for. Default `auto`.
 */
export async function prepareDial(transport: ConnectOptions["transport"] = "auto"): Promise<void> {
  if (transport === "tls") return void await import("../transports/tls/tls.ts");
  const [{ loadQuiche }] = await Promise.all([
    import("../transports/quic/engine/binding.ts"),
    import("../transports/quic/quic.ts"),
  ]);
  // Where there is no binary, the dial itself says so, or does without.
  await loadQuiche().catch(() => {});
}

/** Whoever pins a key asks for the certificate of that key; an IP address is no server name (RFC 6066 §3). */
function serverNameFor(host: string, pins: readonly string[]): string | undefined {
  const key = pins.find((pin) => pin.startsWith(KEY_PIN));
  if (key) return nodeIdOf(Uint8Array.fromHex(key.slice(KEY_PIN.length))) + IDENTITY_NAME_SUFFIX;
  return isIpAddress(host) ? undefined : host;
}

async function dial(plan: Plan, signal: AbortSignal, timeout: number): Promise<Connection> {
  const { transport, proxy, request } = plan;
  // Some protocols exist on one transport alone; asking for them over the other could only be refused.
  const [overUdp, overTcp] = (["quic", "tls"] as const).map((name) => carries(name, request.alpn));
  if (transport === "tls" && !overTcp) {
    throw new DialError("NO_TRANSPORT", `${request.alpn} is not carried over TCP; use quic`);
  }
  if (transport === "quic" || !overTcp) {
    if (!overUdp) throw new DialError("NO_TRANSPORT", `${request.alpn} is not carried over QUIC; use tls`);
    if (proxy) throw new DialError("PROXY", "QUIC through a SOCKS5 proxy is not supported; use the transport tls");
    return await dialWith("quic", plan, signal);
  }
  // Through a proxy only TCP goes, so there is nothing to try first.
  if (transport === "tls" || proxy || !overUdp) return await dialWith("tls", plan, signal);
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), timeout * QUIC_SHARE);
  try {
    return await dialWith("quic", plan, AbortSignal.any([signal, patience.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (!patience.signal.aborted && !isSilence(error)) throw error;
    log.debug("QUIC does not answer, trying TCP: {error}", { error: String(error) });
  } finally {
    clearTimeout(timer);
  }
  return await dialWith("tls", plan, signal);
}

async function dialWith(transport: "quic" | "tls", plan: Plan, signal: AbortSignal): Promise<Connection> {
  const { target: { host, port }, request, proxy } = plan;
  if (proxy) {
    const { connectThrough } = await import("../transports/tls/socks5.ts");
    const socket = await connectThrough(proxy, { host, port }, signal);
    const { dialTls } = await import("../transports/tls/tls.ts");
    return await dialTls({ ...request, address: { hostname: host, port }, signal, socket });
  }
  const attempt = transport === "tls"
    ? (await import("../transports/tls/tls.ts")).dialTls
    : (await import("../transports/quic/quic.ts")).dialQuic;
  const addresses = await abortable(resolveHost(host), signal);
  return await firstToConnect(
    addresses,
    (hostname, signal) => attempt({ ...request, address: { hostname, port }, signal }),
    signal,
  );
}

/** Whether a failure says only that nothing came back, or that this machine has no QUIC. */
function isSilence(error: unknown): boolean {
  if (error instanceof DialError) return !error.answered;
  return error instanceof AlknetError && error.code === "NO_TRANSPORT";
}

/** The promise, or the reason of the signal if that comes first. For what cannot be stopped itself. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", abort));
}

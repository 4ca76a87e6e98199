/**
 * What `handlers.dns` says of names of others: whom they are asked of, and for whom.
 *
 * @module
 */
import { formatSocketAddress, parseAddress } from "@alknet/core/address";
import type { ConnectOptions } from "@alknet/core/dial";
import { AlknetError, type Logger, parseIp } from "@alknet/core/handler";
import { type NodeKey, parseFingerprint } from "@alknet/core/identity";
import {
  type DnsCaller,
  type DnsLimits,
  type DnsName,
  forwarder,
  isAmong,
  parseName,
  parsePrefix,
  type RecursionOptions,
  type UpstreamOptions,
} from "@alknet/handlers/dns";
import type { DnsConfig, UpstreamConfig } from "./schema.ts";

/** What it is made with. */
export interface ForwardingParts {
  /** For messages. */
  readonly configFile: string;
  /** Limits. */
  readonly limits: DnsLimits;
  /** Told of upstreams that fail, and of settings that do nothing or too much. */
  readonly log: Logger;
  /** Proves to other nodes who we are; strangers are told nothing. */
  readonly key: NodeKey;
}

/** Callers with it may have names of others asked for. */
const SCOPE = "dns:recurse";
/** Where DNS is spoken over TLS and QUIC (RFC 7858, RFC 9250). */
const PORT = 853;
const HTTPS_PORT = 443;
const DOH_PATH = "/dns-query";
/** Milliseconds for a connection; a question has no more. */
const DIAL_TIME = 4000;
const ALPNS = { dot: "dot", doq: "doq", doh: "h2", alknet: "alknet/dns" } as const;

/**
 * Names of others, where there are upstreams.
 *
 * @throws {AlknetError} `INVALID_CONFIG`, with the member that is wrong.
 */
export function recursionOf(config: DnsConfig, parts: ForwardingParts): RecursionOptions | undefined {
  const { configFile, limits, log } = parts;
  const { upstreams, recursion, private_zones: zones = [] } = config;
  const at = <T>(path: string, read: () => T): T => orInvalid(configFile, path, read);
  const prefixes = at("recursion.prefixes", () => (recursion?.prefixes ?? []).map(parsePrefix));
  const privateZones = zones.map((zone, n) => at(`private_zones[${n}]`, () => wholeName(zone)));
  const described = upstreams?.map((each, n) => at(`upstreams[${n}]`, () => upstreamOf(each, parts)));
  if (!described) {
    if (recursion) log.warn("handlers.dns.recursion does nothing: there are no upstreams");
    return undefined;
  }
  if (prefixes.some(({ bits }) => bits === 0)) {
    log.warn("handlers.dns.recursion: everybody may ask for names of others");
  }
  const mayRecurse = ({ identity, address }: DnsCaller): boolean =>
    identity?.scopes.includes(SCOPE) === true || isAmong(address, prefixes);
  return { forwarder: forwarder({ upstreams: described, privateZones, limits, log }), mayRecurse };
}

function upstreamOf(config: UpstreamConfig, { key }: ForwardingParts): UpstreamOptions {
  const { via, name, trust_ad: trustAd = false } = config;
  const url = via === "doh" ? urlOf(config) : undefined;
  const address = url ? addressOfUrl(url) : addressOf(config);
  if (via === "alknet" && (name ?? config.pins) !== undefined) {
    throw wrong("an alknet upstream has neither name nor pins: its id is its key");
  }
  if (name !== undefined && (parseIp(name) !== undefined || !/^[A-Za-z0-9.-]+$/.test(name))) {
    throw wrong(`name: ${JSON.stringify(name)} is no host name`);
  }
  for (const pin of config.pins ?? []) parseFingerprint(pin);
  const options: ConnectOptions = {
    transport: via === "alknet" ? "auto" : via === "doq" ? "quic" : "tls",
    // Who is no node of ours learns nothing of this one.
    key: via === "alknet" ? key : undefined,
    fingerprints: config.pins,
    serverName: name,
    alpnOptional: via === "dot",
    timeout: DIAL_TIME,
  };
  return {
    via,
    label: url?.href ?? address,
    url,
    trustAd,
    async dial(signal) {
      const { connect } = await import("@alknet/core/dial");
      return await connect(address, ALPNS[via], { ...options, signal });
    },
  };
}

function addressOf({ via, address, url }: UpstreamConfig): string {
  if (url !== undefined) throw wrong(`url is for doh; a ${via} upstream has an address`);
  if (address === undefined) throw wrong(`a ${via} upstream has an address`);
  const isBare = parseIp(address) !== undefined || /^(?:\[[^\]]+\]|[^:@]+)$/.test(address);
  const whole = isBare && via !== "alknet"
    ? formatSocketAddress({ hostname: address.replace(/^\[|\]$/g, ""), port: PORT })
    : address;
  const { nodeId } = parseAddress(whole);
  if ((nodeId !== undefined) !== (via === "alknet")) {
    throw wrong(
      via === "alknet"
        ? `${JSON.stringify(address)} has no node id; write NODEID@HOST:PORT`
        : `${JSON.stringify(address)} has a node id, which a ${via} upstream does not prove; use pins`,
    );
  }
  return whole;
}

function urlOf({ address, url }: UpstreamConfig): URL {
  if (address !== undefined) throw wrong("a doh upstream has a url and no address");
  if (url === undefined) throw wrong("a doh upstream has a url");
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "https:") throw wrong(`url: ${JSON.stringify(url)} is no https:// URL`);
  const { username, password, search, hash } = parsed;
  if (username + password + search + hash !== "") throw wrong("url: neither user nor query stands in it");
  if (parsed.pathname === "/") parsed.pathname = DOH_PATH;
  return parsed;
}

function addressOfUrl({ hostname, port }: URL): string {
  return `${hostname}:${port === "" ? HTTPS_PORT : port}`;
}

function wholeName(text: string): DnsName {
  return parseName(text.endsWith(".") ? text : `${text}.`);
}

function wrong(what: string): AlknetError {
  return new AlknetError("INVALID_CONFIG", what);
}

function orInvalid<T>(configFile: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const { message } = cause as Error;
    throw new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.dns.${path}: ${message}`, { cause });
  }
}

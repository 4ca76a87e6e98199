/**
 * The records with which a zone begins.
 *
 * @module
 */
import { type DnsName, parseName } from "../codec/name.ts";
import { parseRdata, wordsOf } from "../codec/rdata_text.ts";
import { CLASS_IN, type Records, Type } from "../codec/types.ts";

/** What a new zone is told. */
export interface NewZoneOptions {
  /** Its name servers. Default: `ns` in the zone. */
  readonly servers?: readonly DnsName[];
  /** Who is responsible, as `a@host`. Default: `hostmaster` of the zone. */
  readonly mail?: string;
  /** Unix seconds, its first serial. Default: now. */
  readonly serial?: number;
}

const TTL = 3600;
/** Refresh, retry, expire, minimum, in seconds. */
const TIMES = "3600 600 1209600 300";

/**
 * SOA and NS of a new zone.
 *
 * @throws {DnsSyntaxError} `mail` is no address.
 */
export function newZone(name: DnsName, options: NewZoneOptions = {}): Records {
  const { servers = [parseName("ns", name)], serial = Math.floor(Date.now() / 1000) } = options;
  const mail = options.mail === undefined ? parseName("hostmaster", name) : mailName(options.mail);
  const numbers = parseRdata(Type.SOA, wordsOf(`. . ${serial} ${TIMES}`), name).subarray(2);
  const soa = Uint8Array.of(...servers[0].wire, ...mail.wire, ...numbers);
  const shared = { name, class: CLASS_IN, ttl: TTL };
  return [
    { ...shared, type: Type.SOA, data: soa },
    ...servers.map((server) => ({ ...shared, type: Type.NS, data: server.wire })),
  ];
}

/** RFC 1035 §8: what stands before the @ is one label. */
function mailName(mail: string): DnsName {
  const at = mail.lastIndexOf("@");
  const [user, host] = at < 0 ? [mail, ""] : [mail.slice(0, at), mail.slice(at + 1)];
  return parseName(`${user.replaceAll("\\", "\\\\").replaceAll(".", "\\.")}.${host}${host.endsWith(".") ? "" : "."}`);
}

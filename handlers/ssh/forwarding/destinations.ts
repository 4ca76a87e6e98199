/**
 * Where connections may go, and where listeners may be.
 *
 * Names are resolved here, once, and the addresses that come of it are what is matched and connected to: a name that
 * points at something forbidden, an address written in octal, or one of IPv4 within IPv6, is what it resolves to.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/** A rule that was read. */
interface Rule {
  /** Matches the name as it was asked for. */
  readonly name?: RegExp;
  /** Matches addresses. */
  readonly range?: BlockList;
  /** Whether it names what is otherwise refused: the node itself, and the link. */
  readonly exact: boolean;
  readonly port: number | undefined;
}

/** An address to connect to. */
export interface Target {
  /** An IP address. */
  readonly address: string;
  /** Its port. */
  readonly port: number;
}

/** Why a destination is not to be had. */
export type DestinationRefusal = "forbidden" | "unresolvable";

/** The node itself and its link: refused unless a rule names them. */
const NEAR = new BlockList();
NEAR.addSubnet("127.0.0.0", 8, "ipv4");
NEAR.addSubnet("0.0.0.0", 8, "ipv4");
NEAR.addSubnet("169.254.0.0", 16, "ipv4");
NEAR.addAddress("::1", "ipv6");
NEAR.addAddress("::", "ipv6");
NEAR.addSubnet("fe80::", 10, "ipv6");

/** A list of destinations. */
export class Destinations {
  readonly #rules: readonly Rule[];
  readonly #paths: ReadonlySet<string>;
  readonly #resolve: (name: string) => Promise<readonly string[]>;

  /**
   * A list, read once.
   *
   * @param rules `host:port`: a name with `*`, an address, a range as CIDR; IPv6 in brackets; `*` for any port. Or the path
   * of a Unix socket.
   * @param resolve Addresses of a name. Default: the system's.
   * @throws {RangeError} A rule cannot be read.
   */
  constructor(rules: readonly string[], resolve: (name: string) => Promise<readonly string[]> = resolveName) {
    this.#paths = new Set(rules.filter((rule) => rule.startsWith("/")));
    this.#rules = rules.filter((rule) => !rule.startsWith("/")).map(parseRule);
    this.#resolve = resolve;
  }

  /** Whether a Unix socket may be used. */
  allowsPath(path: string): boolean {
    return this.#paths.has(path);
  }

  /** The address to connect to, or why there is none. */
  async find(hostname: string, port: number): Promise<Target | DestinationRefusal> {
    const name = hostname.toLowerCase().replace(/\.$/, "");
    if (!this.#rules.some((rule) => fitsPort(rule, port))) return "forbidden";
    let addresses: readonly string[];
    try {
      addresses = await this.#resolve(name);
    } catch {
      // Who may go nowhere of that name is not told whether it exists.
      return this.#rules.some((rule) => fitsPort(rule, port) && rule.name?.test(name)) ? "unresolvable" : "forbidden";
    }
    const allowed = addresses.map(plain).find((address) => this.#allows(name, address, port));
    return allowed === undefined ? "forbidden" : { address: allowed, port };
  }

  /** Whether a listener may be at an address as it was asked for; `""` and `*` are every address. */
  allowsListener(hostname: string, port: number): boolean {
    const name = hostname === "" || hostname === "*" ? "0.0.0.0" : hostname.toLowerCase();
    return this.#rules.some((rule) => {
      if (rule.port !== undefined && rule.port !== port) return false;
      return rule.name?.test(name) || (isIP(name) !== 0 && rule.range?.check(name, familyOf(name)));
    });
  }

  #allows(name: string, address: string, port: number): boolean {
    const near = NEAR.check(address, familyOf(address));
    return this.#rules.some((rule) => {
      if (!fitsPort(rule, port) || (near && !rule.exact)) return false;
      return rule.range ? rule.range.check(address, familyOf(address)) : rule.name!.test(name);
    });
  }
}

function fitsPort(rule: Rule, port: number): boolean {
  return rule.port === undefined || rule.port === port;
}

function parseRule(text: string): Rule {
  const [, bracketed, plainHost, portText] = /^(?:\[([^\]]+)\]|([^:]+)):(\*|\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plainHost;
  if (host === undefined || (portText !== "*" && Number(portText) > 65_535)) {
    throw new RangeError(
      `destination ${JSON.stringify(text)}: write host:port, [address]:port, range/bits:port or a path`,
    );
  }
  const port = portText === "*" ? undefined : Number(portText);
  const [address, bits] = host.split("/");
  if (isIP(address) === 0) {
    if (bits !== undefined) throw new RangeError(`destination ${JSON.stringify(text)}: ${address} is no IP address`);
    const pattern = host.toLowerCase().replace(/[.+?^${}()|\\]/g, "\\$&").replaceAll("*", "[^/]*");
    return { name: new RegExp(`^${pattern}$`), exact: !host.includes("*"), port };
  }
  const range = new BlockList();
  const family = familyOf(address);
  const most = family === "ipv4" ? 32 : 128;
  if (bits === undefined) range.addAddress(address, family);
  else if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) {
    throw new RangeError(`destination ${JSON.stringify(text)}: ${bits} is no number of bits from 0 to ${most}`);
  } else range.addSubnet(address, Number(bits), family);
  // A range that is all of the internet does not name the node.
  return { range, exact: bits === undefined || Number(bits) > 0, port };
}

/** IPv4 within IPv6 is IPv4 (RFC 4291 §2.5.5.2). */
function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? mappedHex(address) ?? address;
}

function mappedHex(address: string): string | undefined {
  const found = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (!found) return;
  const [high, low] = [parseInt(found[1], 16), parseInt(found[2], 16)];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}

/** The system's resolver also reads what inet_aton(3) reads: `0`, `127.1`, `0x7f000001`. */
async function resolveName(name: string): Promise<readonly string[]> {
  return (await lookup(name.replace(/^\[|\]$/g, ""), { all: true })).map(({ address }) => address);
}

/**
 * DNS without TLS, over UDP and TCP, for resolvers that know nothing else: what the node's zones say, and nothing else
 * (RFC 1035, RFC 7766, RFC 7873).
 *
 * @module
 */
import { AlknetError, type Logger, type SocketAddress } from "@alknet/core/handler";
import { formatSocketAddress, parseListenAddress } from "@alknet/core/address";
import type { DnsName } from "../codec/types.ts";
import type { FrontParts } from "../fronts/parts.ts";
import { Cookies } from "./cookies.ts";
import type { PlainParts } from "./parts.ts";
import { TcpFront } from "./tcp.ts";
import { UdpFront } from "./udp.ts";

/** Options of {@linkcode listenPlain}. */
export interface PlainOptions extends FrontParts {
  /** The zone of a name, as its key: what it has nothing of counts together. */
  zoneOf(name: DnsName): string | undefined;
  /** Gets what goes wrong. */
  readonly log: Logger;
}

/** Plain DNS, listening. Disposing it answers what was read, and closes. */
export interface PlainListener extends AsyncDisposable {
  /** Where it listens, over UDP and TCP each. */
  readonly addresses: readonly SocketAddress[];
}

/** A free port is looked for so many times: one of TCP may be somebody else's of UDP. */
const TRIES = 8;

/**
 * Listens.
 *
 * @param addresses `HOST:PORT` each; port 0 picks a free one.
 * @throws {AlknetError} `INVALID_ADDRESS`; `BIND_FAILED`: the system does not let us.
 */
export async function listenPlain(addresses: readonly string[], options: PlainOptions): Promise<PlainListener> {
  const { log } = options;
  const parts: PlainParts = { ...options, zoneOf: options.zoneOf.bind(options), cookies: new Cookies() };
  await using stack = new AsyncDisposableStack();
  const bound: SocketAddress[] = [];
  for (const text of addresses) bound.push(await bind(stack, parts, parseListenAddress(text), log));
  const owned = stack.move();
  return { addresses: bound, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function bind(
  stack: AsyncDisposableStack,
  parts: PlainParts,
  wanted: SocketAddress,
  log: Logger,
): Promise<SocketAddress> {
  for (let attempt = 1;; attempt++) {
    let tcp: TcpFront | undefined;
    try {
      tcp = new TcpFront(parts, wanted, log);
      const { address } = tcp;
      const udp = await UdpFront.bind(parts, { hostname: wanted.hostname, port: address.port }, log);
      stack.use(tcp);
      stack.use(udp);
      return address;
    } catch (error) {
      await tcp?.[Symbol.asyncDispose]();
      if (wanted.port === 0 && attempt < TRIES) continue;
      throw refused(wanted, error);
    }
  }
}

function refused(wanted: SocketAddress, cause: unknown): AlknetError {
  const { code = "", name } = cause as { code?: string; name: string };
  const at = formatSocketAddress(wanted);
  if (code === "EADDRINUSE" || name === "AddrInUse") {
    const resolved = wanted.port === 53 ? "; systemd-resolved has 127.0.0.53, so name one address of this machine" : "";
    return new AlknetError("BIND_FAILED", `plain DNS: ${at} is in use by another program${resolved}`, { cause });
  }
  if (code === "EACCES" || name === "PermissionDenied" || name === "NotCapable") {
    const message = `plain DNS: no permission to listen on ${at}; ports below 1024 need CAP_NET_BIND_SERVICE`;
    return new AlknetError("BIND_FAILED", message, { cause });
  }
  return new AlknetError("BIND_FAILED", `plain DNS: cannot listen on ${at}: ${code || name}`, { cause });
}

/**
 * Reaching another node: what every command with an ADDRESS shares.
 *
 * @module
 */
import { parseTarget } from "@alknet/core/address";
import type { Connection } from "@alknet/core/handler";
import { AlknetError } from "@alknet/core/handler";
import { type Message, message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import {
  addressArgument,
  authoritiesOption,
  duration,
  homeOption,
  insecureFlag,
  passphraseFileOption,
  type TransportChoice,
  transportOption,
} from "../grammar/arguments.ts";
import { locateHome } from "../home/home.ts";
import { note, UsageError } from "../terminal/output.ts";

/** What the shared options say. */
export interface ReachOptions {
  /** `[NODEID@]HOST:PORT`, or `NODEID`. */
  readonly address: string;
  /** How to get there. */
  readonly transport: TransportChoice;
  /** Skip the check of the server. */
  readonly insecure: boolean;
  /** File of certificate authorities. */
  readonly ca?: string;
  /** Time for the dial, in milliseconds. */
  readonly timeout: number;
  /** Home folder, whose key proves who we are. */
  readonly home?: string;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
  /** A token. */
  readonly token?: string;
  /** File that holds a token. */
  readonly tokenFile?: string;
  /** Relays that are asked where a node is of which the id alone is known. */
  readonly relays?: readonly string[];
  /** Whether private addresses are dialled that relays tell of. */
  readonly private?: boolean;
  /** Whether the networks that this machine is in are asked where a node is of which the id alone is known. Default true. */
  readonly mdns?: boolean;
}

/** RFC 6750 §2.1: the form of every bearer token. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const TOKEN_WORDS = "one is a single word of letters, digits and -._~+/, as alknet token create prints it";
/** What `--token-file` is for. */
export const TOKEN_FILE_TEXT: Message =
  message`The same, from a file: the command line is visible to others on this machine.`;

/** The parsers behind {@linkcode ReachOptions}. */
export type ReachParsers = { readonly [Name in keyof ReachOptions]-?: Parser<"sync", ReachOptions[Name], unknown> };

/** Parsers of the shared options, to spread into a command's own. */
export function reachOptions(): ReachParsers {
  return {
    address: addressArgument(),
    transport: transportOption(),
    insecure: insecureFlag(),
    ca: authoritiesOption(),
    timeout: withDefault(
      option("--timeout", duration(), { description: message`Time to get there. Default: 10s.` }),
      10_000,
    ),
    home: homeOption(),
    passphraseFile: passphraseFileOption(),
    token: optional(option("--token", string({ metavar: "TOKEN" }), {
      description: message`Token to prove who you are, where the protocol carries one.`,
    })),
    relays: multiple(option("--relay", string({ metavar: "RELAY" }), {
      description:
        message`Whom to ask where NODEID is: https://… or NODEID@HOST:PORT; may be given again. Default: handlers.dns.pkarr.relays.`,
    })),
    private: withDefault(
      flag("--private", { description: message`Dial private addresses too that relays tell of.` }),
      false,
    ),
    mdns: map(
      withDefault(
        flag("--no-mdns", { description: message`Do not ask the networks of this machine where NODEID is.` }),
        false,
      ),
      (without) => !without,
    ),
    tokenFile: optional(option("--token-file", path({ metavar: "FILE", type: "file", mustExist: true }), {
      description: TOKEN_FILE_TEXT,
    })),
  };
}

/** Dials with everything loaded that it needs. */
export type Dial = (alpn: string, signal: AbortSignal) => Promise<Connection>;
/** Dials one of several addresses, likewise. */
export type DialAddress = (address: string, alpn: string, signal: AbortSignal) => Promise<Connection>;

/**
 * Gets ready to dial, as the node of the home folder if there is one, else as nobody.
 *
 * @returns Dials; rejects with `DialError`, see its codes.
 * @throws {AlknetError} The key or the authorities cannot be read.
 */
export async function prepareReach(options: ReachOptions): Promise<Dial> {
  const dial = await prepareDials(options);
  return (alpn, signal) => dial(options.address, alpn, signal);
}

/** As {@linkcode prepareReach}, for several addresses. */
export async function prepareDials(
  options: Omit<ReachOptions, "address" | "token" | "tokenFile"> & { readonly address?: string },
): Promise<DialAddress> {
  const { address = "an address", transport, insecure, timeout } = options;
  // Loaded side by side, and only now: starting up is most of what a short command does.
  const [connect, key, authorities] = await Promise.all([
    import("@alknet/core/dial").then(async ({ connect, prepareDial }) => {
      await prepareDial(transport);
      return connect;
    }),
    import("../node/node_key.ts").then(({ loadNodeKey }) => loadNodeKey(locateHome(options.home), options)),
    options.ca === undefined ? undefined : readAuthorities(options.ca),
  ]);
  if (insecure) note(`alknet: warning: --insecure: whoever answers at ${address} is believed`);
  const shared = { authorities, insecure, timeout };
  return async (to, alpn, signal) => {
    const target = parseTarget(to);
    if (target.kind === "address") return await connect(to, alpn, { ...shared, transport, key, signal });
    if (insecure) throw new UsageError("--insecure does not go with an id alone: relays would choose who answers");
    const { dialById } = await import("./by_id.ts");
    return await dialById(target.nodeId, options, {
      node: (address, signal) => connect(address, alpn, { ...shared, transport, key, signal }),
      // Relays that are no nodes learn nothing of this one.
      relay: (address, alpn, transport, signal) =>
        connect(address, alpn, { ...shared, transport, key: transport === "auto" ? key : undefined, signal }),
    }, signal);
  };
}

/**
 * The token that was given, if one was. What cannot be one is refused before anything is sent.
 *
 * @throws {UsageError} Two were given, or `--token` is none.
 * @throws {AlknetError} `FILE_UNREADABLE`, `TOKEN_INVALID`.
 */
export async function givenToken(options: Pick<ReachOptions, "token" | "tokenFile">): Promise<string | undefined> {
  const { token, tokenFile } = options;
  if (tokenFile === undefined) {
    if (token !== undefined && !TOKEN.test(token)) throw new UsageError(`--token is no token: ${TOKEN_WORDS}`);
    return token;
  }
  if (token !== undefined) throw new UsageError("--token and --token-file exclude each other; give one");
  const read = (await readText(tokenFile, "token")).trim();
  if (TOKEN.test(read)) return read;
  const what = read === "" ? "is empty" : `holds no token: ${TOKEN_WORDS}`;
  throw new AlknetError("TOKEN_INVALID", `token file ${tokenFile} ${what}`);
}

/** Says that a token was given to a protocol that has no place for it, so that nobody believes it was shown. */
export async function ignoreToken(options: ReachOptions, alpn: string): Promise<void> {
  if (await givenToken(options) === undefined) return;
  note(`alknet: warning: ${alpn} carries no token, so none is sent; the node's key proves who you are`);
}

/** The certificates of a file, each of which can be decoded: the transports pass over those that cannot. */
async function readAuthorities(file: string): Promise<string> {
  const text = await readText(file, "certificate authorities");
  const { X509Certificate } = await import("node:crypto");
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!certificates) {
    throw new AlknetError("CERT_LOAD", `file ${file} holds no "-----BEGIN CERTIFICATE-----"; PEM is expected`);
  }
  for (const [i, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (cause) {
      throw new AlknetError("CERT_LOAD", `file ${file}: certificate number ${i + 1} cannot be decoded`, { cause });
    }
  }
  return text;
}

async function readText(file: string, what: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(file);
  } catch (error) {
    throw new AlknetError("FILE_UNREADABLE", `cannot read the ${what} in ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    // A mark of UTF-8 at the beginning goes; one of UTF-16 is none.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AlknetError("FILE_UNREADABLE", `cannot read the ${what} in ${file}: it is not UTF-8; save it as that`, {
      cause: error,
    });
  }
}

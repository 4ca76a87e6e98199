/**
 * From the text of a configuration file to a {@linkcode Config}: syntax, schema, what the schema cannot say, defaults.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { AlknetError } from "../errors.ts";
import { type ListenEntry, parseListenAddress } from "../handler/address.ts";
import { parseFingerprint } from "../identity/fingerprint.ts";
import { parseTokenHash } from "../identity/token.ts";
import { checkSchema, describeValue, InvalidConfigError } from "./check.ts";
import { jsonFault } from "./json.ts";
import { configSchema } from "./schema.ts";
import type {
  ApiKeyConfig,
  CertificateDocument,
  Config,
  ConfigDocument,
  DynamicConfig,
  PeerConfig,
  Schema,
  StaticConfig,
} from "./types.ts";

/** Options of {@linkcode parseConfig}. */
export interface ParseOptions {
  /**
   * Schemas of the handlers' options, by the handler's name. With them, a handler that is not named here is refused.
   * Default: options of handlers are not looked at.
   */
  readonly handlers?: Readonly<Record<string, Schema>>;
}

/** A configuration, and what its author should know. */
export interface ParsedConfig extends Config {
  /** Things that were corrected, in words. */
  readonly notices: readonly string[];
}

/** The text is no JSON, so it may be half written; another look may help. */
export class ConfigSyntaxError extends InvalidConfigError {}

/** Peer id of this node itself (call.md §20.3). */
const RESERVED_PEER_ID = "local";

/**
 * Parses and checks a configuration file's text.
 *
 * @param file Its path, for messages; relative paths in it are resolved against its folder.
 * @throws {InvalidConfigError} `INVALID_CONFIG`: where, what was expected, what was found; hashes are blanked.
 */
export function parseConfig(text: string, file: string, options: ParseOptions = {}): ParsedConfig {
  const document = parseDocument(text, file);
  checkSchema(configSchema, document, file);
  const checked = document as ConfigDocument;
  checkHandlers(checked, file, options);
  const notices: string[] = [];
  return deepFreeze({
    static: staticPart(checked, file),
    dynamic: dynamicPart(checked, file, notices),
    notices,
  });
}

/**
 * Parses the JSON of a configuration file and looks no further.
 *
 * @throws {ConfigSyntaxError} It is no JSON.
 */
export function parseDocument(text: string, file: string): unknown {
  // An editor's byte order mark (RFC 8259 §8.1 lets a parser ignore it).
  const body = text.replace(/^\ufeff/, "");
  if (body.trim() === "") throw new ConfigSyntaxError(file, "", "a JSON object", "an empty file");
  const fault = jsonFault(body);
  if (fault) {
    const where = `something else in line ${fault.line}, column ${fault.column}`;
    throw new ConfigSyntaxError(file, "", fault.expected, where);
  }
  return JSON.parse(body);
}

function checkHandlers({ handlers = {} }: ConfigDocument, file: string, { handlers: schemas }: ParseOptions): void {
  if (!schemas) return;
  for (const [name, options] of Object.entries(handlers)) {
    if (!Object.hasOwn(schemas, name)) {
      const known = Object.keys(schemas).join(", ");
      throw new InvalidConfigError(file, `handlers.${name}`, `one of ${known}`, "an unknown handler");
    }
    checkSchema(schemas[name], options, file, ["handlers", name], true);
  }
}

function staticPart(document: ConfigDocument, file: string): StaticConfig {
  const listen = [document.listen ?? []].flat().map((entry): ListenEntry => {
    if (typeof entry === "string") return { address: entry };
    const { address, without_alpn: withoutAlpn } = entry;
    return { address, ...withoutAlpn !== undefined && { withoutAlpn } };
  });
  listen.forEach(({ address }, i) => {
    const path = Array.isArray(document.listen) ? `listen[${i}]` : "listen";
    attempt(file, path, "HOST:PORT", () => parseListenAddress(address), (error) => error.message);
  });
  const limits = document.limits ?? {};
  checkWindows(limits, file);
  return {
    listen,
    certificate: certificatePart(document.certificate ?? { mode: "key" }, file),
    drain_timeout_ms: document.drain_timeout_ms ?? 2000,
    transports: document.transports ?? ["quic", "tls"],
    quic: { engine: "process", engines: 1, udp: "auto", ...document.quic },
    limits,
    handlers: document.handlers ?? {},
  };
}

/** A window grows from its first size to its largest; the other way round is a slip. */
function checkWindows(limits: NonNullable<ConfigDocument["limits"]>, file: string): void {
  for (
    const [first, largest] of [["stream_window", "max_stream_window"], ["connection_window", "max_connection_window"]]
  ) {
    const low = limits[first as keyof typeof limits];
    const high = limits[largest as keyof typeof limits];
    if (low !== undefined && high !== undefined && low > high) {
      throw new InvalidConfigError(file, `limits.${largest}`, `at least ${first}, ${low}`, String(high));
    }
  }
}

function certificatePart(setup: CertificateDocument, file: string): CertificateDocument {
  const belongs = { certificate_file: "x509", key_file: "x509", names: "selfSigned" } as const;
  for (const [field, mode] of Object.entries(belongs)) {
    const value = setup[field as keyof typeof belongs];
    const path = `certificate.${field}`;
    if (mode === setup.mode && (value === undefined || value.length === 0)) {
      throw new InvalidConfigError(file, path, `a value, which mode "${mode}" needs`, describeMissing(value));
    }
    if (mode !== setup.mode && value !== undefined) {
      throw new InvalidConfigError(file, path, `it to be absent in mode "${setup.mode}"`, describeValue(value));
    }
  }
  const folder = dirname(resolve(file));
  const absolute = (path?: string) => path === undefined ? undefined : resolve(folder, path);
  const { certificate_file, key_file, ...rest } = setup;
  if (setup.mode !== "x509") return rest;
  return { ...rest, certificate_file: absolute(certificate_file), key_file: absolute(key_file) };
}

function dynamicPart(document: ConfigDocument, file: string, notices: string[]): DynamicConfig {
  const { peers = [], api_keys = [] } = document.auth ?? {};
  const seen = new Map<string, string>();
  const unique = (kind: string, value: string, path: string, secret = false) => {
    const before = seen.get(`${kind} ${value}`);
    if (before !== undefined) throw duplicate(file, path, kind, secret ? undefined : value, before);
    seen.set(`${kind} ${value}`, path);
  };
  const hash = (value: string, path: string) => {
    const canonical = attempt(
      file,
      path,
      '"sha256:" and 64 hex digits',
      () => parseTokenHash(value),
      () => describeValue(value, true),
    );
    unique("token hash", canonical, path, true);
    return canonical;
  };
  return {
    auth: {
      peers: peers.map((peer, i): PeerConfig => {
        const at = `auth.peers[${i}]`;
        if (peer.peer_id === RESERVED_PEER_ID) {
          throw new InvalidConfigError(
            file,
            `${at}.peer_id`,
            "another name",
            `"${RESERVED_PEER_ID}", which is reserved`,
          );
        }
        unique("peer_id", peer.peer_id, `${at}.peer_id`);
        const { fingerprints = [], auth_token_hash, scopes = [], resources = {}, enabled = true, ...rest } = peer;
        return {
          ...rest,
          fingerprints: fingerprints.map((text, j) => {
            const path = `${at}.fingerprints[${j}]`;
            const expected = '"ed25519:" or "SHA256:" and 64 hex digits';
            const canonical = attempt(file, path, expected, () => parseFingerprint(text), () => describeValue(text));
            if (canonical !== text) notices.push(`config ${file}: ${path}: read as ${canonical}`);
            unique("fingerprint", canonical, path);
            return canonical;
          }),
          ...(auth_token_hash === undefined ? {} : { auth_token_hash: hash(auth_token_hash, `${at}.auth_token_hash`) }),
          scopes,
          resources,
          enabled,
        };
      }),
      api_keys: api_keys.map((key, i): ApiKeyConfig => {
        const { scopes = [], ...rest } = key;
        return { ...rest, hash: hash(key.hash, `auth.api_keys[${i}].hash`), scopes };
      }),
    },
    rate_limits: { max_connections_per_ip: 100, max_auth_attempts: 5, ...document.rate_limits },
  };
}

/** Runs a parser of one value; its error becomes one about that place in the file. */
function attempt<T>(
  file: string,
  path: string,
  expected: string,
  parse: () => T,
  found: (error: AlknetError) => string,
): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof AlknetError)) throw error;
    throw new InvalidConfigError(file, path, expected, found(error), { cause: error });
  }
}

function duplicate(file: string, path: string, kind: string, value: string | undefined, before: string): AlknetError {
  const shown = value === undefined ? "" : `: ${value}`;
  return new InvalidConfigError(file, path, `another one than in ${before}`, `duplicate ${kind}${shown}`);
}

function describeMissing(value: unknown): string {
  return value === undefined ? "nothing" : describeValue(value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

/**
 * A running node, from its files to its end.
 *
 * @module
 */
import type { Endpoint } from "@alknet/core";
import { formatSocketAddress } from "@alknet/core/address";
import { type ConfigFile, limitsOf, watchConfig } from "@alknet/core/config";
import { AlknetError, type Handler, type Identity, logger } from "@alknet/core/handler";
import { type CertificateKeyPair, configProvider, loadOrCreateKey, type NodeKey } from "@alknet/core/identity";
import { Dispatcher, type HandlerRegistration, nodeRegistry, type Registry } from "@alknet/core/operations";
import { type CertificateRenewal, followCertificate } from "./certificate_renewal.ts";
import { chooseFace, type Face, recorded } from "./face.ts";
import { Feed } from "../operations/feed.ts";
import { buildRouter, HANDLER_SCHEMAS, type HandlerParts } from "./handlers.ts";
import { exists, type Home, locateHome } from "../home/home.ts";
import type { ImportEntry } from "../imports/entry.ts";
import type { Imported } from "../imports/load.ts";
import { startLogging } from "./log.ts";
import { DEFAULT_HANDLERS, DEFAULT_PORT, makeConfig, makeNode } from "../node/node.ts";
import { keyStore } from "../node/node_key.ts";
import { Observer, type ServeEvent } from "../operations/observe.ts";
import { KEPT_LINES } from "../operations/log.ts";
import { builtInOperations } from "../operations/mod.ts";
import type { RunningNode } from "../operations/running_node.ts";
import { ExitCode } from "../terminal/output.ts";
import { onHangup, type StopSignal, StopSignals } from "../terminal/signals.ts";
import type { TreeFs } from "@alknet/handlers/fs";
import type { Git } from "@alknet/handlers/git";
import type { ServedDns } from "./dns.ts";
import type { DnsConfig } from "./dns/schema.ts";
import type { GuestsConfig } from "../guests/entry.ts";
import type { MirrorWaysParts } from "../node/mirror_ways.ts";
import type { Guests } from "../guests/folder.ts";
import type { FsConfig, ServedFs } from "./fs.ts";
import type { GitConfig } from "./git.ts";
import type { MailboxConfig, ServedMailbox } from "./msg.ts";
import type { ServedMessenger } from "./messenger.ts";
import type { SftpConfig } from "./sftp.ts";
import type { SshConfig } from "./ssh.ts";
import { logStrayRejections } from "./stray_rejections.ts";
import { publicCertificate, quicOptions } from "./endpoint_options.ts";

const log = logger("serve");
/** As whom hooks of repositories call operations. */
const GIT_IDENTITY: Identity = { id: "git", scopes: ["git:hook"], resources: {} };

/** What the command line of `alknet serve` says. */
export interface ServeOptions {
  /** Addresses to listen on, instead of those of the configuration. */
  readonly listen: readonly string[];
  /** The transport to serve alone. */
  readonly transport?: "quic" | "tls";
  /** Log debugging lines too. */
  readonly verbose: boolean;
  /** Print events as JSON. */
  readonly json: boolean;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
  /** Home folder. */
  readonly home?: string;
  /** Configuration file. */
  readonly config?: string;
}

/** Serves until a signal. Resolves to the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  using signals = new StopSignals();
  const lines = new Feed<string>({ keep: KEPT_LINES });
  await using face = recorded(chooseFace(options), lines);
  startLogging(options.verbose ? "debug" : "info", (line) => face.log(line));
  using _strays = logStrayRejections(log);
  const home = locateHome(options.home);
  const key = await openKey(home, options);
  const up: { endpoint?: Endpoint; renewal?: CertificateRenewal } = {};
  await using config = await openConfig(home, options.config, face, () => {
    up.endpoint?.adjustLimits(limitsOf({ static: config.static, dynamic: config.snapshot() }));
  });
  // Before anyone is told that the node is up: until then, SIGHUP would end it.
  using _hangup = onHangup(async () => {
    const { outcome } = await config.reload();
    await up.renewal?.look();
    face.event({ event: "hangup", outcome });
  });
  const events = new Feed<ServeEvent>();
  const observer = new Observer((event) => {
    face.event(event);
    events.publish(event);
  });
  const node: RunningNode = { config, observer, events, log: lines, startedAt: new Date() };
  // What hooks of git call is there only once all operations are known.
  const late: { dispatcher?: Dispatcher } = {};
  await using git = await configuredGit(config, { home, key, passphraseFile: options.passphraseFile }, late);
  await using fs = await configuredFs(config, home, key, options.passphraseFile);
  await using dns = await configuredDns(config, home, key);
  await using mailbox = await configuredMailbox(config, home, key);
  await using messenger = await configuredMessenger(config, home, options);
  const ownOperations = [
    ...builtInOperations(node),
    ...git?.operations() ?? [],
    ...fs?.operations ?? [],
    ...dns?.operations ?? [],
    ...mailbox?.operations ?? [],
    ...messenger?.operations ?? [],
  ];
  await using imported = await importedBy(config, ownOperations, { key, home, passphraseFile: options.passphraseFile });
  const withoutGuests = [...ownOperations, ...imported.registrations];
  await using guests = await configuredGuests(config, nodeRegistry(withoutGuests), late);
  const registry = nodeRegistry([...withoutGuests, ...guests?.registrations ?? []]);
  const ssh = await configuredSsh(config, home, options, { git, files: fs?.files });
  const sftp = await configuredSftp(config, fs?.files);
  const dispatcher = late.dispatcher = new Dispatcher({ registry });
  if (git) await checkGitHooks(config, home, (name) => registry.find(name) !== undefined);
  const certificate = await publicCertificate(config.static.certificate);
  const parts = { observer, dispatcher, ssh, sftp, git, fs, dns, mailbox: mailbox?.handler };
  const endpoint = await listen(options, { key, certificate }, node, parts);
  up.endpoint = node.endpoint = endpoint;
  await fs?.announce(endpoint.addresses.map(formatSocketAddress));
  dns?.announce({
    port: endpoint.addresses[0].port,
    addresses: endpoint.addresses,
    alpns: endpoint.alpns,
    transports: options.transport === undefined ? config.static.transports : [options.transport],
    http: handlersOf(config).http !== undefined,
  });
  await using renewal = await followCertificate(config.static.certificate, certificate, endpoint, {
    renewed: () => face.event({ event: "certificate-renewed" }),
    failed: (error) => face.event({ event: "certificate-failed", error }),
  });
  up.renewal = renewal;
  git?.mirror();
  messenger?.start();
  face.started(endpoint, observer);
  const signal = await signals.first;
  face.event({ event: "draining", signal, milliseconds: config.static.drain_timeout_ms });
  // Its connections may be to this node itself, which waits for them.
  await messenger?.stop();
  return await drain(endpoint, signal, signals, face);
}

/** Handlers finish, unless the operator does not want to wait: a second signal ends the node at once. */
async function drain(endpoint: Endpoint, first: StopSignal, signals: StopSignals, face: Face): Promise<number> {
  const second = await Promise.race([endpoint.shutdown(), signals.second]);
  face.event({ event: "stopped", drained: second === undefined });
  if ((second ?? first) === "SIGINT") return ExitCode.INTERRUPTED;
  return second === undefined ? ExitCode.DONE : ExitCode.FAILED;
}

async function openKey(home: Home, { passphraseFile }: ServeOptions): Promise<NodeKey> {
  const store = await keyStore(home, { passphraseFile }, makeNode);
  const isNew = !await exists(store.location);
  const key = await loadOrCreateKey(store);
  if (isNew) log.info("made a node in {home}", { home: home.folder });
  return key;
}

async function openConfig(
  home: Home,
  given: string | undefined,
  face: Face,
  onReload: () => void,
): Promise<ConfigFile> {
  if (given === undefined && !await exists(home.configFile)) await makeConfig(home);
  return await watchConfig(given ?? home.configFile, {
    handlers: HANDLER_SCHEMAS,
    onReload: ({ auth }) => {
      onReload();
      face.event({ event: "reloaded", peers: auth.peers.length, tokens: auth.api_keys.length });
    },
    onInvalid: (error) => face.event({ event: "reload-failed", error: error.message }),
    onStaticChanged: (fields) => face.event({ event: "restart-needed", fields }),
  });
}

/** What the configuration imports from other services. */
async function importedBy(
  { path: configFile, static: { handlers } }: ConfigFile,
  own: readonly HandlerRegistration[],
  parts: { readonly key: NodeKey; readonly home: Home; readonly passphraseFile?: string },
): Promise<Imported> {
  const entries = (handlers.call?.imports ?? []) as readonly ImportEntry[];
  if (entries.length === 0) return { registrations: [], leftOut: [], [Symbol.asyncDispose]: () => Promise.resolve() };
  const { importAll } = await import("../imports/load.ts");
  return await importAll(entries, own.map(({ spec }) => spec.name), { configFile, ...parts });
}

/** Operations of guests, which may call those of the node. */
async function configuredGuests(
  { path: configFile, static: { handlers } }: ConfigFile,
  registry: Registry,
  late: { readonly dispatcher?: Dispatcher },
): Promise<Guests | undefined> {
  const config = handlers.call?.guests as GuestsConfig | undefined;
  if (!config) return;
  const { openGuests } = await import("../guests/folder.ts");
  return await openGuests(config, { configFile, registry, dispatcher: () => late.dispatcher });
}

async function configuredSsh(
  { path: configFile, static: { handlers } }: ConfigFile,
  home: Home,
  { passphraseFile }: ServeOptions,
  { git, files }: { readonly git: Git | undefined; readonly files: TreeFs | undefined },
): Promise<Handler | undefined> {
  if (!handlers.ssh) return;
  const { sshOf } = await import("./ssh.ts");
  return await sshOf(handlers.ssh as SshConfig, {
    configFile,
    home,
    passphraseFile,
    files,
    programs: git ? [git.program] : [],
  });
}

async function configuredSftp(
  { path: configFile, static: { handlers } }: ConfigFile,
  files: TreeFs | undefined,
): Promise<Handler | undefined> {
  if (!handlers.sftp) return;
  const { sftpOf } = await import("./sftp.ts");
  return await sftpOf(handlers.sftp as SftpConfig, { configFile, files });
}

async function configuredGit(
  { path: configFile, static: fixed }: ConfigFile,
  who: MirrorWaysParts,
  late: { readonly dispatcher?: Dispatcher },
): Promise<Git | undefined> {
  const config = gitConfigOf(fixed.handlers);
  if (!config) return;
  const [{ gitOf }, { urlMaker }, { mirrorWays }] = await Promise.all([
    import("./git.ts"),
    import("../node/repository_urls.ts"),
    import("../node/mirror_ways.ts"),
  ]);
  const { home } = who;
  return await gitOf(config, {
    configFile,
    home,
    call: async (operation, input, signal) => {
      if (!late.dispatcher) throw new AlknetError("NOT_STARTED", "the node has not started yet");
      return await late.dispatcher.call({ operation, input, identity: GIT_IDENTITY }, signal);
    },
    urls: await urlMaker({ home, config: fixed }),
    mirrors: mirrorWays(who),
  });
}

/** Hooks that name operations which there are not would refuse every push. */
async function checkGitHooks(
  { path: configFile, static: { handlers } }: ConfigFile,
  home: Home,
  has: (name: string) => boolean,
): Promise<void> {
  const { checkHooks } = await import("./git.ts");
  checkHooks(gitConfigOf(handlers) ?? {}, { configFile, home }, has);
}

function gitConfigOf(handlers: Readonly<Record<string, unknown>>): GitConfig | undefined {
  const named = Object.keys(handlers).length > 0 ? handlers : DEFAULT_HANDLERS;
  return named.git as GitConfig | undefined;
}

/** The handlers that are served, by their names. */
function handlersOf({ static: { handlers } }: ConfigFile): ConfigFile["static"]["handlers"] {
  return Object.keys(handlers).length > 0 ? handlers : DEFAULT_HANDLERS;
}

async function configuredDns(config: ConfigFile, home: Home, key: NodeKey): Promise<ServedDns | undefined> {
  const { path: configFile, static: { handlers } } = config;
  const identityProvider = configProvider(() => config.snapshot());
  const named = Object.keys(handlers).length > 0 ? handlers : DEFAULT_HANDLERS;
  if (!named.dns) return;
  const { dnsOf } = await import("./dns.ts");
  return await dnsOf(named.dns as DnsConfig, { configFile, home, key, identityProvider });
}

async function configuredFs(
  { path: configFile, static: { handlers } }: ConfigFile,
  home: Home,
  key: NodeKey,
  passphraseFile: string | undefined,
): Promise<ServedFs | undefined> {
  const named = Object.keys(handlers).length > 0 ? handlers : DEFAULT_HANDLERS;
  if (!named.fs) return;
  const { fsOf } = await import("./fs.ts");
  return await fsOf(named.fs as FsConfig, { configFile, home, key, passphraseFile });
}

async function configuredMailbox(
  { path: configFile, static: { handlers } }: ConfigFile,
  home: Home,
  { fingerprint: own }: NodeKey,
): Promise<ServedMailbox | undefined> {
  if (!handlers.mailbox) return;
  const { mailboxOf } = await import("./msg.ts");
  return await mailboxOf(handlers.mailbox as MailboxConfig, { configFile, home, own });
}

async function configuredMessenger(
  { path: config, static: { handlers } }: ConfigFile,
  { folder: home }: Home,
  { passphraseFile }: ServeOptions,
): Promise<ServedMessenger | undefined> {
  if (!handlers.messenger) return;
  const { messengerOf } = await import("./messenger.ts");
  return await messengerOf({ home, config, passphraseFile });
}

async function listen(
  options: ServeOptions,
  { key, certificate }: { readonly key: NodeKey; readonly certificate: CertificateKeyPair | undefined },
  node: RunningNode,
  parts: HandlerParts,
): Promise<Endpoint> {
  const { config } = node;
  const { static: fixed } = config;
  const addresses = options.listen.length > 0 ? options.listen : fixed.listen;
  try {
    return await buildRouter(fixed.handlers, config.path, parts).listen({
      listen: addresses.length > 0 ? addresses : `0.0.0.0:${DEFAULT_PORT}`,
      key,
      certificate,
      identityProvider: configProvider(() => config.snapshot()),
      limits: limitsOf({ static: fixed, dynamic: config.snapshot() }),
      transports: options.transport === undefined ? fixed.transports : [options.transport],
      quic: quicOptions(fixed.quic),
      drain: fixed.drain_timeout_ms,
    });
  } catch (error) {
    if (!(error instanceof AlknetError) || error.code !== "BIND_FAILED") throw error;
    throw new AlknetError(error.code, `${error.message} (--listen HOST:PORT)`, {
      cause: error,
    });
  }
}

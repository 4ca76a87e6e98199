/**
 * The messenger of a home folder, as its commands use it, with or without a running node.
 *
 * @module
 */
import { formatSocketAddress, parseListenAddress } from "@alknet/core/address";
import { loadConfig, type StaticConfig } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { fileKeyStore, NodeKey } from "@alknet/core/identity";
import { type Blobs, type Dial, mailboxClient, messageKeys, type Messenger, openMessenger } from "@alknet/handlers/msg";
import type { TransportChoice } from "../grammar/arguments.ts";
import { exists, type Home, locateHome } from "../home/home.ts";
import { DEFAULT_PORT } from "../node/node.ts";
import type { MessengerConfig } from "./config.ts";
import { note } from "../terminal/output.ts";
import { shortId } from "./showing.ts";
import { readVaultFile } from "../vault/reading.ts";
import { openVault } from "../vault/vault_folder.ts";

/** Whose messages are meant, and how mailboxes are reached. */
export interface MessengerChoice {
  /** Home folder. */
  readonly home?: string;
  /** Configuration file. */
  readonly config?: string;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
  /** Makes what keeps large files. Default: nothing keeps them. */
  readonly blobs?: (choice: MessengerChoice, dial: Dial) => Blobs;
  /** How to get to mailboxes. */
  readonly transport?: TransportChoice;
}

/** What all commands of messages have. */
export interface Shared extends MessengerChoice {
  /** Print JSON. */
  readonly json: boolean;
}

/** A messenger that is open. Disposing of it ends its connections and wipes its keys. */
export interface OpenMessenger extends AsyncDisposable {
  /** The messenger. */
  readonly messenger: Messenger;
  /** Whether contacts are told of what was shown. */
  readonly readReceipts: boolean;
  /** Whether queues would be made at this node, which serves no mailbox. */
  readonly isHomeless: boolean;
  /** The configuration that says so. */
  readonly configFile: string;
}

/**
 * Opens the messenger of a home.
 *
 * @throws {AlknetError} `NO_VAULT`, `MESSAGE_STORE`; the vault or the configuration cannot be read.
 */
export async function openMessengerHome(choice: MessengerChoice): Promise<OpenMessenger> {
  const home = locateHome(choice.home);
  if (!await readVaultFile(home)) {
    throw new AlknetError("NO_VAULT", `messages need a vault, and there is none in ${home.folder}: alknet vault new`);
  }
  const configFile = choice.config ?? home.configFile;
  const isThere = choice.config !== undefined || await exists(configFile);
  const config = isThere ? (await loadConfig(configFile)).static : undefined;
  const { mailbox, name, read_receipts: readReceipts = false } = (config?.handlers.messenger ?? {}) as MessengerConfig;
  const { keys, node } = await keysOf(home, choice);
  const dial = dialAs(node, choice);
  const direct = mailboxClient({ dial });
  const blobs = choice.blobs?.(choice, dial);
  try {
    const own = mailbox ?? `${node.id}@${ownAddress(config)}`;
    const messenger = openMessenger({ keys, file: home.messagesFile, direct, blobs, name, mailbox: own, readReceipts });
    if (messenger.fault) note(`alknet: note: ${messenger.fault.message}`);
    return {
      messenger,
      readReceipts,
      isHomeless: mailbox === undefined && config?.handlers.mailbox === undefined,
      configFile,
      async [Symbol.asyncDispose]() {
        messenger[Symbol.dispose]();
        await direct[Symbol.asyncDispose]();
        keys[Symbol.dispose]();
        node[Symbol.dispose]();
      },
    };
  } catch (error) {
    keys[Symbol.dispose]();
    node[Symbol.dispose]();
    throw error;
  }
}

/**
 * A contact as somebody wrote it: its name, or the short form of a key that one contact alone has.
 *
 * @throws {AlknetError} `NO_CONTACT`.
 */
export function nameOf(messenger: Messenger, text: string): string {
  const contacts = messenger.contacts();
  if (contacts.some(({ name }) => name === text)) return text;
  const fitting = contacts.filter(({ nodeId }) => shortId(nodeId) === text || nodeId === text);
  if (fitting.length === 1) return fitting[0].name;
  throw new AlknetError("NO_CONTACT", `there is no contact ${text}; alknet msg contact list names them`);
}

/**
 * A contact as {@linkcode nameOf} has it, or a group by its name.
 *
 * @throws {AlknetError} `NO_CONTACT`.
 */
export function conversationOf(messenger: Messenger, text: string): string {
  return messenger.groups.list().some(({ name }) => name === text) ? text : nameOf(messenger, text);
}

/** The keys of messages, and that of the node, for which the vault is opened once. */
async function keysOf(home: Home, options: MessengerChoice) {
  const { passphraseFile } = options;
  using open = await openVault(home, { passphraseFile });
  using ed = open.vault.nodeKey();
  using ik = open.vault.messageKey();
  using store = open.vault.messageStoreKey();
  const keys = messageKeys({ ed: ed.privateKey, ik: ik.privateKey, store: store.privateKey });
  const node = await exists(home.keyFile) ? await fileKeyStore(home.keyFile).load() : NodeKey.fromSeed(ed.privateKey);
  return { keys, node };
}

/** Dials as the node where it has to be, else with a key that nobody sees again. */
function dialAs(node: NodeKey, { transport = "auto" }: MessengerChoice): Dial {
  return async (address, alpn, { signal, anonymous }) => {
    const { connect, prepareDial } = await import("@alknet/core/dial");
    await prepareDial(transport);
    if (!anonymous) return await connect(address, alpn, { transport, key: node, signal });
    using key = NodeKey.generate();
    return await connect(address, alpn, { transport, key, signal });
  };
}

/** Where this node is: the first address of the configuration; of one of all interfaces the name of the machine. */
function ownAddress(config: StaticConfig | undefined): string {
  const { hostname, port } = parseListenAddress(config?.listen[0]?.address ?? `0.0.0.0:${DEFAULT_PORT}`);
  const host = hostname === "0.0.0.0" || hostname === "::" ? Deno.hostname().toLowerCase() : hostname;
  return formatSocketAddress({ hostname: host, port: port === 0 ? DEFAULT_PORT : port });
}

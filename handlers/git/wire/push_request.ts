/**
 * What a client of receive-pack asks for (gitprotocol-pack, "Reference Update Request and Packfile Transfer").
 *
 * ```text
 * 0035shallow <oid>\n                                                    none or more
 * 009e<old> <new> refs/heads/b2 00 " report-status-v2 side-band-64k …"   zeros: it is not there, it is to go
 * 0068<old> <new> refs/heads/c                                           more
 * 0000                                                                   a pack follows, unless all are to go
 * 000dreviewed\n 0000                                                    before it options, where they were asked for
 * ```
 *
 * Instead of commands there may be a certificate, which holds them: `push-cert`, NUL and capabilities, its lines, and
 * `push-cert-end`.
 *
 * @module
 */
import { GitRequestError, malformed } from "../errors.ts";
import { shown } from "./command.ts";
import { lineText, type Packet, type PktReader } from "./pkt_line.ts";
import { CertificateLines, type PushCertificate } from "./signed/certificate.ts";

/** A ref that is to move. */
export interface PushCommand {
  /** Its name as the client wrote it. */
  readonly name: string;
  /** What the client believes it points at; `null`: it is not there. */
  readonly old: string | null;
  /** What it is to point at; `null`: it is to go. */
  readonly new: string | null;
}

/** What a client asks for. */
export interface PushRequest {
  /** Refs, each once. */
  readonly commands: readonly PushCommand[];
  /** Whether it wants to hear what became of them. */
  readonly report: boolean;
  /** Whether it reads side bands. */
  readonly sideBand: boolean;
  /** Whether it wants no progress. */
  readonly quiet: boolean;
  /** Whether all are to move, or none. */
  readonly atomic: boolean;
  /** What was given with `git push -o`, as far as it is within the limits. */
  readonly options: readonly string[];
  /** Whether there were more options, or longer ones. */
  readonly moreOptions: boolean;
  /** The certificate that the commands are from. */
  readonly certificate?: PushCertificate;
}

/** What a push may take. */
export interface PushLimits {
  /** Refs. */
  readonly commands: number;
  /** Bytes of the request in memory, an object id counted with 32. */
  readonly bytes: number;
  /** Options. */
  readonly pushOptions: number;
  /** Bytes of an option. */
  readonly optionBytes: number;
  /** Whether the client was given something to sign. */
  readonly signed: boolean;
  /** Milliseconds of silence. */
  readonly idle?: number;
}

/** What the node can do, for the first line of its advertisement. */
export const PUSH_CAPABILITIES: readonly string[] = [
  "report-status",
  "report-status-v2",
  "delete-refs",
  "side-band-64k",
  "quiet",
  "atomic",
  "ofs-delta",
  "push-options",
  "object-format=sha1",
];

/** A name that is no ref's is told of in one line; this one is far longer than any that is. */
const MOST_NAME = 8192;
const ZERO = "0".repeat(40);
const COMMAND = /^([0-9a-f]{40}) ([0-9a-f]{40}) (.+)$/s;

/**
 * Reads a request up to its pack; nothing where the client moves nothing.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`; `GIT_REFUSED`: what it asks for is not served; `GIT_TOO_LARGE`; `GIT_SLOW`.
 */
export async function readPushRequest(reader: PktReader, limits: PushLimits): Promise<PushRequest | undefined> {
  const commands: PushCommand[] = [];
  const names = new Set<string>();
  let capabilities: ReadonlySet<string> | undefined;
  let size = 0;
  const take = (line: string): void => {
    const command = commandOf(line);
    if (names.has(command.name)) throw malformed(`multiple updates for ref '${shown(command.name)}' not allowed`);
    names.add(command.name);
    commands.push(command);
    if (commands.length > limits.commands) throw new GitRequestError("GIT_TOO_LARGE", "too many commands");
  };
  const next = async (): Promise<Packet | undefined> => {
    const packet = await reader.next(limits.idle);
    if (packet === "delim") throw malformed("unexpected delim");
    if (packet === undefined && size > 0) throw malformed("the stream ends inside of a request");
    if (packet instanceof Uint8Array) size += packet.byteLength + 32;
    if (size > limits.bytes) throw new GitRequestError("GIT_TOO_LARGE", "request too large");
    return packet;
  };
  let certificate: PushCertificate | undefined;
  for (let packet = await next(); packet instanceof Uint8Array; packet = await next()) {
    const nul = packet.indexOf(0);
    const line = lineText(nul < 0 ? packet : packet.subarray(0, nul));
    // A shallow client's push has to be connected without its shallow lines.
    if (/^shallow [0-9a-f]{40}$/.test(line)) continue;
    const isSigned = line === "push-cert";
    if (isSigned && (!limits.signed || certificate)) {
      throw new GitRequestError("GIT_REFUSED", "push-cert is not served");
    }
    if (nul >= 0 && !capabilities) capabilities = capabilitiesOf(lineText(packet.subarray(nul + 1)));
    if (!isSigned) {
      // Beside those of a certificate no others count.
      if (certificate) throw malformed("a command beside a push-cert");
      take(line);
      continue;
    }
    if (commands.length > 0) throw malformed("a push-cert after a command");
    certificate = await readCertificate(next);
    for (const command of certificate.commands) take(command);
  }
  if (commands.length === 0) return undefined;
  const has = (name: string): boolean => capabilities?.has(name) ?? false;
  return {
    commands,
    report: has("report-status") || has("report-status-v2"),
    sideBand: has("side-band-64k"),
    quiet: has("quiet"),
    atomic: has("atomic"),
    ...has("push-options") ? await readOptions(next, limits) : { options: [], moreOptions: false },
    certificate,
  };
}

async function readCertificate(next: () => Promise<Packet | undefined>): Promise<PushCertificate> {
  const lines = new CertificateLines();
  for (let packet = await next(); packet instanceof Uint8Array; packet = await next()) {
    // The end is a line among others.
    if (packet.byteLength <= 14 && lineText(packet) === "push-cert-end") return lines.end();
    lines.add(packet);
  }
  throw malformed("a push-cert has no end");
}

async function readOptions(
  next: () => Promise<Packet | undefined>,
  { pushOptions, optionBytes }: PushLimits,
): Promise<Pick<PushRequest, "options" | "moreOptions">> {
  const options: string[] = [];
  let moreOptions = false;
  // A client that is told before it has sent all reads no words: they come with the report.
  for (let packet = await next(); packet instanceof Uint8Array; packet = await next()) {
    const size = packet.byteLength - (packet.at(-1) === 0x0a ? 1 : 0);
    moreOptions ||= options.length === pushOptions || size > optionBytes;
    if (!moreOptions) options.push(lineText(packet));
  }
  return { options, moreOptions };
}

function commandOf(line: string): PushCommand {
  const [, old, new_, name] = COMMAND.exec(line) ?? [];
  if (name === undefined) throw malformed(`expected old/new/ref, got '${shown(line)}'`);
  if (name.length > MOST_NAME) throw malformed("a ref has too long a name");
  return { name, old: old === ZERO ? null : old, new: new_ === ZERO ? null : new_ };
}

function capabilitiesOf(text: string): ReadonlySet<string> {
  const capabilities = new Set(text.split(" ").filter((one) => one !== ""));
  for (const capability of capabilities) {
    if (PUSH_CAPABILITIES.includes(capability) || /^(?:agent|session-id)=/.test(capability)) continue;
    if (capability.startsWith("object-format=")) {
      throw malformed("mismatched object format: only sha1 is served");
    }
    throw new GitRequestError("GIT_REFUSED", `receive-pack: ${shown(capability)} is not served`);
  }
  return capabilities;
}

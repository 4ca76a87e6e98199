/**
 * A request of version 2: a command, capabilities, and after a delim its arguments (gitprotocol-v2, "Command Request").
 *
 * @module
 */
import { GitRequestError, malformed } from "../errors.ts";
import { lineText, type Packet, type PktReader } from "./pkt_line.ts";

/** What a request may take. */
export interface CommandLimits {
  /** Bytes in memory, a line of an object id counted with 32. */
  readonly bytes: number;
  /** Milliseconds of silence. */
  readonly idle?: number;
}

/** One request. */
export interface Command {
  /** `ls-refs`, `fetch`, `object-info`. */
  readonly name: string;
  /** The lines after the delim, without LF. */
  readonly args: readonly string[];
}

const COMMANDS = ["ls-refs", "fetch", "object-info"];

/**
 * The next request, or nothing where the client is done.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`, `GIT_TOO_LARGE`, `GIT_SLOW`.
 */
export async function readCommand(reader: PktReader, { bytes, idle }: CommandLimits): Promise<Command | undefined> {
  const first = await reader.next(idle);
  if (first === undefined || first === "flush") return undefined;
  const capabilities: string[] = [];
  const args: string[] = [];
  let into = capabilities;
  let size = 0;
  for (let packet: Packet | undefined = first; packet !== "flush"; packet = await reader.next(idle)) {
    if (packet === undefined) throw malformed("the stream ends inside of a request");
    if (packet === "delim") {
      if (into === args) throw malformed("expected flush after arguments");
      into = args;
      continue;
    }
    size += Math.max(32, packet.byteLength - 16);
    if (size > bytes) throw new GitRequestError("GIT_TOO_LARGE", "request too large");
    into.push(lineText(packet));
  }
  return { name: commandOf(capabilities), args };
}

function commandOf(capabilities: readonly string[]): string {
  let name: string | undefined;
  for (const capability of capabilities) {
    const [key, value] = split(capability);
    if (key === "command") {
      if (name !== undefined) throw malformed("more than one command");
      if (!COMMANDS.includes(value)) throw malformed(`invalid command '${shown(value)}'`);
      name = value;
    } else if (key === "object-format") {
      if (value !== "sha1") throw malformed("mismatched object format: only sha1 is served");
    } else if (key !== "agent" && key !== "server-option") throw malformed(`unknown capability '${shown(capability)}'`);
  }
  if (name === undefined) throw malformed("no command requested");
  return name;
}

function split(capability: string): [string, string] {
  const at = capability.indexOf("=");
  return at < 0 ? [capability, ""] : [capability.slice(0, at), capability.slice(at + 1)];
}

/** What a peer wrote, as an answer may repeat it. */
export function shown(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/g, "?");
}

/**
 * The first line of a stream of `alknet/git`, which is git-daemon's (gitprotocol-pack, "Git Transport").
 *
 * ```text
 * 003d "git-upload-pack /site.git" 00 "host=n.example:4433" 00 00 "version=2" 00
 * ```
 *
 * @module
 */
import { malformed } from "../errors.ts";
import { type ProtocolVersion, protocolVersion } from "./version.ts";

/** What a client asks for. */
export interface RequestLine {
  /** Such as `git-upload-pack`. */
  readonly service: string;
  /** The path as written, such as `/site.git`. */
  readonly path: string;
  /** The protocol's version: 0 unless it says otherwise. */
  readonly version: ProtocolVersion;
  /** A bearer token, where one was sent. */
  readonly token?: string;
}

/** Longest request line, which is what git-daemon reads at most. */
const MAX_REQUEST = 4096;

/**
 * Reads a request line.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`: it is none.
 */
export function parseRequestLine(line: Uint8Array): RequestLine {
  if (line.byteLength > MAX_REQUEST) throw malformed("request line too long");
  const [command, ...parameters] = new TextDecoder().decode(line).split("\0");
  const [, service, path] = /^(git-[a-z-]+) (.+?)\n?$/s.exec(command) ?? [];
  if (service === undefined) throw malformed("bad request line");
  // host= stands before an empty parameter; what comes after is extra (gitprotocol-pack, "Extra Parameters").
  const extra = parameters.slice(parameters.indexOf("") + 1);
  const token = extra.find((one) => one.startsWith("alknet-token="));
  return {
    service,
    path,
    version: protocolVersion(extra),
    token: token?.slice("alknet-token=".length),
  };
}

/** Text that a request line can hold; the caller has checked the path. */
export function formatRequestLine(
  { service, path, version, token }: RequestLine,
  host: string,
): Uint8Array<ArrayBuffer> {
  const extra = [version > 0 ? `version=${version}` : "", token === undefined ? "" : `alknet-token=${token}`]
    .filter((one) => one !== "");
  const text = `${service} ${path}\0host=${host}\0${extra.length > 0 ? `\0${extra.join("\0")}\0` : ""}`;
  return new TextEncoder().encode(text);
}

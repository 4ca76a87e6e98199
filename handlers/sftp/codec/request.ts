/**
 * Requests of clients, parsed as a whole or not at all (draft-ietf-secsh-filexfer-02 §6; OpenSSH's `PROTOCOL` §4).
 *
 * A handle is four bytes here: that is what this server hands out. One of another length is {@linkcode NO_HANDLE}.
 *
 * @module
 */
import type { FileAttributes, OpenFlags } from "../file_store.ts";
import { readAttributes } from "./attributes.ts";
import { FieldReader } from "./fields.ts";
import { MalformedPacketError } from "./malformed.ts";
import { OpenFlag, PacketType } from "./numbers.ts";

/** A handle that was never handed out. */
export const NO_HANDLE = -1;

/** Requests that name a path. */
export type PathRequest =
  | "lstat"
  | "stat"
  | "opendir"
  | "remove"
  | "rmdir"
  | "readlink"
  | "realpath"
  | "statvfs"
  | "expand-path"
  | "home-directory";

/** What a request asks for. */
export type SftpRequestBody =
  | {
    readonly kind: "open";
    readonly path: string;
    readonly flags: OpenFlags;
    readonly attributes: FileAttributes;
  }
  | { readonly kind: "close" | "fstat" | "readdir" | "fsync" | "fstatvfs"; readonly handle: number }
  | { readonly kind: "read"; readonly handle: number; readonly position: number; readonly length: number }
  | {
    readonly kind: "write";
    readonly handle: number;
    readonly position: number;
    /** A view of the packet. */
    readonly data: Uint8Array<ArrayBuffer>;
  }
  | { readonly kind: PathRequest; readonly path: string }
  | { readonly kind: "setstat" | "lsetstat" | "mkdir"; readonly path: string; readonly attributes: FileAttributes }
  | { readonly kind: "fsetstat"; readonly handle: number; readonly attributes: FileAttributes }
  | { readonly kind: "rename" | "posix-rename" | "hardlink"; readonly from: string; readonly to: string }
  | { readonly kind: "symlink"; readonly target: string; readonly path: string }
  | {
    readonly kind: "copy-data";
    readonly source: number;
    readonly position: number;
    /** 0: to the end of the file. */
    readonly length: number;
    readonly target: number;
    readonly targetPosition: number;
  }
  | {
    readonly kind: "users-groups-by-id";
    readonly users: readonly number[];
    readonly groups: readonly number[];
  }
  | { readonly kind: "limits" }
  /** A type, an extension or a flag that is not known. */
  | { readonly kind: "unsupported" };

/** A request, and the id that its answer carries. */
export type SftpRequest = SftpRequestBody & { readonly id: number };

type Parser = (fields: FieldReader) => SftpRequestBody;

const TYPES: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  // string filename, uint32 pflags, ATTRS
  [PacketType.OPEN, parseOpen],
  // string handle
  [PacketType.CLOSE, onHandle("close")],
  // string handle, uint64 offset, uint32 len
  [PacketType.READ, (fields) => {
    return { kind: "read", handle: handleOf(fields), position: fields.uint64(), length: fields.uint32() };
  }],
  // string handle, uint64 offset, string data
  [PacketType.WRITE, (fields) => {
    return { kind: "write", handle: handleOf(fields), position: fields.uint64(), data: fields.bytes() };
  }],
  // string path
  [PacketType.LSTAT, onPath("lstat")],
  [PacketType.STAT, onPath("stat")],
  [PacketType.OPENDIR, onPath("opendir")],
  [PacketType.REMOVE, onPath("remove")],
  [PacketType.RMDIR, onPath("rmdir")],
  [PacketType.READLINK, onPath("readlink")],
  [PacketType.REALPATH, onPath("realpath")],
  // string handle
  [PacketType.FSTAT, onHandle("fstat")],
  [PacketType.READDIR, onHandle("readdir")],
  // string path, ATTRS
  [PacketType.SETSTAT, withAttributes("setstat")],
  [PacketType.MKDIR, withAttributes("mkdir")],
  // string handle, ATTRS
  [PacketType.FSETSTAT, (fields) => {
    return { kind: "fsetstat", handle: handleOf(fields), attributes: readAttributes(fields) };
  }],
  // string oldpath, string newpath
  [PacketType.RENAME, onTwoPaths("rename")],
  // string targetpath, string linkpath: the draft has them the other way, OpenSSH and its clients have them so.
  [PacketType.SYMLINK, (fields) => ({ kind: "symlink", target: fields.name(), path: fields.name() })],
  // string extended-request, and what that one defines
  [PacketType.EXTENDED, parseExtended],
]);

const EXTENDED: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ["posix-rename@openssh.com", onTwoPaths("posix-rename")],
  ["hardlink@openssh.com", onTwoPaths("hardlink")],
  ["fsync@openssh.com", onHandle("fsync")],
  ["statvfs@openssh.com", onPath("statvfs")],
  ["fstatvfs@openssh.com", onHandle("fstatvfs")],
  ["lsetstat@openssh.com", withAttributes("lsetstat")],
  ["limits@openssh.com", () => ({ kind: "limits" })],
  ["expand-path@openssh.com", onPath("expand-path")],
  // string read-from-handle, uint64 offset, uint64 length, string write-to-handle, uint64 offset
  ["copy-data", (fields) => ({
    kind: "copy-data",
    source: handleOf(fields),
    position: fields.uint64(),
    length: fields.uint64(),
    target: handleOf(fields),
    targetPosition: fields.uint64(),
  })],
  // string uids, string gids, each of uint32
  ["users-groups-by-id@openssh.com", (fields) => {
    return { kind: "users-groups-by-id", users: numbersOf(fields), groups: numbersOf(fields) };
  }],
  ["home-directory", onPath("home-directory")],
]);

/**
 * Parses a request: `byte type`, `uint32 id`, fields.
 *
 * @param packet From its type on.
 * @throws {MalformedPacketError} A field does not end within the packet, or bytes are left; with the id if it was there.
 */
export function parseRequest(packet: Uint8Array<ArrayBuffer>): SftpRequest {
  const fields = new FieldReader(packet, 1);
  if (packet[0] === PacketType.INIT) throw new MalformedPacketError("a second INIT");
  const id = fields.uint32();
  fields.id = id;
  const body = TYPES.get(packet[0])?.(fields) ?? { kind: "unsupported" };
  if (body.kind !== "unsupported") fields.end();
  return Object.assign(body, { id });
}

/**
 * Parses the first packet: `byte INIT`, `uint32 version`, and pairs of strings, which nobody sends.
 *
 * @returns The version that the client speaks.
 * @throws {MalformedPacketError} It is another packet.
 */
export function parseInit(packet: Uint8Array<ArrayBuffer>): number {
  if (packet[0] !== PacketType.INIT) throw new MalformedPacketError("the first packet is no INIT");
  const fields = new FieldReader(packet, 1);
  const version = fields.uint32();
  while (fields.left > 0) fields.bytes();
  return version;
}

function parseOpen(fields: FieldReader): SftpRequestBody {
  const path = fields.name();
  const bits = fields.uint32();
  const attributes = readAttributes(fields);
  if (bits >= 2 * OpenFlag.EXCLUSIVE) return { kind: "unsupported" };
  const has = (flag: number): boolean => (bits & flag) !== 0;
  const flags = {
    read: has(OpenFlag.READ),
    write: has(OpenFlag.WRITE),
    append: has(OpenFlag.APPEND),
    create: has(OpenFlag.CREATE),
    truncate: has(OpenFlag.TRUNCATE),
    exclusive: has(OpenFlag.EXCLUSIVE),
  };
  return { kind: "open", path, flags, attributes };
}

function parseExtended(fields: FieldReader): SftpRequestBody {
  return EXTENDED.get(fields.name())?.(fields) ?? { kind: "unsupported" };
}

function onHandle(kind: "close" | "fstat" | "readdir" | "fsync" | "fstatvfs"): Parser {
  return (fields) => ({ kind, handle: handleOf(fields) });
}

function onPath(kind: PathRequest): Parser {
  return (fields) => ({ kind, path: fields.name() });
}

function onTwoPaths(kind: "rename" | "posix-rename" | "hardlink"): Parser {
  return (fields) => ({ kind, from: fields.name(), to: fields.name() });
}

function withAttributes(kind: "setstat" | "lsetstat" | "mkdir"): Parser {
  return (fields) => ({ kind, path: fields.name(), attributes: readAttributes(fields) });
}

function handleOf(fields: FieldReader): number {
  const bytes = fields.bytes();
  return bytes.length === 4 ? new FieldReader(bytes).uint32() : NO_HANDLE;
}

function numbersOf(fields: FieldReader): number[] {
  const bytes = fields.bytes();
  if (bytes.length % 4 !== 0) throw new MalformedPacketError("a list of ids that ends within one", fields.id);
  const inner = new FieldReader(bytes);
  return Array.from({ length: bytes.length / 4 }, () => inner.uint32());
}

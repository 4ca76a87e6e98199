/**
 * Attributes of files on the wire (draft-ietf-secsh-filexfer-02 §5):
 *
 * ```text
 * uint32 flags | uint64 size | uint32 uid, uint32 gid | uint32 permissions | uint32 atime, uint32 mtime
 * | uint32 count, count times (string type, string data)
 * ```
 *
 * each group being there if its flag is set.
 *
 * @module
 */
import type { FileAttributes } from "../file_store.ts";
import type { FieldReader, FieldWriter } from "./fields.ts";
import { MalformedPacketError } from "./malformed.ts";
import { AttributeFlag } from "./numbers.ts";

const KNOWN = AttributeFlag.SIZE | AttributeFlag.OWNER | AttributeFlag.PERMISSIONS | AttributeFlag.TIMES |
  AttributeFlag.EXTENDED;
const LAST_SECOND = 2 ** 32 - 1;

/**
 * Reads attributes. Extended ones are read over: version 3 knows none.
 *
 * @throws {MalformedPacketError} They do not end within the packet, or have a flag that version 3 does not have.
 */
export function readAttributes(fields: FieldReader): FileAttributes {
  const flags = fields.uint32();
  if ((flags & ~KNOWN) !== 0) throw new MalformedPacketError("attributes with a flag of another version", fields.id);
  const attributes: { -readonly [Name in keyof FileAttributes]: FileAttributes[Name] } = {};
  if (flags & AttributeFlag.SIZE) attributes.size = fields.uint64();
  if (flags & AttributeFlag.OWNER) attributes.owner = { uid: fields.uint32(), gid: fields.uint32() };
  if (flags & AttributeFlag.PERMISSIONS) attributes.mode = fields.uint32();
  if (flags & AttributeFlag.TIMES) attributes.times = { accessed: fields.uint32(), modified: fields.uint32() };
  if (flags & AttributeFlag.EXTENDED) {
    for (let count = fields.uint32(); count > 0; count--) {
      fields.bytes();
      fields.bytes();
    }
  }
  return attributes;
}

/** Writes attributes. Times outside of 1970 to 2106 become the nearest that can be said. */
export function writeAttributes(fields: FieldWriter, { size, owner, mode, times }: FileAttributes): void {
  fields.uint32(
    (size === undefined ? 0 : AttributeFlag.SIZE) | (owner ? AttributeFlag.OWNER : 0) |
      (mode === undefined ? 0 : AttributeFlag.PERMISSIONS) | (times ? AttributeFlag.TIMES : 0),
  );
  if (size !== undefined) fields.uint64(size);
  if (owner) fields.uint32(owner.uid).uint32(owner.gid);
  if (mode !== undefined) fields.uint32(mode);
  if (times) fields.uint32(seconds(times.accessed)).uint32(seconds(times.modified));
}

function seconds(time: number): number {
  return Math.max(0, Math.min(Math.floor(time), LAST_SECOND));
}

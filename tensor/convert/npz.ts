/**
 * NumPy's `.npz`: a ZIP archive of `.npy` files, stored or deflated.
 *
 * @module
 */
import { TensorError } from "../format/errors.ts";
import { type NumpyArray, readNpy } from "./npy.ts";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
/** Bytes of the end record, and the longest comment behind it. */
const END_SIZE = 22;
const MOST_COMMENT = 65_535;
const UNKNOWN_32 = 0xffffffff;

/**
 * Reads the arrays of an archive, by name.
 *
 * @param mostBytes Bytes that one array may come to.
 * @throws {TensorError} What is no such archive, or larger.
 */
export async function readNpz(bytes: Uint8Array<ArrayBuffer>, mostBytes: number): Promise<Map<string, NumpyArray>> {
  const arrays = new Map<string, NumpyArray>();
  for (const member of directory(bytes)) {
    if (!member.name.endsWith(".npy")) continue;
    arrays.set(member.name.slice(0, -4), readNpy(await contentOf(bytes, member, mostBytes)));
  }
  return arrays;
}

interface Member {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
}

function* directory(bytes: Uint8Array): Generator<Member> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_SIZE;
  const least = Math.max(0, end - MOST_COMMENT);
  while (end >= least && view.getUint32(end, true) !== END) end--;
  if (end < least) throw damaged("no directory at its end");
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL) throw damaged("its directory is broken");
    const nameLength = view.getUint16(at + 28, true);
    const member = {
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      local: view.getUint32(at + 42, true),
    };
    if (member.size === UNKNOWN_32 || member.local === UNKNOWN_32) throw damaged("it is ZIP64, which is not read");
    yield member;
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}

async function contentOf(bytes: Uint8Array<ArrayBuffer>, member: Member, most: number): Promise<Uint8Array> {
  const { local, packed, size, method, name } = member;
  if (size > most) throw new TensorError("E_LIMIT", `${size} bytes; ${most} are allowed`, { tensor: name });
  if (local + 30 > bytes.length) throw damaged("a member lies outside");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + packed > bytes.length) throw damaged("a member lies outside");
  const content = bytes.subarray(start, start + packed);
  if (method === 0) return content;
  if (method !== 8) throw damaged(`method ${method} is unknown`);
  const inflated = new Uint8Array(size);
  let at = 0;
  try {
    for await (const piece of new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate-raw"))) {
      // Longer than it says: refused before it is kept.
      if (at + piece.length > size) throw damaged("a member is longer than it says");
      inflated.set(piece, at);
      at += piece.length;
    }
  } catch (cause) {
    throw cause instanceof TensorError ? cause : damaged("a member cannot be inflated");
  }
  if (at !== size) throw damaged("a member is shorter than it says");
  return inflated;
}

function damaged(why: string): TensorError {
  return new TensorError("E_TRUNCATED", `this is no .npz archive that can be read: ${why}`);
}

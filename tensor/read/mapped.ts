/**
 * A file whose pages are the memory: nothing is read before it is touched, nothing copied.
 *
 * The mapping is private: the file cannot be changed through it. Its pages may be written to nevertheless, because a
 * write to a read-only page would end the process where JavaScript expects an exception; what is written stays in this
 * process, and is gone with the mapping.
 *
 * @module
 */
import { TensorError } from "../format/errors.ts";
import { type Advice, FileSource, type Source, type Stamp } from "./source.ts";

/** `mmap`'s constants, which Linux and macOS share but for one. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
/** The pages count against no limit of memory, for few of them will ever be written to. */
const MAP_NORESERVE = Deno.build.os === "linux" ? 0x4000 : 0x40;
/** The end of a file, for `lseek`. Reads name their place, so that moving the file's own does no harm. */
const SEEK_END = 2;
const LIBC = Deno.build.os === "linux" ? "libc.so.6" : "libSystem.dylib";
/** `madvise`'s constants, the same on both. */
const ADVICE: Readonly<Record<Advice, number>> = { normal: 0, random: 1, sequential: 2, willneed: 3, dontneed: 4 };
/** Advice is given for whole pages; the largest page of either system. */
const PAGE = 16384;

/** `statx(2)`, which has the same fields at the same places on every architecture: what to ask, and where it is. */
const AT_EMPTY_PATH = 0x1000;
const STATX_MTIME_SIZE = 0x240;
const STATX = { bytes: 256, size: 0x28, seconds: 0x70, nanoseconds: 0x78 };
const EMPTY_PATH = new Uint8Array(1);

const SYMBOLS = {
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
} as const;

const STATX_SYMBOL = {
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
} as const;

let library: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;
let linux: Deno.DynamicLibrary<typeof STATX_SYMBOL> | undefined;
const fields = new DataView(new ArrayBuffer(STATX.bytes));
const fieldBytes = new Uint8Array(fields.buffer);

/** Whether files can be mapped here: a system that does, and leave to call it. */
export function canMap(): boolean {
  if (Deno.build.os !== "linux" && Deno.build.os !== "darwin") return false;
  // Asked first, because a refused dlopen would prompt. What has been opened stays.
  return library !== undefined || Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** A file that is mapped when a tensor of it is first touched. */
export class MappedSource extends FileSource {
  #buffer: ArrayBuffer | undefined;
  #address: Deno.PointerValue = null;
  #closed = false;

  /** See {@linkcode Source.access}. */
  override get access(): Source["access"] {
    return "map";
  }

  /** See {@linkcode Source.isShown}. */
  override get isShown(): boolean {
    return this.#buffer !== undefined;
  }

  /** See {@linkcode Source.view}. */
  override view(offset: number, length: number): Uint8Array<ArrayBuffer> {
    this.#buffer ??= this.#map();
    return new Uint8Array(this.#buffer, offset, length);
  }

  /** See {@linkcode Source.advise}. */
  override advise(offset: number, length: number, advice: Advice): void {
    this.#buffer ??= this.#map();
    const from = Math.floor(offset / PAGE) * PAGE;
    const base = Number(Deno.UnsafePointer.value(this.#address));
    libc().symbols.madvise(BigInt(base + from), BigInt(offset + length - from), ADVICE[advice]);
  }

  /** See {@linkcode FileSource.stamp}: of the descriptor itself, at half the cost, where the system has a call for it. */
  protected override stamp(path: string): Stamp {
    if (Deno.build.os !== "linux") return super.stamp(path);
    linux ??= Deno.dlopen(LIBC, STATX_SYMBOL);
    const { statx } = linux.symbols;
    if (statx(this.descriptor, EMPTY_PATH, AT_EMPTY_PATH, STATX_MTIME_SIZE, fieldBytes) !== 0) return super.stamp(path);
    const seconds = Number(fields.getBigInt64(STATX.seconds, true));
    return {
      size: Number(fields.getBigUint64(STATX.size, true)),
      file: "",
      written: seconds * 1000 + fields.getUint32(STATX.nanoseconds, true) / 1e6,
    };
  }

  /** See {@linkcode FileSource.readAt}: without what the runtime makes of each call. */
  protected override readAt(bytes: Uint8Array<ArrayBuffer>, at: number, length: number, offset: number): number {
    const target = at === 0 ? bytes : bytes.subarray(at);
    const got = Number(libc().symbols.pread(this.descriptor, target, BigInt(length), BigInt(offset)));
    // The runtime's own tells what is wrong, and tries again where a signal came between.
    return got >= 0 ? got : super.readAt(bytes, at, length, offset);
  }

  /** See {@linkcode FileSource.length}: a tenth of what `fstat` takes, and asked before each view. */
  protected override length(): number {
    return Number(libc().symbols.lseek(this.descriptor, 0n, SEEK_END));
  }

  #map(): ArrayBuffer {
    if (this.#closed) throw new TensorError("E_CLOSED", "the file was closed");
    // Of an empty file there is nothing to map.
    if (this.size === 0) return new ArrayBuffer(0);
    const { mmap } = libc().symbols;
    const flags = MAP_PRIVATE | MAP_NORESERVE;
    const address = mmap(0n, BigInt(this.size), PROT_READ | PROT_WRITE, flags, this.descriptor, 0n);
    // MAP_FAILED is -1.
    if (address === null || Deno.UnsafePointer.value(address) === 2n ** 64n - 1n) {
      throw new TensorError("E_ACCESS", `the file's ${this.size} bytes could not be mapped; open it with map: false`);
    }
    this.#address = address;
    return Deno.UnsafePointerView.getArrayBuffer(address, this.size, 0);
  }

  /** Unmaps and closes the file. Views of it are empty from then on: their methods throw. */
  override [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unmap();
    super[Symbol.dispose]();
  }

  #unmap(): void {
    if (this.#address === null) return;
    // A buffer that someone has transferred elsewhere cannot be taken from them: the mapping then stays.
    if (!this.#buffer!.detached) {
      // To nothing: V8 would count the pages as memory of a buffer that waits for its collection.
      this.#buffer!.transfer(0);
      libc().symbols.munmap(this.#address, BigInt(this.size));
    }
    this.#address = null;
  }
}

function libc(): Deno.DynamicLibrary<typeof SYMBOLS> {
  return library ??= Deno.dlopen(LIBC, SYMBOLS);
}

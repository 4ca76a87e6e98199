/**
 * Pages of memory that several processes share.
 *
 * @module
 */
import { close } from "./calls.ts";
import { answer, assertLibc, checked, lastErrno, libc, systemError } from "./call_table.ts";
import { Memory } from "./memory.ts";

const O_RDWR = 2;
const O_CREAT = 0x40;
const O_CLOEXEC = 0x80000;
const MFD_CLOEXEC = 1;
/** Nobody runs what is in it: where `vm.memfd_noexec` is 2, files without this are refused (Linux 6.3). */
const MFD_NOEXEC_SEAL = 8;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** A file's content in memory that every process mapping it shares. */
export interface SharedMap {
  /** The memory. It must not be touched after `unmap`: the pages are gone, and the access ends the process. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Takes the mapping away (munmap(2)); the file stays. */
  unmap(): void;
}

/** A file in memory that has no name, for as long as somebody has it open or mapped. */
export interface MemoryFile {
  /** What this process and those of the same user may open it by, while this one lives and has it open. */
  readonly path: string;
  /** Closes it; what is mapped stays. */
  close(): void;
}

/**
 * Makes an unnamed file in memory (memfd_create(2)): it is on no disk, and gone with its last user.
 *
 * @throws {AlknetError} The name of the error number.
 */
export function memoryFile(name: string): MemoryFile {
  assertLibc();
  const create = (flags: number): number => answer(libc!.memfd_create(Memory.string(name).pointer, flags));
  const sealed = create(MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  // Kernels that do not know the flag refuse it.
  const fd = sealed < 0 ? checked("memfd_create", create(MFD_CLOEXEC)) : sealed;
  return { path: `/proc/${Deno.pid}/fd/${fd}`, close: () => void close(fd) };
}

/**
 * Maps the first `size` bytes of a file, which is created (mode 0600) or extended as needed (mmap(2), MAP_SHARED).
 *
 * @throws {AlknetError} The name of the error number.
 */
export function mapShared(path: string, size: number): SharedMap {
  assertLibc();
  const fd = checked("open", answer(libc!.open(Memory.string(path).pointer, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)));
  try {
    checked("ftruncate", answer(libc!.ftruncate(fd, BigInt(size))));
    const pointer = libc!.mmap(null, BigInt(size), PROT_READ_WRITE, MAP_SHARED, fd, 0n);
    // MAP_FAILED is (void *) -1.
    if (pointer === null || Deno.UnsafePointer.value(pointer) === 0xffff_ffff_ffff_ffffn) {
      throw systemError("mmap", lastErrno());
    }
    const bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size));
    let mapped = true;
    return {
      bytes,
      unmap: () => {
        if (mapped) libc!.munmap(pointer, BigInt(size));
        mapped = false;
      },
    };
  } finally {
    close(fd);
  }
}

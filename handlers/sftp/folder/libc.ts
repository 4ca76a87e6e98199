/**
 * The C library's calls for files on Linux, each in two forms: made now, on this thread, or away, on a thread that may wait.
 *
 * A call answers as the kernel does: 0 or more, or `-errno`. `errno` belongs to the thread that called, so of a call that
 * failed away nothing is known but that it failed: it is made again now. What failed changed nothing, so the second
 * answer is as good as the first.
 *
 * Constants are those of `asm-generic` but for the few that x64 and arm64 have differently; `struct statx`, `open_how`,
 * `linux_dirent64` and `statvfs` are the same on both.
 *
 * @module
 */

const CALLS = {
  // `syscall` is variadic; x64 and arm64 pass such arguments in the same registers on Linux.
  openat2: { name: "syscall", parameters: ["i64", "i32", "buffer", "buffer", "u64"], result: "i32" },
  getdents64: { name: "syscall", parameters: ["i64", "i32", "buffer", "u64"], result: "i32" },
  renameat2: { name: "syscall", parameters: ["i64", "i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
  fchmodat2: { name: "syscall", parameters: ["i64", "i32", "buffer", "u32", "u32"], result: "i32" },
  preadv2: { name: "syscall", parameters: ["i64", "i32", "buffer", "u64", "i64", "i64", "u32"], result: "i32" },
  statx: { name: "statx", parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  open: { name: "open", parameters: ["buffer", "i32", "u32"], result: "i32" },
  chmod: { name: "chmod", parameters: ["buffer", "u32"], result: "i32" },
  fchownat: { name: "fchownat", parameters: ["i32", "buffer", "u32", "u32", "i32"], result: "i32" },
  utimensat: { name: "utimensat", parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  ftruncate: { name: "ftruncate", parameters: ["i32", "i64"], result: "i32" },
  fsync: { name: "fsync", parameters: ["i32"], result: "i32" },
  fstatvfs: { name: "fstatvfs", parameters: ["i32", "buffer"], result: "i32" },
  mkdirat: { name: "mkdirat", parameters: ["i32", "buffer", "u32"], result: "i32" },
  unlinkat: { name: "unlinkat", parameters: ["i32", "buffer", "i32"], result: "i32" },
  linkat: { name: "linkat", parameters: ["i32", "buffer", "i32", "buffer", "i32"], result: "i32" },
  symlinkat: { name: "symlinkat", parameters: ["buffer", "i32", "buffer"], result: "i32" },
  readlinkat: { name: "readlinkat", parameters: ["i32", "buffer", "buffer", "u64"], result: "i32" },
  // Lengths are far below 2^31 here, so that ssize_t may pass as 32 bits and stay clear of BigInt.
  pread: { name: "pread", parameters: ["i32", "buffer", "u64", "i64"], result: "i32" },
  pwrite: { name: "pwrite", parameters: ["i32", "buffer", "u64", "i64"], result: "i32" },
  close: { name: "close", parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const ERRNO = { __errno_location: { parameters: [], result: "pointer" } } as const;

type Calls = typeof CALLS;
type Call = keyof Calls;
type Away = { [Name in Call as `${Name}_away`]: Calls[Name] & { readonly nonblocking: true } };
type Libc = Deno.DynamicLibrary<Calls & Away & typeof ERRNO>["symbols"];
type Arguments<Name extends Call> = Parameters<Deno.DynamicLibrary<Calls>["symbols"][Name]>;

// Opened with the module, not at first use: a library opened within a test would count as that test's leak.
const libc: Libc | undefined = openLibc();

const errnoCell: Int32Array | undefined = libc &&
  new Int32Array(Deno.UnsafePointerView.getArrayBuffer(libc.__errno_location()!, 4));

const arm = Deno.build.arch === "aarch64";

/** Numbers of system calls that not every C library has a function for. */
export const Syscall = {
  openat2: 437n,
  fchmodat2: 452n,
  getdents64: arm ? 61n : 217n,
  renameat2: arm ? 276n : 316n,
  preadv2: arm ? 286n : 327n,
} as const;

/** Flags of `open`. */
export const Open = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: arm ? 0o40000 : 0o200000,
  NOFOLLOW: arm ? 0o100000 : 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

/** Flags of the calls that take a directory and a name. */
export const At = { SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, NO_AUTOMOUNT: 0x800, EMPTY_PATH: 0x1000 } as const;

/** Error numbers that are told apart (`asm-generic/errno.h`). */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  ENXIO: 6,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EMFILE: 24,
  ENFILE: 23,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EOPNOTSUPP: 95,
  EDQUOT: 122,
} as const;

function openLibc(): Libc | undefined {
  const arch = Deno.build.arch;
  if (Deno.build.os !== "linux" || (arch !== "x86_64" && arch !== "aarch64")) return undefined;
  // Asked first, because a refused dlopen would prompt.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  const away = Object.entries(CALLS).map(([name, call]) => [`${name}_away`, { ...call, nonblocking: true }]);
  const symbols = { ...CALLS, ...Object.fromEntries(away) as Away, ...ERRNO };
  for (const name of ["libc.so.6", `libc.musl-${arch}.so.1`, "libc.so"]) {
    try {
      return Deno.dlopen(name, symbols).symbols;
    } catch {
      // The next name: glibc and musl call themselves differently.
    }
  }
  return undefined;
}

/** Whether there are such calls: Linux on x64 or arm64, with the permission to call native code. */
export function hasLibc(): boolean {
  return libc !== undefined;
}

/** Makes a call on this thread: for what the kernel answers from memory. */
export function now<Name extends Call>(name: Name, ...args: Arguments<Name>): number {
  const made = libc![name] as (...args: Arguments<Name>) => number;
  const result = made(...args);
  return result >= 0 ? result : -errnoCell![0];
}

/** Makes a call on another thread, so that a slow disk keeps nobody waiting who did not ask for it. */
export async function away<Name extends Call>(name: Name, ...args: Arguments<Name>): Promise<number> {
  const made = libc![`${name}_away`] as unknown as (...args: Arguments<Name>) => Promise<number>;
  const result = await made(...args);
  return result >= 0 ? result : now(name, ...args);
}

/** Closes a descriptor on another thread. Returns whether all went well; it is closed in any case, so never again. */
export async function closeAway(fd: number): Promise<boolean> {
  return await libc!.close_away(fd) === 0;
}

/** Bytes that stay where they are: V8 moves the content of small typed arrays until their buffer is asked for. */
export function pinned(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Text as C has it: with a zero at its end. */
export function cString(text: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(text.length + 1));
  bytes.set(text);
  return bytes;
}

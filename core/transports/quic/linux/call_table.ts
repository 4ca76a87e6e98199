/**
 * The C library's system calls on Linux: their table, and how they fail.
 *
 * Calls answer like the kernel does: 0 or more on success, `-errno` on failure; they do not throw, except where a
 * function says so.
 *
 * @module
 */
import { constants } from "node:os";
import { AlknetError } from "../../../errors.ts";

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "pointer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "pointer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "pointer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "pointer", "pointer"], result: "i32" },
  recvmmsg: { parameters: ["i32", "pointer", "u32", "i32", "pointer"], result: "i32" },
  sendmmsg: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
  // Lengths are far below 2^31 here, so that size_t and ssize_t may pass as 32 bits and stay clear of BigInt.
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  poll: { parameters: ["pointer", "u32", "i32"], result: "i32" },
  sched_yield: { parameters: [], result: "i32" },
  poll_async: { name: "poll", parameters: ["pointer", "u32", "i32"], result: "i32", nonblocking: true },
  // fcntl, open and prctl are variadic; on Linux, x64 and arm64 pass such arguments in the same registers.
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  open: { parameters: ["pointer", "i32", "u32"], result: "i32" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  memfd_create: { parameters: ["pointer", "u32"], result: "i32" },
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  if_nametoindex: { parameters: ["pointer"], result: "u32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/**
 * The calls, where there are any; see {@linkcode hasLibc}. Opened with the module, not at first use: a library opened within
 * a test would count as that test's leak. Never prompts: without the permission there is no library, and the portable socket
 * takes over.
 */
export const libc: Libc | undefined = openLibc();

// errno lives at an address of its own in every thread, and this module is loaded once in each.
const errnoCell: Int32Array | undefined = libc &&
  new Int32Array(Deno.UnsafePointerView.getArrayBuffer(libc.__errno_location()!, 4));

function openLibc(): Libc | undefined {
  const arch = Deno.build.arch;
  if (Deno.build.os !== "linux" || (arch !== "x86_64" && arch !== "aarch64")) return undefined;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  for (const name of ["libc.so.6", `libc.musl-${arch}.so.1`, "libc.so"]) {
    try {
      return Deno.dlopen(name, SYMBOLS).symbols;
    } catch {
      // The next name: glibc and musl call themselves differently.
    }
  }
  return undefined;
}

/** Whether system calls can be made: Linux on x64 or arm64, with the permission to call native code. */
export function hasLibc(): boolean {
  return libc !== undefined;
}

/** @throws {AlknetError} `LIBC_UNAVAILABLE` where {@linkcode hasLibc} says no. */
export function assertLibc(): void {
  if (libc) return;
  throw new AlknetError("LIBC_UNAVAILABLE", "system calls need Linux on x64 or arm64, libc and --allow-ffi");
}

/** Error numbers that callers tell apart (`asm-generic/errno.h`). */
export const Errno = { EINTR: 4, EIO: 5, EAGAIN: 11, EINVAL: 22, EMSGSIZE: 90 } as const;

/** Bits of `pollfd.events` and `revents`. */
export const Poll = { IN: 1, OUT: 4, ERR: 8, HUP: 16 } as const;

/** The error for a failed call: an AlknetError whose code is the name of the number, such as `EADDRINUSE`. */
export function systemError(call: string, errno: number): AlknetError {
  const name = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `ERRNO_${errno}`;
  return new AlknetError(name, `system call ${call} failed: ${name}`);
}

/** `result` of a call when it succeeded. @throws {AlknetError} {@linkcode systemError} when it did not. */
export function checked(call: string, result: number): number {
  if (result < 0) throw systemError(call, -result);
  return result;
}

/** The result of a call as the kernel gives it: `-errno` for a failure. */
export function answer(result: number): number {
  return result < 0 ? -errnoCell![0] : result;
}

/** The number of the last failure in this thread, for a call whose result is no number. */
export function lastErrno(): number {
  return errnoCell![0];
}

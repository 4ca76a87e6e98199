/**
 * The C library's system calls on Linux, typed: what the UDP socket and the engine's blocking loop need.
 *
 * Calls answer like the kernel does: 0 or more on success, `-errno` on failure; they do not throw, except where a
 * function says so. Structures are laid out for 64-bit little-endian Linux; `msghdr`, `iovec`, `cmsghdr`, `pollfd` and
 * the socket addresses are the same on x64 and arm64, with glibc and musl (musl's narrower length fields are padded
 * with zeros, which little-endian reads alike). The constants are those of `asm-generic`, which both processors use.
 *
 * Addresses are plain numbers: user space ends at 2^48, below `Number.MAX_SAFE_INTEGER`.
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

// Opened with the module, not at first use: a library opened within a test would count as that test's leak. Never
// prompts: without the permission there is no library, and the portable socket takes over.
const libc: Libc | undefined = openLibc();

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

const AF_UNIX = 1;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const UNIX_SEND_BUFFER = 1 << 20;
const SOCK_STREAM = 1;
const O_RDWR = 2;
const O_CREAT = 0x40;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;
const MFD_CLOEXEC = 1;
const F_SETFL = 4;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MSG_DONTWAIT = 0x40;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** Bytes at a fixed address, for the kernel to read and write. They stay in place as long as the object is referenced. */
export class Memory {
  /** The bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same bytes, for numbers. */
  readonly view: DataView<ArrayBuffer>;
  /** Where they are, as calls take it. */
  readonly pointer: Deno.PointerValue;
  /** Where they are, as structures hold it. */
  readonly address: number;

  /** @param size Bytes; they start out as zeros. */
  constructor(size: number) {
    // From an explicit ArrayBuffer: V8 keeps the content of small bare typed arrays on its heap, where it moves.
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.pointer = Deno.UnsafePointer.of(buffer);
    this.address = Number(Deno.UnsafePointer.value(this.pointer));
  }

  /** A copy of `text` in UTF-8 with the zero that C expects at its end. */
  static string(text: string): Memory {
    const encoded = new TextEncoder().encode(text);
    const memory = new Memory(encoded.length + 1);
    memory.bytes.set(encoded);
    return memory;
  }
}

/** Descriptors to wait for: an array of `struct pollfd { int fd @0; short events @4; short revents @6; }`. */
export class PollSet {
  /** The array. */
  readonly memory: Memory;
  /** Entries of the array. */
  readonly length: number;

  /** @param length Entries; all are ignored until set. */
  constructor(length: number) {
    this.length = length;
    this.memory = new Memory(length * 8);
    for (let index = 0; index < length; index++) this.set(index, -1, 0);
  }

  /** Waits for `events` (see {@linkcode Poll}) on `fd` in entry `index`; a negative `fd` is ignored by the kernel. */
  set(index: number, fd: number, events: number): void {
    this.memory.view.setInt32(index * 8, fd, true);
    this.memory.view.setInt16(index * 8 + 4, events, true);
  }

  /** What happened on entry `index` in the last poll; errors and hang-ups are told unasked. */
  ready(index: number): number {
    return this.memory.view.getInt16(index * 8 + 6, true);
  }
}

/** Pieces of memory to write in one call: an array of `struct iovec { void *base @0; size_t length @8; }`. */
export class IoVector {
  /** The array. */
  readonly memory: Memory;

  /** @param length Entries, at most 1024 (`IOV_MAX`). */
  constructor(length: number) {
    this.memory = new Memory(length * 16);
  }

  /** Entry `index` becomes `length` bytes at `address`. */
  set(index: number, address: number, length: number): void {
    setAddress(this.memory.view, index * 16, address);
    this.memory.view.setUint32(index * 16 + 8, length, true);
  }
}

/** Writes a pointer or `size_t` into a structure, without a BigInt. */
export function setAddress(view: DataView, offset: number, address: number): void {
  view.setUint32(offset, address % 0x1_0000_0000, true);
  view.setUint32(offset + 4, Math.floor(address / 0x1_0000_0000), true);
}

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

function answer(result: number): number {
  return result < 0 ? -errnoCell![0] : result;
}

/** A new socket (socket(2)), not inherited by child processes. */
export function socket(family: number, type: number): number {
  return answer(libc!.socket(family, type | O_CLOEXEC, 0));
}

/** Binds to the address in `name` (bind(2)). */
export function bind(fd: number, name: Memory, length: number): number {
  return answer(libc!.bind(fd, name.pointer, length));
}

/** The local address, into `name` (getsockname(2)). */
export function getsockname(fd: number, name: Memory): number {
  const length = new Memory(4);
  length.view.setUint32(0, name.bytes.length, true);
  return answer(libc!.getsockname(fd, name.pointer, length.pointer));
}

/** Sets an integer option (setsockopt(2)). */
export function setOption(fd: number, level: number, option: number, value: number): number {
  const cell = new Memory(4);
  cell.view.setInt32(0, value, true);
  return answer(libc!.setsockopt(fd, level, option, cell.pointer, 4));
}

/** Reads an integer option that is never negative (getsockopt(2)). */
export function getOption(fd: number, level: number, option: number): number {
  const cell = new Memory(4);
  const length = new Memory(4);
  length.view.setUint32(0, 4, true);
  const result = answer(libc!.getsockopt(fd, level, option, cell.pointer, length.pointer));
  return result < 0 ? result : cell.view.getInt32(0, true);
}

/** Receives up to `count` messages into the array of `mmsghdr`, without blocking (recvmmsg(2)). */
export function recvmmsg(fd: number, headers: Memory, count: number): number {
  return answer(libc!.recvmmsg(fd, headers.pointer, count, MSG_DONTWAIT, null));
}

/** Sends up to `count` messages of the array of `mmsghdr`, without blocking (sendmmsg(2)). */
export function sendmmsg(fd: number, headers: Memory, count: number): number {
  return answer(libc!.sendmmsg(fd, headers.pointer, count, MSG_DONTWAIT));
}

/** Reads at most `length` bytes into `buffer` from `offset` on (read(2)); 0 is the end. */
export function read(fd: number, buffer: Uint8Array<ArrayBuffer>, offset: number, length: number): number {
  return answer(libc!.read(fd, part(buffer, offset, length), length));
}

/** Writes at most `length` bytes of `buffer` from `offset` on (write(2)). */
export function write(fd: number, buffer: Uint8Array<ArrayBuffer>, offset: number, length: number): number {
  return answer(libc!.write(fd, part(buffer, offset, length), length));
}

/** Closes a descriptor (close(2)). */
export function close(fd: number): number {
  return answer(libc!.close(fd));
}

/** A counter to wake a poll with, non-blocking (eventfd(2)); write and read it 8 bytes at a time. */
export function eventfd(): number {
  return answer(libc!.eventfd(0, O_NONBLOCK | O_CLOEXEC));
}

/**
 * Waits in this thread, which does nothing else meanwhile (poll(2)).
 *
 * @param set What to wait for.
 * @param timeout Milliseconds; 0 only looks, -1 waits for ever.
 * @returns Entries that are ready, or `-EINTR`.
 */
export function pollBlocking(set: PollSet, timeout: number): number {
  return answer(libc!.poll(set.memory.pointer, set.length, timeout));
}

/**
 * Looks again and again, giving way to whoever else wants the processor (sched_yield(2)) in between.
 *
 * @param milliseconds How long; less than one.
 * @returns Entries that are ready; 0 after the time.
 */
export function pollAwake(set: PollSet, milliseconds: number): number {
  const until = performance.now() + milliseconds;
  do {
    const ready = libc!.poll(set.memory.pointer, set.length, 0);
    if (ready > 0) return ready;
    libc!.sched_yield();
  } while (performance.now() < until);
  return 0;
}

/**
 * Waits in another thread. `set` belongs to the kernel until the promise resolves.
 *
 * @param set What to wait for.
 * @param timeout Milliseconds; -1 waits for ever.
 * @returns Entries that are ready, or a negative number (the error stays in the other thread).
 */
export async function pollAsync(set: PollSet, timeout: number): Promise<number> {
  return await libc!.poll_async(set.memory.pointer, set.length, timeout);
}

/**
 * Connects a non-blocking stream to the Unix socket at `path`. The connecting itself may wait for the listener.
 *
 * @throws {AlknetError} `ECONNREFUSED`, `ENOENT` and the like, or `ENAMETOOLONG` (108 bytes with the closing zero).
 */
export function connectUnix(path: string): number {
  assertLibc();
  // struct sockaddr_un { u16 family @0; char path[108] @2; }
  const encoded = new TextEncoder().encode(path);
  if (encoded.length > 107) throw new AlknetError("ENAMETOOLONG", `path of a Unix socket exceeds 107 bytes: ${path}`);
  const name = new Memory(110);
  name.view.setUint16(0, AF_UNIX, true);
  name.bytes.set(encoded, 2);
  const fd = checked("socket", socket(AF_UNIX, SOCK_STREAM));
  const result = answer(libc!.connect(fd, name.pointer, encoded.length + 3));
  if (result < 0) {
    close(fd);
    throw systemError("connect", -result);
  }
  setNonBlocking(fd);
  // Best effort: what a stream may have on its way fits, so that bulk does not go back and forth in small pieces.
  setOption(fd, SOL_SOCKET, SO_SNDBUF, UNIX_SEND_BUFFER);
  return fd;
}

/** Makes reads and writes of `fd` answer `-EAGAIN` instead of waiting (fcntl(2)); other status flags are cleared. */
export function setNonBlocking(fd: number): number {
  return answer(libc!.fcntl(fd, F_SETFL, O_NONBLOCK));
}

/** Has the kernel kill this process when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG). */
export function dieWithParent(): number {
  return answer(libc!.prctl(PR_SET_PDEATHSIG, BigInt(SIGKILL), 0n, 0n, 0n));
}

/** Index of a network interface for an IPv6 zone (if_nametoindex(3)), 0 when there is none of that name. */
export function interfaceIndex(name: string): number {
  return libc!.if_nametoindex(Memory.string(name).pointer);
}

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
  const fd = checked("memfd_create", answer(libc!.memfd_create(Memory.string(name).pointer, MFD_CLOEXEC)));
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
      throw systemError("mmap", errnoCell![0]);
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

function part(buffer: Uint8Array<ArrayBuffer>, offset: number, length: number): Uint8Array<ArrayBuffer> {
  if (offset < 0 || length < 0 || offset + length > buffer.length) {
    throw new RangeError(`range ${offset} to ${offset + length} lies outside of ${buffer.length} bytes`);
  }
  return offset === 0 ? buffer : buffer.subarray(offset, offset + length);
}

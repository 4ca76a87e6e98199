/**
 * System calls on Linux, typed: what the UDP socket and the engine's blocking loop need. They answer like the kernel does
 * (`call_table.ts`).
 *
 * `msghdr`, `iovec`, `cmsghdr`, `pollfd` and the socket addresses are the same on x64 and arm64, with glibc and musl
 * (musl's narrower length fields are padded with zeros, which little-endian reads alike). The constants are those of
 * `asm-generic`, which both processors use.
 *
 * @module
 */
import { AlknetError } from "../../../errors.ts";
import { answer, assertLibc, checked, libc, systemError } from "./call_table.ts";
import { Memory, type PollSet } from "./memory.ts";

const AF_UNIX = 1;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const UNIX_SEND_BUFFER = 1 << 20;
const SOCK_STREAM = 1;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;
const F_SETFL = 4;
const MSG_DONTWAIT = 0x40;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

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

/** Looks once. @returns Entries that are ready. */
export function pollNow(set: PollSet): number {
  return libc!.poll(set.memory.pointer, set.length, 0);
}

/** Gives way to whoever else wants the processor (sched_yield(2)). */
export function giveWay(): void {
  libc!.sched_yield();
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

function part(buffer: Uint8Array<ArrayBuffer>, offset: number, length: number): Uint8Array<ArrayBuffer> {
  if (offset < 0 || length < 0 || offset + length > buffer.length) {
    throw new RangeError(`range ${offset} to ${offset + length} lies outside of ${buffer.length} bytes`);
  }
  return offset === 0 ? buffer : buffer.subarray(offset, offset + length);
}

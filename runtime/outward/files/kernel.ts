/**
 * The way from a folder to what lies beneath it, by the kernel in one step: `openat2` with RESOLVE_BENEATH refuses "..",
 * links and absolute paths that lead out, also when somebody moves directories while it walks.
 *
 * What is opened is a handle that names the file (`O_PATH`). All else is done by way of `/proc/self/fd`, which leads to the
 * very file that the handle names, whatever its path means by then.
 *
 * @module
 */
import { GuestError } from "../../errors.ts";

const CALLS = {
  // `syscall` is variadic; x64 and arm64 pass such arguments in the same registers on Linux.
  openat2: { name: "syscall", parameters: ["i64", "i32", "buffer", "buffer", "u64"], result: "i32" },
  openat2_away: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "buffer", "u64"],
    result: "i32",
    nonblocking: true,
  },
  open: { name: "open", parameters: ["buffer", "i32", "u32"], result: "i32" },
  close: { name: "close", parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

const SYSCALL_OPENAT2 = 437n;
const DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;
const CLOEXEC = 0o2000000;
const PATH = 0o10000000;
/** RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_BENEATH. */
const RESOLVE = 1n | 2n | 8n;
/** Numbers of errors (`asm-generic/errno.h`): interrupted, directories moved on the way. */
const AGAIN: ReadonlySet<number> = new Set([4, 11]);
const ATTEMPTS = 100;

// Opened with the module, not at first use: a library opened within a test would count as that test's leak.
const libc = openLibc();

function openLibc(): Deno.DynamicLibrary<typeof CALLS>["symbols"] | undefined {
  const { arch, os } = Deno.build;
  if (os !== "linux" || (arch !== "x86_64" && arch !== "aarch64")) return undefined;
  // Asked first, because a refused dlopen would prompt.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  for (const name of ["libc.so.6", `libc.musl-${arch}.so.1`, "libc.so"]) {
    try {
      return Deno.dlopen(name, CALLS).symbols;
    } catch {
      // The next name: glibc and musl call themselves differently.
    }
  }
  return undefined;
}

/** A handle of the kernel's. Where it leads is `path`. */
export interface Handle extends Disposable {
  /** Number of the descriptor. */
  readonly fd: number;
  /** Leads to the very file. */
  readonly path: string;
}

/**
 * Opens a folder of the host.
 *
 * @throws {GuestError} `E_REFUSED`: there is none. `E_UNAVAILABLE`: this system cannot keep a guest in it.
 */
export function openRoot(folder: string): Handle {
  if (!libc) {
    const needs = "Linux 5.6 or later on x64 or arm64, and the permission to call the C library (--allow-ffi)";
    throw new GuestError("E_UNAVAILABLE", `allowFs needs ${needs}`);
  }
  if (folder.includes("\0")) {
    throw new GuestError("E_REFUSED", "allowFs: the name of the folder holds the character zero");
  }
  const fd = libc.open(cString(folder), PATH | DIRECTORY | CLOEXEC, 0);
  if (fd < 0) {
    throw new GuestError("E_REFUSED", `allowFs: ${folder} is no folder that can be opened (error ${errno()})`);
  }
  const root = handle(fd);
  const self = libc.openat2(SYSCALL_OPENAT2, fd, cString("."), how(0), 24n);
  if (self >= 0) {
    libc.close(self);
    return root;
  }
  const why = errno();
  root[Symbol.dispose]();
  throw new GuestError(
    "E_UNAVAILABLE",
    `allowFs needs openat2, which is not there: Linux before 5.6, or a sandbox forbids it (error ${why})`,
  );
}

/**
 * A handle of what lies beneath a folder, or the number of the error.
 *
 * @param beneath Relative to the folder.
 * @param directory Whether it has to be a directory.
 */
export async function openBeneath(root: Handle, beneath: string, directory: boolean): Promise<Handle | number> {
  const path = cString(beneath === "" ? "." : beneath);
  const flags = how(directory ? DIRECTORY : 0);
  for (let attempt = 1;; attempt++) {
    // `errno` belongs to the thread that called: what failed there is tried again here, and changed nothing.
    let fd = await libc!.openat2_away(SYSCALL_OPENAT2, root.fd, path, flags, 24n);
    if (fd < 0) fd = libc!.openat2(SYSCALL_OPENAT2, root.fd, path, flags, 24n);
    if (fd >= 0) return handle(fd);
    const error = errno();
    if (!AGAIN.has(error) || attempt === ATTEMPTS) return error;
  }
}

function handle(fd: number): Handle {
  let open = true;
  return {
    fd,
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]() {
      if (open) libc!.close(fd);
      open = false;
    },
  };
}

/** `struct open_how`: flags, mode, resolve, of eight bytes each. */
function how(flags: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.of(BigInt(PATH | CLOEXEC | flags), 0n, RESOLVE).buffer);
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

function errno(): number {
  return new Deno.UnsafePointerView(libc!.__errno_location()!).getInt32();
}

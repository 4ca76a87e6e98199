/**
 * The way from a folder to what lies beneath it, by the kernel in one step: `openat2` with RESOLVE_BENEATH refuses "..", links
 * and absolute paths that lead out, also when somebody moves directories while it walks; with RESOLVE_NO_MAGICLINKS it
 * follows none of /proc's links.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { encodeName } from "../file_name.ts";
import { StoreError } from "../file_store.ts";
import { away, cString, Errno, hasLibc, now, Open, Syscall } from "./libc.ts";
import { refusalOfPath } from "./refusals.ts";

const RESOLVE_NO_XDEV = 1;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_BENEATH = 8;
const RESOLVE_CACHED = 0x20;

/** How often the kernel is asked again when directories on the way moved while it walked. */
const ATTEMPTS = 100;

/** A directory which is open, and a name in it. */
export interface Place extends Disposable {
  readonly directory: number;
  readonly name: Uint8Array<ArrayBuffer>;
}

/** A folder of the disk, and what lies beneath it. */
export class Beneath implements Disposable {
  /** The descriptor of the folder. */
  readonly root: number;
  readonly #resolve: number;

  /**
   * Opens the folder.
   *
   * @param path Where it is, as the node sees it: links on this way are followed.
   * @param mounts Whether what is mounted beneath the folder belongs to it.
   * @throws {AlknetError} `STORE_UNAVAILABLE`: no such folder, or this system cannot keep clients in it.
   */
  constructor(path: string, mounts: boolean) {
    if (!hasLibc()) {
      const needs = "Linux 5.6 or later on x64 or arm64, and the permission to call the C library (--allow-ffi)";
      throw new AlknetError("STORE_UNAVAILABLE", `serving a folder by SFTP needs ${needs}`);
    }
    this.#resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (mounts ? 0 : RESOLVE_NO_XDEV);
    this.root = now("open", cString(encodeName(path)), Open.PATH | Open.DIRECTORY | Open.CLOEXEC, 0);
    if (this.root < 0) {
      throw new AlknetError("STORE_UNAVAILABLE", `the folder ${path} cannot be opened (error ${-this.root})`);
    }
    const self = now(
      "openat2",
      Syscall.openat2,
      this.root,
      ROOT,
      howOf(Open.PATH | Open.CLOEXEC, 0, this.#resolve),
      24n,
    );
    if (self < 0) {
      this[Symbol.dispose]();
      const why =
        "openat2, which keeps clients in their folder, is not there: Linux before 5.6, or a sandbox forbids it";
      throw new AlknetError("STORE_UNAVAILABLE", `serving a folder by SFTP is not possible: ${why} (error ${-self})`);
    }
    now("close", self);
  }

  /** Opens the file itself. */
  async open(path: string, flags: number, mode = 0): Promise<number> {
    return await this.#open(relative(path), flags | Open.CLOEXEC, mode);
  }

  /** A descriptor that names the file without opening it: it can be asked for attributes, and do no harm to a device. */
  async find(path: string, follow: boolean): Promise<number> {
    return await this.open(path, Open.PATH | (follow ? 0 : Open.NOFOLLOW));
  }

  /** The directory of a path, and the last name of it: for what works on names. */
  async place(path: string): Promise<Place> {
    const whole = path.replace(/^\/+|\/+$/g, "");
    const slash = whole.lastIndexOf("/");
    const last = whole.slice(slash + 1);
    if (last === "..") throw new StoreError("PERMISSION_DENIED", "leads out of the folder, or does not end in a name");
    if (last === "" || last === ".") throw new StoreError("FAILURE", "exists, and does not end in a name");
    const name = relative(last);
    if (slash < 0) return { directory: this.root, name, [Symbol.dispose]: () => {} };
    const flags = Open.PATH | Open.DIRECTORY | Open.CLOEXEC;
    const directory = await this.#open(relative(whole.slice(0, slash)), flags, 0);
    return { directory, name, [Symbol.dispose]: () => void now("close", directory) };
  }

  [Symbol.dispose](): void {
    now("close", this.root);
  }

  async #open(path: Uint8Array<ArrayBuffer>, flags: number, mode: number): Promise<number> {
    if (flags & Open.PATH) {
      // Where all names on the way are in memory, the kernel answers at once; where they are not, it says so instead of waiting.
      const how = howOf(flags, mode, this.#resolve | RESOLVE_CACHED);
      const answer = now("openat2", Syscall.openat2, this.root, path, how, 24n);
      if (answer >= 0) return answer;
      if (answer !== -Errno.EAGAIN && answer !== -Errno.EINVAL) throw refusalOfPath(answer);
    }
    const how = howOf(flags, mode, this.#resolve);
    for (let attempt = 1;; attempt++) {
      const answer = await away("openat2", Syscall.openat2, this.root, path, how, 24n);
      if (answer >= 0) return answer;
      const again = answer === -Errno.EAGAIN || answer === -Errno.EINTR;
      if (!again || attempt === ATTEMPTS) throw refusalOfPath(answer);
    }
  }
}

const ROOT = cString(encodeName("."));

/** `struct open_how`: flags, mode, resolve, of eight bytes each. */
function howOf(flags: number, mode: number, resolve: number): Uint8Array<ArrayBuffer> {
  const how = BigUint64Array.of(BigInt(flags), BigInt(mode), BigInt(resolve));
  return new Uint8Array(how.buffer);
}

/** A path as seen from the folder. "/" begins at the folder, so it goes. */
function relative(path: string): Uint8Array<ArrayBuffer> {
  return cString(nameBytes(path.replace(/^\/+/, "") || "."));
}

/** The bytes of a path or of a link's target, without the zero at which C would end it. */
export function nameBytes(path: string): Uint8Array<ArrayBuffer> {
  if (path.includes("\0")) throw new StoreError("PERMISSION_DENIED", "a name holds the character zero");
  try {
    return encodeName(path);
  } catch (cause) {
    throw new StoreError("NO_SUCH_FILE", "a name is no text", { cause });
  }
}

/**
 * Turns at the vault's files: many may read, one may write. The operating system gives a turn back when a process dies.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { reason } from "@alknet/core/private-file";
import { join } from "node:path";

const LOCK_FILE = "vault.lock";

/**
 * Waits until this process alone may touch the vault's files.
 *
 * @throws {AlknetError} `VAULT_WRITE` when the folder cannot be written.
 */
export async function turnToWrite(folder: string): Promise<Disposable> {
  const path = join(folder, LOCK_FILE);
  try {
    return await locked(await Deno.open(path, { write: true, create: true, mode: 0o600 }), true);
  } catch (error) {
    throw new AlknetError("VAULT_WRITE", `cannot lock the vault in ${folder}: ${reason(error)}`, { cause: error });
  }
}

/** Waits until nobody writes. Where nobody ever wrote, or this user may not, there is nothing to wait for. */
export async function turnToRead(folder: string): Promise<Disposable> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(join(folder, LOCK_FILE));
  } catch {
    return { [Symbol.dispose]() {} };
  }
  return await locked(file, false);
}

async function locked(file: Deno.FsFile, exclusive: boolean): Promise<Disposable> {
  try {
    await file.lock(exclusive);
  } catch (error) {
    file.close();
    throw error;
  }
  return { [Symbol.dispose]: () => file.close() };
}

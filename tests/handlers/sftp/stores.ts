/**
 * Stores for tests: one that counts, and what this process has open.
 *
 * @module
 */
import type { FileStore, StoreFile } from "../../../handlers/sftp/file_store.ts";

/** Calls of a store, by the method's name. */
export interface Calls {
  open: number;
  close: number;
  read: number;
  write: number;
}

/**
 * A store of files that are endless, and take what is written. Directories are like it, and empty.
 *
 * @param slow Whether answers take a turn of the event loop. Default: they come in the same.
 */
export function countedStore({ slow = false } = {}): { readonly store: FileStore; readonly calls: Calls } {
  const calls: Calls = { open: 0, close: 0, read: 0, write: 0 };
  const later = <T>(value?: T): Promise<T> => {
    return slow ? new Promise((resolve) => setTimeout(() => resolve(value!), 0)) : Promise.resolve(value!);
  };
  const opened = (): Promise<StoreFile> => {
    calls.open++;
    return later({
      read: (into: Uint8Array) => (calls.read++, Promise.resolve(into.length)),
      write: () => (calls.write++, later<void>()),
      attributes: () => later({ size: 100 }),
      setAttributes: () => later<void>(),
      sync: () => later<void>(),
      room: () => later<never>(),
      close: () => (calls.close++, later<void>()),
    });
  };
  const store = {
    open: opened,
    openDirectory: async () => ({ ...await opened(), next: () => later([]) }),
    attributes: () => later({ size: 1 }),
    setAttributes: () => later(),
    remove: () => later(),
    makeDirectory: () => later(),
    removeDirectory: () => later(),
    rename: () => later(),
    hardLink: () => later(),
    symbolicLink: () => later(),
    readLink: () => later("target"),
    realPath: (path: string) => later(path),
    room: () => later({}),
  };
  return { store: store as unknown as FileStore, calls };
}

/** How many descriptors this process has. */
export function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

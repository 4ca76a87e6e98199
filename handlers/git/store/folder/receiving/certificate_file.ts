/**
 * Certificates of pushes, kept for who asks later who has moved what (git.md §3.6).
 *
 * @module
 */
import { existsSync, mkdirSync, renameSync, unlinkSync } from "node:fs";
import { sync, writeNew } from "../files.ts";
import type { Holder } from "../holder.ts";
import { unlessMissing } from "../loose.ts";

/**
 * Keeps a certificate. Disposing it takes it back.
 *
 * @param name SHA-1 of the bytes.
 * @throws What the file system throws.
 */
export async function keepCertificate(
  folder: string,
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
  holder: Holder,
): Promise<Disposable> {
  const place = `${folder}/alknet/certificates`;
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const file = `${place}/${name}`;
  const isNew = !existsSync(file);
  const temporary = holder.temporary();
  await writeNew(temporary, bytes);
  renameSync(temporary, file);
  await sync(place);
  return { [Symbol.dispose]: () => void (isNew && unlessMissing(() => unlinkSync(file))) };
}

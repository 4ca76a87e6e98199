/**
 * Whether a bucket does what a store needs of it.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { type BucketOptions, bucketUrl } from "./options.ts";
import { S3Bucket } from "./s3/client.ts";

/**
 * Puts a small object, finds, reads and removes it.
 *
 * @returns Which bucket it is, and where.
 * @throws {AlknetError} `BUCKET_UNAVAILABLE`, `BUCKET_REFUSED`: it does not do one of them.
 * @throws {RangeError} Something of the options is wrong.
 */
export async function probeBucket(options: BucketOptions, signal?: AbortSignal): Promise<string> {
  bucketUrl(options);
  using bucket = new S3Bucket(options);
  const key = `probe-${crypto.getRandomValues(new Uint8Array(8)).toHex()}`;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const fails = (what: string): AlknetError =>
    new AlknetError("BUCKET_REFUSED", `bucket ${bucket.name}: ${what}; a store cannot rely on it`);
  await bucket.put(key, bytes, { ifAbsent: true, signal });
  try {
    if (await bucket.put(key, new Uint8Array(1), { ifAbsent: true, signal })) {
      throw fails("it replaced an object that it was told to leave");
    }
    const found = await Array.fromAsync(bucket.list(key, { signal }));
    if (found.length !== 1 || found[0].size !== bytes.byteLength) throw fails("it does not list what was put at once");
    const part = await bucket.get(key, 8, 16, { signal });
    if (part?.toHex() !== bytes.slice(8, 24).toHex()) throw fails("it gives other bytes than were put");
  } finally {
    await bucket.remove(key, { signal });
  }
  if (await bucket.head(key, { signal })) throw fails("it still has what was removed");
  return bucket.name;
}

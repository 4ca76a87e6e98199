/**
 * A bucket: named objects on a server that others have too. It is believed nothing: what it gives is verified by whoever
 * asked, and what it was given counts once it said so (fs.md §7).
 *
 * @module
 */

/** An object, as a bucket tells of it. */
export interface BucketObject {
  /** Its name, without the prefix of the bucket. */
  readonly key: string;
  /** Its bytes, as claimed. */
  readonly size: number;
  /** Milliseconds since it was written, by the clock of the bucket; nothing where it does not say. */
  readonly age?: number;
}

/** What ends a request. */
export interface BucketCall {
  /** Ends it with its reason. */
  readonly signal?: AbortSignal;
}

/** How an object is put. */
export interface PutCall extends BucketCall {
  /** Leaves what is there as it is, as far as the bucket can do so. Default: it is replaced. */
  readonly ifAbsent?: boolean;
}

/** Objects, each put as a whole. All methods throw `BUCKET_UNAVAILABLE`, to be tried again later, and `BUCKET_REFUSED`. */
export interface Bucket extends Disposable {
  /** Where it is, for messages. */
  readonly name: string;
  /** What is told of an object; nothing where it is not there. */
  head(key: string, call?: BucketCall): Promise<BucketObject | undefined>;
  /** Bytes of an object; nothing where it is not there. Never more than asked for; fewer at its end. */
  get(key: string, at: number, length: number, call?: BucketCall): Promise<Uint8Array | undefined>;
  /** Puts an object of few bytes. Whether it did: there may be one already. */
  put(key: string, bytes: Uint8Array, call?: PutCall): Promise<boolean>;
  /**
   * Puts an object that is read piece by piece; what an earlier try brought there is not sent again.
   *
   * @param size Its bytes.
   * @param read Gives exactly the bytes asked for, in a buffer of their own, which is gone once they are sent.
   */
  putParts(
    key: string,
    size: number,
    read: (at: number, length: number) => Promise<Uint8Array>,
    call?: PutCall,
  ): Promise<boolean>;
  /** Objects whose names begin so, in their order. */
  list(prefix: string, call?: BucketCall): AsyncIterable<BucketObject>;
  /** Takes an object away; one that is not there is gone. */
  remove(key: string, call?: BucketCall): Promise<void>;
  /** Ends puts that were begun and not finished for so many milliseconds. How many. */
  sweep(olderThan: number, call?: BucketCall): Promise<number>;
}

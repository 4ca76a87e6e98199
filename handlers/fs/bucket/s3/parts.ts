/**
 * Large objects in parts. What was begun is found again by listing, so that a process that died sends on where it was; what
 * nobody finishes is ended after a day.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { ageOf, S3Error, type S3Requests } from "./requests.ts";
import { elements, escaped, textIn } from "./xml.ts";

/** Bytes of a part at least. */
const LEAST = 16 * 1024 * 1024;
/** Parts of an object at most, below the 10,000 that S3 takes. */
const MOST_PARTS = 9000;
/** Bytes of parts that are under way at once, where one is not larger. */
const UNDER_WAY = 64 * 1024 * 1024;
/** Parts under way at once. */
const TOGETHER = 2;
/** Bytes of a list. */
const MOST_OF_LIST = 4 * 1024 * 1024;

/** How an object is put in parts. */
export interface PartsCall {
  /** Sent with the last request, which makes the object. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends it with its reason. */
  readonly signal?: AbortSignal;
}

/** Bytes of a part of an object: S3 takes few. */
export function partSize(size: number): number {
  return Math.max(LEAST, Math.ceil(size / MOST_PARTS));
}

/** Puts objects in parts. */
export class PartsPut {
  readonly #requests: S3Requests;
  readonly #prefix: string;

  /** @param prefix What the names of objects begin with. */
  constructor(requests: S3Requests, prefix: string) {
    this.#requests = requests;
    this.#prefix = prefix;
  }

  /** Puts one. Whether it did: there may be one already. */
  async put(
    key: string,
    size: number,
    read: (at: number, length: number) => Promise<Uint8Array>,
    call: PartsCall,
  ): Promise<boolean> {
    for (let again = false;; again = true) {
      try {
        return await this.#put(this.#prefix + key, size, read, call);
      } catch (error) {
        // Another node finished or ended what both were at.
        if (again || !(error instanceof S3Error) || error.reason !== "NoSuchUpload") throw error;
        const { status } = await this.#requests.send({
          method: "HEAD",
          key: this.#prefix + key,
          expected: [404],
          signal: call.signal,
        });
        if (status !== 404) return false;
      }
    }
  }

  /** Ends what was begun so many milliseconds ago and not finished. How many. */
  async sweep(olderThan: number, signal?: AbortSignal): Promise<number> {
    let count = 0;
    for (const { key, id, age = 0 } of await this.#begun(this.#prefix, signal)) {
      if (age < olderThan) continue;
      await this.#requests.send({ method: "DELETE", key, query: { uploadId: id }, expected: [404], signal });
      count++;
    }
    return count;
  }

  async #put(
    key: string,
    size: number,
    read: (at: number, length: number) => Promise<Uint8Array>,
    { headers, signal }: PartsCall,
  ): Promise<boolean> {
    const length = partSize(size);
    const count = Math.ceil(size / length);
    const sizeOf = (number: number): number => Math.min(length, size - (number - 1) * length);
    const id = (await this.#begun(key, signal)).find((one) => one.key === key)?.id ?? await this.#begin(key, signal);
    const there = await this.#parts(key, id, signal);
    const tags = new Map<number, string>();
    for (const { number, size, tag } of there) if (number <= count && size === sizeOf(number)) tags.set(number, tag);
    const missing = Array.from({ length: count }, (_, i) => i + 1).filter((number) => !tags.has(number));
    const stop = new AbortController();
    const ends = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const work = async (): Promise<void> => {
      for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
        const body = await read((number - 1) * length, sizeOf(number));
        const answer = await this.#requests.send({
          method: "PUT",
          key,
          query: { partNumber: String(number), uploadId: id },
          body,
          signal: ends,
        });
        // At once, rather than when somebody collects it: the next part is as large.
        (body.buffer as ArrayBuffer).transfer(0);
        tags.set(number, answer.headers.get("etag") ?? "");
      }
    };
    const together = Math.max(1, Math.min(TOGETHER, Math.floor(UNDER_WAY / length)));
    try {
      await Promise.all(Array.from({ length: together }, work));
    } catch (error) {
      stop.abort();
      throw error;
    }
    return await this.#finish(key, id, tags, { headers, signal });
  }

  async #finish(
    key: string,
    id: string,
    tags: ReadonlyMap<number, string>,
    { headers, signal }: PartsCall,
  ): Promise<boolean> {
    const parts = [...tags].sort(([one], [other]) => one - other)
      .map(([number, tag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${escaped(tag)}</ETag></Part>`);
    const { status, body } = await this.#requests.send({
      method: "POST",
      key,
      query: { uploadId: id },
      headers: { ...headers, "content-type": "application/xml" },
      body: new TextEncoder().encode(
        `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}` +
          "</CompleteMultipartUpload>",
      ),
      expected: [412, 409],
      most: MOST_OF_LIST,
      signal,
    });
    if (status === 412 || status === 409) {
      await this.#requests.send({ method: "DELETE", key, query: { uploadId: id }, expected: [404], signal });
      return false;
    }
    // It may begin to answer before it is done, and fail then.
    const text = new TextDecoder().decode(body);
    if (!text.includes("<Error>")) return true;
    const reason = textIn(text, "Code") ?? "";
    throw new S3Error("BUCKET_UNAVAILABLE", `${key} could not be put together from its parts; it is tried again`, {
      status,
      reason,
    });
  }

  async #begin(key: string, signal?: AbortSignal): Promise<string> {
    const { body } = await this.#requests.send({
      method: "POST",
      key,
      query: { uploads: "" },
      most: MOST_OF_LIST,
      signal,
    });
    const id = textIn(new TextDecoder().decode(body), "UploadId");
    if (id) return id;
    throw new AlknetError(
      "BUCKET_REFUSED",
      `${key}: the server begins no object in parts; it is no S3 that alknet knows`,
    );
  }

  async #begun(
    prefix: string,
    signal?: AbortSignal,
  ): Promise<{ readonly key: string; readonly id: string; readonly age?: number }[]> {
    const { body, headers } = await this.#requests.send({
      method: "GET",
      query: { uploads: "", prefix },
      most: MOST_OF_LIST,
      signal,
    });
    return elements(new TextDecoder().decode(body), "Upload").map((one) => ({
      key: textIn(one, "Key") ?? "",
      id: textIn(one, "UploadId") ?? "",
      age: ageOf(textIn(one, "Initiated"), headers),
    })).filter(({ key, id }) => id !== "" && key.startsWith(this.#prefix));
  }

  async #parts(
    key: string,
    id: string,
    signal?: AbortSignal,
  ): Promise<{ readonly number: number; readonly size: number; readonly tag: string }[]> {
    const all = [];
    for (let marker: string | undefined = "0"; marker !== undefined;) {
      const { body } = await this.#requests.send({
        method: "GET",
        key,
        query: { uploadId: id, "part-number-marker": marker },
        most: MOST_OF_LIST,
        signal,
      });
      const xml: string = new TextDecoder().decode(body);
      for (const one of elements(xml, "Part")) {
        all.push({
          number: Number(textIn(one, "PartNumber")),
          size: Number(textIn(one, "Size")),
          tag: textIn(one, "ETag") ?? "",
        });
      }
      const next: string | undefined = textIn(xml, "IsTruncated") === "true"
        ? textIn(xml, "NextPartNumberMarker")
        : undefined;
      marker = next === marker ? undefined : next;
    }
    return all;
  }
}

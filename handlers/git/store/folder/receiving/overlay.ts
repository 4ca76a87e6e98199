/**
 * What is received, seen together with what the repository holds.
 *
 * @module
 */
import type { Kind, Oid } from "../../../objects/oid.ts";
import type { PackFile, StoredObject } from "../../../pack/pack_file.ts";
import type { Maybe, ObjectReader } from "../../types.ts";

/** What is received, and then what the repository holds. */
export class Overlay implements ObjectReader {
  readonly #place: { readonly store: ObjectReader; readonly limit: number };
  readonly #file: () => PackFile | undefined;

  /**
   * @param place What the repository holds, and bytes of an object that is read whole.
   * @param file What is received, once it is there.
   */
  constructor(place: { readonly store: ObjectReader; readonly limit: number }, file: () => PackFile | undefined) {
    this.#place = place;
    this.#file = file;
  }

  async info(oid: Oid): Maybe<{ kind: Kind; size: number }> {
    const [file, offset] = this.#at(oid);
    return file ? file.info(offset, () => undefined) : await this.#place.store.info(oid);
  }

  async read(oid: Oid, limit: number = this.#place.limit): Maybe<StoredObject> {
    const [file, offset] = this.#at(oid);
    return file
      ? file.read(offset, Math.min(limit, this.#place.limit), () => undefined)
      : await this.#place.store.read(oid, limit);
  }

  async stream(oid: Oid): Maybe<{ kind: Kind; size: number; body: ReadableStream<Uint8Array> }> {
    if (!this.#at(oid)[0]) return await this.#place.store.stream(oid);
    const { kind, bytes } = (await this.read(oid))!;
    return { kind, size: bytes.byteLength, body: ReadableStream.from([bytes]) };
  }

  async has(oid: Oid): Promise<boolean> {
    return this.#at(oid)[0] !== undefined || await this.#place.store.has(oid);
  }

  #at(oid: Oid): [PackFile | undefined, number] {
    const file = this.#file();
    const position = file?.index.find(oid) ?? -1;
    return position < 0 ? [undefined, 0] : [file, file!.index.offsetAt(position)];
  }
}

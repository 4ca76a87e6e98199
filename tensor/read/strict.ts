/**
 * What strict mode asks beyond the rest: the canonical form that writers must give a file, and padding that is zeros (V22).
 *
 * @module
 */
import { DEFAULT_ALIGN } from "../format/document.ts";
import { TensorError } from "../format/errors.ts";
import { type Entry, isPadding } from "../format/entry.ts";
import { canonicalOrder, encodeHeader } from "../format/canonical.ts";
import type { TensorFile } from "./file.ts";

/** Checks an open file; reads padding, records with padding in them, and rows of packed blobs. */
export function checkStrict(file: TensorFile): void {
  const { header, document } = file;
  if (header.metadata === undefined && /^[\s]*\{\s*"__metadata__"/.test(header.text)) {
    throw new TensorError("E_METADATA", "__metadata__ is not an object of strings");
  }
  const own = header.ordered.filter(({ name }) => !isPadding(name));
  if (own.some((entry, i) => i > 0 && canonicalOrder(own[i - 1], entry) > 0)) {
    throw strict("entries do not stand in canonical order: by element type, then by name");
  }
  const text = encodeHeader(header.metadata, [...header.entries.values()], header.native);
  if (text !== header.text.replace(/ +$/, "")) throw strict("the header is not written in canonical form");
  if ([...header.entries.values()].some((entry, i) => entry !== header.ordered[i])) {
    throw strict("entries are not listed in the order of their offsets");
  }
  if (document) checkAlignment(header.ordered, document.align ?? DEFAULT_ALIGN);
  for (const { name, start, end } of header.ordered) {
    if (!isPadding(name)) continue;
    if (file.bytes(name).some((byte) => byte !== 0)) {
      throw new TensorError("E_STRICT", "padding is not zeros", { tensor: name, offsets: [start, end] });
    }
  }
  for (const tensor of document?.tensors.values() ?? []) {
    if (tensor.kind === "struct") file.records(tensor.name).checkPadding();
    else file.blobs(tensor.name).check();
  }
}

function checkAlignment(entries: readonly Entry[], align: number): void {
  for (const { name, start, end } of entries) {
    if (end === start || isPadding(name) || start % align === 0) continue;
    const offsets = [start, end] as const;
    throw new TensorError("E_STRICT", `the range does not begin at a multiple of ${align}`, { tensor: name, offsets });
  }
}

function strict(message: string): TensorError {
  return new TensorError("E_STRICT", message);
}

/**
 * A pack of what is selected: entries go out as they are stored, and only the form of their bases changes
 * (gitformat-pack).
 *
 * @module
 */
import { missing } from "../../errors.ts";
import type { Oid } from "../../objects/oid.ts";
import { EntryType, formatEntryHead, kindOfType, typeOfKind } from "../../pack/entry.ts";
import { deflate } from "../../pack/inflate.ts";
import { Sha1Sink, type Sink } from "../../pack/sha1_sink.ts";
import type { ObjectStore, RawEntry } from "../../store/types.ts";
import type { Pace } from "../../walk/pace.ts";
import type { Selection } from "../../walk/selection.ts";

/** Larger objects are deflated in pieces. */
const WHOLE = 1024 * 1024;

/** What a pack is made of. */
export interface PackParts {
  /** Where the objects are. */
  readonly store: ObjectStore;
  /** Which ones. */
  readonly selection: Selection;
  /** What the client has that may be the base of a delta; absent where nothing may. */
  readonly held?: Selection;
  /** Whether the client reads deltas whose base is named by distance. */
  readonly ofsDelta: boolean;
  /** Its pace. */
  readonly pace: Pace;
}

/**
 * Sends a pack, its trailer last.
 *
 * @returns Bytes sent.
 * @throws {AlknetError} `GIT_CORRUPT`, `GIT_OBJECT_MISSING`: the trailer was not sent then. What `sink` throws.
 */
export async function sendPack({ store, selection, held, ofsDelta, pace }: PackParts, sink: Sink): Promise<number> {
  const out = new Sha1Sink(sink);
  await out.write(packHeader(selection.size));
  /** Where entries begin in what is sent, by pack and position; 0: not yet. */
  const sent: (Float64Array | undefined)[] = [];
  for (const place of selection.places()) {
    const offsets = sent[place.pack] ??= new Float64Array(store.count(place.pack));
    offsets[place.position] = out.length;
    const entry = store.entry(place);
    const head = headOf(entry, { selection, held, sent, at: out.length, ofsDelta });
    if (!head) await sendObject(entry.oid, store, out);
    else {
      await out.write(head);
      for (const piece of entry.pieces()) await out.write(piece);
    }
    await pace.step();
  }
  for (const oid of selection.loose) {
    await sendObject(oid, store, out);
    await pace.step();
  }
  await out.end();
  return out.length + 20;
}

function packHeader(count: number): Uint8Array {
  const header = new Uint8Array(12);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x5041434b);
  view.setUint32(4, 2);
  view.setUint32(8, count);
  return header;
}

interface Sending {
  readonly selection: Selection;
  readonly held?: Selection;
  readonly sent: readonly (Float64Array | undefined)[];
  readonly at: number;
  readonly ofsDelta: boolean;
}

/** The head of an entry as it is sent; nothing where it is a delta of what the client does not get. */
function headOf(
  { type, size, base }: RawEntry,
  { selection, held, sent, at, ofsDelta }: Sending,
): Uint8Array | undefined {
  if (kindOfType(type)) return formatEntryHead(type, size);
  if (typeof base === "string") {
    const there = selection.has(base) || held?.has(base);
    return there ? formatEntryHead(EntryType.REF_DELTA, size, base) : undefined;
  }
  if (!base || !(selection.hasPlace(base) || held?.hasPlace(base))) return undefined;
  const start = sent[base.pack]?.[base.position] ?? 0;
  return start > 0 && ofsDelta
    ? formatEntryHead(EntryType.OFS_DELTA, size, at - start)
    : formatEntryHead(EntryType.REF_DELTA, size, base.oid);
}

/** An object deflated anew. */
async function sendObject(oid: Oid, store: ObjectStore, out: Sha1Sink): Promise<void> {
  const object = await store.stream(oid);
  if (!object) throw missing(oid);
  const { kind, size, body } = object;
  await out.write(formatEntryHead(typeOfKind(kind), size));
  if (size <= WHOLE) return await out.write(deflate(await new Response(body).bytes()));
  const deflated = (body as ReadableStream<BufferSource>).pipeThrough(new CompressionStream("deflate"));
  for await (const piece of deflated) await out.write(piece);
}

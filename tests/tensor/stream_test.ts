/**
 * A file sent over streams and down a pipe (tensor.md §12, rows 103 to 105), and datasets that grow.
 *
 * @module
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import {
  append,
  encode,
  encodeFrame,
  everyEntry,
  fileLayout,
  open,
  openSync,
  receivePipe,
  records,
  scalar,
  sendHeader,
  sendPipe,
  sendRanges,
  type Sink,
  struct,
  TensorReceiver,
  texts,
} from "@alknet/tensor";
import { temporaryFolder } from "../support/temp.ts";
import "./mapping.ts";

const FILE = encode({
  a: { dtype: "F32", shape: [300_000], data: Float32Array.from({ length: 300_000 }, (_, i) => i) },
  b: { dtype: "U8", shape: [5], data: Uint8Array.of(1, 2, 3, 4, 5) },
  c: { dtype: "U8", shape: [3], data: Uint8Array.of(6, 7, 8) },
}, { align: 64, document: {} });

Deno.test("sendRanges: every entry rebuilds the file bit for bit; lower priorities come first", async () => {
  const { receiver, bytes } = await begun();
  const order: number[] = [];
  const accepted: Promise<void>[] = [];
  const opener = {
    open: () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      accepted.push(receiver.accept(readable.pipeThrough(tap((head) => order.push(head[0])))));
      return Promise.resolve(writable);
    },
  };
  const file = openSync(FILE);
  const requests = everyEntry(file).map((one, i) => ({ ...one, priority: 7 - i }));
  await sendRanges(file, requests, opener, { streams: 1 });
  await Promise.all(accepted);
  deepEqual(order, [...order].sort((a, b) => b - a));
  deepEqual(receiver.missing(), []);
  deepEqual(bytes, FILE);
});

Deno.test("accept: a stream cut at any byte is resumed from there, and selected ranges alone come", async () => {
  const { receiver, bytes } = await begun();
  const file = openSync(FILE);
  await receiver.accept(
    streamOf(encodeFrame({ index: 0, start: 0, length: 1_200_000 }), file.bytes("a").subarray(0, 777)),
  );
  deepEqual(receiver.missing(["a"]), [{ name: "a", from: 777, to: 1_200_000 }]);
  const accepted: Promise<void>[] = [];
  const opener = {
    open: () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      accepted.push(receiver.accept(readable));
      return Promise.resolve(writable);
    },
  };
  await sendRanges(file, receiver.missing(), opener);
  await Promise.all(accepted);
  deepEqual(receiver.missing(), []);
  deepEqual(bytes, FILE);
});

const BAD: readonly [row: number, name: string, stream: () => ReadableStream<Uint8Array>][] = [
  [
    103,
    "an index beyond the entries",
    () => streamOf(encodeFrame({ index: 9, start: 0, length: 1 }), Uint8Array.of(1)),
  ],
  [
    103,
    "a range past its entry",
    () => streamOf(encodeFrame({ index: 1, start: 3, length: 2 ** 40 }), Uint8Array.of(1)),
  ],
  [
    104,
    "more bytes than announced",
    () => streamOf(encodeFrame({ index: 1, start: 0, length: 1 }), Uint8Array.of(1, 2)),
  ],
];
for (const [row, name, stream] of BAD) {
  Deno.test(`accept: ${name} is E_FRAME and ends the whole transfer (tensor.md row ${row})`, async () => {
    const { receiver } = await begun();
    let cancelled = false;
    const head = encodeFrame({ index: 0, start: 0, length: 8 });
    const other = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(head),
      cancel: () => void (cancelled = true),
    });
    const waiting = receiver.accept(other);
    const ended = Promise.allSettled([waiting]);
    await rejects(receiver.accept(stream()), { code: "E_FRAME" });
    await ended;
    ok(cancelled);
    await rejects(receiver.accept(streamOf(encodeFrame({ index: 0, start: 0, length: 0 }))), { code: "E_FRAME" });
  });
}

Deno.test("accept: data before the header is complete is E_FRAME (tensor.md row 105)", async () => {
  const receiver = new TensorReceiver(FILE.length, memory(FILE.length).sink);
  await rejects(receiver.accept(streamOf(encodeFrame({ index: 0, start: 0, length: 0 }))), { code: "E_FRAME" });
});

Deno.test("acceptHeader: judged by the announced length, and nothing may follow it", async () => {
  const header = FILE.subarray(0, openSync(FILE).header.dataStart);
  const receive = (total: number, ...pieces: Uint8Array[]) =>
    new TensorReceiver(total, memory(FILE.length).sink).acceptHeader(streamOf(...pieces));
  await rejects(receive(FILE.length + 1, header), { code: "E_TRAILING" });
  await rejects(receive(FILE.length, header.subarray(0, 50)), { code: "E_TRUNCATED" });
  await rejects(receive(FILE.length, header, Uint8Array.of(0)), { code: "E_FRAME" });
  await rejects(receive(2 ** 40, Uint8Array.of(1, 0, 0, 2, 0, 0, 0, 0)), { code: "E_HEADER_TOO_LARGE" });
});

Deno.test("sendPipe: a file through a pipe of the system, bit for bit", async () => {
  const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
  let bytes = new Uint8Array(0);
  const received = receivePipe(child.stdout, (total) => {
    const made = memory(total);
    bytes = made.bytes;
    return made.sink;
  });
  await sendPipe(openSync(FILE), child.stdin);
  deepEqual((await received).missing(), []);
  equal((await child.status).code, 0);
  deepEqual(bytes, FILE);
});

Deno.test("append: records and texts are added, the rest stays, and a failure changes nothing", async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("data");
  const layout = fileLayout(struct({ rows: records(struct({ x: scalar("Uint16") })), lines: texts() }));
  await layout.write(path, { rows: [{ x: 1 }], lines: ["one"] });
  await append(path, { rows: [{ x: 2 }, { x: 3 }], lines: ["", "drei"] }, { verify: true });
  {
    using file = await open(path);
    const view = layout.view(file);
    deepEqual([...view.rows], [{ x: 1 }, { x: 2 }, { x: 3 }]);
    deepEqual(view.lines.all(), ["one", "", "drei"]);
  }
  const before = await Deno.readFile(path);
  await rejects(append(path, { rows: [{ x: 70_000 }] }), { code: "E_ACCESS" });
  await rejects(append(path, { none: [] }), { code: "E_KIND" });
  deepEqual(await Deno.readFile(path), before);
});

async function begun(): Promise<{ receiver: TensorReceiver; bytes: Uint8Array<ArrayBuffer> }> {
  const { sink, bytes } = memory(FILE.length);
  const receiver = new TensorReceiver(FILE.length, sink);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  await Promise.all([receiver.acceptHeader(readable), sendHeader(openSync(FILE), writable)]);
  return { receiver, bytes };
}

function memory(total: number): { bytes: Uint8Array<ArrayBuffer>; sink: Sink } {
  const bytes = new Uint8Array(total);
  return {
    bytes,
    sink: {
      write: (offset, piece) => bytes.set(piece, offset),
      read: (offset, length) => bytes.subarray(offset, offset + length),
    },
  };
}

function streamOf(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces);
}

/** Shows the first piece of a stream. */
function tap(see: (head: Uint8Array) => void): TransformStream<Uint8Array, Uint8Array> {
  let first = true;
  return new TransformStream({
    transform(piece, controller) {
      if (first) see(piece);
      first = false;
      controller.enqueue(piece);
    },
  });
}

import { deepEqual, equal, match } from "node:assert/strict";
import { BackgroundWriter } from "../../cli/terminal/background_writer.ts";

/** A sink that takes what it is asked to, when it is asked to. */
function slowSink() {
  const taken: string[] = [];
  const calls: { bytes: Uint8Array; take: (count: number) => void; fail: (error: Error) => void }[] = [];
  const write = (bytes: Uint8Array) =>
    new Promise<number>((resolve, reject) => {
      calls.push({
        bytes,
        take(count) {
          taken.push(new TextDecoder().decode(bytes.subarray(0, count)));
          resolve(count);
        },
        fail: reject,
      });
    });
  const next = async () => {
    while (calls.length === 0) await Promise.resolve();
    return calls.shift()!;
  };
  return { write, taken, next };
}

Deno.test("a writer in the background writes lines whole and in order, drops what is too much, and says how much", async () => {
  const sink = slowSink();
  const writer = new BackgroundWriter(sink, 20);
  equal(writer.isIdle, true);
  writer.write("first line\n");
  writer.write("second\n");
  writer.write("third, which is too much\n");
  writer.write("fourth\n");
  equal(writer.isIdle, false);
  (await sink.next()).take(3);
  (await sink.next()).take(8);
  (await sink.next()).take(7);
  const note = await sink.next();
  match(new TextDecoder().decode(note.bytes), /^alknet: 2 lines were dropped: nobody read them in time\n$/);
  note.take(note.bytes.byteLength);
  await writer.flush();
  equal(writer.isIdle, true);
  deepEqual(sink.taken.slice(0, 3), ["fir", "st line\n", "second\n"]);
});

Deno.test("a writer in the background outlives its reader, and does not keep a program from ending", async () => {
  const sink = slowSink();
  const writer = new BackgroundWriter(sink);
  writer.write("a\n");
  const call = await sink.next();
  await writer.flush();
  equal(writer.isIdle, false);
  call.fail(new Deno.errors.BrokenPipe());
  await writer.flush();
  writer.write("b\n");
  equal(writer.isIdle, true);
  deepEqual(sink.taken, []);
});

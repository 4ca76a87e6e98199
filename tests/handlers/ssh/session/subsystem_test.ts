/**
 * A channel as a pair of streams, for a subsystem (RFC 4254 §6.5).
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Ssh2Channel } from "../../../../handlers/ssh/protocol/ssh2.ts";
import { startSubsystem, type SubsystemStream } from "../../../../handlers/ssh/session/subsystem.ts";

/** A channel whose client takes nothing until it is told to. */
class Channel extends Duplex {
  readonly exits: number[] = [];
  readonly taken: string[] = [];
  readonly stderr = this;
  readonly incoming = { state: "open" };
  #accept: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#accept = () => {
      this.taken.push(chunk.toString());
      done();
    };
  }

  /** The client takes what waits. */
  accept(): void {
    this.#accept?.();
  }

  exit(code: number): void {
    this.exits.push(code);
  }
}

/** Serves a channel by hand: its streams, and what ends the serving. */
function served(): {
  readonly channel: Channel;
  readonly stream: SubsystemStream;
  readonly finish: () => void;
  readonly program: ReturnType<typeof startSubsystem>;
} {
  const channel = new Channel();
  const { promise, resolve } = Promise.withResolvers<void>();
  let stream!: SubsystemStream;
  const program = startSubsystem(channel as unknown as Ssh2Channel, (given) => {
    stream = given;
    return promise;
  });
  return { channel, stream, finish: resolve, program };
}

Deno.test("startSubsystem(): a write is done when the client has taken it", async () => {
  const { channel, stream, finish, program } = served();
  const writer = stream.writable.getWriter();
  let done = false;
  const writing = writer.write(new TextEncoder().encode("one")).then(() => done = true);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(done, false);
  channel.accept();
  await writing;
  assert.deepEqual(channel.taken, ["one"]);
  finish();
  await program.ended;
  assert.deepEqual(channel.exits, [0]);
  assert.ok(channel.writableEnded);
});

Deno.test("startSubsystem(): a client whose bytes nobody reads has to wait, and its end is the end", async () => {
  const { channel, stream, finish, program } = served();
  const chunk = Buffer.alloc(32 * 1024, 1);
  let pushed = 0;
  while (!channel.isPaused()) {
    channel.push(chunk);
    pushed += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(pushed < 2 ** 20);
  }
  channel.incoming.state = "eof";
  channel.push(null);
  let read = 0;
  for await (const { length } of stream.readable) read += length;
  assert.equal(read, pushed);
  finish();
  await program.ended;
});

Deno.test("startSubsystem(): what the end of the connection cuts off does not end, it fails", async () => {
  const { channel, stream, finish, program } = served();
  const reader = stream.readable.getReader();
  channel.push(Buffer.from("half"));
  assert.equal(new TextDecoder().decode((await reader.read()).value), "half");
  channel.incoming.state = "closed";
  channel.push(null);
  await assert.rejects(reader.read(), /gone/);
  finish();
  await program.ended;
});

Deno.test("startSubsystem(): when the client disappears, reads and writes that wait fail", async () => {
  const { stream, finish, program } = served();
  const reading = stream.readable.getReader().read();
  const writing = stream.writable.getWriter().write(Uint8Array.of(1));
  // The write has reached the channel.
  await new Promise((resolve) => setImmediate(resolve));
  program.hangUp();
  await assert.rejects(reading, /gone/);
  await assert.rejects(writing, /gone/);
  finish();
  await program.ended;
});

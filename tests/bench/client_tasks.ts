/**
 * The tasks of a client over anything that has streams: the same code drives our client and its peers.
 *
 * @module
 */
import { BLOCK, ECHO_ALPN, SINK_ALPN, SOURCE_ALPN } from "./protocols.ts";

/** A stream, whoever made it. */
export interface BenchStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** A connection, whoever made it. */
export interface BenchConnection {
  open(): Promise<BenchStream>;
  close(): void;
}

/** Makes a connection of a protocol. */
export type Dial = (alpn: string) => Promise<BenchConnection>;

/** Does something for some seconds, so many at a time, and gives its rate. */
export type TaskRunner = (seconds: number, atATime: number) => Promise<number>;

/** Options of {@linkcode streamTasks}. */
export interface StreamTaskOptions {
  /** Whether a connection has one stream only, so that each run needs its own. Default `false`. */
  readonly singleStream?: boolean;
}

/** Bytes of a small message. */
const SMALL = 64;
const MEGABYTE = 1e6;

/** The tasks. */
export function streamTasks(dial: Dial, options: StreamTaskOptions = {}): Record<string, TaskRunner> {
  const kept = new Map<string, Promise<BenchConnection>>();
  const connection = (alpn: string, number = 0): Promise<BenchConnection> => {
    if (options.singleStream) return dial(alpn);
    const key = `${alpn} ${number}`;
    if (!kept.has(key)) kept.set(key, dial(alpn));
    return kept.get(key)!;
  };
  const several = (alpn: string, count: number): Promise<BenchConnection[]> =>
    Promise.all(Array.from({ length: count }, (_, number) => connection(alpn, number)));

  return {
    /** Megabytes a second to a sink, until it has told how many it got. */
    async upload(seconds, atATime) {
      const connections = await several(SINK_ALPN, atATime);
      const { elapsed, end } = stopwatch(seconds);
      const counts = await Promise.all(connections.map(async (each) => upload(await each.open(), end)));
      return sum(counts) / MEGABYTE / elapsed();
    },
    /** Megabytes a second from a source. */
    async download(seconds, atATime) {
      const connections = await several(SOURCE_ALPN, atATime);
      const { elapsed, end } = stopwatch(seconds);
      const counts = await Promise.all(connections.map(async (each) => download(await each.open(), end)));
      return sum(counts) / MEGABYTE / elapsed();
    },
    /** Streams a second that are opened, carry 64 bytes there and back, and end. */
    async streams(seconds, atATime) {
      const echo = await connection(ECHO_ALPN);
      const { elapsed, end } = stopwatch(seconds);
      const count = await repeat(end, atATime, async () => await exchange(await echo.open()));
      return count / elapsed();
    },
    /** Round trips a second of 64 bytes on one stream. */
    async pingPong(seconds) {
      const { readable, writable } = await (await connection(ECHO_ALPN)).open();
      const writer = writable.getWriter();
      const reader = readable.getReader();
      const message = new Uint8Array(SMALL);
      const { elapsed, end } = stopwatch(seconds);
      const count = await repeat(end, 1, async () => {
        const written = writer.write(message);
        for (let length = 0; length < SMALL;) length += (await reader.read()).value!.byteLength;
        await written;
      });
      const rate = count / elapsed();
      await writer.close();
      while (!(await reader.read()).done);
      return rate;
    },
    /** Handshakes a second, each of a new connection. */
    async handshakes(seconds, atATime) {
      const { elapsed, end } = stopwatch(seconds);
      const count = await repeat(end, atATime, async () => (await dial(ECHO_ALPN)).close());
      return count / elapsed();
    },
  };
}

/** Answers tasks on standard input until it ends. */
export async function serveTasks(tasks: Record<string, TaskRunner>): Promise<void> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const { task, seconds, atATime = 1 } = JSON.parse(line);
      console.log(JSON.stringify({ value: await tasks[task](seconds, atATime) }));
    }
  }
}

/** Time since now, and until when to work. */
export function stopwatch(seconds: number): { elapsed: () => number; end: number } {
  const begun = performance.now();
  return { elapsed: () => (performance.now() - begun) / 1000, end: begun + seconds * 1000 };
}

async function upload({ readable, writable }: BenchStream, end: number): Promise<number> {
  const writer = writable.getWriter();
  const block = new Uint8Array(BLOCK);
  let sent = 0;
  do {
    await writer.write(block);
    sent += BLOCK;
  } while (performance.now() < end);
  const closed = writer.close();
  const got = Number(await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text());
  await closed;
  if (got !== sent) throw new Error(`sent ${sent} bytes, but ${got} arrived`);
  return sent;
}

async function download({ readable, writable }: BenchStream, end: number): Promise<number> {
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(1));
  let received = 0;
  let asking = true;
  for await (const chunk of readable) {
    received += chunk.byteLength;
    if (asking && performance.now() >= end) {
      asking = false;
      await writer.close();
    }
  }
  return received;
}

async function exchange({ readable, writable }: BenchStream): Promise<void> {
  const writer = writable.getWriter();
  const written = writer.write(new Uint8Array(SMALL));
  const closed = writer.close();
  let length = 0;
  for await (const chunk of readable) length += chunk.byteLength;
  await written;
  await closed;
  if (length !== SMALL) throw new Error(`sent ${SMALL} bytes, got ${length} back`);
}

/** Does something again and again until the time is over, so many at once; gives how often it was done. */
async function repeat(end: number, atATime: number, once: () => Promise<void>): Promise<number> {
  let count = 0;
  await Promise.all(Array.from({ length: atATime }, async () => {
    do {
      await once();
      count++;
    } while (performance.now() < end);
  }));
  return count;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

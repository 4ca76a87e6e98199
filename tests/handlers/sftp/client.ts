/**
 * A client of SFTP that says what a test wants, in whatever order, right or wrong.
 *
 * @module
 */
import { type Connection, memoryPair } from "@alknet/core/handler";
import assert from "node:assert/strict";
import { FieldReader, FieldWriter } from "../../../handlers/sftp/codec/fields.ts";
import { PacketType, Status } from "../../../handlers/sftp/codec/numbers.ts";
import { PacketReader } from "../../../handlers/sftp/codec/packet_reader.ts";
import { serveSftp, type SftpServerOptions } from "../../../handlers/sftp/engine/serve.ts";

/** An answer, its fields yet to be read. */
export interface Answer {
  readonly type: number;
  readonly id: number;
  readonly fields: FieldReader;
}

/** Names of answers' types and of codes, for assertions that read well. */
const TYPE_NAMES = new Map<number, string>(Object.entries(PacketType).map(([name, type]) => [type, name]));
const CODE_NAMES = new Map<number, string>(Object.entries(Status).map(([name, code]) => [code, name]));

/** What an answer is: `DATA`, `HANDLE`, or the name of its status and its message. */
export function said(answer: Answer): string {
  const name = TYPE_NAMES.get(answer.type) ?? `${answer.type}`;
  if (name !== "STATUS") return name;
  return `${CODE_NAMES.get(answer.fields.uint32())} ${answer.fields.name()}`.trim();
}

/** Writes the fields of a request after its id. */
export type Fields = (fields: FieldWriter) => FieldWriter;

/** A client that has said nothing yet. */
export class TestSftpClient implements AsyncDisposable {
  /** How the server ended. */
  readonly served: Promise<void>;
  /** The packets that were sent, in order. */
  readonly sent: Uint8Array<ArrayBuffer>[] = [];
  readonly #connection: Connection;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #packets = new PacketReader(2 ** 20);
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  readonly #reading: Promise<void> | undefined;
  #next = 1;
  #ended = false;

  /** See {@linkcode sftpClient}. */
  constructor(
    connection: Connection,
    stream: { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<Uint8Array> },
    served: Promise<void>,
    reads: boolean,
  ) {
    this.#connection = connection;
    this.served = served;
    this.#writer = stream.writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#reader = stream.readable.getReader();
    if (reads) this.#reading = this.#read();
  }

  /** Sends bytes as they are. */
  async raw(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.sent.push(bytes);
    await this.#writer.write(bytes);
  }

  /** Sends INIT. */
  async begin(version = 3): Promise<void> {
    await this.raw(new FieldWriter(PacketType.INIT).uint32(version).finish());
  }

  /** Sends a request; nothing is the answer of a server that has ended. */
  async ask(type: number, fields: Fields): Promise<Answer | undefined> {
    const id = this.#next++;
    const answer = new Promise<Answer | undefined>((resolve) => this.#waiting.set(id, resolve));
    await this.raw(fields(new FieldWriter(type).uint32(id)).finish()).catch(() => {});
    if (this.#ended) this.#leave();
    return await answer;
  }

  /** Sends a request that is answered. */
  async must(type: number, fields: Fields): Promise<Answer> {
    const answer = await this.ask(type, fields);
    assert.ok(answer, "the server has ended");
    return answer;
  }

  /** Sends a request, and says what the answer was. */
  async says(type: number, fields: Fields): Promise<string> {
    const answer = await this.ask(type, fields);
    return answer ? said(answer) : "END";
  }

  /** The same for an extension. */
  extended(name: string, fields: Fields = (none) => none): Promise<Answer> {
    return this.must(PacketType.EXTENDED, (writer) => fields(writer.name(name)));
  }

  /** Opens a file; the handle. Flags as on the wire. */
  async open(path: string, flags: number): Promise<number> {
    const answer = await this.must(PacketType.OPEN, (fields) => fields.name(path).uint32(flags).uint32(0));
    return handleIn(answer);
  }

  /** Opens a directory; the handle. */
  async openDirectory(path: string): Promise<number> {
    return handleIn(await this.must(PacketType.OPENDIR, (fields) => fields.name(path)));
  }

  /** Ends this direction, as a client that leaves. */
  async end(): Promise<void> {
    await this.#writer.close().catch(() => {});
  }

  /** Cuts the connection. */
  vanish(): void {
    this.#connection.close(7, "gone");
  }

  /** The next bytes, for a client that does not read by itself. */
  async bytes(): Promise<Uint8Array | undefined> {
    return (await this.#reader.read()).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    this.#connection.close();
    await this.#reading;
    await this.served.catch(() => {});
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        for (const packet of this.#packets.read(value as Uint8Array<ArrayBuffer>)) this.#take(packet);
      }
    } catch { /* it was cut */ }
    this.#leave();
  }

  #take(packet: Uint8Array<ArrayBuffer>): void {
    if (packet[0] === PacketType.VERSION) return;
    const fields = new FieldReader(packet, 1);
    const id = fields.uint32();
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.({ type: packet[0], id, fields });
  }

  #leave(): void {
    this.#ended = true;
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }
}

/** Options of {@linkcode sftpClient}. */
export interface ClientOptions extends SftpServerOptions {
  /** Whether it reads answers by itself. Default: it does. */
  readonly reads?: boolean;
  /** Whether it has sent INIT. Default: it has. */
  readonly begins?: boolean;
}

/** A client, and a server for it in memory. */
export async function sftpClient({ reads = true, begins = true, ...options }: ClientOptions): Promise<TestSftpClient> {
  const [near, far] = memoryPair("alknet/sftp");
  const served = (async () => {
    for await (const stream of far) return await serveSftp(stream, options);
  })();
  served.catch(() => {});
  const client = new TestSftpClient(near, await near.open(), served, reads);
  if (begins) await client.begin();
  return client;
}

/** The handle in an answer. */
export function handleIn({ type, fields }: Answer): number {
  if (type !== PacketType.HANDLE) assert.fail(said({ type, id: 0, fields }));
  return new FieldReader(fields.bytes()).uint32();
}

/** Writes a handle. */
export function withHandle(fields: FieldWriter, handle: number): FieldWriter {
  return fields.uint32(4).uint32(handle);
}

/** Names in a NAME answer. */
export function namesIn({ type, fields }: Answer): { name: string; longName: string }[] {
  if (type !== PacketType.NAME) assert.fail(said({ type, id: 0, fields }));
  return Array.from({ length: fields.uint32() }, () => {
    const entry = { name: fields.name(), longName: fields.name() };
    const flags = fields.uint32();
    for (let words = wordsOf(flags); words > 0; words--) fields.uint32();
    return entry;
  });
}

/** 32-bit words of attributes with these flags. */
function wordsOf(flags: number): number {
  return (flags & 1 ? 2 : 0) + (flags & 2 ? 2 : 0) + (flags & 4 ? 1 : 0) + (flags & 8 ? 2 : 0);
}

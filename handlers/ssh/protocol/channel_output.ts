/**
 * What goes out over channels: as much as the client takes, and no more.
 *
 * ssh2 1.17.0 writes past a socket that is full, so that a client which grants a large window and reads nothing has the
 * server keep it all; it never answers a write on a channel that is closed; after standard error has waited for the
 * window it sends an old piece of standard output again; and a client whose packets may be no byte long holds it for
 * ever. So its writing is replaced.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Duplex, Writable } from "node:stream";
import type { StreamSocket } from "./stream_socket.ts";

/** RFC 4254 §5.2. */
const STDERR = 1;
/** Data of a packet. A client that wants less than the least would have each byte cost a packet. */
const MOST = 32 * 1024;
const LEAST = 256;

type Answer = (error?: Error | null) => void;
type Write = (data: Buffer, encoding: string, done: Answer) => void;

/** Inside of ssh2's channel. */
interface Inside {
  readonly outgoing: { readonly id: number; window: number; readonly packetSize: number; readonly state: string };
  readonly _client: {
    readonly _sock: StreamSocket;
    readonly _protocol: {
      channelData(id: number, data: Uint8Array): void;
      channelExtData(id: number, data: Uint8Array, type: number): void;
    };
  };
  /** With more window ssh2 calls `_chunkcb`, if there is no `_chunk` that it is to write itself. */
  _waitWindow: boolean;
  _chunkcb?: () => void;
  _write: Write;
  readonly stderr?: Writable & { _write?: Write };
}

interface Piece {
  readonly data: Buffer;
  readonly isError: boolean;
  readonly done: Answer;
}

/** Makes a channel that ssh2 has just opened heed the window, the socket beneath, and its own end. */
export function boundOutput<T extends Duplex>(channel: T): T {
  const inside = channel as unknown as Inside;
  const output = new ChannelOutput(inside);
  inside._write = (data, _encoding, done) => output.write({ data, isError: false, done });
  if (inside.stderr?._write) {
    inside.stderr._write = (data, _encoding, done) => output.write({ data, isError: true, done });
    // Who writes after the client has closed the channel is answered; nobody else has to hear of it.
    inside.stderr.on("error", () => {});
  }
  channel.once("close", () => output.drop());
  return channel;
}

class ChannelOutput {
  readonly #inside: Inside;
  #pieces: Piece[] = [];
  /** Bytes of the first piece that have gone out. */
  #sent = 0;
  #waitsForRoom = false;

  constructor(inside: Inside) {
    this.#inside = inside;
  }

  write(piece: Piece): void {
    this.#pieces.push(piece);
    if (this.#pieces.length === 1) this.#pump();
  }

  /** Answers whoever waits: nobody takes it any more. */
  drop(): void {
    const dropped = this.#pieces;
    this.#pieces = [];
    for (const { done } of dropped) done();
  }

  readonly #pump = (): void => {
    const { outgoing, _client: { _sock } } = this.#inside;
    for (let piece = this.#pieces[0]; piece; piece = this.#pieces[0]) {
      if (outgoing.state !== "open" || !_sock.writable) return this.drop();
      if (_sock.writableNeedDrain) return this.#waitForRoom();
      const left = piece.data.byteLength - this.#sent;
      if (left > 0 && outgoing.window <= 0) {
        this.#inside._chunkcb = this.#pump;
        this.#inside._waitWindow = true;
        return;
      }
      const size = Math.min(left, outgoing.window, Math.max(LEAST, Math.min(outgoing.packetSize, MOST)));
      this.#send(piece, size);
      if (size < left) continue;
      this.#sent = 0;
      this.#pieces.shift();
      piece.done();
    }
  };

  #send({ data, isError }: Piece, size: number): void {
    const { outgoing, _client: { _protocol } } = this.#inside;
    const part = data.subarray(this.#sent, this.#sent + size);
    this.#sent += size;
    if (size === 0) return;
    outgoing.window -= size;
    if (isError) _protocol.channelExtData(outgoing.id, part, STDERR);
    else _protocol.channelData(outgoing.id, part);
  }

  #waitForRoom(): void {
    if (this.#waitsForRoom) return;
    this.#waitsForRoom = true;
    this.#inside._client._sock.whenRoom(() => {
      this.#waitsForRoom = false;
      this.#pump();
    });
  }
}

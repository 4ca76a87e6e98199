/**
 * A stream as a lane: frames in, frames out.
 *
 * @module
 */
import { AlknetError, type BidiStream, type CloseInfo, ConnectionClosedError, type Logger } from "@alknet/core/handler";
import type { Clock } from "@alknet/core/operations";
import { CallCode } from "../codes.ts";
import { FrameWriter, type Held } from "../frames/frame_writer.ts";
import { type BodyLimits, FrameDecoder } from "../frames/frames.ts";
import type { Lane, LaneEnd, LaneReceiver } from "./lane.ts";
import { FRAME_TIMEOUT, MAX_PARTIAL } from "../limits.ts";

/** Options of {@linkcode StreamLane}. */
export interface StreamLaneOptions {
  /** What a body may be, as things stand. */
  readonly limits: () => BodyLimits;
  /** The clock of the limit within a frame. */
  readonly clock: Clock;
  /** Where to log. */
  readonly log: Logger;
  /** What the lanes of the connection hold. */
  readonly held: Held;
  /** Told when the lane takes nothing more. */
  readonly closed: (lane: StreamLane) => void;
  /** Settles once it is known whether there are other lanes: whoever hears of an end has to know. */
  readonly plural: (lane: StreamLane) => Promise<void> | undefined;
}

/** A stream that carries frames. */
export class StreamLane implements Lane {
  readonly #stream: BidiStream;
  readonly #writer: FrameWriter;
  readonly #receiver: LaneReceiver;
  readonly #options: StreamLaneOptions;
  #end: LaneEnd | undefined;

  /**
   * @param stream Nobody else may read it or write to it.
   * @param receiver Told what comes, once {@linkcode read} was called.
   */
  constructor(stream: BidiStream, receiver: LaneReceiver, options: StreamLaneOptions) {
    this.#stream = stream;
    this.#receiver = receiver;
    this.#options = options;
    // A peer that refuses our answers has cut the lane, whatever it still sends.
    this.#writer = new FrameWriter(stream.writable, options.held, (error) => this.#failed(error));
    this.#writer.closed.then(() => options.closed(this));
  }

  /** Whether nothing more comes on it. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Resolves when everything sent was taken by the transport. */
  flushed(): Promise<void> | undefined {
    return this.#writer.flushed();
  }

  send(json: string, isAnswer?: boolean): void | Promise<void> {
    return this.#writer.send(json, isAnswer);
  }

  finish(): void {
    this.#writer.finish();
  }

  cut(code: number): void {
    this.#stream.reset(code);
    this.#stream.stop(code);
  }

  /** Reads until the end and tells the receiver. Never rejects. */
  async read(): Promise<void> {
    try {
      await this.#readFrames();
      await this.#options.plural(this);
      this.#ended("finished");
    } catch (error) {
      const code = error instanceof AlknetError ? error.code : "";
      if (code === "INVALID_FRAME" || code === "NOT_AN_ENVELOPE" || code === "TOO_MUCH") {
        this.#options.log.info("stream {stream} closed: {reason}", {
          stream: this.#stream.id,
          reason: (error as AlknetError).message,
        });
        this.cut(CallCode[code]);
      }
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (error instanceof ConnectionClosedError) this.#ended("lost", error.info);
    else this.#ended("cut");
  }

  #ended(how: LaneEnd, info?: CloseInfo): void {
    if (this.#end === how || this.#end === "cut" || this.#end === "lost") return;
    this.#end = how;
    if (how === "cut") this.cut(CallCode.NORMAL);
    this.#receiver.ended(this, how, info);
  }

  async #readFrames(): Promise<void> {
    const { limits, held } = this.#options;
    const decoder = new FrameDecoder(limits);
    const reader = this.#stream.readable.getReader();
    let partial = 0;
    try {
      while (true) {
        const { done, value } = decoder.partial ? await this.#readWithin(reader) : await reader.read();
        if (done) return;
        decoder.push(value);
        for (let frame = decoder.next(); frame; frame = decoder.next()) {
          const taken = this.#receiver.received(this, frame.envelope, frame.bytes);
          if (!taken) continue;
          await taken;
          // Cut meanwhile: what was asked before has nobody to answer.
          if (this.#end) return;
        }
        if (decoder.held === partial) continue;
        held.partial += decoder.held - partial;
        partial = decoder.held;
        if (held.partial > MAX_PARTIAL) throw new AlknetError("TOO_MUCH", `more than ${MAX_PARTIAL} bytes of frames`);
      }
    } finally {
      held.partial -= partial;
    }
  }

  /** Reads within a frame: a peer that stops there holds memory for nothing. */
  async #readWithin(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<ReadableStreamReadResult<Uint8Array>> {
    let tooLate: AlknetError | undefined;
    const stop = this.#options.clock.after(FRAME_TIMEOUT, () => {
      tooLate = new AlknetError("INVALID_FRAME", `no byte for ${FRAME_TIMEOUT} ms within a frame`);
      this.#stream.stop(CallCode.INVALID_FRAME);
    });
    try {
      return await reader.read();
    } catch (error) {
      throw tooLate ?? error;
    } finally {
      stop();
    }
  }
}

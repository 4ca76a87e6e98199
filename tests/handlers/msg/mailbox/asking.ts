/**
 * Frames by hand: a stream to a mailbox.
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import { formatRequest, type Frame, framesOf, type Request } from "../../../../handlers/msg/mailbox/frames.ts";

/** A stream to a mailbox. */
export interface Asking {
  /** Asks. */
  ask(request: Request, id: number): void;
  /** The next frame; nothing when the stream is over. */
  next(): Promise<Frame | undefined>;
  /** So many frames, each as `80 1`; of items the first byte behind it. */
  said(count: number): Promise<string[]>;
}

/** Opens one. */
export async function asking(connection: Connection): Promise<Asking> {
  const { readable, writable } = await connection.open();
  const writer = writable.getWriter();
  const frames = framesOf(readable);
  const next = async (): Promise<Frame | undefined> => {
    const { value, done } = await frames.next();
    return done ? undefined : value;
  };
  return {
    ask: (request, id) => void writer.write(formatRequest(request, id)).catch(() => {}),
    next,
    async said(count) {
      const seen: string[] = [];
      while (seen.length < count) {
        const frame = await next();
        if (!frame) break;
        const { type, id, body } = frame;
        seen.push(`${type.toString(16)} ${id}${type === 0x81 ? ` ${body[35]}` : ""}`);
      }
      return seen;
    },
  };
}

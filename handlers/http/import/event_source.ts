/**
 * Server-sent events as they arrive (HTML, Server-sent events, 9.2.5): bytes in, data out.
 *
 * ```text
 * [BOM] (":" comment | field [":" [" "] value]) (CR | LF | CRLF) ...   an empty line ends an event
 * ```
 *
 * @module
 */

/** An event is no longer, in characters: what a service sends without end is not kept without end. */
const MAX_EVENT = 64 * 1024 * 1024;

/**
 * The data of each event, as soon as it is complete: its `data` lines joined by line feeds. Events without data are none.
 *
 * @throws {RangeError} An event is longer than 64 MiB of text.
 */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  let data: string[] = [];
  let size = 0;
  for await (const lines of linesOf(body, () => MAX_EVENT - size)) {
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield data.join("\n");
        data = [];
        size = 0;
      } else if (line === "data") data.push("");
      else if (line.startsWith("data:")) {
        data.push(line.slice(line[5] === " " ? 6 : 5));
        size += line.length;
      }
    }
  }
  // What is left is an event that was cut off.
}

/** The lines of each chunk that are complete with it. Each character is looked at once, however the bytes come. */
async function* linesOf(body: AsyncIterable<Uint8Array>, room: () => number): AsyncGenerator<string[], void, void> {
  // Strips a byte order mark, and joins characters that two chunks share.
  const decoder = new TextDecoder();
  /** The line that has not ended, in the pieces in which it came. */
  let open: string[] = [];
  let length = 0;
  /** Whether a carriage return came last: it ended its line, and a line feed that follows ends no other. */
  let returned = false;
  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true });
    if (text === "") continue;
    if (returned && text.startsWith("\n")) text = text.slice(1);
    returned = text.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    const rest = lines.pop()!;
    if (lines.length > 0) {
      lines[0] = open.join("") + lines[0];
      open = [];
      length = 0;
    }
    if (rest !== "") open.push(rest);
    length += rest.length;
    if (length > room()) throw new RangeError(`an event of the service is longer than ${MAX_EVENT} characters`);
    if (lines.length > 0) yield lines;
  }
}

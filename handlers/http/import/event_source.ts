/**
 * Server-sent events as they arrive (HTML, Server-sent events, 9.2.5): bytes in, data out.
 *
 * ```text
 * [BOM] (":" comment | field [":" [" "] value]) (CR | LF | CRLF) ...   an empty line ends an event
 * ```
 *
 * @module
 */

/** The data of each event: its `data` lines joined by line feeds. Events without data are none. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  // Strips a byte order mark, and joins characters that two chunks share.
  const decoder = new TextDecoder();
  let text = "";
  let data: string[] = [];
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be half a line break.
    const complete = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, complete).split(/\r\n|\r|\n/);
    text = lines.pop()! + text.slice(complete);
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield data.join("\n");
        data = [];
      } else if (line === "data") data.push("");
      else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    }
  }
  // What is left is an event that was cut off, unless a lone carriage return ended it.
  if (text === "\r" && data.length > 0) yield data.join("\n");
}

/**
 * Text to bytes and back for a guest: the engine has neither, and in the guest a loop over a large text would use up its
 * time.
 *
 * @module
 */
import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten-core";
import { MOST_CROSSING } from "../limits.ts";

/** Two functions for the prelude: the text of bytes (nothing where they are no UTF-8 and should be), the bytes of a text. */
export function textDoors(context: QuickJSContext): [text: QuickJSHandle, bytes: QuickJSHandle] {
  const text = context.newFunction("text", (buffer, fatal) => {
    using view = context.getArrayBuffer(buffer);
    if (view.value.length > MOST_CROSSING) return context.undefined;
    const decoder = new TextDecoder("utf-8", { fatal: context.dump(fatal) === true });
    try {
      return context.newString(decoder.decode(view.value));
    } catch {
      return context.undefined;
    }
  });
  const bytes = context.newFunction("bytes", (text) => {
    const encoded = new TextEncoder().encode(context.getString(text));
    return encoded.length > MOST_CROSSING ? context.undefined : context.newArrayBuffer(encoded.buffer);
  });
  return [text, bytes];
}

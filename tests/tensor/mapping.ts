/**
 * Loads the system's library that maps files before a test does: it stays loaded, which the leak check of a test would take
 * for its own.
 *
 * @module
 */
import { encode, openSync } from "@alknet/tensor";

const path = Deno.makeTempFileSync();
Deno.writeFileSync(path, encode({ x: { dtype: "U8", shape: [1], data: new Uint8Array(1) } }));
openSync(path)[Symbol.dispose]();
{
  using file = openSync(path);
  file.bytes("x");
}
Deno.removeSync(path);

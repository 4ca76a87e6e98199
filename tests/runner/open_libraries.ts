/**
 * Opens the libraries of the system that modules keep open for as long as the process lives. An example in the documentation
 * loads its modules within its test, where such a library would count as the example's leak; this is loaded before.
 *
 * @module
 */
import { hasLibc } from "../../core/transports/quic/linux/call_table.ts";
import { open, write } from "../../tensor/mod.ts";

hasLibc();
const path = await Deno.makeTempFile({ suffix: ".safetensors" });
await write(path, { x: { dtype: "F32", shape: [1], data: new Float32Array(1) } });
using file = await open(path);
file.array("x");
await Deno.remove(path);

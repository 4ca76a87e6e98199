/**
 * The engine with a trapdoor, for tests of what watches it: a datagram of `break it: ` and a word does what the word says,
 * as a fault of quiche would.
 *
 * @module
 */
import { main } from "../../../../core/transports/quic/engine/main.ts";

/** What the trapdoor answers to. */
export const MAGIC = "break it: ";

if (import.meta.main) {
  await main(Deno.args, {
    tap(datagram) {
      const text = new TextDecoder("latin1").decode(datagram.subarray(0, 64));
      if (!text.startsWith(MAGIC)) return;
      const how = text.slice(MAGIC.length);
      if (how === "throw") throw new Error("broken on purpose");
      if (how === "exit") Deno.exit(3);
      if (how === "loop") { while (true); }
    },
  });
}

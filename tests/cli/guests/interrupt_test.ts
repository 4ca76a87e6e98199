/**
 * Ctrl-C at `alknet run`.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { startPeer } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;

for (const [what, then] of [["waits", "await new Promise(() => {})"], ["computes", "for (;;);"]]) {
  Deno.test({
    name: `alknet run: ctrl-C ends a guest that ${what}, without a word`,
    ...needs("python"),
    async fn() {
      await using folder = await temporaryFolder();
      const file = await folder.write(
        "main.js",
        `export default async () => { console.log("begun"); await new Promise((done) => setTimeout(done, 20)); ${then} };\n`,
      );
      const run = [Deno.execPath(), "run", "-A", MAIN, "run", file, "--timeout", "600"];
      await using peer = startPeer("terminal.py", run, { env: { NO_COLOR: "1" } });
      const begun = await peer.ask<{ error?: string; shown: string }>({ until: "begun\r\n" });
      equal(begun.error, undefined, begun.shown);
      await peer.ask({ type: "\x03" });
      const { code, shown } = await peer.ask<{ code: number; shown: string }>({ end: true });
      // What stands before it is of the program that runs ours.
      deepEqual([code, shown.slice(shown.indexOf("begun")).replace("^C", "")], [130, "begun\r\n"]);
    },
  });
}

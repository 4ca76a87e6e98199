import assert from "node:assert/strict";
import { connect } from "node:tls";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const LIMIT = 120;

Deno.test({
  name: "a listener that ran out of descriptors serves again once they are free, and says so once",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const program = new URL("./deaf_program.ts", import.meta.url).pathname;
    const args = [`--nofile=${LIMIT}:${LIMIT}`, Deno.execPath(), "run", "-A", "--cached-only", "--no-check", program];
    await using child = new Deno.Command("prlimit", { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
      .spawn();
    const lines = createInterface(Readable.fromWeb(child.stdout as never))[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    // More than there is room for: those that are not taken wait in the system's queue.
    const held = await Promise.all(Array.from({ length: LIMIT }, () => Deno.connect({ port })));
    for (const socket of held) socket.close();
    assert.equal((await lines.next()).value, "opened again");
    await handshake(port);
    await child.stdin.close();
    assert.equal((await child.status).code, 0);
  },
});

/** A handshake that is served, sooner or later: until the listener is opened again nobody is. */
async function handshake(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const served = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", ALPNProtocols: ["test/suite"], rejectUnauthorized: false });
      const done = (served: boolean) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(served);
      };
      const timer = setTimeout(() => done(false), 1000);
      socket.once("secureConnect", () => done(true));
      socket.once("error", () => done(false));
    });
    if (served) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("nobody is served any more");
}

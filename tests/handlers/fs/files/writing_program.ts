/**
 * Writes to a branch and never closes what it writes; says when so many bytes are there. The test kills it.
 * `writing_program.ts FOLDER`
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";

const local = { id: "local", scopes: ["admin"], resources: {} };

if (import.meta.main) {
  await using fs = await openFs({ folder: Deno.args[0] });
  const files = fs.files("main", local);
  {
    await using kept = await files.open("/kept", { write: true, create: true });
    await kept.write(0, new TextEncoder().encode("first"));
    await kept.commit();
    await kept.write(0, new TextEncoder().encode("other"));
    const large = await files.open("/large", { write: true, create: true });
    for (let at = 0; at < 4 << 20; at += 1 << 20) await large.write(at, new Uint8Array(1 << 20).fill(1));
    console.log("written");
    await new Promise(() => setInterval(() => {}, 1000));
  }
}

/**
 * The smallest programs stay small, and run.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runProgram } from "./support/process.ts";
import { ROOT } from "./support/python.ts";

/** A program that needs more lines than this says that the interface got worse. */
const MOST_LINES = 60;

const PROGRAMS: readonly { readonly file: string; readonly prints: readonly string[]; readonly most?: number }[] = [
  { file: "echo_with_router.ts", prints: ["hello over quic", "hello over tls"] },
  { file: "echo_without_router.ts", prints: ["hello in memory"] },
  { file: "train_two_moons.ts", prints: ["200 of 200 are right"], most: 30 },
];

for (const { file, prints, most = MOST_LINES } of PROGRAMS) {
  const path = `tests/examples/${file}`;

  Deno.test(`${path} prints ${prints.join(", ")}`, async () => {
    const { code, stdout, stderr } = await runProgram(Deno.execPath(), ["run", "-A", path], { cwd: ROOT });
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trimEnd().split("\n"), prints);
  });

  Deno.test(`${path} is shorter than ${most} lines`, async () => {
    const lines = (await Deno.readTextFile(ROOT + path)).trimEnd().split("\n").length;
    assert.ok(lines < most, `${lines} lines`);
  });
}

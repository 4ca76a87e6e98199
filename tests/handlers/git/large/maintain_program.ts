/**
 * Maintenance as a program that ends itself at a step: `maintain_program.ts STEP NTH FOLDER`.
 *
 * @module
 */
import { maintained } from "./maintained.ts";

const [step, nth, folder] = Deno.args;
let left = Number(nth);
await maintained(folder, {
  full: true,
  onStep: (at) => {
    if (at === step && --left === 0) Deno.kill(Deno.pid, "SIGKILL");
  },
});

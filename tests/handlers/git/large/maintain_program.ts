/**
 * Maintenance as a program that ends itself at a step: `maintain_program.ts STEP NTH FOLDER [due]`. All is packed anew, or
 * what is due is done.
 *
 * @module
 */
import { maintained } from "./maintained.ts";

const [step, nth, folder, due] = Deno.args;
let left = Number(nth);
await maintained(folder, {
  full: due === undefined ? true : undefined,
  onStep: (at) => {
    if (at === step && --left === 0) Deno.kill(Deno.pid, "SIGKILL");
  },
});

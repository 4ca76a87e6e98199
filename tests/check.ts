/**
 * `deno task check`: everything that can be said about the code without running it, and the rules that hold its shape.
 *
 * @module
 */
import { ROOT } from "./support/python.ts";
import { members, publicEntries } from "./support/workspace.ts";

/** One thing to check. */
interface Step {
  readonly name: string;
  readonly args: readonly string[];
  /** Folder to run in, relative to the root. */
  readonly folder?: string;
  /** What of a failing step's output counts; none of it, and the step has passed. */
  readonly counts?: (output: string) => string;
}

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const started = performance.now();
  let failed = 0;
  for (const step of steps()) {
    const begun = performance.now();
    const output = await runStep(step);
    const time = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
    if (output !== undefined) {
      console.log(
        `FAILED  ${step.name}  (${time}): deno ${step.args.join(" ")}${step.folder ? ` in ${step.folder}` : ""}`,
      );
      console.log(output);
      failed++;
    } else console.log(`ok      ${step.name}  (${time})`);
  }
  const time = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  console.log(failed === 0 ? `all checks passed (${time})` : `${failed} checks failed (${time})`);
  return failed === 0 ? 0 : 1;
}

function steps(): Step[] {
  return [
    { name: "format", args: ["fmt", "--check"] },
    { name: "lint", args: ["lint"] },
    { name: "types", args: ["check", "--quiet", "--cached-only"] },
    { name: "documentation", args: ["doc", "--lint", ...publicEntries()], counts: complaintsOfDoc },
    {
      name: "imports and house rules",
      args: ["test", "-A", "--cached-only", "tests/arrows_test.ts", "tests/house_test.ts"],
    },
    ...[".", ...members()].map((folder) => ({
      name: `publish ${folder === "." ? "the root" : folder}`,
      // Without its git check, for the check is also run before a commit.
      args: ["publish", "--dry-run", "--allow-dirty"],
      folder,
    })),
  ];
}

/** Runs one step; gives its output if it failed. */
async function runStep({ args, folder = ".", counts = (output) => output }: Step): Promise<string | undefined> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT + folder,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  return success ? undefined : counts(output) || undefined;
}

/**
 * The complaints of `deno doc --lint` about files of this project; those about the types of a dependency are not ours to
 * mend. What else it prints, of packages that it looks up, is no complaint; only where it fails without one, all counts.
 */
export function complaintsOfDoc(output: string): string {
  const complaints = output.split(/^(?=error(?:\[[\w-]+\])?: )/m).filter((part) => part.startsWith("error"));
  const ours = complaints.filter((part) => !part.startsWith("error: Found ") && !/^ *--> .*\/npm\//m.test(part));
  return complaints.length === 0 ? output : ours.join("");
}

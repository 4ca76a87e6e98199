/**
 * `deno task test`: sets up what the tests need, runs all of them, and ends with `N passed, N failed, N skipped`.
 *
 * With arguments, `deno task test tests/core --filter echo`, it runs only what they name.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { findProgram } from "./support/programs.ts";
import { PYTHON, PYTHON_PACKAGES, ROOT, VENV } from "./support/python.ts";
import { publicEntries } from "./support/workspace.ts";

/** Programs that tests run, and the Debian packages that hold them. */
const PACKAGES: Readonly<Record<string, string>> = {
  curl: "curl",
  openssl: "openssl",
  "ssh-keygen": "openssh-client",
  sshd: "openssh-server",
  rsync: "rsync",
  git: "git",
  ip: "iproute2",
  chromium: "chromium",
  h2load: "nghttp2-client",
};

/** Folders and files whose tests load the machine so much that another one beside them would fail for want of time. */
const ALONE: readonly string[] = [
  "tests/core/transports",
  "tests/core/endpoint",
  "tests/interop",
  "tests/faults",
  "tests/cli",
  // They look at what the whole machine listens on.
  "tests/handlers/http",
  "tests/bench_smoke_test.ts",
];

/** A run that takes longer than this hangs: it is ended and has failed, in milliseconds. */
const RUN_DEADLINE = 40 * 60_000;

/** What a run of the test runner came to. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  await installPrograms();
  await makePythonEnvironment();
  const runs = args.length > 0 ? [[...args]] : everything();
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const run of runs) {
    const counts = await runTests(run);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed > 0 ? 1 : 0;
}

/** The arguments of each run of the test runner. */
function everything(): string[][] {
  const alone = ALONE.filter((path) => existsSync(ROOT + path));
  const runs = [["--parallel", "tests/", `--ignore=${["tests/bench", ...alone].join()}`]];
  if (alone.length > 0) runs.push(alone);
  // An example loads its modules within its test, where a library that is opened once and for all would count as a leak.
  runs.push(["--doc", "--preload", "core/transports/quic/engine/libc.ts", ...publicEntries(), "README.md"]);
  return runs;
}

async function runTests(args: string[]): Promise<Counts> {
  console.log(`\n# deno test ${args.join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    signal: AbortSignal.timeout(RUN_DEADLINE),
  }).spawn();
  const summary = await passOn(child.stdout);
  const { success } = await child.status;
  const [passed, failed, skipped] = summary ? summary.slice(1).map((count) => Number(count ?? 0)) : [0, 0, 0];
  // A runner that fails without a failed test did not get as far as its tests.
  return { passed, failed: success ? failed : Math.max(failed, 1), skipped };
}

/** Shows the runner's output as it comes and finds the summary in it. */
async function passOn(output: ReadableStream<Uint8Array>): Promise<RegExpExecArray | null> {
  let summary: RegExpExecArray | null = null;
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of output) {
    await Deno.stdout.write(bytes);
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) summary = SUMMARY.exec(stripVTControlCharacters(line)) ?? summary;
  }
  return summary;
}

/** Installs missing programs where it may (as root, with apt-get), else says what to install. */
async function installPrograms(): Promise<void> {
  const missing = new Set<string>();
  for (const [program, name] of Object.entries(PACKAGES)) if (!findProgram(program)) missing.add(name);
  if (!existsSync(PYTHON) && !await pythonCanMakeEnvironments()) missing.add("python3-venv");
  if (missing.size === 0) return;
  const names = [...missing].sort();
  if (!findProgram("apt-get") || Deno.uid() !== 0) {
    console.error(`Tests that need these will be skipped; install them to run all: ${names.join(" ")}`);
    return;
  }
  console.error(`Installing ${names.join(" ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "-q", "--no-install-recommends", ...names];
  if (await run("apt-get", install, env)) return;
  // The lists of packages may be missing or old.
  if (await run("apt-get", ["update", "-q"], env) && await run("apt-get", install, env)) return;
  console.error(`apt-get failed; tests that need ${names.join(" ")} will be skipped`);
}

/** Makes the virtual environment of the Python peers where there is none, or one that lacks a package. */
async function makePythonEnvironment(): Promise<void> {
  const stamp = `${VENV}/packages.txt`;
  const wanted = PYTHON_PACKAGES.join("\n");
  if (existsSync(PYTHON) && existsSync(stamp) && Deno.readTextFileSync(stamp) === wanted) return;
  const python = findProgram("python3");
  if (!python || !await pythonCanMakeEnvironments()) {
    console.error("No virtual environment for the Python peers: tests that need one will be skipped");
    return;
  }
  console.error(`Making .cache/venv with ${PYTHON_PACKAGES.join(" ")}`);
  const made = await run(python, ["-m", "venv", VENV]) &&
    await run(PYTHON, ["-m", "pip", "install", "-q", "--disable-pip-version-check", ...PYTHON_PACKAGES]);
  if (made) await Deno.writeTextFile(stamp, wanted);
  else {
    console.error("The Python peers could not be installed: tests that need them will be skipped");
    // Half an environment would make those tests fail instead.
    if (existsSync(VENV)) await Deno.remove(VENV, { recursive: true });
  }
}

function pythonCanMakeEnvironments(): Promise<boolean> {
  return run("python3", ["-c", "import ensurepip, venv"], {}, "null");
}

async function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
  output: "inherit" | "null" = "inherit",
): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args, env, stdin: "null", stdout: "null", stderr: output });
    return (await command.spawn().status).success;
  } catch {
    return false;
  }
}

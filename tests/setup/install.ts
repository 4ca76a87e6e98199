/**
 * The one step that fetches: Debian's packages, Deno's, those of the Python peers, of the peers on Node, and of those in Go
 * and Rust where these are. After it, checks and tests load nothing from elsewhere. What is there already is not fetched again.
 *
 * Run as a program it fails where something could not be had; `deno task test` goes on without, and skips what needs it.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { findProgram } from "../support/programs.ts";
import {
  GO_GIT_CLIENT,
  GO_PEERS,
  GO_S3,
  GO_SPHINX,
  GO_SPHINX_PEER,
  NODE_PEERS,
  PYTHON,
  ROOT,
  VENV,
} from "../support/python.ts";
import { IROH_PEER, PKARR_PEER, RUST_PEERS, RUST_PKARR, RUST_SPHINX, SPHINX_PEER } from "../support/rust.ts";
import {
  AEZ,
  DEBIAN_PACKAGES,
  GO_GIT,
  INSPECTOR,
  INSPECTOR_LOCK,
  IROH_BLOBS,
  NODE_PACKAGES,
  PKARR,
  PYTHON_PACKAGES,
  RUST_VERSION,
  SPHINX_PACKET,
  VERSITYGW_MODULE,
  VULKAN,
} from "./packages.ts";

/** How often a fetch is tried: the way to a registry fails now and then. */
const TRIES = 3;
/** Folders whose modules are not part of the program. */
const NOT_SOURCES = new Set([".cache", ".git", "node_modules", "docs", "vectors"]);

if (import.meta.main) {
  const missing = await install();
  Deno.exit(missing.length > 0 ? 1 : 0);
}

/**
 * Fetches everything.
 *
 * @returns What could not be had, each with how to get it; printed as well.
 */
export async function install(): Promise<string[]> {
  const missing: string[] = [];
  for (const step of [debian, denoModules, python, node, go, goSphinx, goS3, rust]) {
    const failure = await step();
    if (failure === undefined) continue;
    console.error(failure);
    missing.push(failure);
  }
  return missing;
}

async function debian(): Promise<string | undefined> {
  const absent = new Set<string>();
  for (const [program, name] of Object.entries(DEBIAN_PACKAGES)) if (!findProgram(program)) absent.add(name);
  if (!existsSync(VULKAN.folder)) absent.add(VULKAN.package);
  if (!existsSync(PYTHON) && !await pythonCanMakeEnvironments()) absent.add("python3-venv");
  if (absent.size === 0) return undefined;
  const names = [...absent].sort();
  const failure = `Programs that tests need are missing; install the Debian packages ${names.join(" ")}`;
  if (!findProgram("apt-get") || Deno.uid() !== 0) return failure;
  console.error(`Installing ${names.join(" ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const done = await tries(async () => {
    // The lists of packages may be missing or old.
    return await run("apt-get", ["update", "-q"], env) &&
      await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...names], env);
  });
  return done ? undefined : failure;
}

async function denoModules(): Promise<string | undefined> {
  const modules = [...sources(".")];
  const done = await tries(() => run(Deno.execPath(), ["cache", "--quiet", ...modules])) &&
    // Under the project's lock file a peer would become a dependency of it; without one, whatever it depends on may change or go.
    await tries(() => run(Deno.execPath(), ["cache", "--quiet", "--no-config", ...INSPECTOR_LOCK, INSPECTOR]));
  return done ? undefined : "Packages of deno.json, or the peer " + INSPECTOR + ", could not be fetched from npm";
}

/** Makes the virtual environment of the Python peers where there is none, or one that lacks a package. */
function python(): Promise<string | undefined> {
  return stamped(VENV, PYTHON_PACKAGES, "from PyPI; tests that need the Python peers cannot run", async () => {
    const python = findProgram("python3");
    const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", ...PYTHON_PACKAGES];
    return python !== undefined && await run(python, ["-m", "venv", VENV]) && await run(PYTHON, pip);
  });
}

/** Installs the peers that run on Node into a folder of theirs. */
function node(): Promise<string | undefined> {
  return stamped(NODE_PEERS, NODE_PACKAGES, "from npm; benchmarks cannot run beside their peers", async () => {
    await Deno.mkdir(NODE_PEERS, { recursive: true });
    return await run("npm", ["install", "--silent", "--no-audit", "--prefix", NODE_PEERS, ...NODE_PACKAGES]);
  });
}

/** Builds the peer in Go; where there is no Go, the tests go without. */
async function go(): Promise<string | undefined> {
  const go = findProgram("go");
  if (go === undefined) return undefined;
  const source = `${ROOT}tests/peers/go_git/main.go`;
  const wanted = [GO_GIT, await digestOf(source)];
  return await stamped(GO_PEERS, wanted, "from Go's module proxy; the tests with go-git cannot run", async () => {
    await Deno.mkdir(GO_PEERS, { recursive: true });
    await Deno.copyFile(source, `${GO_PEERS}/main.go`);
    await Deno.writeTextFile(`${GO_PEERS}/go.mod`, "module peers\n");
    return await run(go, ["-C", GO_PEERS, "get", GO_GIT], {}, "null") &&
      await run(go, ["-C", GO_PEERS, "build", "-mod=mod", "-o", GO_GIT_CLIENT, "."]);
  });
}

/** Builds the peer of packets in Go; likewise. */
async function goSphinx(): Promise<string | undefined> {
  const go = findProgram("go");
  if (go === undefined) return undefined;
  const source = `${ROOT}tests/peers/go_sphinx`;
  const wanted = [AEZ, await digestOf(`${source}/main.go`), await digestOf(`${source}/go.sum`)];
  return await stamped(GO_SPHINX, wanted, "from Go's module proxy; the tests with its packets cannot run", async () => {
    await Deno.mkdir(GO_SPHINX, { recursive: true });
    return await run(go, ["-C", source, "build", "-o", GO_SPHINX_PEER, "."]);
  });
}

/** Builds the server of S3 in Go, some minutes the first time; likewise. */
async function goS3(): Promise<string | undefined> {
  const go = findProgram("go");
  if (go === undefined) return undefined;
  return await stamped(
    GO_S3,
    [VERSITYGW_MODULE],
    "from Go's module proxy; tests with a bucket cannot run",
    async () => {
      await Deno.mkdir(GO_S3, { recursive: true });
      return await run(go, ["install", VERSITYGW_MODULE], { GOBIN: GO_S3 }, "null");
    },
  );
}

/** Builds the peers in Rust, some minutes the first time; where there is no Rust, or one cannot be built, the tests go without. */
async function rust(): Promise<string | undefined> {
  const cargo = findProgram("cargo");
  if (cargo === undefined || !await isRecent(cargo)) return undefined;
  const peers: readonly RustPeer[] = [
    { source: "iroh", crate: IROH_BLOBS, folder: RUST_PEERS, program: IROH_PEER },
    { source: "pkarr", crate: PKARR, folder: RUST_PKARR, program: PKARR_PEER },
    { source: "sphinx", crate: SPHINX_PACKET, folder: RUST_SPHINX, program: SPHINX_PEER },
  ];
  for (const peer of peers) {
    const failure = await rustPeer(cargo, peer);
    if (failure !== undefined) console.error(failure);
  }
  return undefined;
}

interface RustPeer {
  /** Its folder in `tests/peers/`. */
  readonly source: string;
  readonly crate: string;
  /** Where it is built, and the program. */
  readonly folder: string;
  readonly program: string;
}

async function rustPeer(
  cargo: string,
  { source: name, crate, folder, program }: RustPeer,
): Promise<string | undefined> {
  const source = `${ROOT}tests/peers/${name}`;
  const wanted = [crate];
  for (const file of ["Cargo.lock", "src/main.rs"]) {
    wanted.push(await digestOf(`${source}/${file}`));
  }
  return await stamped(folder, wanted, `from crates.io; the tests with ${crate} cannot run`, async () => {
    const target = `${folder}/target`;
    const manifest = ["--manifest-path", `${source}/Cargo.toml`, "--target-dir", target];
    if (!await run(cargo, ["build", "--quiet", "--locked", ...manifest])) return false;
    await Deno.copyFile(`${target}/debug/${program.slice(folder.length + 1)}`, program);
    // Hundreds of files that nobody needs any more.
    await Deno.remove(target, { recursive: true });
    return true;
  });
}

async function isRecent(cargo: string): Promise<boolean> {
  const { stdout } = await new Deno.Command(cargo, { args: ["--version"], stderr: "null" }).output();
  const [, major, minor] = /^cargo (\d+)\.(\d+)/.exec(new TextDecoder().decode(stdout)) ?? [];
  return Number(major) > RUST_VERSION[0] || Number(major) === RUST_VERSION[0] && Number(minor) >= RUST_VERSION[1];
}

async function digestOf(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

/** Fills a folder, unless its stamp says that it holds just what is wanted. Half a folder is removed. */
async function stamped(
  folder: string,
  packages: readonly string[],
  otherwise: string,
  fill: () => Promise<boolean>,
): Promise<string | undefined> {
  const stamp = `${folder}/packages.txt`;
  const wanted = packages.join("\n");
  if (existsSync(stamp) && Deno.readTextFileSync(stamp) === wanted) return undefined;
  console.error(`Installing ${packages.join(" ")}`);
  if (await tries(fill)) {
    await Deno.writeTextFile(stamp, wanted);
    return undefined;
  }
  if (existsSync(folder)) await Deno.remove(folder, { recursive: true });
  return `Could not be had: ${packages.join(" ")}, ${otherwise}`;
}

/** The modules of the project, whose imports are all that it loads. */
function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(ROOT + folder)) {
    const path = folder === "." ? name : `${folder}/${name}`;
    if (isDirectory && !NOT_SOURCES.has(name)) yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

async function tries(attempt: () => Promise<boolean>): Promise<boolean> {
  for (let tried = 1; tried <= TRIES; tried++) {
    if (await attempt()) return true;
    console.error(`That was try ${tried} of ${TRIES}`);
  }
  return false;
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
    const command = new Deno.Command(program, { args, cwd: ROOT, env, stdin: "null", stdout: "null", stderr: output });
    return (await command.spawn().status).success;
  } catch {
    return false;
  }
}

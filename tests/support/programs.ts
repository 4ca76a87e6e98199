/**
 * What a test needs of the machine. A test whose program is missing is ignored and the reason printed; with `CI=true` it
 * fails instead, so that a continuous build cannot lose a test silently.
 *
 * @example
 * ```ts
 * Deno.test({
 *   name: "h2: curl gets /healthz",
 *   ...needs("curl"),
 *   async fn() {},
 * });
 * ```
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { VULKAN } from "../setup/packages.ts";
import { GO_GIT_CLIENT, GO_SPHINX_PEER, NODE_PEERS, PYTHON, VERSITYGW, WEED } from "./python.ts";
import { IROH_PEER, PKARR_PEER, SPHINX_PEER } from "./rust.ts";

/** Something a test needs: how to find it, and how to get it. */
interface Requirement {
  /** Whether this machine has it. */
  readonly present: () => boolean;
  /** What to do where it is missing. */
  readonly remedy: string;
}

/** The requirements that tests may name, and the Debian package of each program. */
const REQUIREMENTS = {
  b3sum: debian("b3sum", "b3sum"),
  curl: debian("curl", "curl"),
  dig: debian("dig", "bind9-dnsutils"),
  dnsperf: debian("dnsperf", "dnsperf"),
  drill: debian("drill", "ldnsutils"),
  kdig: debian("kdig", "knot-dnsutils"),
  "named-compilezone": debian("named-compilezone", "bind9-utils"),
  nsd: debian("nsd", "nsd"),
  openssl: debian("openssl", "openssl"),
  unbound: debian("unbound", "unbound"),
  h2load: debian("h2load", "nghttp2-client"),
  "ssh-keygen": debian("ssh-keygen", "openssh-client"),
  ssh: debian("ssh", "openssh-client"),
  sshd: debian("sshd", "openssh-server"),
  scp: debian("scp", "openssh-client"),
  rsync: debian("rsync", "rsync"),
  sshfs: debian("sshfs", "sshfs"),
  /** Lets programs be file systems. */
  fuse: {
    present: () => existsSync("/dev/fuse"),
    remedy: "load the kernel's module fuse; a container needs the device /dev/fuse",
  },
  git: debian("git", "git"),
  chromium: debian("chromium", "chromium"),
  fish: debian("fish", "fish"),
  zsh: debian("zsh", "zsh"),
  /** A terminal whose screen can be read. */
  tmux: debian("tmux", "tmux"),
  bash: debian("bash", "bash"),
  /** A server of PostgreSQL, 15 or later. */
  postgresql: {
    present: () => postgresPrograms() !== undefined,
    remedy: "install the Debian package postgresql",
  },
  /** Gives a program a terminal. */
  script: debian("script", "bsdutils"),
  /** Starts a program with other limits. */
  prlimit: debian("prlimit", "util-linux"),
  /** Ties a process to its parent. */
  setpriv: debian("setpriv", "util-linux"),
  ip: debian("ip", "iproute2"),
  tc: debian("tc", "iproute2"),
  /** The virtual environment with the Python peers (aioquic and its like). */
  python: {
    present: () => existsSync(PYTHON),
    remedy: "run `deno task test` once: it makes .cache/venv (Debian package python3-venv)",
  },
  /** The peer in Go. */
  "go-git": { present: () => existsSync(GO_GIT_CLIENT), remedy: "install Go, then run `deno task test` once" },
  /** The peer of packets in Go. */
  "go-sphinx": { present: () => existsSync(GO_SPHINX_PEER), remedy: "install Go, then run `deno task test` once" },
  /** Servers of S3. */
  versitygw: { present: () => existsSync(VERSITYGW), remedy: "install Go, then run `deno task test` once" },
  /** See `versitygw`. */
  seaweedfs: { present: () => existsSync(WEED), remedy: "run `deno task test` once: it makes .cache/venv" },
  /** The npm package of that name, and what runs it. */
  pkarr: {
    present: () => existsSync(`${NODE_PEERS}/node_modules/pkarr`) && findProgram("node") !== undefined,
    remedy: "install Node (Debian package nodejs), then run `deno task test` once",
  },
  /** The peer in Rust. */
  "iroh-peer": { present: () => existsSync(IROH_PEER), remedy: "install Rust 1.91, then run `deno task test` once" },
  /** The other peer in Rust. */
  "pkarr-peer": { present: () => existsSync(PKARR_PEER), remedy: "install Rust 1.91, then run `deno task test` once" },
  /** Nym's packets. */
  "sphinx-peer": {
    present: () => existsSync(SPHINX_PEER),
    remedy: "install Rust 1.91, then run `deno task test` once",
  },
  /** A GPU, or software that stands in for one. */
  vulkan: {
    present: () => Deno.build.os !== "linux" || existsSync(VULKAN.folder),
    remedy: `install the Debian package ${VULKAN.package}`,
  },
  linux: { present: () => Deno.build.os === "linux", remedy: "run it on Linux" },
  root: { present: () => Deno.build.os !== "windows" && Deno.uid() === 0, remedy: "run it as root" },
  /** Network namespaces, which need root and a kernel that lets it. */
  netns: { present: canUnshareNetwork, remedy: "run it as root where network namespaces are allowed" },
  /** `tc netem`, which needs namespaces and the kernel's sch_netem. */
  netem: { present: canShapeTraffic, remedy: "run it as root with iproute2 and a kernel that has sch_netem" },
} satisfies Record<string, Requirement>;

/** A name that {@linkcode needs} understands. */
export type Need = keyof typeof REQUIREMENTS;

/** Requirements that depend on the machine, not on Debian's packages: missing, they are no failure in CI. */
const OF_THE_MACHINE: readonly Need[] = [
  "linux",
  "root",
  "netns",
  "netem",
  "go-git",
  "go-sphinx",
  "versitygw",
  "iroh-peer",
  "pkarr-peer",
  "sphinx-peer",
];

const known = new Map<Need, boolean>();
const reported = new Set<string>();

/** Whether the machine has something. */
export function has(need: Need): boolean {
  let present = known.get(need);
  if (present === undefined) known.set(need, present = REQUIREMENTS[need].present());
  return present;
}

/**
 * Options of `Deno.test` for a test that needs programs. With `CI=true`, a program that is missing registers a test that
 * fails with the remedy.
 */
export function needs(...wanted: Need[]): { ignore: boolean } {
  const missing = wanted.filter((need) => !has(need));
  for (const need of missing) {
    const reason = `${need} is missing: ${REQUIREMENTS[need].remedy}`;
    if (reported.has(need)) continue;
    reported.add(need);
    if (Deno.env.get("CI") === "true" && !OF_THE_MACHINE.includes(need)) {
      Deno.test(`needs ${need}`, () => {
        throw new Error(reason);
      });
    } else console.error(`ignored where needed: ${reason}`);
  }
  return { ignore: missing.length > 0 };
}

/** The folder of the programs of the newest PostgreSQL that is installed, as Debian has them. */
export function postgresPrograms(): string | undefined {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).map(Number).filter((version) => version >= 15).sort((a, b) => b - a);
  return versions.map((version) => `${root}/${version}/bin`).find((folder) => existsSync(`${folder}/initdb`));
}

/** The full path of a program on the search path. */
export function findProgram(name: string): string | undefined {
  const suffixes = Deno.build.os === "windows" ? [".exe", ".cmd", ""] : [""];
  // Administration programs (ip, tc) are not on every user's search path.
  const folders = [...(Deno.env.get("PATH") ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  for (const folder of folders) {
    for (const suffix of suffixes) {
      const path = join(folder, name + suffix);
      if (folder !== "" && existsSync(path)) return path;
    }
  }
  return undefined;
}

function debian(program: string, packageName: string): Requirement {
  return {
    present: () => findProgram(program) !== undefined,
    remedy: `install the Debian package ${packageName}`,
  };
}

function canUnshareNetwork(): boolean {
  if (Deno.build.os !== "linux") return false;
  return succeeds("unshare", ["--net", "true"]);
}

function canShapeTraffic(): boolean {
  const tc = findProgram("tc");
  const ip = findProgram("ip");
  if (!tc || !ip || !canUnshareNetwork()) return false;
  return succeeds("unshare", [
    "--net",
    "sh",
    "-c",
    `${ip} link set lo up && ${tc} qdisc add dev lo root netem loss 1%`,
  ]);
}

function succeeds(program: string, args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/**
 * git: clones and fetches beside `git daemon`, indexing beside `git index-pack` and isomorphic-git, and the memory of each.
 * Stock git is the client of all clones.
 *
 * @module
 */
import { git, GIT_ENV } from "../../handlers/git/repositories.ts";
import { maintained } from "../../handlers/git/large/maintained.ts";
import { type Child, runProgram, start } from "../../support/process.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";
import { compare, type Contestant, type Effort, type Figure, type Group, median, script } from "../harness.ts";
import { FIFTY_MB, LARGE, makeLarge, type Shape, SMALL } from "../../handlers/git/large/repositories.ts";

const MB = 1e6;
const MIB = 1024 * 1024;
const MOST_ROUNDS = 3;
/** Runs a program and writes the most memory that it, or what it started, has had into a file. */
const PEAK = "import resource, subprocess, sys\ncode = subprocess.call(sys.argv[2:])\n" +
  "open(sys.argv[1], 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))\nsys.exit(code)";

/** Clones of 50 MB. */
export const gitClone: Group = {
  name: "git clone",
  async run(effort) {
    await using folder = await temporaryFolder();
    const bare = folder.join("a.git");
    await makeLarge(bare, shapeFor(effort, FIFTY_MB));
    await git(bare, "config", "alknet.public", "true");
    await using daemon = await startDaemon(folder.path);
    const unit = "MB/s";
    const peerName = "git daemon";
    const walking = await cloneSpeeds(folder, daemon.port, effort);
    await maintained(bare);
    const copying = await cloneSpeeds(folder, daemon.port, effort);
    const peak = await peakOf(folder, [
      "git",
      "clone",
      "-q",
      "--bare",
      "-u",
      "git-upload-pack",
      `file://${bare}`,
      folder.join("p"),
    ]);
    return [
      { name: "git clone of 50 MB over HTTPS, with closure", unit, ...copying, peerName, wanted: 0.8 },
      { name: "git clone of 50 MB over HTTPS, by walking", unit, ...walking, peerName, wanted: 0.3 },
      {
        name: "memory that a clone of 50 MB adds to the node",
        unit: "MiB",
        ours: copying.memory / MIB,
        peer: peak / MIB,
        peerName: "git clone file://, all of it",
        lessIsBetter: true,
      },
    ].map(({ memory: _memory, ...figure }: Figure & { memory?: number }) => figure);
  },
};

/** Fetches of one commit, wherever it is. */
export const gitFetch: Group = {
  name: "git fetch",
  async run(effort) {
    await using folder = await temporaryFolder();
    const [small, large] = [folder.join("small.git"), folder.join("large.git")];
    await makeLarge(small, SMALL);
    await makeLarge(large, shapeFor(effort, LARGE));
    await using daemon = await startDaemon(folder.path);
    const one = async (name: string, port?: number): Promise<number> => {
      const oids = [
        await git(folder.join(`${name}.git`), "rev-parse", "main"),
        await git(folder.join(`${name}.git`), "rev-parse", "main~1"),
      ];
      const args = [script("git/fetch_one.ts"), folder.path, name, ...oids, ...port === undefined ? [] : [`${port}`]];
      return (await runJson<{ milliseconds: number }>(["run", "-A", ...args])).milliseconds;
    };
    const [ours, few, peer] = [await one("large"), await one("small"), await one("large", daemon.port)];
    const figure = { name: "git fetch of a commit in 500 000 objects", unit: "ms", ours, lessIsBetter: true };
    return [
      { ...figure, peer: few, peerName: "the same in 5 000", wanted: 1 / 3 },
      { ...figure, peer, peerName: "git daemon", wanted: 1 },
    ];
  },
};

/** A pack of 50 MB becomes an index. */
export const gitIndexPack: Group = {
  name: "git index-pack",
  async run(effort) {
    await using folder = await temporaryFolder();
    const { pack, size } = await packOf(folder.join("a.git"), shapeFor(effort, FIFTY_MB));
    const many = await packOf(folder.join("b.git"), shapeFor(effort, LARGE));
    const memory: Record<string, number[]> = { alknet: [], git: [], "isomorphic-git": [] };
    const contestant = (kind: string, file = pack, bytes = size): Contestant =>
      asking(async () => {
        await using into = await temporaryFolder();
        const began = performance.now();
        const line = kind === "git"
          ? ["git", "index-pack", "--threads=1", "-o", into.join("p.idx"), file]
          : [Deno.execPath(), "run", "-A", script("git/index_pack.ts"), kind, file, into.path];
        const { stdout, peak } = await runPeak(folder, line);
        if (file === pack) memory[kind].push(peak);
        const seconds = kind === "git"
          ? (performance.now() - began) / 1000
          : (JSON.parse(stdout) as { seconds: number }).seconds;
        return bytes / seconds / MB;
      });
    const few = { ...effort, rounds: Math.min(effort.rounds, MOST_ROUNDS) };
    const task = { task: "index" };
    const [ours, peer] = await compare([contestant("alknet"), contestant("git")], task, few);
    const small = [contestant("alknet", many.pack, many.size), contestant("git", many.pack, many.size)];
    const [oursSmall, peerSmall] = await compare(small, task, few);
    const other = await contestant("isomorphic-git").measure(task, 0);
    const figure = { name: "git index-pack of 50 MB, 50 000 objects", unit: "MB/s", ours };
    const peak = (kind: string): number => median(memory[kind]) / MIB;
    const most = {
      name: "peak memory of index-pack, the runtime's 60 MiB with it",
      unit: "MiB",
      ours: peak("alknet"),
      lessIsBetter: true,
    };
    return [
      { ...figure, peer, peerName: "git index-pack --threads=1", wanted: 0.4 },
      {
        name: "git index-pack of 500 000 small objects",
        unit: "MB/s",
        ours: oursSmall,
        peer: peerSmall,
        peerName: "git index-pack --threads=1",
        wanted: 0.4,
      },
      { ...figure, peer: other, peerName: "isomorphic-git", wanted: 10 },
      { ...most, peer: peak("git"), peerName: "git index-pack" },
      { ...most, peer: peak("isomorphic-git"), peerName: "isomorphic-git" },
    ];
  },
};

/** A repository of the shape; where one round is not to say anything about speed, a small one. */
function shapeFor(effort: Effort, shape: Shape): Shape {
  return effort.rounds > 1 ? shape : { ...SMALL, commits: 100 };
}

/** Makes a repository in one pack. */
async function packOf(bare: string, shape: Shape): Promise<{ pack: string; size: number }> {
  await makeLarge(bare, shape);
  const [{ name }] = [...Deno.readDirSync(`${bare}/objects/pack`)].filter((entry) => entry.name.endsWith(".pack"));
  const pack = `${bare}/objects/pack/${name}`;
  return { pack, size: (await Deno.stat(pack)).size };
}

async function cloneSpeeds(
  folder: TemporaryFolder,
  port: number,
  effort: Effort,
): Promise<{ ours: number; peer: number; memory: number }> {
  await using server = start(Deno.execPath(), ["run", "-A", script("git/server.ts"), folder.path]);
  const begun = await server.json<{ port: number; peak: number }>();
  const cloning = (...url: string[]): Contestant =>
    asking(async () => {
      await using into = await temporaryFolder();
      const began = performance.now();
      await git(into.path, ...url.slice(1), "clone", "-q", "--bare", url[0], "c.git");
      const seconds = (performance.now() - began) / 1000;
      const [pack] = [...Deno.readDirSync(into.join("c.git/objects/pack"))].filter(({ name }) =>
        name.endsWith(".pack")
      );
      return (await Deno.stat(into.join(`c.git/objects/pack/${pack.name}`))).size / seconds / MB;
    });
  const all = [
    cloning(`https://127.0.0.1:${begun.port}/a`, "-c", "http.sslVerify=false"),
    cloning(`git://127.0.0.1:${port}/a.git`),
  ];
  const [ours, peer] = await compare(all, { task: "clone" }, {
    ...effort,
    rounds: Math.min(effort.rounds, MOST_ROUNDS),
  });
  await server.write("\n");
  const { peak } = await server.json<{ peak: number }>();
  return { ours, peer, memory: peak - begun.peak };
}

async function startDaemon(base: string): Promise<AsyncDisposable & { readonly port: number }> {
  const probe = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  const args = ["daemon", `--port=${port}`, "--listen=127.0.0.1", "--export-all", `--base-path=${base}`, "--reuseaddr"];
  const child: Child = start("git", args, { env: GIT_ENV });
  for (let tries = 0; tries < 200; tries++) {
    const connection = await Deno.connect({ port, hostname: "127.0.0.1" }).catch(() => undefined);
    connection?.close();
    if (connection) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

async function peakOf(folder: TemporaryFolder, line: readonly string[]): Promise<number> {
  return (await runPeak(folder, line)).peak;
}

async function runPeak(folder: TemporaryFolder, line: readonly string[]): Promise<{ stdout: string; peak: number }> {
  const file = folder.join("peak");
  const { code, stdout, stderr } = await runProgram("python3", ["-c", PEAK, file, ...line], { env: GIT_ENV });
  if (code !== 0) throw new Error(stderr);
  return { stdout, peak: Number(await Deno.readTextFile(file)) };
}

async function runJson<T>(args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), args);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

function asking(measure: () => Promise<number>): Contestant {
  return { measure, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/**
 * SFTP beside OpenSSH's `sshd` with `sftp-server`, with OpenSSH's `sftp` on both sides: files out and in, a long listing;
 * inside of SSH, and bare.
 *
 * @module
 */
import { runProgram } from "../support/process.ts";
import { compare, type Contestant, type Figure, type Group, sized } from "./harness.ts";
import { type FilesWay, type SshWays, sshWays } from "./ssh_ways.ts";

/** What a run moves for each second that it is to take: nobody's speed, but near. */
const BULK_PER_SECOND = 192 * 1024 * 1024;
const NAMES = 10_000;
/** The same where it says nothing about speed. */
const FEW_NAMES = 500;
const PEER = "sftp-server in sshd";

/** Ours, and what is wanted of each: of files, and of a listing. */
const WAYS: readonly (readonly [way: FilesWay, name: string, files?: number, listing?: number])[] = [
  ["s_client", "inside ssh, TCP and TLS by openssl s_client", 0.55, 1],
  ["dial tls", "inside ssh, TCP and TLS", 0.55, 1],
  ["dial quic", "inside ssh, QUIC"],
  ["bare tls", "bare, TCP and TLS", 1, 1],
  ["bare quic", "bare, QUIC"],
];

/** A file out of the server, and into it. */
export const sftpBulk: Group = {
  name: "sftp bulk",
  async run(effort) {
    await using ways = await sshWays();
    const figures: Figure[] = [];
    for (const direction of ["get", "put"] as const) {
      const values = await compare(all((way) => bulk(ways, way, direction)), { task: direction }, effort);
      for (const [at, [, name, wanted]] of WAYS.entries()) {
        const figure = { name: `sftp ${direction}, ${name}`, unit: "MB/s", ours: values[at + 1], peer: values[0] };
        figures.push({ ...figure, peerName: PEER, ...wanted === undefined ? {} : { wanted } });
      }
    }
    return figures;
  },
};

/** A folder of many files. */
export const sftpListing: Group = {
  name: "sftp listing",
  async run(effort) {
    const names = sized(effort, NAMES, FEW_NAMES);
    await using ways = await sshWays();
    await Deno.mkdir(`${ways.root}/many`);
    for (let at = 0; at < names; at++) await Deno.writeTextFile(`${ways.root}/many/file ${at}`, "");
    const values = await compare(all((way) => listing(ways, way)), { task: "listing" }, effort);
    return WAYS.map(([, name, , wanted], at): Figure => {
      const what = { name: `sftp ls of ${names} files, ${name}`, unit: "ms", lessIsBetter: true };
      const figure = { ...what, ours: values[at + 1], peer: values[0], peerName: PEER };
      return { ...figure, ...wanted === undefined ? {} : { wanted } };
    });
  },
};

function all(contestant: (way: FilesWay) => Contestant): Contestant[] {
  return (["sshd", ...WAYS.map(([way]) => way)] as const).map(contestant);
}

/** Megabytes a second of one file that is in memory, its opening and closing with it. */
function bulk(ways: SshWays, way: FilesWay, direction: "get" | "put"): Contestant {
  return asking(async (seconds) => {
    const size = Math.max(1_000_000, Math.round(BULK_PER_SECOND * seconds));
    const [near, source] = [`${ways.folder}/near`, `${ways.root}/source`];
    const { root } = ways.sftp(way);
    if (direction === "get") {
      await fill(source, size);
      return size / await timed(ways, way, `get ${root}/source /dev/null`) / 1000;
    }
    await fill(near, size);
    const taken = await timed(ways, way, `put ${near} ${root}/target`);
    const target = `${ways.root}/target`;
    const { size: got } = await Deno.stat(target);
    if (got !== size) throw new Error(`${way}: ${got} bytes of ${size}`);
    await Deno.remove(target);
    return size / taken / 1000;
  });
}

/** A file of bytes that are there: reading what was never written costs the kernel more, for it has to make them. */
async function fill(file: string, size: number): Promise<void> {
  if ((await Deno.stat(file).catch(() => undefined))?.size === size) return;
  const { code, stderr } = await runProgram("sh", ["-c", 'head -c "$1" /dev/urandom > "$2"', "sh", `${size}`, file]);
  if (code !== 0) throw new Error(stderr);
}

function listing(ways: SshWays, way: FilesWay): Contestant {
  return asking(() => timed(ways, way, `ls -1 ${ways.sftp(way).root}/many`));
}

/** How long a command of `sftp` takes, in milliseconds: the client's own clock, when it has logged in. */
async function timed(ways: SshWays, way: FilesWay, command: string): Promise<number> {
  const [file, ...args] = ways.sftp(way).line;
  const clock = "!date +%s%N";
  const { code, stdout, stderr } = await runProgram(file, args, { stdin: [clock, command, clock, ""].join("\n") });
  const times = stdout.split("\n").filter((line) => /^\d{19}$/.test(line)).map((line) => Number(BigInt(line) / 1000n));
  if (code !== 0 || times.length !== 2) throw new Error(`${way}: ${code} ${stderr}`);
  return (times[1] - times[0]) / 1000;
}

function asking(measure: (seconds: number) => Promise<number>): Contestant {
  return { measure: (_task, seconds) => measure(seconds), [Symbol.asyncDispose]: () => Promise.resolve() };
}

/**
 * NSD, a name server of others, on loopback.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { type Child, runProgram, start } from "../../support/process.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";

/** A server that runs. */
export interface Nsd extends AsyncDisposable {
  /** Its port, UDP and TCP. */
  readonly port: number;
  /** Its folder. */
  readonly folder: string;
}

/**
 * Starts one.
 *
 * @param files Files in its folder, by name.
 * @param zones Its configuration of zones; `FOLDER` is its folder.
 * @param given Its port.
 */
export async function startNsd(
  files: Readonly<Record<string, string>>,
  zones: string,
  given?: number,
): Promise<Nsd> {
  const port = given ?? await freePort();
  const folder: TemporaryFolder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await folder.write(name, text);
  const file = await folder.write(
    "nsd.conf",
    `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  server-count: 1
  verbosity: 2
  zonesdir: "${folder.path}"
  pidfile: "${folder.path}/nsd.pid"
  zonelistfile: "${folder.path}/zone.list"
  xfrdfile: "${folder.path}/xfrd.state"
  xfrdir: "${folder.path}"
  database: ""
  logfile: "${folder.path}/nsd.log"
remote-control:
  control-enable: no
${zones.replaceAll("FOLDER", folder.path)}`,
  );
  const child: Child = start("nsd", ["-d", "-c", file]);
  try {
    await answers(port);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  return {
    port,
    folder: folder.path,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A port that nobody has, for UDP. */
export async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Waits until somebody answers there. */
async function answers(port: number): Promise<void> {
  for (let n = 0;; n++) {
    const args = ["@127.0.0.1", "-p", `${port}`, "+timeout=1", "+retry=0", "CH", "TXT", "version.server."];
    const { stdout } = await runProgram("kdig", args);
    if (stdout.includes("status:")) return;
    if (n === 50) throw new Error("nsd does not answer");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

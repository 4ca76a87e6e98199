/**
 * A node that serves a folder, inside of SSH or bare, and OpenSSH's `sftp` on the way to it.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../core/transports/quic/quic.ts";
import "../../../core/transports/quic/linux/call_table.ts";
import { router } from "@alknet/core";
import type { Identity } from "@alknet/core/handler";
import { sftp, type SftpPolicy } from "@alknet/handlers/sftp";
import assert from "node:assert/strict";
import { type Output, runAlknet, runProgram, start } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { sshNode, USER } from "../ssh/node.ts";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;

/** How `sftp` reaches the node: as a subsystem, or as a protocol of its own. */
export type Way = "inside ssh over tls" | "inside ssh over quic" | "bare over tls" | "bare over quic";
/** All of them. */
export const WAYS: readonly Way[] = ["inside ssh over tls", "inside ssh over quic", "bare over tls", "bare over quic"];

/** A node that serves `root` of its folder. */
export interface SftpNode extends AsyncDisposable {
  /** A folder that is gone when the test is: `root` is served, the rest is the test's. */
  readonly folder: string;
  /** What is served. */
  readonly root: string;
  /** Runs `sftp` on a batch; relative local paths are in {@linkcode folder}. */
  sftp(...lines: string[]): Promise<Output>;
  /** The same, for a batch that works. */
  done(...lines: string[]): Promise<string>;
  /** Starts `sftp` with more options, to be told what to do. */
  start(more?: readonly string[]): ReturnType<typeof start>;
}

/** Starts one, on loopback and a port that is free. */
export async function sftpNode(way: Way, policy: Partial<SftpPolicy> = {}): Promise<SftpNode> {
  const transport = way.endsWith("quic") ? "quic" : "tls";
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  const root = folder.join("root");
  await Deno.mkdir(root);
  const served = { root, ...policy };
  let args: readonly string[];
  if (way.startsWith("inside")) {
    const node = started.use(await sshNode({ transport, policy: { sftp: served } }));
    args = [...node.options, "anyone@node"];
  } else {
    const home = folder.join("home");
    assert.equal((await runAlknet(["init", "--no-passphrase", "--home", home])).code, 0);
    const identity: Identity = { id: USER, scopes: [], resources: {} };
    const identityProvider = { resolveFingerprint: () => identity, resolveToken: () => undefined };
    const handler = sftp({ policies: { [USER]: served } });
    const endpoint = await router().use(handler).listen({ transports: [transport], identityProvider });
    started.defer(() => endpoint.shutdown({ drain: 0 }));
    const [{ hostname, port }] = endpoint.addresses;
    const address = `${endpoint.nodeId}@${hostname}:${port}`;
    args = ["-D", `${await dialScript(folder, transport, home)} ${address}`];
  }
  const run = (lines: string[]): Promise<Output> => {
    return runProgram("sftp", ["-q", "-b", "-", ...args], { cwd: folder.path, stdin: lines.join("\n") + "\n" });
  };
  const stack = started.move();
  return {
    folder: folder.path,
    root,
    sftp: (...lines) => run(lines),
    async done(...lines) {
      const { code, stdout, stderr } = await run(lines);
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      return stdout;
    },
    start: (more = []) => start("sftp", [...more, "-q", "-b", "-", ...args], { cwd: folder.path }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** `alknet dial alknet/sftp` of this copy, as one word. */
async function dialScript(
  folder: Awaited<ReturnType<typeof temporaryFolder>>,
  transport: string,
  home: string,
): Promise<string> {
  const dial = `${Deno.execPath()} run -A ${MAIN} dial alknet/sftp --transport ${transport} --home ${home}`;
  return await folder.write("dial", `#!/bin/sh\nexec ${dial} "$@"\n`, { mode: 0o700 });
}

/**
 * Clients of git that are not stock git: dulwich, pygit2 (libgit2), isomorphic-git, go-git clone, fetch and push, and read
 * the folder of a repository that the node writes (git.md row 38).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { Duplex } from "node:stream";
import { connect } from "node:tls";
import { commit, git, lines } from "../handlers/git/repositories.ts";
import { type Child, start } from "../support/process.ts";
import { type Need, needs } from "../support/programs.ts";
import { GO_GIT_CLIENT, PYTHON, ROOT } from "../support/python.ts";
import { gitOverSsh } from "./git_ssh_home.ts";
import { nextEvent } from "./home.ts";

/** A library, the way that it takes, and what runs it. */
interface Client {
  readonly library: string;
  readonly way: "https" | "http/1.1" | "ssh";
  /** The version of the protocol, where the library can be told. */
  readonly version?: number;
  readonly needs: Need;
  readonly program: readonly string[];
}

const python = { needs: "python", program: [PYTHON, `${ROOT}tests/peers/git_clients.py`] } as const;
const deno = [Deno.execPath(), "run", "-A", "--cached-only", "--unsafely-ignore-certificate-errors=127.0.0.1"];

const CLIENTS: readonly Client[] = [
  { library: "dulwich", way: "https", version: 0, ...python },
  { library: "dulwich", way: "https", version: 2, ...python },
  { library: "dulwich", way: "ssh", version: 0, ...python },
  { library: "dulwich", way: "ssh", version: 2, ...python },
  { library: "pygit2", way: "http/1.1", ...python },
  {
    library: "isomorphic-git",
    way: "https",
    needs: "git",
    program: [...deno, `${ROOT}tests/peers/isomorphic_git.ts`],
  },
  { library: "go-git", way: "https", needs: "go-git", program: [GO_GIT_CLIENT] },
];

/**
 * A port of loopback from which bytes go on to a node by TLS with the ALPN `http/1.1`: libgit2 names none in its handshakes,
 * and a node serves nobody that does not say what it wants.
 */
function bridgeTo(port: number): AsyncDisposable & { readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accept = async (): Promise<void> => {
    for await (const from of listener) {
      const to = connect({ host: "127.0.0.1", port, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false });
      const { readable, writable } = Duplex.toWeb(to) as unknown as TransformStream<Uint8Array, Uint8Array>;
      Promise.allSettled([from.readable.pipeTo(writable), readable.pipeTo(from.writable)]);
    }
  };
  const accepting = accept();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}

async function ask(peer: Child, task: Record<string, unknown>): Promise<Record<string, unknown>> {
  await peer.write(`${JSON.stringify(task)}\n`);
  return await peer.json();
}

for (const { library, way, version, needs: need, program: [program, ...args] } of CLIENTS) {
  const named = version === undefined ? "" : `, version ${version}`;
  Deno.test({
    name: `${library} over ${way}${named}: clones, fetches, pushes, and reads what the node wrote (row 38)`,
    ...needs("git", "ssh", "ssh-keygen", "openssl", "linux", need),
    async fn() {
      await using at = await gitOverSsh();
      const { home, node, bare, work } = at;
      const token = (await home.run("token", "create", "--scope", "git:write:notes")).stdout.trim();
      await nextEvent(node.child, "reloaded");
      await using bridge = bridgeTo(node.port);
      const known = way === "https"
        ? { url: `https://${node.address}/notes`, token }
        : way === "http/1.1"
        ? { url: `http://127.0.0.1:${bridge.port}/notes`, token }
        : { url: "ssh://box/notes", ssh: at.ssh("writer", "openssl").map((word) => `'${word}'`).join(" ") };
      await using peer = start(program, args);
      const task = { library, version, ...known, folder: `${home.path}/copy`, ref: "refs/heads/theirs" };
      const head = () => git(bare, "rev-parse", "main");
      deepEqual(await ask(peer, { ...task, do: "clone" }), { head: await head() });
      await git(task.folder, "fsck", "--strict", "--no-dangling");
      await commit(work, "main", lines(5), 1_700_005_000);
      await git(work, "push", "-q", bare, "main");
      deepEqual(await ask(peer, { ...task, do: "fetch" }), { head: await head() });
      const { oid } = await ask(peer, { ...task, do: "push" });
      equal(await git(bare, "rev-parse", "theirs"), oid);
      equal(await git(bare, "rev-parse", "theirs~1"), await head());
      await git(bare, "fsck", "--strict", "--no-dangling");
      match(await node.child.errorLine(/service=receive-pack/), /outcome=done commands=1 refused=0/);
      const commits = Number(await git(bare, "rev-list", "--count", "main"));
      const all = await git(bare, "cat-file", "--batch-all-objects", "--batch-check");
      const { commits: read, objects = all.split("\n").length } = await ask(peer, {
        ...task,
        folder: bare,
        do: "read",
      });
      deepEqual({ read, objects }, { read: commits, objects: all.split("\n").length });
    },
  });
}

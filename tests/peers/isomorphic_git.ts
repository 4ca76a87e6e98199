/**
 * isomorphic-git as a client of a repository over HTTPS, and as a reader of its folder. Reads one JSON object a line and
 * writes one, as `git_clients.py` does.
 *
 * @module
 */
import fs from "node:fs";
import { createInterface } from "node:readline";
import git from "npm:isomorphic-git@1.44.19";
import http from "npm:isomorphic-git@1.44.19/http/web";

interface Task {
  readonly do: "clone" | "fetch" | "push" | "read";
  readonly url: string;
  readonly token: string;
  readonly folder: string;
  readonly ref: string;
}

const MAIN = "refs/remotes/origin/main";

async function answer({ do: what, url, token, folder: gitdir, ref }: Task): Promise<Record<string, unknown>> {
  const at = { fs, gitdir };
  const remote = { ...at, http, url, remote: "origin", onAuth: () => ({ username: "x", password: token }) };
  switch (what) {
    case "clone":
      await git.clone({ ...remote, dir: gitdir, noCheckout: true });
      return { head: await git.resolveRef({ ...at, ref: MAIN }) };
    case "fetch":
      await git.fetch(remote);
      return { head: await git.resolveRef({ ...at, ref: MAIN }) };
    case "push": {
      const parent = await git.resolveRef({ ...at, ref: MAIN });
      const { tree } = await git.readTree({ ...at, oid: parent });
      const blob = await git.writeBlob({ ...at, blob: new TextEncoder().encode("by isomorphic-git\n") });
      const entry = { mode: "100644", path: "isomorphic-git", oid: blob, type: "blob" } as const;
      const who = { name: "I", email: "i@example.org", timestamp: 1_700_006_000, timezoneOffset: 0 };
      const commit = {
        tree: await git.writeTree({ ...at, tree: [...tree, entry] }),
        parent: [parent],
        author: who,
        committer: who,
        message: "by isomorphic-git\n",
      };
      const oid = await git.writeCommit({ ...at, commit });
      await git.writeRef({ ...at, ref, value: oid });
      const { ok, error } = await git.push({ ...remote, ref, remoteRef: ref });
      if (!ok) throw new Error(error ?? "refused");
      return { oid };
    }
    case "read":
      // Where clocks were wrong, a commit is listed more than once.
      return { commits: new Set((await git.log({ ...at, ref: "refs/heads/main" })).map(({ oid }) => oid)).size };
  }
}

for await (const line of createInterface({ input: (await import("node:process")).default.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}

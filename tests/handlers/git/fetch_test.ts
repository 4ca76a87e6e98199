/**
 * upload-pack, version 2, said byte by byte (git.md §3.5, §4, §5.3; rows 4 to 11, 42).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { answers, fetched, gitNode, joined, READER, request, requestLine, textOf } from "./client.ts";
import { commit, git, GIT_ENV, gitWith, lines, makeRepository } from "./repositories.ts";
import { runProgram } from "../../support/process.ts";

const needed = needs("git", "linux");

async function world() {
  const folder = await temporaryFolder();
  const bare = folder.join("r.git");
  await makeRepository(folder.join("work"), bare);
  return {
    folder,
    bare,
    node: gitNode({ root: folder.path }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** The objects of a pack, by stock git in a repository of its own; thin packs have to be whole in themselves. */
async function objectsOf(folder: string, pack: Uint8Array<ArrayBuffer>, ...strict: string[]): Promise<string[]> {
  const into = await Deno.makeTempDir({ dir: folder });
  await git(into, "init", "-q", "--bare");
  await Deno.writeFile(`${into}/p.pack`, pack);
  await git(into, "index-pack", ...strict, "p.pack");
  const shown = await gitWith(into, await Deno.readFile(`${into}/p.idx`), "show-index");
  return shown.split("\n").filter((line) => line !== "").map((line) => line.split(" ")[1]).sort();
}

const LS_REFS = request("command=ls-refs", "0001");

async function listed(repository: string, ...args: string[]): Promise<string[]> {
  const text = await git(repository, "rev-list", "--objects", ...args);
  return text.split("\n").filter((line) => line !== "").map((line) => line.slice(0, 40)).sort();
}

Deno.test({
  name: "fetch: a want alone and done without haves are a clone; no want is nothing (row 7)",
  ...needed,
  async fn() {
    await using at = await world();
    const main = await git(at.bare, "rev-parse", "main");
    const expected = await listed(at.bare, "main");
    for (
      const args of [[`want ${main}`], [`want ${main}`, "done"], [`want ${main}`, `want ${main}`, "ofs-delta", "done"]]
    ) {
      const { lines: before, pack, progress } = await fetched(at.node, "r", ...args);
      deepEqual(before, ["packfile"]);
      deepEqual(await objectsOf(at.folder.path, pack, "--strict"), expected);
      equal(progress, `Enumerating objects: ${expected.length}, done.\n`);
    }
    deepEqual(await fetched(at.node, "r", "done"), { lines: [], pack: new Uint8Array(), progress: "", fatal: "" });
    equal((await fetched(at.node, "r", `want ${main}`, "done", "no-progress")).progress, "");
  },
});

Deno.test({
  name: "fetch: every pair of a want and a have sends what is new, and little else (rows 5, 6)",
  ...needed,
  async fn() {
    await using at = await world();
    const commits = (await git(at.bare, "rev-list", "--all")).split("\n");
    const head = await git(at.bare, "rev-parse", "main");
    for (const have of commits) {
      const { pack } = await fetched(at.node, "r", `want ${head}`, `have ${have}`, "done", "ofs-delta");
      const [sent, missing] = [await objectsOf(at.folder.path, pack), await listed(at.bare, head, `^${have}`)];
      const sentSet = new Set(sent);
      deepEqual(missing.filter((oid) => !sentSet.has(oid)), [], `have ${have}`);
      // git leaves out what the boundary's trees hold elsewhere too: that may go again, what it is not may not.
      const all = new Set(await listed(at.bare, head));
      ok(sent.every((oid) => all.has(oid)));
      ok(sent.length <= missing.length + 3, `${sent.length} sent, ${missing.length} missing`);
    }
  },
});

Deno.test({
  name: "fetch: acknowledgments, NAK, ready, in the documented order (§3.5)",
  ...needed,
  async fn() {
    await using at = await world();
    // Of main the dates lie, so that it is not seen to reach v1 before the client is done.
    const head = await git(at.bare, "rev-parse", "side/日本");
    const old = await git(at.bare, "rev-parse", "v1^{commit}");
    const unknown = "1".repeat(40);
    const none = await fetched(at.node, "r", `want ${head}`, `have ${unknown}`);
    deepEqual(none.lines, ["acknowledgments", "NAK", "flush"]);
    const some = await fetched(at.node, "r", `want ${head}`, `have ${old}`, `have ${unknown}`);
    deepEqual(some.lines, ["acknowledgments", `ACK ${old}`, "ready", "delim", "packfile"]);
    ok(some.pack.byteLength > 0);
    // Another root: what the client has says nothing of what it wants.
    await git(at.folder.join("work"), "checkout", "-q", "--orphan", "apart");
    await commit(at.folder.join("work"), "apart", "apart\n", 1_700_000_500);
    await git(at.folder.join("work"), "push", "-q", at.bare, "apart");
    const apart = await git(at.bare, "rev-parse", "apart");
    const not = await fetched(at.node, "r", `want ${apart}`, `have ${old}`);
    deepEqual(not.lines, ["acknowledgments", `ACK ${old}`, "flush"]);
    deepEqual((await fetched(at.node, "r", `want ${apart}`, `have ${old}`, "done")).lines, ["packfile"]);
  },
});

Deno.test({
  name: "fetch: include-tag sends tags, nested ones too, of what is sent and of nothing else (row 8)",
  ...needed,
  async fn() {
    await using at = await world();
    const target = await git(at.bare, "rev-parse", "v1^{commit}");
    const tags = [await git(at.bare, "rev-parse", "v1"), await git(at.bare, "rev-parse", "nested")];
    const light = await git(at.bare, "rev-parse", "light");
    equal(light, target);
    const { pack } = await fetched(at.node, "r", `want ${target}`, "include-tag", "done");
    deepEqual(await objectsOf(at.folder.path, pack), [...await listed(at.bare, target), ...tags].sort());
    const plain = await fetched(at.node, "r", `want ${target}`, "done");
    deepEqual(await objectsOf(at.folder.path, plain.pack), await listed(at.bare, target));
    for (const name of ["of-tree", "of-blob", "nested"]) {
      const oid = await git(at.bare, "rev-parse", name);
      const sent = await fetched(at.node, "r", `want ${oid}`, "done");
      deepEqual(await objectsOf(at.folder.path, sent.pack), await listed(at.bare, name), name);
    }
  },
});

Deno.test({
  name: "fetch: without ofs-delta no entry is of type 6, with it there are (row 9)",
  ...needed,
  async fn() {
    await using at = await world();
    const head = await git(at.bare, "rev-parse", "main");
    const counts: Record<string, number> = {};
    for (const args of [["ofs-delta"], []]) {
      const { pack } = await fetched(at.node, "r", `want ${head}`, ...args, "done");
      deepEqual(await objectsOf(at.folder.path, pack), await listed(at.bare, "main"));
      counts[args.join()] = pack.byteLength;
    }
    ok(counts[""] > counts["ofs-delta"], "a base is named by 20 bytes where no distance may be");
    const bytes = await listed(at.bare, "main");
    ok(counts["ofs-delta"] < bytes.length * 1000, "deltas went out as deltas");
  },
});

Deno.test({
  name: "ls-refs: the lines of git, filtered by prefixes; from 65 536 on, all (rows 3, 4)",
  ...needed,
  async fn() {
    await using at = await world();
    const ask = async (...args: string[]) => {
      const sent = joined([
        requestLine("/r.git/"),
        LS_REFS,
        ...args.map((arg) => request(arg)),
        request("0000", "0000"),
      ]);
      const packets = textOf(await answers(at.node, sent, READER));
      return packets.slice(packets.indexOf("flush") + 1);
    };
    // What git's own upload-pack says of the same.
    const judge = async (...args: string[]) => {
      const { stdout } = await runProgram("git", ["upload-pack", "--stateless-rpc", at.bare], {
        env: { ...GIT_ENV, GIT_PROTOCOL: "version=2" },
        stdin: joined([LS_REFS, ...args.map((arg) => request(arg)), request("0000")]),
      });
      return [...stdout.matchAll(/[0-9a-f]{4}([0-9a-f]{40} [^\n]*)\n/g)].map(([, line]) => line).concat("flush");
    };
    for (
      const args of [[], ["peel"], ["symrefs"], ["peel", "symrefs", "unborn"], ["ref-prefix refs/tags/"], [
        "ref-prefix HEAD",
      ]]
    ) {
      deepEqual(await ask(...args), await judge(...args), args.join());
    }
    const many = (count: number) => Array.from({ length: count }, (_, i) => `ref-prefix refs/none/${i}`);
    deepEqual(await ask(...many(65_535)), ["flush"]);
    deepEqual(await ask(...many(65_536)), await judge());
  },
});

Deno.test({
  name: "want-ref: a ref by its name, twice, HEAD, beside wants; hidden and unknown ones are told to be none (row 33)",
  ...needed,
  async fn() {
    await using at = await world();
    await git(at.bare, "update-ref", "refs/secret/x", "main");
    await git(at.bare, "config", "transfer.hideRefs", "refs/secret");
    await git(at.bare, "config", "uploadpack.allowRefInWant", "true");
    const [main, v1, side] = await Promise.all(
      ["main", "v1", "side/日本"].map((ref) => git(at.bare, "rev-parse", ref)),
    );
    const wanted = async (...args: string[]) => await fetched(at.node, "r", ...args, "done");
    const one = await wanted("want-ref refs/heads/main", "want-ref refs/heads/main");
    deepEqual(one.lines, ["wanted-refs", `${main} refs/heads/main`, "delim", "packfile"]);
    deepEqual(await objectsOf(at.folder.path, one.pack, "--strict"), await listed(at.bare, "main"));
    const two = await wanted(`want ${side}`, "want-ref HEAD", "want-ref refs/tags/v1");
    deepEqual(two.lines, ["wanted-refs", `${main} HEAD`, `${v1} refs/tags/v1`, "delim", "packfile"]);
    deepEqual(await objectsOf(at.folder.path, two.pack), await listed(at.bare, "main", side, v1));
    const held = await fetched(
      at.node,
      "r",
      "want-ref refs/heads/main",
      `have ${await git(at.bare, "rev-parse", "main~1")}`,
    );
    deepEqual(held.lines.slice(2), ["ready", "delim", "wanted-refs", `${main} refs/heads/main`, "delim", "packfile"]);
    for (const name of ["refs/heads/none", "refs/secret/x", "main", "refs/heads/../x"]) {
      const { lines: said } = await wanted(`want-ref ${name}`);
      deepEqual(said, [`ERR unknown ref ${name}`]);
    }
  },
});

Deno.test({
  name: "object-info: sizes of blobs, trees, commits, tags, in deltas and loose; what is not there has none (row 33)",
  ...needed,
  async fn() {
    await using at = await world();
    const all = await listed(at.bare, "--all");
    const ask = async (...args: string[]) => {
      const sent = joined([requestLine("/r"), request("command=object-info", "0001", ...args, "0000", "0000")]);
      const packets = (await answers(at.node, sent, READER)).map((one) =>
        typeof one === "string" ? one : new TextDecoder().decode(one).replace(/\n$/, "")
      );
      return packets.slice(packets.indexOf("flush") + 1);
    };
    const judged = await gitWith(at.bare, all.join("\n"), "cat-file", "--batch-check=%(objectname) %(objectsize)");
    const unknown = "1".repeat(40);
    deepEqual(await ask("size", ...all.map((oid) => `oid ${oid}`), `oid ${unknown}`), [
      "size",
      ...judged.split("\n"),
      `${unknown} `,
      "flush",
    ]);
    deepEqual(await ask("size"), ["size", "flush"]);
    deepEqual(await ask("oid 12"), ["ERR object-info: unexpected line: 'oid 12'"]);
    deepEqual(await ask("type"), ["ERR object-info: unexpected line: 'type'"]);
  },
});

/** Requests that are refused, and what the client is told. */
const REFUSED: readonly (readonly [name: string, bytes: Uint8Array<ArrayBuffer>, says: RegExp])[] = [
  ["an unknown command", request("command=push", "0000"), /^ERR invalid command 'push'$/],
  ["no command", request("agent=x", "0000"), /^ERR no command requested$/],
  ["two commands", request("command=ls-refs", "command=fetch", "0000"), /^ERR more than one command$/],
  ["an unknown capability", request("command=fetch", "x=y", "0000"), /^ERR unknown capability 'x=y'$/],
  ["SHA-256", request("command=fetch", "object-format=sha256", "0000"), /^ERR mismatched object format/],
  ["an unknown argument", request("command=fetch", "0001", "gimme", "0000"), /^ERR unexpected line: 'gimme'$/],
  ["a short object id", request("command=fetch", "0001", "want 12", "0000"), /^ERR unexpected line/],
  ["no depth", request("command=fetch", "0001", "deepen 0", "0000"), /^ERR Invalid deepen: deepen 0$/],
  [
    "no time",
    request("command=fetch", "0001", "deepen-since now", "0000"),
    /^ERR Invalid deepen-since: deepen-since now$/,
  ],
  ["two depths", request("command=fetch", "0001", "deepen 1", "deepen-not v1", "0000"), /^ERR deepen and deepen-since/],
  ["a short shallow", request("command=fetch", "0001", "shallow 12", "0000"), /^ERR invalid shallow line: shallow 12$/],
  ["sideband-all", request("command=fetch", "0001", "sideband-all", "0000"), /^ERR unexpected line: 'sideband-all'$/],
  [
    "a sparse filter",
    request("command=fetch", "0001", "filter sparse:oid=main:f", "0000"),
    /^ERR filter not supported$/,
  ],
  [
    "what no ref holds",
    request("command=fetch", "0001", `want ${"1".repeat(40)}`, "0000"),
    /^ERR upload-pack: not our ref 1{40}$/,
  ],
  ["a second delim", request("command=fetch", "0001", "0001", "0000"), /^ERR expected flush/],
  ...["0002", "0003", "fff1", "zzzz", "-001"].map((length) =>
    [`the length ${length}`, new TextEncoder().encode(length), /^ERR bad line length$/] as const
  ),
  ["an end inside of a line", new TextEncoder().encode("0010abc"), /^ERR the stream ends inside of a line$/],
  ["an end inside of a request", request("command=fetch"), /^ERR the stream ends inside of a request$/],
];

Deno.test({
  name: "requests that are none are told so, and cost their stream alone (rows 10, 11, 42)",
  ...needed,
  async fn() {
    await using at = await world();
    for (const [name, bytes, says] of REFUSED) {
      const packets = textOf(await answers(at.node, joined([requestLine("/r"), bytes]), READER));
      match(packets.at(-1) ?? "", says, name);
    }
    const head = await git(at.bare, "rev-parse", "main");
    ok((await fetched(at.node, "r", `want ${head}`, "done")).pack.byteLength > 0);
  },
});

Deno.test({
  name: "names: none leads out of the root, and all that are not there look alike (row 14)",
  ...needed,
  async fn() {
    await using at = await world();
    await Deno.symlink("/", at.folder.join("out.git"));
    await Deno.symlink(at.bare, at.folder.join("in.git"));
    await using elsewhere = await temporaryFolder();
    await git(elsewhere.path, "init", "-q", "--bare", "x.git");
    await Deno.symlink(elsewhere.join("x.git"), at.folder.join("leads.git"));
    const wrong = [
      "/..",
      "/../r",
      "/%2e%2e/r",
      "/r%2f",
      "//r",
      "/r//",
      "/\\r",
      "/~r",
      "/-x",
      "/.r",
      "/r/../r",
      "/r.git.git",
      "/r.lock",
      "/r.",
      "/out",
      "/leads",
      "/none",
      "/a/b/c/d/r",
      `/${"a".repeat(101)}`,
      "/r\nx",
      "/ü",
      "/work",
    ];
    for (const path of wrong) {
      const packets = textOf(await answers(at.node, requestLine(path), READER));
      match(packets.join(), /^ERR access denied or repository not exported: /, path);
    }
    for (const path of ["/r", "r", "/r.git", "/r/", "/r.git/", "/in"]) {
      equal(textOf(await answers(at.node, joined([requestLine(path), request("0000")]), READER))[0], "version 2", path);
    }
    const nobody = textOf(await answers(at.node, requestLine("/r")));
    match(nobody.join(), /^ERR access denied/);
  },
});

Deno.test({
  name: "loose objects beyond 1 MiB, and an object that vanishes: sent in pieces; said on band 3 (§3.7)",
  ...needed,
  async fn() {
    await using at = await world();
    const work = at.folder.join("work");
    await commit(
      work,
      "large",
      Array.from({ length: 2000 }, (_, i) => lines(i % 7)).join(`${Math.random()}`),
      1_700_000_300,
    );
    await git(work, "push", "-q", at.bare, "main");
    const head = await git(at.bare, "rev-parse", "main");
    const { pack } = await fetched(at.node, "r", `want ${head}`, "done");
    deepEqual(await objectsOf(at.folder.path, pack), await listed(at.bare, "main"));
    const blob = await git(at.bare, "rev-parse", "main:large");
    await Deno.remove(`${at.bare}/objects/${blob.slice(0, 2)}/${blob.slice(2)}`);
    const broken = await fetched(at.node, "r", `want ${head}`, "done");
    equal(broken.fatal, "upload-pack: internal error");
  },
});

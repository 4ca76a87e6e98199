/**
 * upload-pack, versions 0 and 1, said byte by byte and compared with git's own (git.md §3.4; rows 9 to 11, 34).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { AlknetError } from "@alknet/core/handler";
import { readSaid, readWants } from "../../../handlers/git/wire/fetch_v0.ts";
import { PktReader } from "../../../handlers/git/wire/pkt_line.ts";
import { descriptors } from "../../support/proc.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { contextOf } from "../context.ts";
import { answers, type GitNode, gitNode, joined, READER, request, requestLine, textOf } from "./client.ts";
import { maintained } from "./large/maintained.ts";
import { commit, git, GIT_ENV, gitWith, makeRepository } from "./repositories.ts";

const needed = needs("git", "linux");
const UNKNOWN = "1".repeat(40);

async function world() {
  const folder = await temporaryFolder();
  const bare = folder.join("r.git");
  await makeRepository(folder.join("work"), bare);
  await git(folder.path, "init", "-q", "--bare", "--initial-branch=trunk", "empty.git");
  // Where git is asked for what is always served here.
  for (const key of ["allowFilter", "allowAnySHA1InWant"]) await git(bare, "config", `uploadpack.${key}`, "true");
  return {
    folder,
    bare,
    node: gitNode({ root: folder.path }),
    main: await git(bare, "rev-parse", "main"),
    old: await git(bare, "rev-parse", "main~2"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** What a request of smart HTTP is answered with. */
async function http(node: GitNode, what: string, sent?: { body: Uint8Array<ArrayBuffer>; version?: number }) {
  const { body, version = 0 } = sent ?? {};
  const ask = new Request(`https://n.example/${what}`, {
    method: body ? "POST" : "GET",
    body,
    headers: {
      ...body ? { "content-type": "application/x-git-upload-pack-request" } : {},
      ...version ? { "git-protocol": `version=${version}` } : {},
    },
  });
  const env = { peer: { identity: READER }, context: contextOf(new AbortController().signal) };
  const answer = (await node.served.http(ask, env))!;
  equal(answer.status, 200);
  return new Uint8Array(await answer.arrayBuffer());
}

/** What git's own upload-pack says to a request that stands for itself. */
async function judge(bare: string, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("git", {
    args: ["upload-pack", "--stateless-rpc", bare],
    env: GIT_ENV,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(body);
  await writer.close();
  return (await child.output()).stdout;
}

/** Lines of acknowledgments, before the pack; and the pack, in bands or bare. */
function partsOf(bytes: Uint8Array<ArrayBuffer>): { lines: string[]; pack: Uint8Array<ArrayBuffer>; longest: number } {
  const lines: string[] = [];
  const pack: Uint8Array[] = [];
  let longest = 0;
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  for (let at = 0; at < bytes.byteLength;) {
    if (text(at, at + 4) === "PACK") {
      pack.push(bytes.subarray(at));
      break;
    }
    const length = parseInt(text(at, at + 4), 16);
    if (length === 0) {
      at += 4;
      continue;
    }
    if (bytes[at + 4] === 1) pack.push(bytes.subarray(at + 5, at + length));
    else if (bytes[at + 4] > 3) lines.push(text(at + 4, at + length).trimEnd());
    if (bytes[at + 4] <= 3) longest = Math.max(longest, length);
    at += length;
  }
  return { lines, pack: joined(pack), longest };
}

Deno.test({
  name: "versions 0 and 1: the refs are those that git's own upload-pack shows, by stream and by HTTP (row 34)",
  ...needed,
  async fn() {
    await using at = await world();
    for (const name of ["r", "empty"]) {
      const { stdout } = await runProgram("git", ["upload-pack", "--advertise-refs", at.folder.join(`${name}.git`)], {
        env: GIT_ENV,
      });
      const refs = (all: string) =>
        all.split("\n").map((line) => line.slice(4).replace(/\0.*/, "")).filter((line) => / /.test(line));
      const capabilities = (all: string) =>
        /\0(.*)/.exec(all)![1].split(" ").filter((one) => !one.startsWith("agent="));
      // Git 2.39 shows capabilities with refs alone.
      const known = name === "empty" ? undefined : capabilities(stdout);
      const expected = name === "empty" ? [`${"0".repeat(40)} capabilities^{}`] : refs(stdout);
      for (const version of [0, 1]) {
        const sent = joined([requestLine(`/${name}`, version), request("0000")]);
        const packets = textOf(await answers(at.node, sent, READER));
        equal(packets[0] === "version 1", version === 1);
        const shown = packets.map((line) => `0000${line}`).join("\n");
        deepEqual(refs(shown).filter((line) => line !== "version 1"), expected, `${name}, version ${version}`);
        const ours = capabilities(shown);
        deepEqual(known ? ours.filter((one) => !known.includes(one)) : [], []);
        equal(ours.includes("symref=HEAD:refs/heads/main"), name === "r");
        equal(ours.includes("no-done"), false);
        const web = new TextDecoder().decode(await http(at.node, `${name}/info/refs?service=git-upload-pack`));
        match(web, /^001e# service=git-upload-pack\n0000[0-9a-f]{44} /);
        ok(capabilities(web).includes("no-done"));
        deepEqual(refs(web.slice(34)), expected);
      }
    }
  },
});

Deno.test({
  name: "versions 0 and 1: what is acknowledged is what git's own upload-pack says of the same (row 34)",
  ...needed,
  async fn() {
    await using at = await world();
    const { main, old, bare } = at;
    const side = await git(bare, "rev-parse", "side/日本");
    const asked: readonly (readonly [name: string, ...lines: readonly string[]])[] = [
      ["a clone", `want ${main} side-band-64k ofs-delta`, "0000", "done"],
      ["nothing", "0000"],
      ["only what is wanted", `want ${main} multi_ack_detailed side-band-64k`, "0000"],
      ["one that both have", `want ${main} multi_ack_detailed side-band-64k`, "0000", `have ${old}`, "0000"],
      ["none that both have", `want ${main} multi_ack_detailed side-band-64k`, "0000", `have ${UNKNOWN}`, "0000"],
      ["and done", `want ${main} multi_ack_detailed ofs-delta`, "0000", `have ${old}`, `have ${UNKNOWN}`, "done"],
      ["no-done", `want ${main} multi_ack_detailed no-done side-band-64k`, "0000", `have ${old}`, "0000"],
      ["no-done, not ready", `want ${main} multi_ack_detailed no-done`, "0000", `have ${UNKNOWN}`, "0000"],
      ["multi_ack", `want ${main} multi_ack side-band`, "0000", `have ${old}`, `have ${side}`, "done"],
      ["multi_ack, a round", `want ${main} multi_ack`, "0000", `have ${old}`, "0000"],
      ["neither", `want ${main}`, "0000", `have ${UNKNOWN}`, `have ${old}`, `have ${side}`, "done"],
      ["neither, a round", `want ${main} side-band-64k`, "0000", `have ${old}`, "0000"],
      ["neither, none that both have", `want ${main}`, "0000", `have ${UNKNOWN}`, "done"],
    ];
    for (const [name, ...lines] of asked) {
      const body = request(...lines);
      const ours = partsOf(await http(at.node, "r/git-upload-pack", { body, version: 1 }));
      const theirs = partsOf(await judge(bare, body));
      deepEqual(ours.lines, theirs.lines, name);
      equal(ours.pack.byteLength > 0, theirs.pack.byteLength > 0, name);
    }
  },
});

Deno.test({
  name: "versions 0 and 1: a pack in wide bands, in narrow ones, and bare is the same (row 9)",
  ...needed,
  async fn() {
    await using at = await world();
    const { bare } = at;
    const same = async (into: string) => {
      const main = await git(bare, "rev-parse", "main");
      const expected = (await git(bare, "rev-list", "--objects", "main")).split("\n").map((line) => line.slice(0, 40));
      const packs: Uint8Array[] = [];
      for (const [capability, most] of [["side-band-64k", 65_520], ["side-band", 1000], ["no-progress", 0]] as const) {
        const body = request(`want ${main} ${capability} ofs-delta`, "0000", "done");
        const { lines, pack, longest } = partsOf(await http(at.node, "r/git-upload-pack", { body }));
        deepEqual(lines, ["NAK"]);
        ok(longest <= most && (most === 0 || longest > most / 100), `${capability}: ${longest}`);
        packs.push(pack);
      }
      deepEqual(packs[1], packs[0]);
      deepEqual(packs[2], packs[0]);
      await git(".", "init", "-q", "--bare", into);
      await Deno.writeFile(`${into}/p.pack`, packs[0]);
      await git(into, "index-pack", "--strict", "p.pack");
      const shown = await gitWith(into, await Deno.readFile(`${into}/p.idx`), "show-index");
      deepEqual(shown.split("\n").map((line) => line.split(" ")[1]).sort(), expected.sort());
    };
    await same(at.folder.join("walked.git"));
    // Copied from several packs, one after the other, one of them in many pieces.
    await git(bare, "config", "receive.unpackLimit", "1");
    await Deno.writeFile(at.folder.join("work/large"), seeded("large").bytes(1 << 20));
    await git(at.folder.join("work"), "add", "large");
    for (let i = 0; i < 3; i++) {
      await commit(at.folder.join("work"), `file ${i}`, `line ${i}\n`, 1_700_001_000 + i);
      await git(at.folder.join("work"), "push", "-q", "--force", "--mirror", bare);
      await maintained(bare);
    }
    await same(at.folder.join("copied.git"));
  },
});

Deno.test({
  name: "versions 0 and 1 on a stream: rounds, each answered, then the pack with the tags of what is sent (row 34)",
  ...needed,
  async fn() {
    await using at = await world();
    const v1 = await git(at.bare, "rev-parse", "v1");
    const sent = joined([
      requestLine("/r", 1),
      request(
        `want ${await git(at.bare, "rev-parse", "v1^{commit}")} multi_ack_detailed include-tag ofs-delta`,
        "0000",
      ),
      request(`have ${UNKNOWN}`, "0000", `have ${UNKNOWN.replaceAll("1", "2")}`, "0000", "done"),
    ]);
    await using connection = at.node.connect(READER);
    const stream = await connection.open(sent);
    await stream.writable.close();
    const bytes = new Uint8Array(await new Response(stream.readable).arrayBuffer());
    const { lines, pack } = partsOf(bytes);
    deepEqual(lines.slice(-3), ["NAK", "NAK", "NAK"]);
    const into = at.folder.join("into.git");
    await git(".", "init", "-q", "--bare", into);
    await Deno.writeFile(`${into}/p.pack`, pack);
    await git(into, "index-pack", "--strict", "p.pack");
    match(await gitWith(into, await Deno.readFile(`${into}/p.idx`), "show-index"), new RegExp(v1));
  },
});

/** What comes after the refs, and what the client is told. */
const REFUSED: readonly (readonly [name: string, bytes: Uint8Array<ArrayBuffer>, says: RegExp])[] = [
  ["no want", request("have " + UNKNOWN, "0000"), /^ERR unexpected line: 'have 1/],
  ["a short object id", request("want 12", "0000"), /^ERR unexpected line: 'want 12'$/],
  ["a want that nobody shows", request(`want ${UNKNOWN}`, "0000", "done"), /^ERR upload-pack: not our ref 1{40}$/],
  ["a capability that is not shown", request(`want ${UNKNOWN} x=y`, "0000"), /^ERR unknown capability 'x=y'$/],
  [
    "capabilities on the second line",
    request(`want ${UNKNOWN}`, `want ${UNKNOWN} side-band`, "0000"),
    /^ERR unexpected line: 'want 1/,
  ],
  ["no depth", request(`want ${UNKNOWN}`, "deepen x", "0000"), /^ERR Invalid deepen: deepen x$/],
  ["two depths", request(`want ${UNKNOWN}`, "deepen 1", "deepen-since 1", "0000"), /^ERR deepen and deepen-since/],
  ["a short shallow", request(`want ${UNKNOWN}`, "shallow 12"), /^ERR invalid shallow line: shallow 12$/],
  ["a sparse filter", request(`want ${UNKNOWN}`, "filter sparse:oid=x"), /^ERR filter not supported$/],
  ["a delim", request(`want ${UNKNOWN}`, "0001"), /^ERR expected a flush after what is wanted$/],
  ["an end inside of what is wanted", request(`want ${UNKNOWN}`), /^ERR expected a flush after what is wanted$/],
  ["a bad length", new TextEncoder().encode("zzzz"), /^ERR bad line length$/],
];

Deno.test({
  name: "versions 0 and 1: requests that are none are told so, and cost their stream alone (rows 10, 11)",
  ...needed,
  async fn() {
    await using at = await world();
    for (const version of [0, 1]) {
      for (const [name, bytes, says] of REFUSED) {
        const packets = textOf(await answers(at.node, joined([requestLine("/r", version), bytes]), READER));
        match(packets.at(-1) ?? "", says, name);
      }
      const gone = joined([requestLine("/r", version), request(`want ${at.main}`, "0000", "gimme")]);
      match(textOf(await answers(at.node, gone, READER)).at(-1)!, /^ERR unexpected line: 'gimme'$/);
    }
    const many = gitNode({ root: at.folder.path, limits: { haves: 2 } });
    const haves = request(`want ${at.main}`, "0000", ...[1, 2, 3].map((n) => `have ${`${n}`.repeat(40)}`), "0000");
    match(textOf(await answers(many, joined([requestLine("/r", 0), haves]), READER)).at(-1)!, /^ERR too many haves$/);
    const large = gitNode({ root: at.folder.path, limits: { requestBytes: 80 } });
    match(
      textOf(await answers(large, joined([requestLine("/r", 0), haves]), READER)).at(-1)!,
      /^ERR request too large$/,
    );
  },
});

Deno.test({
  name: "versions 0 and 1: requests that are nearly git's end, and the node serves on (row 59)",
  ...needed,
  async fn() {
    const random = seeded("git fetches");
    await using at = await world();
    const { main, old } = at;
    const whole = request(
      `want ${main} multi_ack_detailed side-band-64k`,
      `want ${main}`,
      `shallow ${old}`,
      "filter combine:blob:limit=1k+tree:9",
      "0000",
      `have ${old}`,
      "0000",
      "done",
    );
    for (let round = 0; round < 3000; round++) {
      const reader = new PktReader(ReadableStream.from([random.mutate(whole)]));
      try {
        if (!await readWants(reader, { wants: 10, shallows: 10, filters: true, bytes: 1000 })) continue;
        for (let said = await readSaid(reader); said !== undefined && said !== "done"; said = await readSaid(reader));
      } catch (error) {
        ok(error instanceof AlknetError, (error as Error).stack);
      }
    }
    const before = descriptors(Deno.pid);
    for (let round = 0; round < 150; round++) {
      await http(at.node, "r/git-upload-pack", { body: random.mutate(whole) });
    }
    equal(descriptors(Deno.pid), before);
    const { lines } = partsOf(await http(at.node, "r/git-upload-pack", { body: whole }));
    deepEqual(lines, [`ACK ${old} common`, `ACK ${old} ready`, "NAK"]);
  },
});

/**
 * What is said before the pack where a depth is asked for, byte by byte, compared with git's own upload-pack
 * (git.md §3.5, §4; rows 39, 40).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { type Packet, PktReader } from "../../../../handlers/git/wire/pkt_line.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { answers, type GitNode, gitNode, joined, READER, request, requestLine, textOf } from "../client.ts";
import { closure, objectsOf } from "../histories.ts";
import { git, GIT_ENV, makeRepository } from "../repositories.ts";

const needed = needs("git", "linux");

async function world() {
  const folder = await temporaryFolder();
  const bare = folder.join("r.git");
  await makeRepository(folder.join("work"), bare);
  const node = gitNode({ root: folder.path });
  const names = ["main", "main~1", "main~2", "main~3", "v1^{}", "v1~4", "side/日本"];
  const oids = await Promise.all(names.map((name) => git(bare, "rev-parse", name)));
  return { bare, node, oids, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** What git's own upload-pack answers to a request that stands for itself. */
async function judged(bare: string, body: Uint8Array<ArrayBuffer>, version: number): Promise<Packet[]> {
  const child = new Deno.Command("git", {
    args: ["upload-pack", "--stateless-rpc", bare],
    env: { ...GIT_ENV, GIT_PROTOCOL: `version=${version}` },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(body);
  await writer.close();
  const { stdout } = await child.output();
  return await packetsOf(stdout);
}

async function packetsOf(bytes: Uint8Array<ArrayBuffer>): Promise<Packet[]> {
  const reader = new PktReader(ReadableStream.from([bytes]));
  const packets: Packet[] = [];
  for (let packet = await reader.next(); packet !== undefined; packet = await reader.next()) packets.push(packet);
  return packets;
}

/** The lines before the pack, those of a section in order; and the pack. */
function partsOf(packets: readonly Packet[]): { lines: string[]; pack: Uint8Array<ArrayBuffer> } {
  const isData = (packet: Packet) => typeof packet !== "string" && packet[0] <= 3;
  const bands = packets.filter((packet) => typeof packet !== "string" && packet[0] === 1) as Uint8Array[];
  const from = packets.findIndex(isData);
  const lines = textOf(from < 0 ? packets : packets.slice(0, from));
  const isDepth = (line: string) => /^(?:un)?shallow /.test(line);
  const depth = lines.filter(isDepth).sort();
  return {
    lines: lines.map((line) => isDepth(line) ? depth.shift()! : line),
    pack: joined(bands.map((one) => one.subarray(1))),
  };
}

async function ours(node: GitNode, body: Uint8Array<ArrayBuffer>, version: number): Promise<Packet[]> {
  const packets = await answers(node, joined([requestLine("/r", version), body]), READER);
  return packets.slice(packets.indexOf("flush") + 1);
}

Deno.test({
  name: "fetch in version 2: shallow-info, acknowledgments and wait-for-done are git's own lines (rows 39, 40)",
  ...needed,
  async fn() {
    await using at = await world();
    const [main, one, two, three, v1, old, side] = at.oids;
    const cases: readonly (readonly string[])[] = [
      ["deepen 1", "done"],
      ["deepen 2", "done"],
      ["deepen 100", "done"],
      ["deepen 2147483647", "done"],
      ["deepen-since 1700000010", "done"],
      ["deepen-not v1", "done"],
      ["deepen-not refs/tags/light", "deepen-since 1500000000", "done"],
      [`shallow ${one}`, `have ${main}`, "done"],
      [`shallow ${"1".repeat(40)}`, "done"],
      [`shallow ${one}`, "deepen 1", `have ${main}`, "done"],
      [`shallow ${one}`, "deepen 3", `have ${main}`],
      [`shallow ${one}`, `shallow ${two}`, "deepen 2147483647", `have ${main}`, "done"],
      [`shallow ${three}`, `shallow ${side}`, "deepen-not v1", `have ${main}`, "done"],
      [`shallow ${v1}`, "deepen 2", `have ${main}`, "done"],
      [`have ${old}`, `have ${"1".repeat(40)}`, "wait-for-done"],
      [`have ${old}`, "wait-for-done", "done"],
      ["wait-for-done"],
    ];
    for (const args of cases) {
      const body = request("command=fetch", "0001", `want ${main}`, "ofs-delta", ...args, "0000");
      const theirs = partsOf(await judged(at.bare, body, 2));
      const mine = partsOf(await ours(at.node, joined([body, request("0000")]), 2));
      deepEqual(mine.lines, theirs.lines, args.join());
      const [held, judge] = [mine, theirs].map(({ pack }) => pack.byteLength > 0 ? objectsOf(at.bare, pack) : []);
      // Git sends some again of what the client has.
      const has = args.flatMap((arg) => /^(?:have|shallow) (?!1{40})([0-9a-f]{40})$/.exec(arg)?.[1] ?? []);
      const there = has.length > 0 ? await closure(at.bare, has, "--no-walk") : [];
      const sent = new Set([...await held, ...there]);
      deepEqual((await judge).filter((oid) => !sent.has(oid)), [], args.join());
    }
  },
});

Deno.test({
  name: "fetch in version 2 without wants: what both have is told, and nothing is sent before done (row 39)",
  ...needed,
  async fn() {
    await using at = await world();
    const [main, one] = at.oids;
    for (
      const args of [[`have ${one}`, `have ${main}`, "wait-for-done"], [`have ${"1".repeat(40)}`, "wait-for-done"]]
    ) {
      const body = request("command=fetch", "0001", ...args, "0000");
      const mine = partsOf(await ours(at.node, joined([body, request("0000")]), 2));
      deepEqual(mine, partsOf(await judged(at.bare, body, 2)));
      equal(mine.pack.byteLength, 0);
    }
    const done = request("command=fetch", "0001", "wait-for-done", `have ${one}`, "done", "0000", "0000");
    const empty = partsOf(await ours(at.node, done, 2));
    deepEqual([empty.lines, await objectsOf(at.bare, empty.pack)], [["packfile"], []]);
  },
});

Deno.test({
  name: "fetch in versions 0 and 1: the lines of depth are git's own, before each round (rows 34, 40)",
  ...needed,
  async fn() {
    await using at = await world();
    const [main, one, , three] = at.oids;
    const first = `want ${main} multi_ack_detailed side-band-64k ofs-delta`;
    const cases: readonly (readonly string[])[] = [
      [first, "deepen 2", "0000"],
      [first, "deepen 2", "0000", "done"],
      [first, "deepen-since 1700000010", "0000", "done"],
      [first, "deepen-not v1", "0000", "done"],
      [first, `shallow ${one}`, "0000", `have ${main}`, "done"],
      [first, `shallow ${one}`, "deepen 3", "0000", `have ${main}`, "done"],
      [`${first} deepen-relative`, `shallow ${three}`, "deepen 1", "0000", `have ${main}`, "done"],
    ];
    for (const version of [0, 1]) {
      for (const lines of cases) {
        const body = request(...lines);
        const mine = partsOf(await ours(at.node, body, version));
        const theirs = partsOf(await judged(at.bare, body, version));
        deepEqual(mine.lines, theirs.lines, lines.join());
        equal(mine.pack.byteLength > 0, theirs.pack.byteLength > 0);
      }
    }
  },
});

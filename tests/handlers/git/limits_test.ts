/**
 * Each limit of what a client sends: one below it and at it are served, one above is refused (git.md §11; row 58).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { GIT_LIMITS, type GitLimits } from "../../../handlers/git/limits.ts";
import { FLUSH, pktLine, PktReader } from "../../../handlers/git/wire/pkt_line.ts";
import { needs } from "../../support/programs.ts";
import { Random } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { answers, gitNode, joined, READER, request, requestLine, textOf } from "./client.ts";
import { bytesOf, delta, oidOf, type PackEntry, packOf } from "./packs.ts";
import { CAPABILITIES, commands, COMMIT, CREATE, ENTRIES, HEAD, push, world, ZERO } from "./push/pushes.ts";
import { commit, git, gitWith, makeRepository } from "./repositories.ts";

const needed = needs("git");

/** A limit, how much of it a request takes, and what is said of one that takes more. */
type Case = readonly [limit: keyof GitLimits, amount: number, refused: string];

/** The limit one above, at, and one below what the request takes. */
async function judge([limit, amount, refused]: Case, told: (limits: Partial<GitLimits>) => Promise<string>) {
  const said = [];
  for (const allowed of [amount + 1, amount, amount - 1]) said.push(await told({ [limit]: allowed }));
  deepEqual(said, ["", "", refused], `${limit} around ${amount}: ${JSON.stringify(said)}`);
}

Deno.test({
  name: "limits of a fetch: wants, haves, shallow lines, bytes of the request, commits looked at (git.md row 58)",
  ...needed,
  async fn(t) {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeRepository(folder.join("work"), bare);
    const tips = [...new Set((await git(bare, "for-each-ref", "--format=%(objectname)")).split("\n"))].slice(0, 3);
    equal(tips.length, 3);
    const wants = tips.map((oid) => `want ${oid}`);
    const strange = (what: string) => [1, 2, 3].map((i) => `${what} ${i.toString(16).padStart(40, "0")}`);
    // A line of commits, the fourth of which is looked for from the first.
    const work = folder.join("work");
    await git(work, "checkout", "-q", "--orphan", "line");
    for (let i = 0; i < 5; i++) await commit(work, "file", `${i}\n`, 1_800_000_000 + i);
    await git(work, "push", "-q", bare, "line");
    await git(bare, "symbolic-ref", "HEAD", "refs/heads/line");
    const fourth = await git(bare, "rev-parse", "line~3");
    const size = (lines: readonly string[]) => lines.reduce((sum, line) => sum + Math.max(32, line.length + 1 - 16), 0);
    const all = [...wants, ...strange("have"), "done"];
    const rows: readonly (readonly [what: Case, args: readonly string[]])[] = [
      [["wants", 3, "ERR too many wants"], [...wants, "done"]],
      [["haves", 3, "ERR too many haves"], [wants[0], ...strange("have"), "done"]],
      [["shallows", 3, "ERR too many shallows"], [wants[0], ...strange("shallow"), "done"]],
      [["requestBytes", size(["command=fetch", ...all]), "ERR request too large"], all],
      [["wantWalk", 4, `ERR upload-pack: not our ref ${fourth}`], [`want ${fourth}`, "done"]],
    ];
    for (const [what, args] of rows) {
      await t.step(what[0], () =>
        judge(what, async (limits) => {
          await using node = gitNode({ root: folder.path, limits });
          const sent = joined([requestLine("/r"), request("command=fetch", "0001", ...args, "0000")]);
          const told = textOf(await answers(node, sent, READER));
          const error = told.find((line) => line.startsWith("ERR"));
          ok(error !== undefined || told.some((line) => /packfile|acknowledgments/.test(line)), told.join("\n"));
          return error ?? "";
        }));
    }
  },
});

/** A blob, and one that a delta makes of it, which is far larger than the pack. */
const BASE = bytesOf("x".repeat(60_000));
const COPIES = 3;
const GROWN = COPIES * BASE.byteLength;
const COPY = [0x80 | 0x10 | 0x20, BASE.byteLength & 0xff, BASE.byteLength >> 8];
const GROWING: PackEntry[] = [
  ...ENTRIES,
  { type: 3, data: BASE, deflated: deflateSync(BASE, { level: 9 }) },
  { type: 7, base: oidOf("blob", BASE), data: delta(BASE.byteLength, GROWN, ...Array(COPIES).fill(COPY).flat()) },
];
const BLOB_OF_PUSH = bytesOf("a blob that is longer than all else that is pushed beside it".repeat(10));

Deno.test({
  name: "limits of a push: commands, options, packs, objects, what deltas make, the quota (git.md row 58)",
  ...needed,
  async fn(t) {
    const pack = packOf(ENTRIES);
    const growing = packOf(GROWING);
    const options = (...list: string[]) =>
      joined([
        commands(`${CAPABILITIES} push-options`, `${ZERO} ${HEAD} refs/heads/main`),
        ...list.map((one) => pktLine(bytesOf(one))),
        FLUSH,
      ]);
    const three = commands(CAPABILITIES, ...["a", "b", "c"].map((name) => `${ZERO} ${HEAD} refs/heads/${name}`));
    const larger = packOf([...ENTRIES, { type: 3, data: BLOB_OF_PUSH }]);
    const rows: readonly (readonly [what: Case, request: Uint8Array, pack: Uint8Array])[] = [
      [["commands", 3, "ERR too many commands"], three, pack],
      [["pushOptions", 3, "too many push options"], options("a", "b", "c"), pack],
      [["optionBytes", 10, "too many push options"], options("a", "0123456789"), pack],
      [["packBytes", pack.byteLength, "pack too large"], CREATE, pack],
      [["objects", 3, "too many objects"], CREATE, pack],
      [["objectBytes", BLOB_OF_PUSH.byteLength, "object too large"], CREATE, larger],
      [["deltaBytes", COMMIT.byteLength, "object too large"], CREATE, pack],
      [["deltaBytes", GROWN, "object too large"], CREATE, growing],
      // Beside what is allowed for each byte of the pack that is no checksum.
      [["resolvedBytes", GROWN - 200 * (growing.byteLength - 20), "pack too large"], CREATE, growing],
      [["quota", pack.byteLength, "quota exceeded"], CREATE, pack],
    ];
    for (const [what, asked, sent] of rows) {
      await t.step(`${what[0]} of ${what[1]}`, () =>
        judge(what, async (limits) => {
          await using at = await world(limits);
          const { report, lines } = await push(at.node, asked, sent);
          const refs = await git(at.bare, "for-each-ref", "--format=%(refname)");
          if (
            report[0] === "unpack ok" && report.slice(1).every((line) => line === "flush" || line.startsWith("ok "))
          ) {
            ok(refs !== "");
            return "";
          }
          equal(refs, "", "what is refused moves nothing");
          if (report.length === 0) return lines[0];
          const [, words] = /^unpack (.*)$/.exec(report[0])!;
          return words === "ok" ? /^ng \S+ (.*)$/.exec(report[1])![1] : words;
        }));
    }
  },
});

Deno.test({
  name:
    "limits of services: of an identity, of the anonymous, of all; 64 that idle leave no room, one that goes makes some",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    await git(".", "init", "-q", "--bare", folder.join("r.git"));
    equal(GIT_LIMITS.services, 64);
    await using node = gitNode({ root: folder.path });
    const identity = (i: number) => ({ ...READER, id: `reader ${i}` });
    const idle = async (i: number) => {
      const connection = node.connect(identity(i));
      const stream = await connection.open(requestLine("/r"));
      const reader = new PktReader(stream.readable);
      for (let packet = await reader.next(); packet !== "flush"; packet = await reader.next()) {
        if (packet instanceof Uint8Array && textOf([packet])[0].startsWith("ERR")) {
          return { connection, refused: textOf([packet])[0] };
        }
      }
      return { connection, refused: undefined };
    };
    const held = [];
    const full = "ERR too many services; try again";
    for (let i = 0; i < 64; i++) {
      held.push(await idle(i >> 3));
      equal(held[i].refused, undefined, `${i}`);
      // Eight of an identity, and no ninth.
      if (i % 8 === 7 && i < 63) deepEqual(textOf(await answers(node, requestLine("/r"), identity(i >> 3))), [full]);
    }
    deepEqual(textOf(await answers(node, requestLine("/r"), identity(8))), [full]);
    await held.pop()!.connection[Symbol.asyncDispose]();
    equal(textOf(await answers(node, requestLine("/r"), identity(8)))[0], "version 2");
    for (const { connection } of held) await connection[Symbol.asyncDispose]();
  },
});

Deno.test({
  name:
    "limits of time: a request line, a request, a pack that is not taken, a fetch; whoever is late is cut with code 3",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(".", "init", "-q", "--bare", bare);
    const content = new Random(3).bytes(1 << 20).toHex();
    const head = "commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\n";
    await gitWith(bare, `${head}M 100644 inline f\ndata ${content.length}\n${content}\n`, "fast-import", "--quiet");
    const want = request("command=fetch", "0001", `want ${await git(bare, "rev-parse", "main")}`, "done", "0000");
    const late = async (limits: Partial<GitLimits>, sent: Uint8Array, reads: boolean): Promise<unknown> => {
      await using node = gitNode({ root: folder.path, limits });
      await using connection = node.connect(READER);
      const stream = await connection.open(sent);
      // What waits at the node is not taken before the node has given up.
      if (!reads) await stream.writable.getWriter().closed.catch(() => {});
      if (Object.keys(limits).length === 0) await stream.writable.close();
      const slowly = new WritableStream({ write: () => new Promise((taken) => setTimeout(taken, 20)) });
      return await stream.readable.pipeTo(limits.fetchTime ? slowly : new WritableStream()).then(
        () => "ended",
        (error) => error.errorCode,
      );
    };
    const line = requestLine("/r");
    equal(await late({ requestLine: 30 }, line.subarray(0, 9), true), 3);
    equal(await late({ negotiationIdle: 30 }, joined([line, want.subarray(0, 30)]), true), 3);
    equal(await late({ negotiationIdle: 30 }, line, true), 3);
    equal(await late({ transferStall: 30 }, joined([line, want]), false), 3);
    equal(await late({ fetchTime: 100 }, joined([line, want]), true), 3);
    equal(await late({}, joined([line, want]), true), "ended");
  },
});

/**
 * receive-pack, said byte by byte: requests, reports and names of refs (git.md §3.6, §7; rows 23, 24, 26).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { FLUSH, pktLine } from "../../../../handlers/git/wire/pkt_line.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { answers, joined, READER, requestLine, textOf } from "../client.ts";
import { bytesOf, packOf } from "../packs.ts";
import { contentsOf, git, GIT_ENV } from "../repositories.ts";
import { CAPABILITIES, commands, CREATE, ENTRIES, HEAD, push, world, WRITER, ZERO } from "./pushes.ts";

const needed = needs("git", "linux");

Deno.test({
  name: "receive-pack: the refs and what it can do; nothing to move is no error (§3.4, §3.6)",
  ...needed,
  async fn() {
    await using at = await world();
    const shown = async (version: number) =>
      textOf(await answers(at.node, requestLine("/r", version, "git-receive-pack"), WRITER));
    const able =
      "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options object-format=sha1 " +
      "agent=alknet/0.1.0";
    deepEqual(await shown(0), [`${ZERO} capabilities^{}\0${able}`, "flush"]);
    deepEqual(await push(at.node, CREATE, packOf(ENTRIES)), {
      report: ["unpack ok", "ok refs/heads/main", "flush"],
      progress: "",
      lines: ["\x01000eunpack ok\n0017ok refs/heads/main\n0000", "flush"],
    });
    for (const version of [0, 2]) deepEqual(await shown(version), [`${HEAD} refs/heads/main\0${able}`, "flush"]);
    deepEqual(await shown(1), ["version 1", `${HEAD} refs/heads/main\0${able}`, "flush"]);
    deepEqual((await push(at.node, FLUSH)).lines, []);
    const refused = textOf(await answers(at.node, requestLine("/r", 0, "git-receive-pack"), READER));
    deepEqual(refused, ["ERR service not enabled: git-receive-pack"]);
    await git(at.bare, "fsck", "--strict");
  },
});

Deno.test({
  name: "receive-pack: reports are git's bytes: versions 1 and 2, without side band, quiet, no report (row 26)",
  ...needed,
  async fn() {
    await using at = await world();
    const peer = at.folder.join("peer.git");
    await git(".", "init", "-q", "--bare", peer);
    await git(peer, "config", "receive.denyDeleteCurrent", "ignore");
    await git(at.bare, "config", "alknet.protected", "!HEAD");
    await git(at.bare, "config", "receive.denyDeleteCurrent", "ignore");
    const raw = async (request: Uint8Array): Promise<string> => {
      const packets = await answers(at.node, joined([requestLine("/r", 0, "git-receive-pack"), request]), WRITER);
      return packets.slice(packets.indexOf("flush") + 1)
        .map((part) => typeof part === "string" ? "0000" : new TextDecoder().decode(pktLine(part))).join("");
    };
    const gits = async (request: Uint8Array<ArrayBuffer>): Promise<string> =>
      (await runProgram("git", ["receive-pack", "--stateless-rpc", peer], { env: GIT_ENV, stdin: request })).stdout;
    const pack = packOf(ENTRIES);
    const made = `${ZERO} ${HEAD} refs/heads/`;
    const gone = (name: string) => `${HEAD} ${ZERO} refs/heads/${name}`;
    const abilities = [
      "report-status",
      "report-status-v2",
      "report-status report-status-v2 side-band-64k",
      "report-status side-band-64k quiet atomic",
      "side-band-64k",
      "quiet",
      "",
    ];
    for (const [i, capabilities] of abilities.entries()) {
      for (const [updates, bytes] of [[[`${made}a${i}`, `${made}b${i}`], pack], [[gone(`a${i}`)], []]] as const) {
        const request = joined([commands(capabilities, ...updates), new Uint8Array(bytes)]);
        equal(await raw(request), await gits(request), `${capabilities}: ${updates}`);
      }
    }
    deepEqual(await contentsOf(at.bare), await contentsOf(peer));
  },
});

Deno.test({
  name: "receive-pack: requests that are none, or ask for what is not served, are ERR and move nothing (§3.6, §11)",
  ...needed,
  async fn() {
    await using at = await world({ commands: 2 });
    const pack = packOf(ENTRIES);
    const made = `${ZERO} ${HEAD} refs/heads/`;
    const wrong: readonly (readonly [request: Uint8Array, words: RegExp])[] = [
      [commands("", `${ZERO} ${HEAD}`), /expected old\/new\/ref/],
      [commands("", `x ${HEAD} refs/heads/a`), /expected old\/new\/ref/],
      [commands("push-options", `${made}a`), /ends inside of a request/],
      [commands("side-band", `${made}a`), /side-band is not served/],
      [commands("object-format=sha256", `${made}a`), /mismatched object format/],
      [commands("", `${made}a`, `${made}a`), /multiple updates for ref 'refs\/heads\/a' not allowed/],
      [commands("", `${made}a`, `${made}b`, `${made}c`), /too many commands/],
      [joined([pktLine("push-cert\0 push-cert=x"), FLUSH]), /push-cert is not served/],
      [joined([pktLine(bytesOf(`${made}a`)), bytesOf("0001")]), /unexpected delim/],
      [pktLine(bytesOf(`${made}a`)), /ends inside of a request/],
      [bytesOf("fff1"), /bad line length/],
    ];
    for (const [request, words] of wrong) {
      const { lines: said } = await push(at.node, request, words.source.includes("inside") ? undefined : pack);
      match(said.at(-1) ?? "", words);
      match(said.at(-1) ?? "", /^ERR /);
    }
    equal(await git(at.bare, "for-each-ref"), "");
    equal(await git(at.bare, "count-objects"), "0 objects, 0 kilobytes");
    // Shallow lines are passed over: the push is connected without them.
    const shallow = joined([pktLine(`shallow ${"1".repeat(40)}`), CREATE]);
    deepEqual((await push(at.node, shallow, pack)).report, ["unpack ok", "ok refs/heads/main", "flush"]);
  },
});

Deno.test({
  name: "receive-pack: names of refs get git check-ref-format's verdict (row 23)",
  ...needed,
  async fn() {
    await using at = await world();
    await git(at.bare, "config", "alknet.protected", "!HEAD");
    await git(at.bare, "config", "receive.denyDeleteCurrent", "ignore");
    const parts = [
      "a",
      "a.b",
      ".a",
      "a.",
      "a.lock",
      "a.lock.b",
      "a..b",
      "a b",
      "a~",
      "a^",
      "a:",
      "a?",
      "a*",
      "a[",
      "a\\",
    ];
    const more = ["a@{", "@", "a@", "@{", "-a", "a-", "日本", "a\x7f", "a\x01", "a\t", "{", "a]", "$(id)", "a;b", "'"];
    const paths = ["a/b", "a//b", "/a", "a/", "a/.b", "a/b.lock", "a/b.lock/c", "a/./b", "a/../b", "b/c/d/e/f", "HEAD"];
    const names = [...parts, ...more, ...paths].flatMap((name) => [`refs/heads/${name}`, `refs/x/${name}`]);
    const alone = [
      "HEAD",
      "refs",
      "refs/",
      "refs/heads",
      "refs/x",
      "heads/a",
      "main",
      "refs/heads/",
      "refs//a/b",
      "/refs/a/b",
    ];
    const short = (name: string) => name.split("/").length >= 3 && name.startsWith("refs/");
    for (const name of [...names, ...alone]) {
      const { code } = await runProgram("git", ["check-ref-format", name], { env: GIT_ENV });
      const { report } = await push(at.node, commands(CAPABILITIES, `${ZERO} ${HEAD} ${name}`), packOf(ENTRIES));
      const expected = code === 0 && short(name) ? `ok ${name}` : `ng ${name} funny refname`;
      equal(report[1], expected);
      if (code === 0 && short(name)) {
        const gone = await push(at.node, commands(CAPABILITIES, `${HEAD} ${ZERO} ${name}`));
        equal(gone.report[1], `ok ${name}`);
      }
    }
    equal(await git(at.bare, "for-each-ref"), "");
    const long = `refs/heads/${"n".repeat(300)}`;
    match((await push(at.node, commands(CAPABILITIES, `${ZERO} ${HEAD} ${long}`), packOf(ENTRIES))).report[1], /funny/);
  },
});

Deno.test({
  name: "receive-pack: symbolic and hidden refs do not move, hidden ones are not shown (row 24)",
  ...needed,
  async fn() {
    await using at = await world();
    await push(at.node, CREATE, packOf(ENTRIES));
    await git(at.bare, "symbolic-ref", "refs/heads/link", "refs/heads/main");
    await git(at.bare, "update-ref", "refs/secret/a", HEAD);
    await git(at.bare, "config", "receive.hideRefs", "refs/secret");
    const shown = textOf(await answers(at.node, requestLine("/r", 0, "git-receive-pack"), WRITER));
    deepEqual(shown.map((line) => line.slice(41).split("\0")[0]), ["refs/heads/link", "refs/heads/main", ""]);
    for (
      const [name, reason] of [
        ["refs/heads/link", "funny refname"],
        ["refs/secret/a", "hidden"],
        ["refs/secret/b", "hidden"],
        ["refs/internal/a", "funny refname"],
      ]
    ) {
      for (const update of [`${HEAD} ${ZERO}`, `${ZERO} ${HEAD}`]) {
        const { report } = await push(at.node, commands(CAPABILITIES, `${update} ${name}`), packOf(ENTRIES));
        deepEqual(report, ["unpack ok", `ng ${name} ${reason}`, "flush"]);
      }
    }
    equal((await git(at.bare, "for-each-ref")).split("\n").length, 3);
  },
});

/**
 * What goes wrong: clients that vanish, packs that are damaged, limits, and requests that are nearly git's
 * (git.md §3.7, §11; rows 11, 44, 58, 59).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Identity } from "@alknet/core/handler";
import { PktReader } from "../../../handlers/git/wire/pkt_line.ts";
import { formatEntryHead, parseEntryHead } from "../../../handlers/git/pack/entry.ts";
import { descriptors } from "../../support/proc.ts";
import { needs } from "../../support/programs.ts";
import { Random, seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { answers, fetched, gitNode, joined, READER, request, requestLine, textOf } from "./client.ts";
import { git, gitWith, makeRepository } from "./repositories.ts";

const needed = needs("git", "linux");

/** A repository of one commit with much that cannot be made smaller. */
async function largeRepository(bare: string): Promise<string> {
  await git(".", "init", "-q", "--bare", bare);
  const random = new Random(7);
  const files = Array.from({ length: 64 }, (_, i) => {
    const content = random.bytes(64 * 1024).toHex();
    return `M 100644 inline f${i}\ndata ${content.length}\n${content}`;
  });
  const stream = `commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\n${
    files.join("\n")
  }\n`;
  await gitWith(bare, stream, "fast-import", "--quiet");
  await git(bare, "repack", "-a", "-d", "-q");
  return await git(bare, "rev-parse", "main");
}

Deno.test({
  name: "a client that vanishes in the middle of a pack leaves no descriptor, and others are served (row 44)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const head = await largeRepository(folder.join("r.git"));
    await using node = gitNode({ root: folder.path });
    const sent = joined([requestLine("/r"), request("command=fetch", "0001", `want ${head}`, "done", "0000")]);
    ok((await fetched(node, "r", `want ${head}`, "done")).pack.byteLength > 2_000_000);
    const before = descriptors(Deno.pid);
    for (const leave of ["close", "stop"] as const) {
      await using connection = node.connect(READER);
      const stream = await connection.open(sent);
      const reader = stream.readable.getReader();
      for (let got = 0; got < 300_000;) got += (await reader.read()).value!.byteLength;
      ok(descriptors(Deno.pid) > before, "the pack is open while it is sent");
      if (leave === "close") connection.connection.close();
      else {
        reader.cancel().catch(() => {});
        stream.stop(0);
        stream.reset(0);
      }
    }
    equal(descriptors(Deno.pid), before);
    ok((await fetched(node, "r", `want ${head}`, "done")).pack.byteLength > 2_000_000);
  },
});

Deno.test({
  name: "a flipped byte in a pack is said on band 3, and the pack has no trailer (row 44)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    const head = await largeRepository(bare);
    const whole = await fetched(gitNode({ root: folder.path }), "r", `want ${head}`, "done");
    for await (const { name } of Deno.readDir(`${bare}/objects/pack`)) {
      if (!name.endsWith(".pack")) continue;
      const path = `${bare}/objects/pack/${name}`;
      const bytes = await Deno.readFile(path);
      bytes[Math.floor(bytes.byteLength / 2)] ^= 1;
      await Deno.chmod(path, 0o600);
      await Deno.writeFile(path, bytes);
    }
    const { fatal, pack } = await fetched(gitNode({ root: folder.path }), "r", `want ${head}`, "done");
    equal(fatal, "upload-pack: internal error");
    ok(pack.byteLength < whole.pack.byteLength);
  },
});

Deno.test({
  name: "limits: wants, haves, bytes of a request, services of one identity (row 58)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    await makeRepository(folder.join("work"), folder.join("r.git"));
    const head = await git(folder.join("r.git"), "rev-parse", "main");
    const limits = { wants: 1, haves: 2, requestBytes: 4096, servicesPerIdentity: 1 };
    await using node = gitNode({ root: folder.path, limits });
    const ask = async (...args: string[]) => {
      const sent = joined([requestLine("/r"), request("command=fetch", "0001", ...args, "0000")]);
      return textOf(await answers(node, sent, READER)).find((line) => line.startsWith("ERR"));
    };
    const have = (i: number) => `have ${i.toString(16).padStart(40, "0")}`;
    equal(await ask(`want ${head}`, have(1), have(2)), undefined);
    equal(await ask(`want ${head}`, `want ${"1".repeat(40)}`), "ERR too many wants");
    equal(await ask(`want ${head}`, have(1), have(2), have(3)), "ERR too many haves");
    equal(await ask(...Array.from({ length: 200 }, (_, i) => have(i))), "ERR request too large");
    await using first = node.connect(READER);
    const stream = await first.open(requestLine("/r"));
    const reader = new PktReader(stream.readable);
    for (let packet = await reader.next(); packet !== "flush"; packet = await reader.next());
    deepEqual(textOf(await answers(node, requestLine("/r"), READER)), ["ERR too many services; try again"]);
    const other: Identity = { ...READER, id: "other" };
    equal(textOf(await answers(node, requestLine("/r"), other))[0], "version 2");
    const writer = stream.writable.getWriter();
    await writer.write(request("0000"));
    await writer.close();
    equal(await reader.next(), undefined);
    equal(textOf(await answers(node, requestLine("/r"), READER))[0], "version 2");
  },
});

Deno.test({
  name: "shutdown: a client that asks nothing does not hold the node up, one that has asked is answered",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const head = await largeRepository(folder.join("r.git"));
    const node = gitNode({ root: folder.path });
    const [idle, busy] = [node.connect(READER), node.connect(READER)];
    const quiet = new PktReader((await idle.open(requestLine("/r"))).readable);
    while (await quiet.next() !== "flush");
    const asked = await busy.open(
      joined([requestLine("/r"), request("command=fetch", "0001", `want ${head}`, "done", "0000")]),
    );
    const reader = asked.readable.getReader();
    let received = (await reader.read()).value!.byteLength;
    while (received < 100_000) received += (await reader.read()).value!.byteLength;
    node.shutdown();
    equal(await quiet.next(), undefined);
    for (let next = await reader.read(); !next.done; next = await reader.read()) received += next.value.byteLength;
    ok(received > 2_000_000);
    await node[Symbol.asyncDispose]();
  },
});

Deno.test({
  name: "services: mutated conversations end, and the node serves on (row 59)",
  ...needed,
  async fn() {
    const random = seeded("git conversations");
    await using folder = await temporaryFolder();
    await makeRepository(folder.join("work"), folder.join("r.git"));
    const head = await git(folder.join("r.git"), "rev-parse", "main");
    const before = descriptors(Deno.pid);
    await using node = gitNode({ root: folder.path });
    const line = requestLine("/r");
    const rest = joined([
      request("command=ls-refs", "agent=x", "0001", "peel", "symrefs", "ref-prefix refs/", "0000"),
      request("command=fetch", "0001", `want ${head}`, `have ${"1".repeat(40)}`, "0000"),
      request("command=fetch", "0001", `want ${head}`, "ofs-delta", "done", "0000", "0000"),
    ]);
    for (let round = 0; round < 300; round++) {
      const sent = round % 2 === 0 ? joined([line, random.mutate(rest)]) : random.mutate(joined([line, rest]));
      await answers(node, sent, READER);
    }
    equal(descriptors(Deno.pid), before);
    ok((await fetched(node, "r", `want ${head}`, "done")).pack.byteLength > 0);
  },
});

Deno.test("entry heads: distances as git writes them (gitformat-pack)", () => {
  equal(formatEntryHead(1, 138).toHex(), "9a08");
  equal(formatEntryHead(6, 0, 128).toHex(), "608000");
  equal(formatEntryHead(6, 0, 16_512).toHex(), "60808000");
  for (const [size, distance] of [[0, 1], [15, 127], [16, 128], [2 ** 40, 2 ** 40], [2 ** 52, 16_511]]) {
    const head = parseEntryHead(formatEntryHead(6, size, distance));
    deepEqual([head.size, head.distance], [size, distance]);
  }
  match(parseEntryHead(formatEntryHead(7, 24, "ab".repeat(20))).base ?? "", /^(ab){20}$/);
});

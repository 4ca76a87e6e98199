/**
 * `alknet blob`: files added at one node and got by another, over QUIC and TLS (fs.md §8, §9; §11 rows 14, 18, 51).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { runAlknet, runProgram, startAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { seeded } from "../support/random.ts";
import { temporaryFolder } from "../support/temp.ts";
import { sound } from "../handlers/fs/stores.ts";
import { initHome, type TestHome } from "./home.ts";

const HELLO = "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f";

/** Runs a command that has to do well, and parses the object that it prints. */
async function well(home: TestHome, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await home.run("blob", ...args, "--json");
  equal(code, 0, `blob ${args.join(" ")}\n${stderr}`);
  return JSON.parse(stdout);
}

/** What a ticket says. */
async function said(ticket: string): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runAlknet(["blob", "ticket", ticket, "--json"]);
  equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Runs a command that fails, and gives what it says. */
async function refused(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run("blob", ...args);
  notEqual(code, 0, stdout);
  return `${code} ${stderr.trim()}`;
}

Deno.test({
  name: "alknet blob add, share, get: the same bytes at another node over QUIC and TLS (row 14)",
  ...needs("b3sum"),
  async fn() {
    await using provider = await initHome();
    await using getter = await initHome();
    await using folder = await temporaryFolder();
    await using node = await provider.serve();
    const random = seeded("blobs");
    for (const size of [0, 1, 16384, 16385, 24 * 1024 * 1024 + 5]) {
      const file = await folder.write(`file ${size}`, random.bytes(size));
      const { hash, ...rest } = await well(provider, "add", file);
      const { stdout: expected } = await runProgram("b3sum", ["--no-names", file]);
      equal(hash, expected.trim());
      const name = `file ${size}`;
      deepEqual(rest, { size, format: "raw", name, tag: `${name}@${expected.slice(0, 10)}` });
      const { ticket } = await well(provider, "share", hash as string);
      for (const transport of ["quic", "tls"]) {
        const path = folder.join(`${transport} ${size}`);
        deepEqual(await well(getter, "get", ticket as string, "-o", path, "--transport", transport), {
          hash,
          size,
          path,
        });
        deepEqual(await Deno.readFile(path), await Deno.readFile(file));
        await sound(`${getter.path}/fs`);
        // What a store has is not asked for.
        await Deno.remove(`${getter.path}/fs`, { recursive: true });
      }
    }
    match(await node.child.errorLine(/sent src=127\.0\.0\.1/), /hash=[0-9a-f]{10} bytes=/);
  },
});

Deno.test("alknet blob get: who has no grant gets BLOB_NOT_FOUND, as for what is not there; who has, the file (row 46)", async () => {
  await using provider = await initHome();
  await using getter = await initHome();
  await using folder = await temporaryFolder();
  const file = await folder.write("hello.txt", "hello");
  equal((await well(provider, "add", file)).hash, HELLO);
  await using node = await provider.serve();
  const from = `${provider.nodeId}@${node.address}`;
  const out = folder.join("out");
  const get = (hash: string, ...args: string[]) => refused(getter, "get", hash, "--from", from, "-o", out, ...args);
  for (const transport of ["quic", "tls"]) {
    const forbidden = await get(HELLO, "--transport", transport);
    const absent = await get("00".repeat(32), "--transport", transport);
    match(forbidden, /^1 alknet: blob ea8f163db3: the node .*does not have it, or not for you$/);
    equal(absent, forbidden.replace("ea8f163db3", "0000000000"));
  }
  // A grant of another process holds at once.
  await well(provider, "share", HELLO, "--to", "somebody else");
  match(await get(HELLO), /not for you/);
  await well(provider, "share", HELLO, "--to", getter.nodeId);
  deepEqual(await well(getter, "get", HELLO, "--from", from, "-o", out), { hash: HELLO, size: 5, path: out });
  equal(await Deno.readTextFile(out), "hello");
  await using stranger = await initHome();
  match(await refused(stranger, "get", HELLO, "--from", from, "-o", folder.join("no")), /not for you/);
  // By scope.
  const { code } = await provider.run("authorize", stranger.nodeId, "--name", "ada", "--scope", "blobs:read");
  equal(code, 0);
  await node.child.line(/"event":"reloaded"/);
  equal((await well(stranger, "get", HELLO, "--from", from, "-o", folder.join("yes"))).size, 5);
});

Deno.test("fs on /iroh-bytes/4: stock's request over QUIC and TLS, from nobody, for what anyone may read (row 10)", async () => {
  await using provider = await initHome();
  await using folder = await temporaryFolder();
  await well(provider, "add", await folder.write("hello.txt", "hello"));
  await using node = await provider.serve();
  const request = Uint8Array.fromHex(`00${HELLO}020001000100`);
  for (const granted of [false, true]) {
    if (granted) await well(provider, "share", HELLO);
    for (const transport of ["quic", "tls"]) {
      const args = [
        "dial",
        "/iroh-bytes/4",
        node.address,
        "--insecure",
        "--transport",
        transport,
        "--home",
        folder.path,
      ];
      const { code, stdout, stderr } = await runAlknet(args, { stdin: request });
      // The size, and then the one chunk.
      equal(stdout, granted ? "\x05\0\0\0\0\0\0\0hello" : "", stderr);
      if (granted) equal(code, 0, stderr);
      else if (transport === "quic") match(stderr, /reset by peer with code 1/);
    }
  }
});

Deno.test("alknet blob get: what is at its place stays, --force replaces it, - is stdout, nothing is left beside", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  const file = await folder.write("hello.txt", "hello");
  const added = await home.run("blob", "add", file, file);
  equal(added.stdout, `${HELLO}  5 B  hello.txt\n`.repeat(2));
  const out = await folder.write("out", "mine");
  match(await refused(home, "get", HELLO, "-o", out), /^1 .*is there already; --force replaces it/);
  match(await refused(home, "get", HELLO, "-o", folder.path), /is a folder/);
  equal(await Deno.readTextFile(out), "mine");
  const { stdout } = await home.run("blob", "get", HELLO.toUpperCase(), "-o", out, "--force");
  equal(stdout, `${HELLO}  5 B  ${out}\n`);
  equal(await Deno.readTextFile(out), "hello");
  equal((await home.run("blob", "get", HELLO, "-o", "-")).stdout, "hello");
  // A link of the name under which it is written first is not followed.
  await Deno.symlink(out, folder.join("trap.part"));
  await well(home, "get", HELLO, "-o", folder.join("trap"));
  equal(await Deno.readTextFile(out), "hello");
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  deepEqual(names, ["hello.txt", "out", "trap"]);
  match(await refused(home, "get", "00".repeat(32)), /is not in the store of this home; say who has it: --from/);
});

Deno.test("alknet blob: what is wrong on the command line, and what is not done yet, is said in words (row 51)", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  match(await refused(home, "add", folder.join("nothing")), /nothing is not there/);
  match(await refused(home, "add", folder.path, folder.path, "--tag", "x"), /^2 .*--tag names one blob/);
  match(await refused(home, "share", "abc"), /is no hash/);
  match(await refused(home, "share", HELLO), /not in the store of this home; add it first/);
  match(await refused(home, "share", HELLO, "--to", "secret", "--iroh"), /^2 .*for anyone/);
  match(await refused(home, "share", HELLO, "--to", "ada", "--iroh"), /^2 .*for anyone/);
  match(await refused(home, "get", "alkblobaa"), /the ticket cannot be read/);
  const file = await folder.write("a\u0007b", "hello");
  const { stdout } = await home.run("blob", "add", file);
  equal(stdout, `${HELLO}  5 B  a\\u0007b\n`);
});

Deno.test("alknet blob share, ticket: whose it is, where, how long; of iroh's form too (row 18)", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  await well(home, "add", await folder.write("hello.txt", "hello"));
  {
    await using node = await home.serve();
    const { ticket, expires, id, ...rest } = await well(home, "share", HELLO, "--for", "1h");
    deepEqual(rest, { hash: HELLO, format: "raw" });
    match(id as string, /^[0-9a-f]{64}$/);
    deepEqual(await said(ticket as string), {
      kind: "alknet",
      node: home.nodeId,
      addresses: [node.address],
      format: "raw",
      hash: HELLO,
      secret: false,
      expires,
    });
    const iroh = (await home.run("blob", "share", HELLO, "--iroh")).stdout.trim();
    match(iroh, /^blob[a-z2-7]+$/);
    const { kind, addresses } = await said(iroh);
    deepEqual([kind, addresses], ["iroh", [node.address]]);
    match(
      (await runAlknet(["blob", "ticket", iroh])).stdout,
      new RegExp(`^node     ${home.nodeId}\naddress  127.*never\n$`, "s"),
    );
    const ended = (await well(home, "share", HELLO, "--for", "1ms")).ticket as string;
    match(await refused(home, "get", ended, "-o", folder.join("x")), /the ticket ended at/);
  }
  // Without a node the ticket names where it would listen, or what the configuration says.
  const config = await home.config() as { handlers: Record<string, unknown> };
  config.handlers.fs = { addresses: ["files.example:4433"] };
  await home.writeConfig(config);
  const { ticket } = await well(home, "share", HELLO);
  deepEqual((await said(ticket as string)).addresses, ["files.example:4433"]);
});

Deno.test({
  name:
    "alknet blob get: ended by ctrl-C or killed it leaves no file under its name, and goes on the next time (row 17)",
  ...needs("linux"),
  async fn() {
    await using provider = await initHome();
    await using getter = await initHome();
    await using folder = await temporaryFolder();
    const bytes = seeded("stopped").bytes(64 * 1024 * 1024);
    const { hash } = await well(provider, "add", await folder.write("large", bytes));
    await using _node = await provider.serve();
    const { ticket } = await well(provider, "share", hash as string);
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const out = folder.join(signal);
      await using child = startAlknet(["blob", "get", ticket as string, "-o", out, "--home", getter.path]);
      await appears(`${getter.path}/fs/partial`, /\.data$/);
      child.kill(signal);
      const { code } = await child.status;
      // It may have been quicker than the signal.
      if (code === 0) continue;
      equal(code, signal === "SIGINT" ? 130 : 137);
      if (signal === "SIGINT") match(await child.errorLine(/stopped/), /the same command goes on$/);
      deepEqual(
        [...Deno.readDirSync(folder.path)].map(({ name }) => name).filter((name) => name.startsWith("SIG")),
        [],
      );
    }
    const out = folder.join("whole");
    equal((await well(getter, "get", ticket as string, "-o", out)).size, bytes.byteLength);
    deepEqual(await Deno.readFile(out), bytes);
    await sound(`${getter.path}/fs`);
  },
});

/** Waits until a file with a fitting name is in a folder. */
async function appears(folder: string, name: RegExp): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  using watcher = Deno.watchFs(folder);
  const there = (): boolean => [...Deno.readDirSync(folder)].some((entry) => name.test(entry.name));
  if (there()) return;
  for await (const _ of watcher) if (there()) return;
}

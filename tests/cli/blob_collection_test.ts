/**
 * `alknet blob` with folders: added as collections, shared, got elsewhere; names that lead out of the folder (fs.md §3, §8; §11
 * rows 14, 19, 20).
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { writeNames } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { checkNames } from "../../cli/blobs/collection.ts";
import { temporaryFolder } from "../support/temp.ts";
import { needs } from "../support/programs.ts";
import { sound } from "../handlers/fs/stores.ts";
import { initHome, type TestHome } from "./home.ts";

/** Runs a command that has to do well, and parses the object that it prints. */
async function well(home: TestHome, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await home.run("blob", ...args, "--json");
  equal(code, 0, `blob ${args.join(" ")}\n${stderr}`);
  return JSON.parse(stdout);
}

/** The files below a folder with what they hold. */
async function treeOf(folder: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) tree[name] = await Deno.readTextFile(`${folder}/${name}`);
    else for (const [below, text] of Object.entries(await treeOf(`${folder}/${name}`))) tree[`${name}/${below}`] = text;
  }
  return tree;
}

Deno.test("alknet blob add, share, get: a folder becomes a collection, and the same folder at another node over QUIC and TLS", async () => {
  await using provider = await initHome();
  await using getter = await initHome();
  await using folder = await temporaryFolder();
  const tree = { "a.txt": "hello", "dir/ü.bin": "x".repeat(100_000), "dir/deep/empty": "", "same": "hello" };
  await Deno.mkdir(folder.join("in/dir/deep"), { recursive: true });
  for (const [name, text] of Object.entries(tree)) await Deno.writeTextFile(folder.join(`in/${name}`), text);
  await using node = await provider.serve();
  const { hash, tag, ...added } = await well(provider, "add", folder.join("in"));
  deepEqual(added, { size: 100_010, format: "hashSeq", name: "in" });
  equal(tag, `in@${(hash as string).slice(0, 10)}`);
  // What it lists stays with it.
  equal((await well(provider, "gc", "--full")).blobs, 0);
  const shared = await well(provider, "share", hash as string);
  equal(shared.format, "hashSeq");
  for (const transport of ["quic", "tls"]) {
    const out = folder.join(transport);
    const got = await well(getter, "get", shared.ticket as string, "-o", out, "--transport", transport);
    deepEqual(got, { hash, size: 100_010, path: out });
    deepEqual(await treeOf(out), tree);
    await sound(`${getter.path}/fs`);
    equal((await well(getter, "gc", "--full")).blobs, 5);
  }
  // Each of its blobs may be read by whoever may read it.
  const from = ["--from", `${provider.nodeId}@${node.address}`];
  const hello = "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f";
  equal((await well(getter, "get", hello, ...from, "-o", folder.join("one"))).size, 5);
  // Nothing that is there is replaced unless it is said.
  const again = await getter.run("blob", "get", shared.ticket as string, "-o", folder.join("quic"));
  match(again.stderr, /is there already; --force replaces it/);
  await well(getter, "get", shared.ticket as string, "-o", folder.join("quic"), "--force", "--tag", "kept");
  equal((await well(getter, "gc", "--full")).blobs, 0);
  // From the store alone.
  deepEqual((await well(getter, "get", hash as string, "-o", folder.join("own"))).size, 100_010);
  deepEqual(await treeOf(folder.join("own")), tree);
});

Deno.test("collections: names that lead out of the folder or stand in each other's way are refused (row 19)", () => {
  const refused: string[][] = [
    ["../x"],
    ["/x"],
    ["a/../x"],
    [".."],
    ["."],
    [""],
    ["a//b"],
    ["a/"],
    ["a\0b"],
    ["\ud800"],
    ["x", "x"],
    ["a", "a/b"],
    ["a/b", "a"],
    ["é".repeat(128)],
    ["a/".repeat(128) + "a"],
    [Array(20).fill("b".repeat(250)).join("/")],
  ];
  for (const names of refused) {
    try {
      checkNames(names);
    } catch (error) {
      equal((error as { code?: string }).code, "INVALID_NAME");
      continue;
    }
    throw new Error(`${JSON.stringify(names)} was taken`);
  }
  checkNames(["a", "b/a", "b/b", "...", "..a", ".a", "a b", "\n", "é".repeat(127), "a/".repeat(0) + "c"]);
});

Deno.test({
  name: "alknet blob get: a hostile collection writes nothing, a link in the way is not followed (row 19)",
  ...needs("linux"),
  async fn() {
    await using home = await initHome();
    await using folder = await temporaryFolder();
    const made: string[] = [];
    {
      await using fs = await openFs({ folder: `${home.path}/fs` });
      const hello = await fs.blobs.add(new Blob(["hello"]).stream());
      for (const names of [["fine", "../evil"], ["fine", `${folder.path}/evil`], ["fine"], ["fine", "sub/evil"]]) {
        const meta = await fs.blobs.add(new Blob([writeNames(names)]).stream());
        // The third has more files than names.
        const files = names.length === 1 ? [hello, hello] : names.map(() => hello);
        const links = [meta, ...files].map(({ hash }) => Uint8Array.fromHex(hash));
        const root = await fs.blobs.add(new Blob(links).stream(), { format: "hashSeq" });
        await fs.blobs.setTag(`${made.push(root.hash)}`, root);
      }
    }
    await Deno.mkdir(folder.join("elsewhere"));
    await Deno.mkdir(folder.join("out"));
    await Deno.symlink(folder.join("elsewhere"), folder.join("out/sub"));
    for (
      const [i, why] of [
        /leads|below a folder/,
        /below a folder/,
        /1 names for 2 files/,
        /a link, and links are not followed/,
      ]
        .entries()
    ) {
      const { code, stderr } = await home.run("blob", "get", made[i], "-o", folder.join("out"));
      notEqual(code, 0);
      match(stderr, why);
      deepEqual([...Deno.readDirSync(folder.join("out"))].map(({ name }) => name), ["sub"]);
      deepEqual([...Deno.readDirSync(folder.join("elsewhere"))], []);
    }
    deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), ["elsewhere", "out"]);
  },
});

Deno.test("alknet blob add --reference: the node serves the file from its place; changed, it is not there (row 20)", async () => {
  await using provider = await initHome();
  await using getter = await initHome();
  await using folder = await temporaryFolder();
  const file = await folder.write("large", new Uint8Array(3_000_000));
  await using _node = await provider.serve();
  const { hash } = await well(provider, "add", file, "--reference");
  const { ticket } = await well(provider, "share", hash as string);
  equal((await well(getter, "get", ticket as string, "-o", folder.join("one"))).size, 3_000_000);
  await Deno.writeTextFile(file, "something else");
  await well(getter, "gc", "--full");
  const { code, stderr } = await getter.run("blob", "get", ticket as string, "-o", folder.join("two"));
  equal(code, 1);
  match(stderr, /does not have it/);
});

Deno.test({
  name: "alknet blob add: links in a folder are passed over, and said",
  ...needs("linux"),
  async fn() {
    await using home = await initHome();
    await using folder = await temporaryFolder();
    await Deno.mkdir(folder.join("in"));
    await Deno.writeTextFile(folder.join("in/a"), "a");
    await Deno.symlink("/etc/hostname", folder.join("in/link"));
    const { code, stdout, stderr } = await home.run("blob", "add", folder.join("in"));
    equal(code, 1);
    match(stdout, /^[0-9a-f]{64} {2}1 B {2}in\n$/);
    match(stderr, /link is no file/);
  },
});

/**
 * `alknet run` with grants: `--allow-fetch`, `--allow-fs`, `--op`; without one, what is missing is named.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { runAlknet } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { initHome } from "../home.ts";

const linux = { ignore: Deno.build.os !== "linux" };

/** Runs a guest of one module. */
async function run(source: string, ...options: readonly string[]) {
  await using folder = await temporaryFolder();
  return await runAlknet(["run", await folder.write("main.ts", source), "--timeout", "60", ...options]);
}

Deno.test("alknet run --allow-fetch: the origin is reached, others are not (runtime.md row 58)", async () => {
  let seen = 0;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    seen++;
    return new Response("fetched");
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const source = `export default async () => await (await fetch("${origin}/")).text();\n`;
  const granted = await run(source, `--allow-fetch=${origin}`);
  deepEqual([granted.code, granted.stdout], [0, "fetched\n"], granted.stderr);
  const other = await run(source, "--allow-fetch=https://example.com");
  equal(other.code, 1);
  match(other.stderr, /127\.0\.0\.1:\d+ is not granted.*--allow-fetch/);
  const none = await run(source);
  equal(none.code, 1);
  match(none.stderr, /fetch is not granted: grant an origin with --allow-fetch=ORIGIN/);
  equal(seen, 1);
});

Deno.test({
  name: "alknet run --allow-fs: a folder is read, written where it says so, and left by no path (runtime.md row 60)",
  ...linux,
  async fn() {
    await using folder = await temporaryFolder();
    await folder.write("outside", "secret");
    await Deno.mkdir(folder.join("data"));
    await folder.write("data/a.txt", "text");
    await Deno.symlink("../outside", folder.join("data", "link"));
    const read = 'export default async () => await fs.readTextFile("/data/a.txt");\n';
    const write = 'export default async () => await fs.writeFile("/data/b.txt", "made");\n';
    const leave = 'export default async () => await fs.readTextFile("/data/link");\n';
    const at = folder.join("data");
    equal((await run(read, `--allow-fs=${at}`)).stdout, "text\n");
    const refused = await run(write, `--allow-fs=${at}`);
    equal(refused.code, 1);
    match(refused.stderr, /\/data is not granted for writing.*--allow-fs=FOLDER:write/);
    equal(refused.stderr.includes(at), false);
    const written = await run(write, `--allow-fs=${at}:readwrite`);
    equal(written.code, 0, written.stderr);
    equal(await Deno.readTextFile(folder.join("data", "b.txt")), "made");
    const left = await run(leave, `--allow-fs=${at}:readwrite`);
    equal(left.code, 1);
    match(left.stderr, /leads out of the folder/);
    equal(left.stdout.includes("secret"), false);
    match((await run(read)).stderr, /fs is not granted: grant a folder with --allow-fs=FOLDER/);
  },
});

Deno.test("alknet run: a grant that cannot be given is refused before the guest runs", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(folder.join("a"));
  await Deno.mkdir(folder.join("b"));
  await Deno.mkdir(folder.join("b", "a"));
  const cases: [options: readonly string[], error: RegExp][] = [
    [["--allow-fetch=example.com"], /origin "example.com" cannot be granted/],
    [["--allow-fetch=http://localhost:80"], /http:\/\/127\.0\.0\.1/],
    [["--allow-fs=/"], /whole disk/],
    [["--allow-fs="], /folder is missing/],
    [["--node=localhost:1"], /--node without --op/],
    [["--op=node/info", "--home", folder.join("none")], /no node in .*--node/],
    [[`--allow-fs=${folder.join("a")}`, `--allow-fs=${folder.join("b", "a")}`], /two folders are called \/a/],
    ...linux.ignore
      ? []
      : [[[`--allow-fs=${folder.join("none")}`], /no folder that can be opened/] as [string[], RegExp]],
  ];
  for (const [options, error] of cases) {
    const { code, stdout, stderr } = await run('console.log("ran");\n', ...options);
    notEqual(code, 0, options.join(" "));
    match(stderr, error);
    equal(stdout, "", options.join(" "));
  }
});

Deno.test("alknet run --op: operations of a node are called by name, others do not exist (runtime.md rows 47, 48, 82)", async () => {
  await using home = await initHome();
  await using node = await home.serve();
  const at = [`--node=${home.nodeId}@${node.address}`, "--home", home.path];
  const info = "export default async () => [(await env.node.info()).nodeId, Object.keys(env).join()].join(' ');\n";
  const called = await run(info, "--op=node/info", ...at);
  deepEqual([called.code, called.stdout], [0, `${home.nodeId} node/info,node\n`], called.stderr);

  const stats = 'export default async () => await env["node/stats"]().catch((error) => error.code);\n';
  const missing = await run(stats, "--op=node/info", ...at);
  equal(missing.code, 1);
  match(missing.stderr, /node\/stats is not granted: grant it with --op=node\/stats/);

  const types = ["node/stats", "tokens/list", "no/such", "node/info/", "Node/info", "/node/info"];
  const absent = `export default () => ${JSON.stringify(types)}.map((name) => typeof env[name]).join();\n`;
  equal((await run(absent, "--op=node/info", ...at)).stdout, `${types.map(() => "undefined").join()}\n`);

  const none = await run(info, "--op=no/such", ...at);
  equal(none.code, 1);
  match(none.stderr, /--op no\/such: the node shows no such operation/);

  // Of the home folder, where no node is named.
  await home.writeConfig({ ...await home.config(), listen: [node.address] });
  const own = await run(info, "--op=node/info", "--home", home.path);
  deepEqual([own.code, own.stdout.split(" ")[0]], [0, home.nodeId], own.stderr);
});

/**
 * Making a node, and saying who it is (design.md "The command"; issue point 7).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { runAlknet } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome } from "./home.ts";

Deno.test("alknet init makes a folder and a key for their owner alone, and a valid config", async () => {
  await using home = await initHome();
  match(home.nodeId, /^[ybndrfg8ejkmcpqxot1uwisza345h769]{52}$/);
  if (Deno.build.os !== "windows") {
    equal((await Deno.stat(home.path)).mode! & 0o777, 0o700);
    equal((await Deno.stat(`${home.path}/node.key`)).mode! & 0o777, 0o600);
  }
  const doctor = await home.run("doctor", "--json");
  const findings = doctor.stdout.trim().split("\n").map((line) => JSON.parse(line));
  for (const check of ["home", "key", "config"]) {
    equal(findings.find((one) => one.check === check)?.status, "ok", doctor.stdout);
  }
});

Deno.test("alknet init refuses a home that has a node, names what is there, and changes nothing", async () => {
  await using home = await initHome();
  for (const missing of ["", "config.json"]) {
    if (missing !== "") await Deno.remove(`${home.path}/${missing}`);
    const before = await contents(home.path);
    const { code, stdout, stderr } = await home.run("init");
    equal(code, 1);
    equal(stdout, "");
    match(stderr, /^alknet: a node is here already \([^)]*node\.key[^\n]*\n$/);
    deepEqual(await contents(home.path), before);
  }
});

Deno.test("alknet init leaves nothing behind where the home cannot be made", async () => {
  await using folder = await temporaryFolder();
  const file = await folder.write("file", "");
  const { code, stderr } = await runAlknet(["init", "--home", `${file}/home`]);
  equal(code, 1);
  match(stderr, /^alknet: cannot make the home folder [^\n]+\n$/);
  deepEqual(await contents(folder.path), { file: "" });
});

Deno.test("alknet init --passphrase-file says that sealing needs the vault, and makes nothing", async () => {
  await using folder = await temporaryFolder();
  const file = await folder.write("passphrase", "correct horse battery staple");
  const { code, stderr } = await runAlknet(["init", "--home", folder.join("home"), "--passphrase-file", file]);
  equal(code, 2);
  match(stderr, /vault/);
  deepEqual(Object.keys(await contents(folder.path)), ["passphrase"]);
});

Deno.test("alknet id prints the node id; --json adds the fingerprint", async () => {
  await using home = await initHome();
  equal((await home.run("id")).stdout, `${home.nodeId}\n`);
  const { nodeId, fingerprint } = JSON.parse((await home.run("id", "--json")).stdout);
  equal(nodeId, home.nodeId);
  match(fingerprint, /^ed25519:[0-9a-f]{64}$/);
});

Deno.test("alknet id takes the home from $ALKNET_HOME, and --home before it", async () => {
  await using home = await initHome();
  await using other = await initHome();
  notEqual(home.nodeId, other.nodeId);
  const env = { ALKNET_HOME: home.path };
  equal((await runAlknet(["id"], { env })).stdout, `${home.nodeId}\n`);
  equal((await runAlknet(["id", "--home", other.path], { env })).stdout, `${other.nodeId}\n`);
});

/** What is done to the key file, and what the one line must say. */
const BAD_KEYS: readonly (readonly [string, (file: string) => Promise<void>, RegExp])[] = [
  ["missing", (file) => Deno.remove(file), /no node in .*alknet init/],
  ["world-readable", (file) => Deno.chmod(file, 0o644), /open to others \(mode 0644\); run: chmod 600/],
  ["no PEM", (file) => Deno.writeTextFile(file, "secret words"), /found no PEM/],
  ["empty", (file) => Deno.writeTextFile(file, ""), /found no PEM/],
  ["a folder", async (file) => {
    await Deno.remove(file);
    await Deno.mkdir(file);
  }, /not a regular file|Is a directory/],
];

for (const [what, spoil, expected] of BAD_KEYS) {
  Deno.test({
    name: `alknet id and serve with a key file that is ${what}: one line, exit code 1 (core.md §18 row 56)`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using home = await initHome();
      await spoil(`${home.path}/node.key`);
      const commands = what === "missing" ? [["id"]] : [["id"], ["serve", "--listen", "127.0.0.1:0"]];
      for (const command of commands) {
        const { code, stdout, stderr } = await home.run(...command);
        equal(code, 1, stderr);
        equal(stdout, "");
        match(stderr, /^alknet: [^\n]+\n$/);
        match(stderr, expected);
        equal(stderr.includes("secret words"), false);
      }
    },
  });
}

/** Files of a folder and what they hold, two levels deep. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isFile } of Deno.readDir(folder)) {
    found[name] = isFile ? await Deno.readTextFile(`${folder}/${name}`) : "folder";
  }
  return found;
}

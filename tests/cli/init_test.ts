/**
 * Making a node, and saying who it is (design.md "The command").
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { needs } from "../support/programs.ts";
import { runAlknet, runProgram } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome } from "./home.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

Deno.test("alknet init makes a folder and a vault for their owner alone, and a valid config", async () => {
  await using home = await initHome();
  match(home.nodeId, /^[ybndrfg8ejkmcpqxot1uwisza345h769]{52}$/);
  if (Deno.build.os !== "windows") {
    equal((await Deno.stat(home.path)).mode! & 0o777, 0o700);
    for (const name of ["vault.json", "vault.key"]) {
      equal((await Deno.stat(`${home.path}/${name}`)).mode! & 0o777, 0o600, name);
    }
  }
  const doctor = await home.run("doctor", "--json");
  const findings = doctor.stdout.trim().split("\n").map((line) => JSON.parse(line));
  for (const check of ["home", "key", "config"]) {
    equal(findings.find((one) => one.check === check)?.status, "ok", doctor.stdout);
  }
});

Deno.test("alknet init refuses a home that has a vault, names what is there, and changes nothing", async () => {
  await using home = await initHome();
  for (const missing of ["", "config.json", "vault.json"]) {
    if (missing !== "") await Deno.remove(`${home.path}/${missing}`);
    const before = await contents(home.path);
    const { code, stdout, stderr } = await home.run("init");
    equal(code, 1);
    equal(stdout, "");
    match(stderr, /^alknet: a vault is here already \([^)]*vault\.key\)[^\n]*\n$/);
    deepEqual(await contents(home.path), before);
  }
});

Deno.test("alknet init leaves nothing behind where the home cannot be made", async () => {
  await using folder = await temporaryFolder();
  const file = await folder.write("file", "");
  const { code, stderr } = await runAlknet(["init", "--no-passphrase", "--home", `${file}/home`]);
  equal(code, 1);
  match(stderr, /^alknet: cannot make the home folder [^\n]+\n$/);
  deepEqual(await contents(folder.path), { file: "" });
});

Deno.test("alknet init without a passphrase, a file or a terminal says which options answer, and makes nothing", async () => {
  await using folder = await temporaryFolder();
  // A session of its own has no terminal, whoever runs the test.
  const { code, stderr } = await runProgram("setsid", [
    Deno.execPath(),
    "run",
    "-A",
    MAIN,
    "init",
    "--home",
    folder.join("home"),
  ]);
  equal(code, 2);
  match(stderr, /^alknet: [^\n]*no terminal[^\n]*--passphrase-file[^\n]*--no-passphrase[^\n]*\n$/);
  deepEqual(await contents(folder.path), {});
});

Deno.test("alknet init with a config alone keeps it", async () => {
  await using home = await initHome();
  const config = await Deno.readTextFile(`${home.path}/config.json`);
  for (const name of ["vault.json", "vault.key"]) await Deno.remove(`${home.path}/${name}`);
  const kept = config.replace("100", "99");
  await Deno.writeTextFile(`${home.path}/config.json`, kept);
  equal((await home.run("init", "--no-passphrase")).code, 0);
  equal(await Deno.readTextFile(`${home.path}/config.json`), kept);
});

Deno.test("alknet id prints the node id; --json adds the fingerprints of its key and its SSH host key", async () => {
  await using home = await initHome();
  equal((await home.run("id")).stdout, `${home.nodeId}\n`);
  const { nodeId, fingerprint, sshHostKey } = JSON.parse((await home.run("id", "--json")).stdout);
  equal(nodeId, home.nodeId);
  match(fingerprint, /^ed25519:[0-9a-f]{64}$/);
  match(sshHostKey, /^SHA256:[A-Za-z0-9+/]{43}$/);
});

Deno.test("alknet id takes the home from $ALKNET_HOME, and --home before it", async () => {
  await using home = await initHome();
  await using other = await initHome();
  notEqual(home.nodeId, other.nodeId);
  const env = { ALKNET_HOME: home.path };
  equal((await runAlknet(["id"], { env })).stdout, `${home.nodeId}\n`);
  equal((await runAlknet(["id", "--home", other.path], { env })).stdout, `${other.nodeId}\n`);
});

Deno.test({
  name: "alknet: an empty variable is not set, a relative one of the platform is none; nothing is made where it is run",
  ...needs("linux"),
  async fn() {
    await using folder = await temporaryFolder();
    const made = `${folder.path}/home/.local/share/alknet`;
    // The runtime's own folder stays where it is.
    const runtime = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    const unset = { ALKNET_HOME: "", XDG_DATA_HOME: "", HOME: `${folder.path}/home` };
    const run = (env: Record<string, string>, ...args: string[]) =>
      runAlknet(args, { cwd: folder.path, env: { DENO_DIR: runtime, ...unset, ...env } });
    const { code, stderr } = await run({ ALKNET_HOME: "" }, "init", "--no-passphrase");
    equal(code, 0, stderr);
    const homes: Record<string, string>[] = [
      { ALKNET_HOME: "" },
      { XDG_DATA_HOME: "" },
      { XDG_DATA_HOME: "rel" },
      { XDG_DATA_HOME: "./rel" },
    ];
    for (const env of homes) match((await run(env, "id")).stdout, /^[a-z0-9]{52}\n$/, JSON.stringify(env));
    const mistakes: [env: Record<string, string>, args: string[], code: number, said: RegExp][] = [
      [{ HOME: "rel" }, ["id"], 1, /names no data folder; say where with --home DIR or \$ALKNET_HOME/],
      [{ HOME: "" }, ["init", "--no-passphrase"], 1, /names no data folder/],
      [{}, ["id", "--home", ""], 2, /--home/],
    ];
    for (const [env, args, code, said] of mistakes) {
      const ended = await run(env, ...args);
      equal(ended.code, code);
      match(ended.stderr, said);
    }
    const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
    equal(names.join(), "home");
    equal((await Deno.stat(made)).isDirectory, true);
  },
});

/** What is done to the vault's file, and what the one line must say. */
const BAD_VAULTS: readonly (readonly [string, (file: string) => Promise<void>, RegExp])[] = [
  ["world-readable", (file) => Deno.chmod(file, 0o644), /open to others \(mode 0644\); run: chmod 600/],
  [
    "mounted for a group",
    (file) => Deno.chmod(file, 0o440),
    /\(mode 0440\); run: chmod 600 [^;]*; [^;]* mounted with mode 0400/,
  ],
  ["no JSON", (file) => Deno.writeTextFile(file, "secret words"), /is not JSON, or was cut/],
  ["empty", (file) => Deno.writeTextFile(file, ""), /is empty/],
  ["foreign", (file) => Deno.writeTextFile(file, '{"secret words": 1}'), /has no version/],
  ["of a newer version", (file) => Deno.writeTextFile(file, '{"version": 2}'), /version 2, which a newer alknet wrote/],
  ["a folder", async (file) => {
    await Deno.remove(file);
    await Deno.mkdir(file);
  }, /not a regular file|Is a directory/],
];

for (const [what, spoil, expected] of BAD_VAULTS) {
  Deno.test({
    name:
      `alknet id and serve with a vault.json that is ${what}: one line, exit code 1, nothing changed (vault.md row 15)`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using home = await initHome();
      await spoil(`${home.path}/vault.json`);
      const before = await contents(home.path);
      for (const command of [["id"], ["serve", "--listen", "127.0.0.1:0"]]) {
        const { code, stdout, stderr } = await home.run(...command);
        equal(code, 1, stderr);
        equal(stdout, "");
        match(stderr, /^alknet: [^\n]+\n$/);
        match(stderr, expected);
        equal(stderr.includes("secret words"), false);
      }
      deepEqual(await contents(home.path), before);
    },
  });
}

Deno.test("alknet id in a home without a node: one line, exit code 1 (core.md §18 row 56)", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await runAlknet(["id", "--home", folder.path]);
  deepEqual({ code, stdout }, { code: 1, stdout: "" });
  match(stderr, /^alknet: no node in [^\n]*alknet init\n$/);
});

/** Files of a folder and what they hold, two levels deep. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isFile } of Deno.readDir(folder)) {
    found[name] = isFile ? await Deno.readTextFile(`${folder}/${name}`) : "folder";
  }
  return found;
}

/**
 * The command line itself: help, mistakes and their exit codes (design.md "The command").
 *
 * @module
 */
import { equal, match, notEqual } from "node:assert/strict";
import { ENGINE_ARGUMENT } from "../../core/transports/quic/link/engine_config.ts";
import { needs } from "../support/programs.ts";
import { runAlknet, runProgram } from "../support/process.ts";
import { initHome } from "./home.ts";

const NODE_ID = "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy";

Deno.test("alknet without arguments and with --help prints every command and exits with 0", async () => {
  for (const args of [[], ["--help"], ["help"]]) {
    const { code, stdout, stderr } = await runAlknet(args);
    equal(code, 0, stderr);
    equal(stderr, "");
    for (
      const command of [
        ...["serve", "init", "id", "doctor", "vault", "authorize", "token", "ping", "dial", "tunnel"],
        ...["ops", "call", "subscribe", "import", "completions"],
      ]
    ) {
      match(stdout, new RegExp(`^  ${command} `, "m"));
    }
  }
});

Deno.test("alknet --version prints the version of the package", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../cli/deno.json", import.meta.url)));
  const { code, stdout } = await runAlknet(["--version"]);
  equal(code, 0);
  equal(stdout, `${version}\n`);
});

Deno.test("alknet takes --home, --json and -v before the command as well as behind it", async () => {
  await using home = await initHome();
  for (const args of [["--home", home.path, "id"], [`--home=${home.path}`, "id"], ["id", "--home", home.path]]) {
    const { code, stdout, stderr } = await runAlknet(args);
    equal(code, 0, stderr);
    equal(stdout, `${home.nodeId}\n`);
  }
  const { stdout } = await runAlknet(["--json", "--home", home.path, "token", "list"]);
  equal(stdout, "");
  const { code, stdout: json } = await runAlknet(["--home", home.path, "--json", "id"]);
  equal(code, 0);
  equal(JSON.parse(json).nodeId, home.nodeId);
  const { code: wrong, stderr: why } = await runAlknet(["-v", "--home", home.path, "id"]);
  equal(wrong, 2);
  match(why, /`-v`/);
});

/** What is typed, and what the one line on stderr must say. */
const MISTAKES: readonly (readonly [string, RegExp])[] = [
  ["pong", /`pong`.*Did you mean `ping`\?/],
  ["zzzzzzzz", /`zzzzzzzz`.*Try: alknet --help/],
  ["serve --listn 127.0.0.1:0", /`--listn`.*Did you mean `--listen`\?/],
  ["serve --listen 4433", /"4433": the port is missing/],
  ["serve --listen 127.0.0.1:99999", /port 99999 is above 65535/],
  ["serve --listen example.org:4433", /"example.org" is not an IP address/],
  ["serve --transport udp", /"quic" and "tls", but got "udp"/],
  ["ping", /ADDRESS.*Try: alknet ping --help/],
  ["ping localhost", /"localhost": the port is missing; write localhost:4433/],
  ["ping ::1:4433", /an IPv6 address needs brackets/],
  ["ping localhost:0", /port 0 cannot be dialled/],
  [`ping ${NODE_ID.slice(1)}@localhost:1`, /it has 51 characters, a node id has 52/],
  [`ping ${NODE_ID.replace("4", "l")}@localhost:1`, /"l", is not in the z-base-32 alphabet/],
  ["ping localhost:1 -c 0", /`-c`\/`--count`|greater than or equal to 1/],
  ["ping localhost:1 --interval 5", /Duration.*needs a number and a unit/],
  ["ping localhost:1 --ca /does/not/exist", /\/does\/not\/exist/],
  ["tunnel localhost:1", /nothing to forward; give -L, -R or -D/],
  ["tunnel localhost:1 -L 80", /-L: forward "80"/],
  ["tunnel localhost:1 -R 80:web:0", /-R: forward "80:web:0": "0" is no port from 1 to 65535/],
  ["tunnel localhost:1 -D 99999", /-D: forward "99999": "99999" is no port/],
  ["tunnel localhost:1 -D 1080 -i /does/not/exist", /\/does\/not\/exist/],
  ["dial alknet/echo", /ADDRESS.*Try: alknet dial --help/],
  ["token", /Try: alknet token --help/],
  ["token creat", /`creat`.*Did you mean `create`\?/],
  ["token create --scop x", /`--scop`.*Did you mean `--scope`\?/],
  ["token create --expires soon", /Duration.*needs a number and a unit/],
  ["init --passphrase-file /does/not/exist", /\/does\/not\/exist/],
  ["init --words 13", /"12".*"24", but got "13"/],
  ["vault", /Try: alknet vault --help/],
  ["vault sael api", /`sael`.*Did you mean `seal`\?/],
  ["vault seal", /NAME.*Try: alknet vault --help/],
  ["vault seal -- -api", /"-api" cannot name a credential/],
  ["vault derive", /PATH.*Try: alknet vault --help/],
  ["vault derive m/0' --format der", /"hex".*but got "der"/],
  ["vault derive m/0' --public --private", /--private/],
  ["vault rotate --to 1", /greater than or equal to 2/],
  ["vault import-credentials deno.json", /--scheme/],
  ["dns zone list --node localhost", /"localhost": the port is missing; write localhost:4433/],
  ["dns record list home.example --token-file deno.json", /--token-file without --node/],
  ["dns zone check deno.json --node localhost:1", /zone check .*asks no node; give it without --node/],
  ["completions tcsh", /tcsh/],
];

for (const [line, expected] of MISTAKES) {
  Deno.test(`alknet ${line}: one line and exit code 2`, async () => {
    const { code, stdout, stderr } = await runAlknet(line.split(" "));
    match(stderr, expected);
    match(stderr, /^alknet: [^\n]+\n$/);
    equal(stdout, "");
    equal(code, 2);
  });
}

Deno.test("alknet with the engine's argument is the engine, not the command", async () => {
  const { code, stdout, stderr } = await runAlknet([ENGINE_ARGUMENT]);
  // Without a node to serve it has nothing to do, but it did not take the argument for a mistake.
  equal(stderr.includes("Unexpected option"), false, stderr);
  equal(stdout, "");
  notEqual(code, 2);
});

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`alknet completions ${shell} prints a script that names the command`, async () => {
    const { code, stdout } = await runAlknet(["completions", shell]);
    equal(code, 0);
    match(stdout, /alknet/);
    match(stdout, /complet|compdef/);
  });
}

Deno.test("alknet completions bash offers what may follow", async () => {
  const { stdout } = await runAlknet(["completions", "bash", "serve", "--"]);
  for (const option of ["--listen", "--config", "--json", "--transport", "--home"]) match(stdout, new RegExp(option));
});

Deno.test("alknet completions bash offers the commands of the vault and their options", async () => {
  const commands = (await runAlknet(["completions", "bash", "vault", ""])).stdout;
  const names = "new import show-phrase derive seal open list remove rotate change-passphrase backup restore";
  for (const name of names.split(" ")) match(commands, new RegExp(`^${name}\\b`, "m"));
  const options = (await runAlknet(["completions", "bash", "vault", "derive", "m/0'", "--"])).stdout;
  for (const option of ["--format", "--private", "--type"]) match(options, new RegExp(option));
  match((await runAlknet(["completions", "bash", "vault", "derive", "m/0'", "--format", ""])).stdout, /^openssh\b/m);
});

Deno.test({
  name: "alknet token create whose output nobody got leaves no token behind",
  ...needs("linux"),
  async fn() {
    await using home = await initHome();
    const main = new URL("../../cli/main.ts", import.meta.url).pathname;
    const create = ["token", "create", "--home", home.path];
    const command = 'exec "$0" run -A "$@" > /dev/full';
    for (const args of [create, [...create, "--json"]]) {
      const { code, stderr } = await runProgram("/bin/sh", ["-c", command, Deno.execPath(), main, ...args]);
      equal(code, 1, stderr);
      equal((await home.run("token", "list")).stdout, "");
    }
    equal((await home.run("token", "create")).code, 0);
    match((await home.run("token", "list")).stdout, /^alk_/);
  },
});

Deno.test({
  name:
    "alknet token create where the configuration is a mount: one line that says what to mount, and nothing is changed",
  ...needs("root", "linux"),
  async fn() {
    await using home = await initHome();
    const main = new URL("../../cli/main.ts", import.meta.url).pathname;
    // A mount that lives as long as the shell, as a container has it.
    const script = 'mount --bind "$2/config.json" "$2/config.json" 2>/dev/null || exit 77; ' +
      'exec "$0" run -A "$1" token create --home "$2"';
    const { code, stderr } = await runProgram("unshare", [
      "--mount",
      "sh",
      "-c",
      script,
      Deno.execPath(),
      main,
      home.path,
    ]);
    // Not every machine lets root mount.
    if (code === 77) return;
    equal(code, 1);
    match(
      stderr,
      /^alknet: cannot write config [^\n]*config\.json: it is mounted by itself [^\n]*; mount the folder[^\n]*\n$/,
    );
    equal((await home.run("token", "list")).stdout, "");
    equal([...Deno.readDirSync(home.path)].some(({ name }) => name.endsWith(".tmp")), false);
  },
});

Deno.test({
  name: "alknet whose output meets a full disk says so in one line and exits with 1",
  ...needs("linux"),
  async fn() {
    await using home = await initHome();
    const command = 'exec "$0" run -A "$@" > /dev/full';
    const main = new URL("../../cli/main.ts", import.meta.url).pathname;
    for (
      const args of [["id", "--home", home.path], ["--version"], ["--help"], ["call", "--help"], ["completions", "zsh"]]
    ) {
      const { code, stderr } = await runProgram("/bin/sh", ["-c", command, Deno.execPath(), main, ...args]);
      equal(code, 1, args.join(" "));
      match(stderr, /^alknet: No space left on device \(os error 28\)\n$/);
    }
  },
});

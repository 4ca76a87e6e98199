/**
 * What the vault's commands refuse: a clear line, nothing lost, nothing overwritten (vault.md row 15).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { runAlknet, runProgram, startAlknet } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { PHRASE, type TestVault, testVault } from "./folder.ts";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;

/** The one message for a wrong passphrase and a damaged file. */
const WRONG = /^alknet: cannot open (?:vault|backup) \S+: the passphrase is wrong, or the file is damaged\n$/;

/** Words that make no phrase, and what the one line must say. None of them may be repeated but the one that is no word. */
const BAD_PHRASES: readonly (readonly [string, string, RegExp])[] = [
  ["a word that is none", PHRASE.replace("about", "abuot"), /12.*about/],
  ["a wrong checksum", "abandon ".repeat(12), /checksum/i],
  ["a wrong count", "abandon ".repeat(11), /12, 15, 18, 21 or 24 words, not 11/],
  ["nothing", "\n", /12, 15, 18, 21/],
];

for (const [what, words, expected] of BAD_PHRASES) {
  Deno.test(`alknet vault import of ${what}: one line, exit code 1, nothing made (vault.md row 2)`, async () => {
    await using folder = await temporaryFolder();
    const file = await folder.write("words", words);
    const home = folder.join("home");
    const args = ["vault", "import", "--mnemonic-file", file, "--no-passphrase", "--home", home];
    const { code, stdout, stderr } = await runAlknet(args);
    deepEqual({ code, stdout }, { code: 1, stdout: "" }, stderr);
    match(stderr, /^alknet: [^\n]+\n$/);
    match(stderr, expected);
    equal(stderr.includes("abandon"), false);
    deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["words"]);
  });
}

/** What is done to a vault's files, and what `open` then says. */
const DAMAGES: readonly (readonly [string, "passphrase" | "key", (vault: TestVault) => Promise<void>, RegExp])[] = [
  ["another passphrase", "passphrase", (vault) => Deno.writeTextFile(vault.passphraseFile, "wrong"), WRONG],
  [
    "a passphrase with a space more",
    "passphrase",
    (vault) => Deno.writeTextFile(vault.passphraseFile, "correct horse "),
    WRONG,
  ],
  ["altered data", "passphrase", (vault) => edit(vault, (file) => file.data = flipped(file.data)), WRONG],
  ["an altered nonce", "passphrase", (vault) => edit(vault, (file) => file.nonce = flipped(file.nonce)), WRONG],
  [
    "an altered salt",
    "passphrase",
    (vault) => edit(vault, (file) => file.sealed_by.salt = flipped(file.sealed_by.salt)),
    WRONG,
  ],
  ["a salt that is no base64", "passphrase", (vault) => edit(vault, (file) => file.sealed_by.salt = "%"), WRONG],
  ["another identity", "passphrase", (vault) => edit(vault, (file) => file.node = file.ssh_host), WRONG],
  ["another cost", "passphrase", (vault) => edit(vault, (file) => file.sealed_by.passes = 2), WRONG],
  [
    "a cost that would stop the machine",
    "passphrase",
    (vault) => edit(vault, (file) => file.sealed_by.memory_kib = 2 ** 31),
    /sealed_by\.memory_kib/,
  ],
  ["a field more", "key", (vault) => edit(vault, (file) => file.more = 1), /is not one that alknet wrote/],
  [
    "a newer version",
    "key",
    (vault) => edit(vault, (file) => file.version = 2),
    /version 2, which a newer alknet wrote/,
  ],
  ["a cut file", "key", (vault) => Deno.truncate(`${vault.path}/vault.json`, 200), /was cut/],
  ["an empty file", "key", (vault) => Deno.truncate(`${vault.path}/vault.json`), /is empty/],
  [
    "a foreign file",
    "key",
    (vault) => vaultFile(vault, '{"Crypto": {"cipher": "aes-128-ctr"}}'),
    /is not one that alknet wrote/,
  ],
  ["a list", "key", (vault) => vaultFile(vault, "[1]"), /is not one that alknet wrote/],
  [
    "a world-readable vault.json",
    "key",
    (vault) => Deno.chmod(`${vault.path}/vault.json`, 0o644),
    /run: chmod 600 \S+vault\.json/,
  ],
  [
    "a world-readable vault.key",
    "key",
    (vault) => Deno.chmod(`${vault.path}/vault.key`, 0o604),
    /run: chmod 600 \S+vault\.key/,
  ],
  [
    "a world-readable credentials.json",
    "key",
    (vault) => Deno.chmod(`${vault.path}/credentials.json`, 0o640),
    /run: chmod 600 \S+credentials\.json/,
  ],
  [
    "a world-readable passphrase file",
    "passphrase",
    (vault) => Deno.chmod(vault.passphraseFile, 0o644),
    /run: chmod 600 \S+passphrase/,
  ],
  ["an empty passphrase file", "passphrase", (vault) => Deno.writeTextFile(vault.passphraseFile, "\n"), /is empty/],
  [
    "no vault.key",
    "key",
    (vault) => Deno.remove(`${vault.path}/vault.key`),
    /vault\.key does not exist, and it alone opens/,
  ],
  [
    "another vault.key",
    "key",
    (vault) => Deno.writeTextFile(`${vault.path}/vault.key`, "00".repeat(32)),
    /not its key, or the file is damaged/,
  ],
  ["a cut vault.key", "key", (vault) => Deno.truncate(`${vault.path}/vault.key`, 63), /was cut/],
  [
    "cut credentials",
    "key",
    (vault) => Deno.truncate(`${vault.path}/credentials.json`, 20),
    /credentials\.json.*was cut/,
  ],
  ["credentials of another shape", "key", (vault) => credentials(vault, { api: "plain" }), /api: /],
  [
    "credentials with a name that is none",
    "key",
    (vault) => credentials(vault, { "-n": {} }),
    /credentials\.json is not one that alknet wrote: "-n" cannot name/,
  ],
  [
    "credentials with bad base64",
    "key",
    (vault) => credentials(vault, { api: { key_version: 2, salt: "?", iv: "?", data: "?" } }),
    /cannot open the credential "api"/,
  ],
  [
    "credentials of version 1",
    "key",
    (vault) => credentials(vault, { api: { key_version: 1, salt: "", iv: "", data: "" } }),
    /cannot open the credential "api".*version/,
  ],
  [
    "a journal of another program",
    "key",
    (vault) => Deno.writeTextFile(`${vault.path}/vault.journal`, '{"version":2}'),
    /vault\.journal is not a journal/,
  ],
  [
    "a journal that leaves the folder",
    "key",
    (vault) =>
      Deno.writeTextFile(
        `${vault.path}/vault.journal`,
        '{"version":1,"steps":[{"do":"remove","from":"../passphrase"}]}',
      ),
    /vault\.journal is not a journal/,
  ],
];

for (const [what, sealedBy, damage, expected] of DAMAGES) {
  Deno.test({
    name: `alknet vault open and rotate with ${what}: one line, exit code 1, nothing changed (vault.md row 15)`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using vault = await testVault(sealedBy, { api: "secret value" });
      const passphrase = sealedBy === "passphrase" ? ` --passphrase-file ${vault.passphraseFile}` : "";
      await damage(vault);
      const before = await vault.contents();
      const runs = ["open api", "rotate"].map((command) => vault.run(command + passphrase));
      for (const { code, stdout, stderr } of await Promise.all(runs)) {
        deepEqual({ code, stdout }, { code: 1, stdout: "" }, stderr);
        match(stderr, /^alknet: [^\n]+\n$/);
        match(stderr, expected);
        equal(/correct horse|secret value|abandon|aes-128/.test(stderr), false, stderr);
      }
      deepEqual(await vault.contents(), before);
      equal((await Deno.stat(vault.passphraseFile)).isFile, true);
    },
  });
}

/** A command, what it is given, and what the one line must say; in a vault that has a credential "api". */
const MISTAKES: readonly (readonly [string, string | Uint8Array<ArrayBuffer>, RegExp])[] = [
  ["seal api", "other", /"api" already/],
  ["seal new", "", /it is empty/],
  ["seal new", "\n", /it is empty/],
  ["seal new", new Uint8Array([0xff, 0xfe, 0]), /not UTF-8/],
  ["seal new", "x".repeat(1024 * 1024 + 1), /longer than 1048576 bytes/],
  ["change-passphrase --new-passphrase-file /dev/stdin", "x".repeat(4097), /stdin: it gives more than 4096 bytes/],
  ["open absent", "", /no credential is named "absent"/],
  ["remove absent", "", /no credential is named "absent"/],
  ["derive m/74'/0'/0'/0", "", /level 4 .*not hardened/],
  ["derive m/", "", /level 1/],
  ["derive m/2147483648'", "", /below 2147483648/],
  ["new --no-passphrase", "", /a vault is here already/],
  ["import --no-passphrase --mnemonic-file /dev/null", "", /a vault is here already/],
  ["restore deno.json --no-passphrase", "", /a vault is here already/],
];

for (const [args, stdin, expected] of MISTAKES) {
  const given = typeof stdin === "string" && stdin.length < 10 ? JSON.stringify(stdin) : `${stdin.length} bytes`;
  Deno.test(`alknet vault ${args} with ${given}: one line, exit code 1, nothing changed`, async () => {
    await using vault = await testVault("key", { api: "secret value" });
    const before = await vault.contents();
    const { code, stdout, stderr } = await vault.run(args, stdin);
    match(stderr, expected);
    match(stderr, /^alknet: [^\n]+\n$/);
    deepEqual({ code, stdout }, { code: 1, stdout: "" });
    deepEqual(await vault.contents(), before);
  });
}

/** What needs a yes, or fits not together: exit code 2. */
const WRONG_USES: readonly (readonly [string, RegExp])[] = [
  ["show-phrase", /on a terminal alone.*--yes/],
  ["rotate --to 2147483650", /less than or equal to 2,?147,?483,?649/],
  ["derive m/0' --private", /on a terminal alone.*--yes/],
  ["derive m/44'/60'/0'/0/0 --format openssh", /Ed25519 keys/],
  ["derive m/0' --format eth --private", /--format hex/],
  ["derive m/0' --type x25519", /message key alone/],
  ["derive m/0' --type ed25519 --format eth", /secp256k1/],
  ["change-passphrase --no-passphrase --new-passphrase-file /dev/null", /--new-passphrase-file and --no-passphrase/],
];

for (const [args, expected] of WRONG_USES) {
  Deno.test(`alknet vault ${args}: one line, exit code 2`, async () => {
    await using vault = await testVault();
    const before = await vault.contents();
    const { code, stdout, stderr } = await vault.run(args, "");
    match(stderr, expected);
    match(stderr, /^alknet: [^\n]+\n$/);
    deepEqual({ code, stdout }, { code: 2, stdout: "" });
    deepEqual(await vault.contents(), before);
  });
}

Deno.test("alknet vault in a home without a vault says how to make one", async () => {
  await using folder = await temporaryFolder();
  for (
    const command of ["show-phrase --yes", "derive m/0'", "seal a", "open a", "list", "remove a", "rotate", "backup b"]
  ) {
    const { code, stderr } = await runAlknet(["vault", ...command.split(" "), "--home", folder.path], { stdin: "x" });
    equal(code, 1, command);
    match(stderr, /^alknet: no vault in [^\n]*alknet init\n$/, command);
  }
  deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("alknet vault restore of a backup that is damaged, foreign or opened by another passphrase makes nothing", async () => {
  await using vault = await testVault("passphrase");
  const file = vault.join("backup");
  await vault.done(`backup ${file} --passphrase-file ${vault.passphraseFile}`);
  const backup = JSON.parse(await Deno.readTextFile(file));
  const wrong = await vault.write("wrong", "another");
  const cases: readonly (readonly [string, unknown, string, RegExp])[] = [
    ["passphrase", backup, wrong, WRONG],
    ["vault", { ...backup, vault: { ...backup.vault, data: flipped(backup.vault.data) } }, "", WRONG],
    ["content", { ...backup, content: flipped(backup.content) }, "", /the file is damaged/],
    ["content cut", { ...backup, content: backup.content.slice(0, -8) }, "", /the file is damaged/],
    ["version", { ...backup, version: 2 }, "", /version 2, which a newer alknet wrote/],
    [
      "vault's version",
      { ...backup, vault: { ...backup.vault, version: 2 } },
      "",
      /version 2, which a newer alknet wrote/,
    ],
    ["kind", backup.vault, "", /its kind is not/],
    ["no object", 7, "", /its kind is not/],
  ];
  for (const [what, document, passphrase, expected] of cases) {
    const damaged = await vault.write("damaged", JSON.stringify(document));
    const home = vault.join("restored");
    const args = ["vault", "restore", damaged, "--passphrase-file", passphrase || vault.passphraseFile, "--home", home];
    const { code, stdout, stderr } = await runAlknet(args);
    deepEqual({ code, stdout }, { code: 1, stdout: "" }, what);
    match(stderr, /^alknet: [^\n]+\n$/);
    match(stderr, expected, what);
    equal(await Deno.stat(home).then(() => true, () => false), false, what);
  }
});

Deno.test("alknet vault backup leaves a file that is there as it is", async () => {
  await using vault = await testVault("passphrase");
  const file = await vault.write("backup", "mine");
  const { code, stderr } = await vault.run(`backup ${file} --passphrase-file ${vault.passphraseFile}`);
  equal(code, 1);
  match(stderr, /is there already, and is left as it is/);
  equal(await Deno.readTextFile(file), "mine");
});

Deno.test({
  name:
    "alknet serve, ping and vault open without a passphrase and a terminal: one line that names the option, exit code 2",
  ...needs("linux"),
  async fn() {
    await using vault = await testVault("passphrase", { api: "value" });
    for (const command of ["serve --listen 127.0.0.1:0", "ping 127.0.0.1:1", "vault open api", "vault rotate"]) {
      // A session of its own has no terminal, whoever runs the test.
      const args = [Deno.execPath(), "run", "-A", MAIN, ...command.split(" "), "--home", vault.path];
      const { code, stdout, stderr } = await runProgram("setsid", ["--wait", ...args]);
      match(stderr, /^alknet: the vault is sealed with a passphrase, [^\n]*no terminal[^\n]*--passphrase-file FILE\n$/);
      deepEqual({ code, stdout }, { code: 2, stdout: "" }, command);
    }
  },
});

Deno.test("alknet id and vault list work without a passphrase", async () => {
  await using vault = await testVault("passphrase");
  equal((await runAlknet(["id", "--home", vault.path])).code, 0);
  equal(await vault.done("list --json"), "");
});

Deno.test({
  name: "alknet vault takes a passphrase from a pipe",
  ...needs("linux"),
  async fn() {
    await using vault = await testVault("passphrase");
    equal(await vault.done("show-phrase --passphrase-file /dev/stdin", "correct horse\n"), `${PHRASE}\n`);
  },
});

Deno.test({
  name: "alknet vault on a full disk: one line, exit code 1, nothing lost",
  ...needs("root", "linux"),
  async fn() {
    await using vault = await testVault("key", { api: "secret value" });
    // A file system of its own that holds the vault and little more, and lives as long as the shell.
    const alknet = `${Deno.execPath()} run -A ${MAIN} vault`;
    const script = `
      mount -t tmpfs -o size=32k tmpfs ${vault.join("")} 2>/dev/null || exit 77
      cp -a "$KEPT" ${vault.path} && head -c 100000 /dev/zero > ${vault.path}/filler 2>/dev/null
      head -c 9000 /dev/zero | tr '\\0' x | ${alknet} seal more --home ${vault.path} && exit 1
      rm ${vault.path}/filler
      ls -A ${vault.path} && ${alknet} open api --home ${vault.path}`;
    await using kept = await temporaryFolder();
    await runProgram("cp", ["-a", vault.path, kept.join("home")]);
    const { code, stdout, stderr } = await runProgram("unshare", ["--mount", "sh", "-c", script], {
      env: { KEPT: kept.join("home") },
    });
    // Not every machine lets root mount.
    if (code === 77) return;
    equal(code, 0, stdout + stderr);
    match(stderr, /^alknet: cannot write to [^\n]*No space left[^\n]*nothing was changed\n$/m);
    deepEqual(stdout.trim().split("\n"), ["credentials.json", "vault.json", "vault.key", "vault.lock", "secret value"]);
  },
});

Deno.test("alknet vault seal by many at once loses none", async () => {
  await using vault = await testVault();
  const names = ["a", "b", "c", "d", "e"];
  await Promise.all(names.map((name) => vault.done(`seal ${name}`, name)));
  equal(await vault.done("list"), names.map((name) => `${name}  key version 2\n`).join(""));
});

Deno.test("alknet serve by two at once in an empty home: one node", async () => {
  await using folder = await temporaryFolder();
  const args = ["serve", "--json", "--home", folder.join("home"), "--listen", "127.0.0.1:0"];
  await using first = startAlknet(args);
  await using second = startAlknet(args);
  const [{ nodeId }, other] = await Promise.all([first.json(), second.json()]);
  equal(other.nodeId, nodeId);
});

async function edit(vault: TestVault, change: (document: Document) => void): Promise<void> {
  const document = JSON.parse((await vault.contents())["vault.json"]);
  change(document);
  await vaultFile(vault, JSON.stringify(document));
}

async function vaultFile(vault: TestVault, content: string): Promise<void> {
  await Deno.writeTextFile(`${vault.path}/vault.json`, content);
}

async function credentials(vault: TestVault, content: unknown): Promise<void> {
  await Deno.writeTextFile(`${vault.path}/credentials.json`, JSON.stringify(content));
}

/** What a test does to a file, rightly typed or not. */
type Document = Record<"node" | "ssh_host" | "nonce" | "data", string> & {
  version: number;
  more?: number;
  sealed_by: { salt: string; passes: number; memory_kib: number };
};

/** Base64 with one bit of its first byte changed. */
function flipped(base64: string): string {
  const bytes = Uint8Array.fromBase64(base64);
  bytes[0] ^= 1;
  return bytes.toBase64();
}

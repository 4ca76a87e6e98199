/**
 * The commands of the vault (vault.md "On disk").
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { runAlknet } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import vectors from "../../vectors/alknet-vault.json" with { type: "json" };
import { PHRASE, testVault } from "./folder.ts";

Deno.test("alknet vault new makes a vault without a configuration, of as many words as asked for", async () => {
  await using folder = await temporaryFolder();
  for (const words of ["12", "15", "18", "21", "24"]) {
    const home = folder.join(words);
    const made = await runAlknet(["vault", "new", "--no-passphrase", "--words", words, "--home", home, "--json"]);
    equal(made.code, 0, made.stderr);
    const phrase = (await runAlknet(["vault", "show-phrase", "--yes", "--home", home])).stdout;
    equal(phrase.trim().split(" ").length, Number(words));
    equal((made.stdout + made.stderr).includes(phrase.trim()), false);
    deepEqual([...Deno.readDirSync(home)].map(({ name }) => name).sort(), ["vault.json", "vault.key", "vault.lock"]);
  }
});

Deno.test("alknet vault import of a phrase brings its node back; init of another home does not", async () => {
  await using vault = await testVault();
  const file = await vault.write("words", `  ${PHRASE.toUpperCase().replaceAll(" ", "  ")}\n`);
  const home = vault.join("imported");
  const imported = await runAlknet(["vault", "import", "--mnemonic-file", file, "--no-passphrase", "--home", home]);
  equal(imported.code, 0, imported.stderr);
  const id = (await runAlknet(["id", "--json", "--home", home])).stdout;
  equal(id, (await runAlknet(["id", "--json", "--home", vault.path])).stdout);
  equal(JSON.parse(id).fingerprint, `ed25519:${vectors.vectors[0].slip10.public}`);
});

Deno.test("alknet serve has the identity of the phrase", async () => {
  await using vault = await testVault();
  const { nodeId } = JSON.parse((await runAlknet(["id", "--json", "--home", vault.path])).stdout);
  const { startAlknet } = await import("../../support/process.ts");
  await using node = startAlknet(["serve", "--json", "--home", vault.path, "--listen", "127.0.0.1:0"]);
  equal((await node.json()).nodeId, nodeId);
});

Deno.test("alknet vault seal, open, list, remove: a credential comes back as it went in", async () => {
  await using vault = await testVault();
  const values: Record<string, string> = {
    "api": "sk-proj-abc123",
    "a name with spaces/and: more": "two\nlines",
    "ünïcode": "pässword ✓",
    "__proto__": "no prototype",
    "toString": "no method",
  };
  for (const [name, value] of Object.entries(values)) {
    const sealed = await runAlknet(["vault", "seal", name, "--home", vault.path], { stdin: `${value}\n` });
    equal(sealed.code, 0, sealed.stderr);
    equal((sealed.stdout + sealed.stderr).includes(value), false);
  }
  for (const [name, value] of Object.entries(values)) {
    equal((await runAlknet(["vault", "open", name, "--home", vault.path])).stdout, `${value}\n`);
    equal((await runAlknet(["vault", "open", name, "-n", "--home", vault.path])).stdout, value);
    const json = (await runAlknet(["vault", "open", name, "--json", "--home", vault.path])).stdout;
    deepEqual(JSON.parse(json), { name, value });
  }
  const listed = (await vault.done("list --json")).trim().split("\n").map((line) => JSON.parse(line));
  deepEqual(listed.map(({ name }) => name), Object.keys(values).sort());
  const stored = JSON.parse((await vault.contents())["credentials.json"]);
  deepEqual(Object.keys(stored.api), ["key_version", "salt", "iv", "data"]);
  equal(await vault.done("remove api"), "removed api\n");
  equal((await vault.run("open api")).code, 1);
});

Deno.test("alknet vault seal reads its value before the passphrase; nothing of it is an argument or in the file", async () => {
  await using vault = await testVault("passphrase");
  await vault.done(`seal api --passphrase-file ${vault.passphraseFile}`, "plaintext");
  equal(JSON.stringify(await vault.contents()).includes("plaintext"), false);
  equal(await vault.done(`open api --passphrase-file ${vault.passphraseFile}`), "plaintext\n");
  // Names are no secret, and what is only removed need not be opened.
  equal(await vault.done("list"), "api  key version 2\n");
  equal(await vault.done("remove api"), "removed api\n");
});

Deno.test("alknet vault rotate seals every credential by the next key version, or by the one that is named", async () => {
  await using vault = await testVault();
  for (const name of ["a", "b"]) await vault.done(`seal ${name}`, name);
  const before = JSON.parse((await vault.contents())["credentials.json"]);
  deepEqual(JSON.parse(await vault.done("rotate --json")), { credentials: 2, keyVersion: 3 });
  const after = JSON.parse((await vault.contents())["credentials.json"]);
  for (const name of ["a", "b"]) {
    equal(after[name].key_version, 3);
    notEqual(after[name].data, before[name].data);
    equal(await vault.done(`open ${name}`), `${name}\n`);
  }
  // What comes later is sealed by the newest version too.
  deepEqual(JSON.parse(await vault.done("seal c --json", "c")), { name: "c", keyVersion: 3 });
  await vault.done("rotate --to 10");
  equal(await vault.done("list"), "a  key version 10\nb  key version 10\nc  key version 10\n");
});

Deno.test("alknet vault rotate with one credential that does not open changes none, and names it", async () => {
  await using vault = await testVault();
  for (const name of ["a", "b"]) await vault.done(`seal ${name}`, name);
  const path = `${vault.path}/credentials.json`;
  const credentials = JSON.parse(await Deno.readTextFile(path));
  credentials.b.data = credentials.a.data;
  await Deno.writeTextFile(path, JSON.stringify(credentials));
  const before = await vault.contents();
  const { code, stderr } = await vault.run("rotate");
  equal(code, 1);
  match(stderr, /^alknet: cannot open the credential "b": [^\n]*\n$/);
  deepEqual(await vault.contents(), before);
});

Deno.test("alknet vault change-passphrase: passphrase, key and back; keys and credentials stay", async () => {
  await using vault = await testVault("passphrase");
  const next = await vault.write("next", "another\n");
  const old = vault.passphraseFile;
  await vault.done(`seal a --passphrase-file ${old}`, "value");
  await vault.done(`change-passphrase --passphrase-file ${old} --new-passphrase-file ${next}`);
  equal((await vault.run(`open a --passphrase-file ${old}`)).code, 1);
  equal(await vault.done(`open a --passphrase-file ${next}`), "value\n");
  const sealed = JSON.parse((await vault.contents())["vault.json"]);
  // The cost that the specification names, whatever the vault had before.
  const { memory_kib, passes, lanes, kdf } = sealed.sealed_by;
  deepEqual({ kdf, memory_kib, passes, lanes }, { kdf: "argon2id", memory_kib: 65536, passes: 3, lanes: 1 });
  await vault.done(`change-passphrase --passphrase-file ${next} --no-passphrase`);
  equal(await vault.done("open a"), "value\n");
  const key = (await vault.contents())["vault.key"];
  await vault.done("change-passphrase --no-passphrase");
  notEqual((await vault.contents())["vault.key"], key);
  equal(await vault.done("open a"), "value\n");
  await vault.done(`change-passphrase --new-passphrase-file ${old}`);
  ok(!("vault.key" in await vault.contents()));
  equal(await vault.done(`show-phrase --passphrase-file ${old}`), `${PHRASE}\n`);
});

Deno.test("alknet vault backup and restore: phrase and credentials come back, by a passphrase and by a key", async () => {
  for (const sealedBy of ["passphrase", "key"] as const) {
    await using vault = await testVault(sealedBy);
    const file = vault.join("backup");
    const passphrase = `--passphrase-file ${vault.passphraseFile}`;
    await vault.done(`seal a ${passphrase}`, "value");
    equal(await vault.done(`backup ${file} ${passphrase}`), `${file}\n`);
    equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    equal(/value|abandon/.test(await Deno.readTextFile(file)), false);
    for (const option of ["", " --no-passphrase"]) {
      const home = vault.join(`restored${option.trim()}`);
      const alknet = (args: string) => runAlknet([...args.split(" "), "--home", home]);
      const restored = await alknet(`vault restore ${file} ${passphrase}${option}`);
      equal(restored.code, 0, restored.stderr);
      const unlock = option === "" ? ` ${passphrase}` : "";
      equal((await alknet(`vault open a${unlock}`)).stdout, "value\n");
      equal((await alknet(`vault show-phrase --yes${unlock}`)).stdout, `${PHRASE}\n`);
    }
  }
});

Deno.test("alknet init --force moves the old vault and its credentials aside, whole", async () => {
  await using vault = await testVault();
  await vault.done("seal a", "value");
  const before = await vault.contents();
  equal((await runAlknet(["init", "--force", "--no-passphrase", "--home", vault.path])).code, 0);
  const after = await vault.contents();
  for (const name of ["vault.json", "vault.key", "credentials.json"]) {
    const moved = Object.keys(after).filter((one) => one.startsWith(`${name}.`) && one.endsWith(".old"));
    equal(after[moved[0]], before[name], name);
  }
  equal(await vault.done("list --json"), "");
  notEqual(await vault.done("show-phrase --yes"), `${PHRASE}\n`);
});

Deno.test("alknet vault import-credentials --scheme rust opens what the Rust vault sealed and seals it anew (vault.md row 17)", async () => {
  const rust = vectors.encrypted_data.filter(({ scheme, mnemonic }) => scheme === "rust_vault" && mnemonic === PHRASE);
  ok(rust.length > 1);
  await using vault = await testVault();
  const named = Object.fromEntries(rust.map(({ encrypted }, i) => [`c${i}`, encrypted]));
  const file = await vault.write("rust.json", JSON.stringify(named));
  deepEqual(JSON.parse(await vault.done(`import-credentials ${file} --scheme rust --json`)), {
    imported: Object.keys(named),
  });
  for (const [i, { plaintext }] of rust.entries()) {
    const { value } = JSON.parse(await vault.done(`open c${i} --json`));
    equal(value, plaintext);
  }
  const before = await vault.contents();
  match((await vault.run(`import-credentials ${file} --scheme rust`)).stderr, /"c0" already/);
  // One of ours among them: none is taken over.
  const mixed = { ...named, ours: JSON.parse(before["credentials.json"]).c0 };
  const other = await vault.write("mixed.json", JSON.stringify(mixed));
  match((await vault.run(`import-credentials ${other} --scheme rust --replace`)).stderr, /"ours"/);
  deepEqual(await vault.contents(), before);
});

Deno.test("alknet init in a home with a node.key asks what becomes of it; keep and replace do what they say", async () => {
  await using folder = await temporaryFolder();
  const { NodeKey } = await import("@alknet/core/identity");
  const key = NodeKey.generate();
  for (const choice of ["keep", "replace"]) {
    const home = folder.join(choice);
    await Deno.mkdir(home, { mode: 0o700 });
    await Deno.writeTextFile(`${home}/node.key`, key.toPem(), { mode: 0o600 });
    const alknet = (...args: string[]) => runAlknet([...args, "--home", home]);
    // As it was before there were vaults.
    equal((await alknet("id")).stdout, `${key.id}\n`);
    const asked = await alknet("init", "--no-passphrase");
    equal(asked.code, 1);
    match(
      asked.stderr,
      /^alknet: a node is here already [^\n]*--existing-key keep[^\n]*--existing-key replace[^\n]*\n$/,
    );
    deepEqual([...Deno.readDirSync(home)].map(({ name }) => name), ["node.key"]);
    const made = await alknet("init", "--no-passphrase", "--existing-key", choice);
    equal(made.code, 0, made.stderr);
    const { nodeId, sshHostKey } = JSON.parse((await alknet("id", "--json")).stdout);
    equal(nodeId === key.id, choice === "keep");
    match(sshHostKey, /^SHA256:/);
    const aside = [...Deno.readDirSync(home)].map(({ name }) => name).filter((name) =>
      /^node\.key\..*\.old$/.test(name)
    );
    equal(aside.length, choice === "keep" ? 0 : 1);
    for (const name of aside) equal(await Deno.readTextFile(`${home}/${name}`), key.toPem());
    const doctor = await alknet("doctor", "--json");
    match(doctor.stdout, new RegExp(`"key","status":"ok","finding":"node ${nodeId}`));
  }
});

Deno.test("alknet vault backup of a node with a key of its own brings that key back too", async () => {
  await using vault = await testVault("passphrase");
  const { NodeKey } = await import("@alknet/core/identity");
  const key = NodeKey.generate();
  await Deno.writeTextFile(`${vault.path}/node.key`, key.toPem(), { mode: 0o600 });
  const file = vault.join("backup");
  await vault.done(`backup ${file} --passphrase-file ${vault.passphraseFile}`);
  const home = vault.join("restored");
  await runAlknet(["vault", "restore", file, "--passphrase-file", vault.passphraseFile, "--home", home]);
  equal((await runAlknet(["id", "--home", home])).stdout, `${key.id}\n`);
});

Deno.test("alknet serve with --passphrase-file in an empty home seals its vault by it", async () => {
  await using folder = await temporaryFolder();
  const file = await folder.write("passphrase", "pw\n");
  const { startAlknet } = await import("../../support/process.ts");
  const args = ["serve", "--json", "--home", folder.join("home"), "--passphrase-file", file, "--listen", "127.0.0.1:0"];
  let nodeId: unknown;
  for (let run = 1; run <= 2; run++) {
    await using node = startAlknet(args);
    const listening = await node.json();
    if (run === 2) equal(listening.nodeId, nodeId);
    nodeId = listening.nodeId;
  }
  equal(JSON.parse(await Deno.readTextFile(folder.join("home", "vault.json"))).sealed_by.kind, "passphrase");
});

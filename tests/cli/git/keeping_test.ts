/**
 * `alknet git settings`, `maintain`, `fsck` and `remove` on the repositories of a home (git.md §9; row 56).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { contentsOf, git, makeRepository } from "../../handlers/git/repositories.ts";
import { packFiles } from "../../handlers/git/large/maintained.ts";
import { needs } from "../../support/programs.ts";
import { gitHome } from "../git_home.ts";
import type { TestHome } from "../home.ts";

const needed = needs("git", "linux");

/** A home whose repository `notes` has a history. */
async function historied(): Promise<{ home: TestHome; bare: string }> {
  const home = await gitHome();
  const bare = `${home.path}/git/notes.git`;
  await Deno.remove(bare, { recursive: true });
  await makeRepository(`${home.path}/work`, bare);
  return { home, bare };
}

Deno.test({
  name:
    "alknet git settings NAME K=V: changes what git config then reads, leaves the rest, and says what is no setting",
  ...needed,
  async fn() {
    await using home = await gitHome();
    const bare = `${home.path}/git/notes.git`;
    await Deno.writeTextFile(
      `${bare}/config`,
      '# mine\n[core]\n\tbare = true\n[alknet]\n\tpublic = true ; yes\n\tdescription = "my \\\nnotes"\n[alknet "x"]\n\tpublic = no\n[receive]\n\tdenyDeletes = true\n',
    );
    const set = await home.run(
      "git",
      "settings",
      "notes",
      "public=false",
      'description=a "b" ; \\c',
      "quota=10m",
      "protected=refs/heads/release/*",
      "protected=!HEAD",
      "owner=ada",
      "--json",
    );
    equal(set.code, 0, set.stderr);
    deepEqual(JSON.parse(set.stdout), {
      name: "notes",
      description: 'a "b" ; \\c',
      public: false,
      owner: "ada",
      quota: 10 * 1024 * 1024,
      requireSigned: false,
      protected: ["refs/heads/release/*", "!HEAD"],
    });
    const read = (key: string) => git(bare, "config", "--get-all", key);
    equal(await read("alknet.public"), "false");
    equal(await read("alknet.description"), 'a "b" ; \\c');
    equal(await read("alknet.protected"), "refs/heads/release/*\n!HEAD");
    equal(await read("alknet.x.public"), "no");
    equal(await read("receive.denyDeletes"), "true");
    match(await Deno.readTextFile(`${bare}/config`), /^# mine\n/);
    equal((await home.run("git", "settings", "notes", "owner=", "protected=", "quota=")).code, 0);
    equal(
      (await home.run("git", "settings", "notes")).stdout,
      'description=a "b" ; \\c\npublic=false\nowner=\nquota=\nrequireSigned=false\nprotected=\n',
    );
    for (
      const [word, said] of [["colour=red", /is no setting/], ["public=perhaps", /true or false/], ["quota=0", /bytes/]]
    ) {
      const { code, stderr } = await home.run("git", "settings", "notes", word as string);
      equal(code, 2);
      match(stderr, said as RegExp);
    }
    match(
      (await home.run("git", "settings", "notes", "protected=main")).stderr,
      /patterns such as refs\/heads\/release/,
    );
    await Deno.writeTextFile(`${bare}/config.lock`, "");
    const busy = await home.run("git", "settings", "notes", "public=true");
    equal(busy.code, 1);
    match(busy.stderr, /somebody else is changing the settings/);
    equal(await read("alknet.public"), "false");
    deepEqual([...Deno.readDirSync(`${bare}/alknet/tmp`)], []);
  },
});

Deno.test({
  name: "alknet git maintain NAME: few packs and a record; beside git's own gc it says who is at it, exit 1",
  ...needed,
  async fn() {
    const { home: made, bare } = await historied();
    await using home = made;
    const before = await contentsOf(bare);
    const done = await home.run("git", "maintain", "notes", "--full");
    equal(done.code, 0, done.stderr);
    match(done.stdout, /^notes: 1 pack, \d+ objects, [\d.]+ KiB, closure\n$/);
    equal(packFiles(bare, ".pack").length, 1);
    deepEqual(await contentsOf(bare), before);
    const again = JSON.parse((await home.run("git", "maintain", "notes", "--json")).stdout);
    deepEqual([again.name, again.outcome, again.packs, again.loose, again.closure], ["notes", "nothing", 1, 0, true]);
    await Deno.writeTextFile(`${bare}/gc.pid`, `${Deno.pid} ${Deno.hostname()}`);
    const { code, stdout, stderr } = await home.run("git", "maintain", "notes", "--full");
    deepEqual([code, stdout], [1, ""]);
    equal(stderr, `alknet: notes is being collected by process ${Deno.pid} ${Deno.hostname()}; nothing was done\n`);
    const empty = await home.run("git", "init", "empty");
    equal(empty.code, 0);
    equal((await home.run("git", "maintain", "empty")).stdout, "empty: 0 packs, 0 objects, 0 B\n");
    const missing = await home.run("git", "maintain", "none");
    deepEqual([missing.code, missing.stderr], [1, 'alknet: there is no repository "none"\n']);
  },
});

Deno.test({
  name: "alknet git fsck NAME: sound; then each flipped byte, missing or renamed object is a fault, exit 1 (row 56)",
  ...needed,
  async fn() {
    const { home: made, bare } = await historied();
    await using home = made;
    const sound = await home.run("git", "fsck", "notes");
    equal(sound.code, 0, sound.stderr);
    match(sound.stdout, /^notes: \d+ objects sound\n$/);
    const faulty = async (words: RegExp): Promise<void> => {
      const { code, stdout, stderr } = await home.run("git", "fsck", "notes");
      equal(code, 1);
      match(stdout, words);
      match(stderr, /^alknet: notes is not whole: \d+ faults?\n$/);
      const { faults } = JSON.parse((await home.run("git", "fsck", "notes", "--json")).stdout);
      ok(faults.length > 0);
    };
    const head = await git(bare, "rev-parse", "main");
    const loose = `${bare}/objects/${head.slice(0, 2)}/${head.slice(2)}`;
    const kept = await Deno.readFile(loose);
    await Deno.chmod(loose, 0o644);
    await Deno.remove(loose);
    await faulty(new RegExp(`^object ${head}: it is missing, and (?:HEAD|refs/heads/main) needs it$`, "m"));
    await Deno.writeFile(loose, kept.slice(0, 40));
    await faulty(new RegExp(`^object ${head}: `, "m"));
    await Deno.writeFile(loose, kept);
    equal((await home.run("git", "fsck", "notes")).code, 0);
    // A loose object under the name of another.
    const other = `${bare}/objects/${"ab".repeat(20).replace(/^../, "ab/")}`;
    await Deno.mkdir(`${bare}/objects/ab`, { recursive: true });
    await Deno.writeFile(other, kept);
    await faulty(new RegExp(`^object ${"ab".repeat(20)}: its bytes have another id$`, "m"));
    await Deno.remove(other);
    const [pack] = packFiles(bare, ".pack");
    const path = `${bare}/objects/pack/${pack}`;
    const bytes = await Deno.readFile(path);
    await Deno.chmod(path, 0o644);
    for (const at of [bytes.length >> 1, bytes.length - 100]) {
      const broken = bytes.slice();
      broken[at] ^= 0x10;
      await Deno.writeFile(path, broken);
      await faulty(/^pack [0-9a-f]{40}: its sum is another than it says$/m);
    }
    await Deno.writeFile(path, bytes.slice(0, -30));
    await faulty(/^repository notes: /m);
    await Deno.writeFile(path, bytes);
    equal((await home.run("git", "fsck", "notes")).code, 0);
  },
});

Deno.test({
  name: "alknet git remove NAME: aside for two weeks, gone after them, and the name is free; what lies elsewhere stays",
  ...needed,
  async fn() {
    await using home = await gitHome();
    equal((await home.run("git", "init", "team/a")).code, 0);
    const { code, stdout, stderr } = await home.run("git", "remove", "team/a", "--json");
    equal(code, 0, stderr);
    const { name, until } = JSON.parse(stdout);
    equal(name, "team/a");
    const aside = [...Deno.readDirSync(`${home.path}/git/.removed`)].map(({ name }) => name);
    equal(aside.length, 1);
    const since = Number(/^team\+a\.(\d+)$/.exec(aside[0])![1]);
    equal(until, new Date((since + 14 * 86_400) * 1000).toISOString());
    equal((await home.run("git", "list", "--json")).stdout.includes("team"), false);
    equal((await home.run("git", "init", "team/a")).code, 0);
    match((await home.run("git", "remove", "team/b")).stderr, /there is no repository "team\/b"/);
    // Removed long ago: the next removal takes it away.
    const old = `${home.path}/git/.removed/notes.${since - 15 * 86_400}`;
    await Deno.rename(`${home.path}/git/.removed/${aside[0]}`, old);
    match((await home.run("git", "remove", "team/a")).stdout, /^removed team\/a, kept until \d{4}-\d\d-\d\d\n$/);
    equal([...Deno.readDirSync(`${home.path}/git/.removed`)].length, 1);
    await git(home.path, "init", "-q", `${home.path}/site`);
    equal((await home.run("git", "add", "site", `${home.path}/site`)).code, 0);
    const elsewhere = await home.run("git", "remove", "site");
    equal(elsewhere.code, 1);
    match(elsewhere.stderr, /take it out of handlers\.git\.repositories/);
    ok((await Deno.stat(`${home.path}/site/.git`)).isDirectory);
  },
});

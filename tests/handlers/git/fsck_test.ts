/**
 * fsck: the faults that stock git sees in the same objects, and what becomes of them (git.md §10; row 30).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { isDotFile, isDotGit } from "../../../handlers/git/objects/dot_git.ts";
import { defaultVerdict, fsckObject, knownFault } from "../../../handlers/git/objects/fsck.ts";
import type { Kind } from "../../../handlers/git/objects/oid.ts";
import { fsckModules } from "../../../handlers/git/objects/fsck_files.ts";
import { GitConfig } from "../../../handlers/git/store/folder/git_config.ts";
import { needs } from "../../support/programs.ts";
import { runProgram } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { joined } from "./client.ts";
import { bytesOf, oidOf } from "./packs.ts";
import { git, GIT_ENV, gitWith } from "./repositories.ts";

const TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const WHO = "A <a@example.org> 1700000000 +0000";
const commitOf = (author: string, committer = WHO) => `tree ${TREE}\nauthor ${author}\ncommitter ${committer}\n\nx\n`;
const tagOf = (...header: string[]) => `${header.join("\n")}\n\nx\n`;
const OBJECT = `object ${TREE}`;

/** Commits and tags with and without faults. */
const TEXTS: readonly (readonly [Kind, string])[] = [
  ["commit", commitOf(WHO)],
  ["commit", `tree ${TREE}\nparent ${"2".repeat(40)}\nauthor ${WHO}\ncommitter ${WHO}\ngpgsig a\n b\n\nx`],
  ["commit", ""],
  ["commit", "\n"],
  ["commit", `tree ${TREE}\nauthor ${WHO}\ncommitter ${WHO}\n`],
  ["commit", `tree ${TREE}\nauthor ${WHO}\ncommitter ${WHO}`],
  ["commit", `author ${WHO}\ncommitter ${WHO}\n\nx`],
  ["commit", `tree ${TREE.slice(1)}\nauthor ${WHO}\ncommitter ${WHO}\n\nx`],
  ["commit", `tree ${TREE}0\nauthor ${WHO}\ncommitter ${WHO}\n\nx`],
  ["commit", `tree ${TREE}\nparent x\nauthor ${WHO}\ncommitter ${WHO}\n\nx`],
  ["commit", `tree ${TREE}\nauthor ${WHO}\n\nx`],
  ["commit", `tree ${TREE}\ncommitter ${WHO}\n\nx`],
  ["commit", `tree ${TREE}\nauthor ${WHO}\nauthor ${WHO}\ncommitter ${WHO}\n\nx`],
  ["commit", `tree ${TREE}\nauthor ${WHO}\0\ncommitter ${WHO}\n\nx`],
  ["commit", `tree ${TREE}\nauthor ${WHO}\ncommitter ${WHO}\n\nx\0y`],
  ["commit", commitOf("<a@example.org> 1700000000 +0000")],
  ["commit", commitOf("A> <a@example.org> 1700000000 +0000")],
  ["commit", commitOf("A a@example.org 1700000000 +0000")],
  ["commit", commitOf("A<a@example.org> 1700000000 +0000")],
  ["commit", commitOf("A <a@example.org 1700000000 +0000")],
  ["commit", commitOf("A <a<@example.org> 1700000000 +0000")],
  ["commit", commitOf("A <a@example.org>1700000000 +0000")],
  ["commit", commitOf("A <a@example.org> 01700000000 +0000")],
  ["commit", commitOf("A <a@example.org> 0 +0000")],
  ["commit", commitOf("A <a@example.org> x +0000")],
  ["commit", commitOf("A <a@example.org> 1700000000+0000")],
  ["commit", commitOf("A <a@example.org> 99999999999999999999999 +0000")],
  ["commit", commitOf("A <a@example.org> 1700000000 0000")],
  ["commit", commitOf("A <a@example.org> 1700000000 +000")],
  ["commit", commitOf("A <a@example.org> 1700000000 +00000")],
  ["commit", commitOf(WHO, "A <a@example.org> 1700000000 UTC")],
  ["commit", commitOf(WHO, "")],
  ["tag", tagOf(OBJECT, "type tree", "tag v1", `tagger ${WHO}`)],
  ["tag", tagOf(OBJECT, "type tree", "tag v1")],
  ["tag", tagOf(OBJECT, "type tree", "tag v 1", `tagger ${WHO}`)],
  ["tag", tagOf(OBJECT, "type tree", `tagger ${WHO}`)],
  ["tag", tagOf(OBJECT, "tag v1", `tagger ${WHO}`)],
  ["tag", tagOf(OBJECT, "type thing", "tag v1", `tagger ${WHO}`)],
  ["tag", tagOf("object 123", "type tree", "tag v1", `tagger ${WHO}`)],
  ["tag", tagOf("type tree", "tag v1", `tagger ${WHO}`)],
  ["tag", tagOf(OBJECT, "type tree", "tag v1", "tagger A")],
  ["tag", tagOf(OBJECT, "type tree", "tag v1", `tagger ${WHO}`, "more x")],
  ["tag", `${OBJECT}\ntype tree\ntag v1`],
  ["tag", ""],
];

const OID = new Uint8Array(20).fill(0x11);
const entry = (mode: string, name: string, oid: Uint8Array = OID) => joined([bytesOf(`${mode} ${name}\0`), oid]);
const file = (name: string) => entry("100644", name);

/** Trees with and without faults. */
const TREES: readonly Uint8Array[] = [
  joined([file("a"), file("b")]),
  joined([file("b"), file("a")]),
  joined([file("a"), file("a")]),
  joined([file("a"), file("a.x"), entry("40000", "a")]),
  joined([file("a"), file("a-x"), file("a.x"), file("a.y"), entry("40000", "a"), file("a0")]),
  joined([entry("40000", "a"), file("a0")]),
  joined([entry("40000", "a"), file("a.x")]),
  joined([file("a"), entry("40000", "a")]),
  joined([file("a.x"), entry("40000", "a"), file("b")]),
  entry("40000", "a", new Uint8Array(20)),
  ...[".", "..", ".git", ".GIT", ".Git", ".git ", ".git.", ".git:x", ".gi\u200ct", "git~1", "GIT~1", "git~1 ", "git~2"]
    .map(file),
  ...["a\\.git", "a/b", ".gitx", "..git", ".git~1", "gitmod~1", ".gitmodules", "\ufeff.git", "x\\git~1"].map(file),
  entry("120000", ".gitmodules"),
  entry("120000", "GITMOD~1"),
  entry("120000", ".gitattributes"),
  entry("120000", ".gitignore"),
  entry("120000", ".mailmap"),
  entry("120000", ".MAILMAP ."),
  entry("100664", "a"),
  entry("0100644", "a"),
  entry("100640", "a"),
  entry("644", "a"),
  entry("160000", "a"),
  joined([entry("160000", "a"), bytesOf("100644 b\0")]),
  bytesOf("100644a"),
  bytesOf("10064x a\0"),
  bytesOf(" a\0"),
  file("n".repeat(5000)),
];

/** Faults by git's severities, where an object is told of one alone. */
function faultsOf(kind: Kind, bytes: Uint8Array, stops: (id: string) => boolean): string[] {
  const ids: string[] = [];
  fsckObject(kind, bytes, (id) => {
    ids.push(id);
    return stops(id);
  });
  return ids.filter((id) => id !== "extraHeaderEntry").sort();
}

Deno.test({
  name: "fsck: the faults that git fsck sees in 75 objects (row 30)",
  ...needs("git", "linux"),
  async fn() {
    await using folder = await temporaryFolder();
    await git(folder.path, "init", "-q", "--bare");
    await gitWith(folder.path, "", "hash-object", "-w", "-t", "tree", "--stdin");
    const objects = [
      ...TEXTS.map(([kind, text]) => ({ kind, bytes: bytesOf(text) })),
      ...TREES.map((bytes) => ({ kind: "tree" as Kind, bytes: new Uint8Array(bytes) })),
    ];
    for (const { kind, bytes } of objects) {
      await gitWith(folder.path, bytes, "hash-object", "-w", "--literally", "-t", kind, "--stdin");
    }
    const { stderr } = await runProgram("git", ["fsck", "--no-dangling"], { cwd: folder.path, env: GIT_ENV });
    const told = new Map<string, { ids: Set<string>; errors: Set<string> }>();
    for (const line of stderr.split("\n")) {
      const [, severity, oid, id] = /^(error|warning) in \S+ ([0-9a-f]{40}): (\w+): /.exec(line) ?? [];
      if (oid === undefined) continue;
      const of = told.get(oid) ?? { ids: new Set(), errors: new Set() };
      of.ids.add(id);
      if (severity === "error") of.errors.add(id);
      told.set(oid, of);
    }
    const unparsed = new Set(stderr.match(/(?<=^error: )[0-9a-f]{40}(?=: object could not be parsed)/gm));
    let faulty = 0;
    for (const { kind, bytes } of objects) {
      const of = told.get(oidOf(kind, bytes));
      const stops = (id: string) => kind !== "tree" && (of?.errors.has(id) ?? false);
      // What the file itself would have to say, and names that this git does not look at yet.
      const beyond = ["largePathname", "gitmodulesMissing", "gitmodulesBlob", "gitattributesMissing"];
      const expected = [...of?.ids ?? []].filter((id) => !beyond.includes(id)).sort();
      const found = faultsOf(kind, bytes, stops).filter((id) => !beyond.includes(id));
      const what = `${kind} ${JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 300)))}`;
      // Of what git cannot parse it says no more.
      if (unparsed.has(oidOf(kind, bytes))) ok(found.some((id) => defaultVerdict(id) === "error"), what);
      else deepEqual({ what, found }, { what, found: expected });
      if (expected.length > 0) faulty++;
    }
    ok(faulty > 50, `${faulty} have faults`);
  },
});

Deno.test("fsck: a tree's entry without a name, and one with a name of 5000 bytes (§10)", () => {
  deepEqual(faultsOf("tree", file(""), () => false), ["emptyName"]);
  deepEqual(faultsOf("tree", file("n".repeat(5000)), () => false), ["largePathname"]);
});

Deno.test("fsck: what is refused, what is told of (§10)", () => {
  for (const id of ["hasDotgit", "nullSha1", "emptyName", "treeNotSorted", "missingTree", "nulInHeader"]) {
    equal(defaultVerdict(id), "error", id);
  }
  for (const id of ["zeroPaddedDate", "badTimezone", "badEmail", "badFilemode", "badTagName", "multipleAuthors"]) {
    equal(defaultVerdict(id), "warn", id);
  }
  equal(defaultVerdict("extraHeaderEntry"), "ignore");
  ok(knownFault("ZEROPADDEDDATE") && knownFault("hasdotgit") && !knownFault("other"));
});

Deno.test("isDotGit(), isDotFile(): what some file system takes for git's own", () => {
  for (const name of [".git", ".GiT", ".git...", ".git . .", ".git::$INDEX", "git~1", ".g\u200dit", "a\\.git"]) {
    ok(isDotGit(name), name);
  }
  for (const name of ["git", ".gitx", "git~12", "git~2", ".g.it", "x.git", ".git/x"]) ok(!isDotGit(name), name);
  for (
    const name of [".gitmodules", ".GITMODULES. .", "gitmod~4", "GITMOD~1", "gi7eba~1", "gi7eb~12", ".gitmodules:x"]
  ) {
    ok(isDotFile(name, "gitmodules", "gi7eba"), name);
  }
  for (const name of ["gitmodules", ".gitmodulesx", "gitmod~5", "gi7eba~12", "gitmod~0", "gi7ebb~1"]) {
    ok(!isDotFile(name, "gitmodules", "gi7eba"), name);
  }
});

/** Files `.gitmodules` with and without faults. */
const MODULES: readonly string[] = [
  '[submodule "a"]\n\tpath = a\n\turl = https://example.org/a.git\n',
  '[submodule "a/b"]\n\tpath = x/y\n\turl = ../a.git\n\tupdate = rebase\n',
  '[submodule "../a"]\n\tpath = a\n\turl = ./a\n',
  '[submodule "a/../b"]\n\tpath = a\n\turl = ./a\n',
  '[submodule "a/..b"]\n\tpath = a\n\turl = ./a\n',
  '[submodule "a\\\\..\\\\b"]\n\tpath = a\n\turl = ./a\n',
  '[submodule ""]\n\tpath = a\n\turl = ./a\n',
  '[submodule "a"]\n\tpath = -a\n\turl = ./a\n',
  '[submodule "a"]\n\tpath = a\n\turl = -u./a\n',
  '[submodule "a"]\n\tpath = a\n\turl = --upload-pack=x\n',
  '[submodule "a"]\n\tpath = a\n\turl = "https://example.org/\\n"\n',
  '[submodule "a"]\n\tpath = a\n\turl = https://example.org/%0ahost=x\n',
  '[submodule "a"]\n\tpath = a\n\turl = git://example.org/%0a\n',
  '[submodule "a"]\n\tpath = a\n\turl = ../%0ahost\n',
  '[submodule "a"]\n\tpath = a\n\turl = ../../../:example.org/a\n',
  '[submodule "a"]\n\tpath = a\n\turl = ..//example.org/a\n',
  '[submodule "a"]\n\tpath = a\n\turl = https:///a\n',
  '[submodule "a"]\n\tpath = a\n\turl = http::https://example.org/a\n',
  '[submodule "a"]\n\tpath = a\n\turl = http::example.org/a\n',
  '[submodule "a"]\n\tpath = a\n\turl = ./:a\n',
  '[submodule "a"]\n\tpath = a\n\turl = ./..//a\n',
  '[submodule "a"]\n\tpath = a\n\turl = .././:a\n',
  '[submodule "a"]\n\tpath = a\n\turl = https://user@/a\n',
  '[submodule "a"]\n\tpath = a\n\turl = https://user:secret@example.org/a\n',
  '[submodule "a"]\n\tpath = a\n\turl = git@example.org:a\n',
  '[submodule "a"]\n\tpath = a\n\turl = /srv/a\n',
  '[submodule "a"]\n\tpath = a\n\turl = ./a\n\tupdate = !rm -r .\n',
  '[submodule "a"]\n\tpath = a\n\turl = ./a\n\tupdate = none\n',
  "[submodule\n",
  "[core]\n\turl = -x\n",
  "",
];

Deno.test({
  name: "fsck: the faults that git fsck sees in files .gitmodules (§10)",
  ...needs("git", "linux"),
  async fn() {
    await using folder = await temporaryFolder();
    await git(folder.path, "init", "-q", "--bare");
    for (const text of MODULES) {
      const oid = await gitWith(folder.path, text, "hash-object", "-w", "--stdin");
      await gitWith(folder.path, `100644 blob ${oid}\t.gitmodules\n`, "mktree");
    }
    const { stderr } = await runProgram("git", ["fsck", "--no-dangling"], { cwd: folder.path, env: GIT_ENV });
    for (const text of MODULES) {
      const bytes = bytesOf(text);
      const oid = oidOf("blob", bytes);
      const expected = new Set(
        stderr.split("\n").filter((line) => line.includes(oid)).map((line) => /: (gitmodules\w+): /.exec(line)?.[1])
          .filter((id) => id !== undefined),
      );
      const found = new Set<string>();
      await fsckModules(oid, bytes.byteLength, { read: () => Promise.resolve({ bytes }) }, (id) => {
        found.add(id);
        return false;
      }, (content) => {
        try {
          return new GitConfig(content).entries();
        } catch {
          return undefined;
        }
      });
      deepEqual({ text, found }, { text, found: expected });
    }
  },
});

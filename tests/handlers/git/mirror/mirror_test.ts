/**
 * Repositories that follow others (git.md §7, row 57), judged by stock git.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { git as gitOf, RepositoryKeeper } from "@alknet/handlers/git";
import assert from "node:assert/strict";
import { Mirrors } from "../../../../handlers/git/mirror/mirrors.ts";
import { readMirror, writeMirror } from "../../../../handlers/git/store/folder/owning/mirror_file.ts";
import { FolderRepositories } from "../../../../handlers/git/store/folder/repositories.ts";
import { GIT_LIMITS } from "../../../../handlers/git/limits.ts";
import { packCaches } from "../../../../handlers/git/pack/pack_file.ts";
import { Turns } from "../../../../handlers/git/serve/turns.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { commit, git, makeRepository } from "../repositories.ts";
import { type Backend, backend, ORIGIN } from "./backend.ts";

const URL_OF_ORIGIN = `${ORIGIN}/origin.git`;
const signal = new AbortController().signal;

/** A repository elsewhere, and one that follows it. */
interface Pair extends AsyncDisposable {
  readonly server: Backend;
  readonly root: string;
  /** The folder of the origin, its working copy, and the folder of the mirror. */
  readonly bare: string;
  readonly work: string;
  readonly mirror: string;
  readonly keeper: RepositoryKeeper;
  /** Fetches once. */
  follow(): ReturnType<RepositoryKeeper["follow"]>;
  /** What the mirror has: refs, and what HEAD is. */
  refs(): Promise<string>;
}

async function pair(): Promise<Pair> {
  const folder = await temporaryFolder();
  const [there, root] = [folder.join("there"), folder.join("here")];
  await Deno.mkdir(there);
  await Deno.mkdir(root);
  const [bare, work, mirror] = [`${there}/origin.git`, folder.join("work"), `${root}/copy.git`];
  await makeRepository(work, bare);
  await git(".", "init", "-q", "--bare", "--initial-branch=trunk", mirror);
  const server = backend(there);
  const keeper = new RepositoryKeeper({ root, elsewhere: {} });
  await keeper.setMirror("copy", { url: URL_OF_ORIGIN });
  return {
    server,
    root,
    bare,
    work,
    mirror,
    keeper,
    follow: () => keeper.follow("copy", { ways: { fetch: server.fetch }, signal }),
    refs: async () => `${await refsOf(mirror)}\n${await git(mirror, "symbolic-ref", "HEAD")}`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function refsOf(folder: string): Promise<string> {
  return git(folder, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags");
}

/** Whether nothing of what was received lies about. */
async function isClean(folder: string): Promise<boolean> {
  const names = await Array.fromAsync(Deno.readDir(`${folder}/objects`), ({ name }) => name);
  return !names.some((name) => name.startsWith("incoming-"));
}

const NEEDS = needs("git");

Deno.test({
  name: "mirror: what is there is here, then what moved, was forced, added and removed (git.md row 57)",
  ...NEEDS,
  async fn() {
    await using all = await pair();
    const { bare, work, mirror } = all;
    const first = await all.follow();
    assert.equal(await refsOf(mirror), await refsOf(bare));
    assert.equal(first.refs, (await refsOf(bare)).split("\n").length);
    assert.ok(first.objects > 0);
    assert.equal(await git(mirror, "symbolic-ref", "HEAD"), "refs/heads/main");
    assert.equal(await git(mirror, "fsck", "--strict", "--full"), "");
    assert.deepEqual(await all.follow(), { refs: first.refs, moved: 0, objects: 0 });
    await commit(work, "new", "new\n", 1_700_000_100);
    await git(work, "push", "-q", bare, "main");
    await git(work, "checkout", "-q", "-b", "other", "main~2");
    await commit(work, "other", "other\n", 1_700_000_101);
    await git(work, "push", "-q", "-f", bare, "other:side/日本", "other:refs/heads/added/deep");
    await git(work, "push", "-q", bare, "--delete", "refs/tags/light");
    const second = await all.follow();
    assert.equal(second.moved, 4);
    assert.equal(await refsOf(mirror), await refsOf(bare));
    assert.equal(await git(mirror, "fsck", "--strict", "--full"), "");
    assert.match(await git(mirror, "reflog", "show", "--format=%gs %gn", "main"), /push mirror/);
    assert.ok(await isClean(mirror));
  },
});

Deno.test({
  name: "mirror: of chosen refs alone; others here stay, and those there do not come",
  ...NEEDS,
  async fn() {
    await using all = await pair();
    await all.keeper.setMirror("copy", { url: URL_OF_ORIGIN, refs: ["refs/heads/main", "refs/tags/"] });
    await all.follow();
    await git(all.mirror, "update-ref", "refs/heads/own", "refs/heads/main");
    await git(all.bare, "update-ref", "-d", "refs/tags/nested");
    assert.equal((await all.follow()).moved, 1);
    const heads = await git(all.mirror, "for-each-ref", "--format=%(refname)", "refs/heads");
    assert.deepEqual(heads.split("\n"), ["refs/heads/main", "refs/heads/own"]);
    assert.equal(
      await git(all.mirror, "for-each-ref", "refs/tags", "--format=%(objectname) %(refname)"),
      await git(all.bare, "for-each-ref", "refs/tags", "--format=%(objectname) %(refname)"),
    );
  },
});

Deno.test({
  name: "mirror: what is more than the repository may hold is refused, and nothing of it stays",
  ...NEEDS,
  async fn() {
    await using all = await pair();
    for (
      const [setting, says] of [["alknet.quota", /more than 100 bytes/], ["receive.maxInputSize", /pack/]] as const
    ) {
      await git(all.mirror, "config", setting, "100");
      await assert.rejects(all.follow(), { code: "MIRROR_FAILED", message: says }, setting);
      assert.equal(await refsOf(all.mirror), "");
      assert.ok(await isClean(all.mirror));
      await git(all.mirror, "config", "--unset", setting);
    }
    await all.follow();
    assert.equal(await refsOf(all.mirror), await refsOf(all.bare));
  },
});

Deno.test({
  name: "mirror: with the credential that is kept for the host, and none without it",
  ...NEEDS,
  async fn() {
    await using all = await pair();
    all.server.credential = "ada:secret";
    await assert.rejects(all.follow(), { code: "MIRROR_FAILED", message: /origin\.test:443: status 401: it asks who/ });
    const asked: string[] = [];
    const ways = {
      fetch: all.server.fetch,
      credential: (host: string) => Promise.resolve(asked.push(host) > 0 ? "ada:secret" : undefined),
    };
    await all.keeper.follow("copy", { ways, signal });
    assert.deepEqual(asked, ["origin.test:443"]);
    assert.equal(await refsOf(all.mirror), await refsOf(all.bare));
    const wrong = { ...ways, credential: () => Promise.resolve("ada:other") };
    const failed = await all.keeper.follow("copy", { ways: wrong, signal }).catch((error) => error);
    assert.match(failed.message, /status 401: what the vault keeps/);
    assert.ok(!/other|secret/.test(failed.message + JSON.stringify(readMirror(all.mirror))));
  },
});

/** Answers instead of the origin's, or made of them, by what they are. */
type Spoil = NonNullable<Backend["spoil"]>;
const result = (body: BodyInit): Response =>
  new Response(body, { headers: { "content-type": "application/x-git-upload-pack-result" } });
const advertisement = (body: string): Response =>
  new Response(body, { headers: { "content-type": "application/x-git-upload-pack-advertisement" } });
const line = (text: string): string => (text.length + 5).toString(16).padStart(4, "0") + text + "\n";
const ofPost = (number: number, answer: (response: Response) => Response | Promise<Response>): Spoil => {
  let posts = 0;
  return (request, response) => request.method === "POST" && ++posts === number ? answer(response) : response;
};
const ofGet = (answer: () => Response): Spoil => (request, response) => request.method === "GET" ? answer() : response;
const changed = (change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) => async (response: Response) =>
  result(change(new Uint8Array(await response.arrayBuffer())));
const SOME = "1".repeat(40);

const HOSTILE: readonly (readonly [what: string, spoil: Spoil, says: RegExp])[] = [
  ["a page", ofGet(() => new Response("<html>")), /not git's smart HTTP/],
  ["elsewhere", ofGet(() => new Response(null, { status: 302, headers: { location: "https://a.test/" } })), /302/],
  ["nothing there", ofGet(() => new Response(null, { status: 404 })), /404: there is no such repository/],
  ["version 0", ofGet(() => advertisement(line(`${SOME} HEAD`) + "0000")), /version 2/],
  ["no pkt-line", ofGet(() => advertisement("zzzz")), /git's protocol/],
  ["other objects", ofGet(() => advertisement(line("version 2") + line("object-format=sha256") + "0000")), /SHA-1/],
  ["no fetch", ofGet(() => advertisement(line("version 2") + line("ls-refs") + "0000")), /does not serve fetch/],
  [
    "too many words",
    ofGet(() => advertisement(line("version 2") + Array.from({ length: 300 }, (_, n) => line(`x${n}`)).join(""))),
    /too much/,
  ],
  ["hung up", ofPost(1, () => result("")), /hung up/],
  ["an error", ofPost(1, () => result(line("ERR no\u001b[31m"))), /says: no/],
  ["no ref", ofPost(1, () => result(line("nonsense") + "0000")), /no ref/],
  [
    "a name with dots",
    ofPost(1, () => result(line(`${SOME} refs/heads/../../config`) + "0000")),
    /a name that none may have/,
  ],
  [
    "a name of a lock",
    ofPost(1, () => result(line(`${SOME} refs/heads/a.lock`) + "0000")),
    /a name that none may have/,
  ],
  [
    "names in each other",
    ofPost(1, () => result(line(`${SOME} refs/heads/a`) + line(`${SOME} refs/heads/a/b`) + "0000")),
    /./,
  ],
  ["an object that is not", ofPost(1, () => result(line(`${SOME} refs/heads/main`) + "0000")), /says: .*not our ref/],
  ["no pack", ofPost(2, () => result(line("acknowledgments") + "0000")), /no pack/],
  ["a fatal end", ofPost(2, () => result(line("packfile") + "000a\u0003dead\n" + "0000")), /says: dead/],
  ["half a pack", ofPost(2, changed((bytes) => bytes.slice(0, bytes.byteLength / 2))), /./],
  [
    "a pack with a wrong byte",
    ofPost(
      2,
      changed((bytes) => {
        bytes[bytes.byteLength >> 1] ^= 0x10;
        return bytes;
      }),
    ),
    /./,
  ],
  [
    "an empty pack",
    ofPost(2, () => {
      const head = [0x50, 0x41, 0x43, 0x4b, 0, 0, 0, 2, 0, 0, 0, 0];
      const sum = Uint8Array.fromHex("029d08823bd8a8eab510ad6ac75c823cfd3ed31e");
      const band = Uint8Array.of(...new TextEncoder().encode("0025"), 1, ...head, ...sum);
      return result(Uint8Array.of(...new TextEncoder().encode(line("packfile")), ...band, 0x30, 0x30, 0x30, 0x30));
    }),
    /not all that its refs reach/,
  ],
];

Deno.test({
  name: "mirror: what is wrong elsewhere changes nothing here, and is told in one line (git.md row 57)",
  ...NEEDS,
  async fn(t) {
    await using all = await pair();
    await all.follow();
    const before = await all.refs();
    await commit(all.work, "more", "more\n", 1_700_000_200);
    await git(all.work, "push", "-q", all.bare, "main");
    for (const [what, spoil, says] of HOSTILE) {
      await t.step(what, async () => {
        all.server.spoil = spoil;
        const failed = await all.follow().catch((error) => error);
        assert.ok(failed instanceof AlknetError, `${failed}`);
        assert.equal(failed.code, "MIRROR_FAILED");
        assert.match(failed.message, says);
        // deno-lint-ignore no-control-regex
        assert.ok(!/[\x00-\x1f]/.test(failed.message), failed.message);
        assert.equal(await all.refs(), before);
        assert.ok(await isClean(all.mirror));
        const last = readMirror(all.mirror)?.last;
        assert.deepEqual([last?.ok, last?.error], [false, failed.message]);
      });
    }
    all.server.spoil = undefined;
    assert.equal((await all.follow()).moved, 1);
    assert.equal(await refsOf(all.mirror), await refsOf(all.bare));
    assert.deepEqual(readMirror(all.mirror)?.last?.ok, true);
  },
});

Deno.test({
  name:
    "mirror: objects that git's fsck refuses are refused, and a repository that is down keeps the old (git.md row 57)",
  ...NEEDS,
  async fn() {
    await using all = await pair();
    await all.follow();
    const before = await all.refs();
    const blob = await git(all.bare, "hash-object", "-w", "--stdin");
    const tree = `100644 .git\0`;
    const bytes = Uint8Array.of(...new TextEncoder().encode(tree), ...Uint8Array.fromHex(blob));
    await Deno.writeFile(`${all.root}/tree`, bytes);
    const oid = await git(all.bare, "hash-object", "-t", "tree", "-w", "--literally", `${all.root}/tree`);
    const bad = await git(all.bare, "commit-tree", "-m", "bad", oid);
    await git(all.bare, "update-ref", "refs/heads/bad", bad);
    await assert.rejects(all.follow(), { code: "MIRROR_FAILED", message: /refused: .*hasDotgit/i });
    assert.equal(await all.refs(), before);
    await all.server[Symbol.asyncDispose]();
    await assert.rejects(all.follow(), { code: "MIRROR_FAILED", message: /origin\.test:443: no answer/ });
    assert.equal(await all.refs(), before);
  },
});

Deno.test({
  name: "mirror: a node fetches when the time has come, waits longer after each failure, and says it once",
  ...NEEDS,
  async fn() {
    await using all = await pair();
    const repositories = new FolderRepositories({ root: all.root, elsewhere: {} }, packCaches(GIT_LIMITS), 1 << 20);
    let now = 1_800_000_000;
    const said: string[] = [];
    const note = (text: string) => void said.push(text);
    const log = { debug: note, info: note, warn: note, error: note } as never;
    await using mirrors = new Mirrors({
      repositories,
      ways: { fetch: all.server.fetch },
      limits: GIT_LIMITS,
      walks: new Turns(1),
      indexing: new Turns(1),
      log,
      now: () => now,
    });
    /** Seconds until the next fetch, looking each minute. */
    const until = async (): Promise<number> => {
      const before = all.server.asked();
      for (let waited = 60;; waited += 60) {
        now += 60;
        await mirrors.look();
        if (all.server.asked() > before) return waited;
      }
    };
    await mirrors.look();
    assert.equal(await refsOf(all.mirror), await refsOf(all.bare));
    assert.equal(await until(), 300);
    all.server.spoil = ofGet(() => new Response(null, { status: 500 }));
    await until();
    assert.deepEqual([await until(), await until(), await until(), await until()], [60, 120, 240, 480]);
    for (let n = 0; n < 4; n++) await until();
    assert.equal(await until(), 3600);
    all.server.spoil = undefined;
    assert.equal(await until(), 3600);
    assert.equal(await until(), 300);
    assert.equal(said.filter((text) => text.includes("is not mirrored")).length, 1);
    await writeMirror(all.mirror, { ...readMirror(all.mirror)!, last: { at: now + 1e6, ok: true } });
    assert.equal(await until(), 60, "a clock that was set back");
  },
});

Deno.test({
  name: "mirror: two fetch one repository at once, and one that is being fetched may be given up",
  ...NEEDS,
  async fn() {
    await using all = await pair();
    const outcomes = await Promise.allSettled([all.follow(), all.follow(), all.follow()]);
    assert.ok(outcomes.some(({ status }) => status === "fulfilled"));
    assert.equal(await refsOf(all.mirror), await refsOf(all.bare));
    assert.equal(await git(all.mirror, "fsck", "--strict", "--full"), "");
    await commit(all.work, "later", "later\n", 1_700_000_300);
    await git(all.work, "push", "-q", all.bare, "main");
    const before = await all.refs();
    const ended = new AbortController();
    all.server.spoil = ofPost(2, (response) => {
      ended.abort(new DOMException("given up", "AbortError"));
      return response;
    });
    const ways = { fetch: all.server.fetch };
    await assert.rejects(all.keeper.follow("copy", { ways, signal: ended.signal }), { name: "AbortError" });
    assert.equal(await all.refs(), before);
    assert.ok(await isClean(all.mirror));
  },
});

Deno.test({
  name: "setMirror(): refuses URLs, times and refs that are none",
  ...NEEDS,
  async fn() {
    await using all = await pair();
    const before = readMirror(all.mirror);
    const wishes = [
      { url: "http://a.test/x" },
      { url: "file:///etc" },
      { url: "https://ada:secret@a.test/x" },
      { url: "https://a.test/x?y" },
      { url: "alknet://a.test" },
      { url: "alknet://a.test/../x" },
      { url: "alknet://nonsense@a.test:4433/x" },
      { url: "ext::sh -c id" },
      { url: URL_OF_ORIGIN, every: 59 },
      { url: URL_OF_ORIGIN, every: 1e9 },
      { url: URL_OF_ORIGIN, refs: [] },
      { url: URL_OF_ORIGIN, refs: ["heads/main"] },
      { url: URL_OF_ORIGIN, refs: ["refs/heads/../x"] },
    ];
    for (const wish of wishes) {
      const failed = await all.keeper.setMirror("copy", wish).catch((error) => error);
      assert.equal(failed?.code, "INVALID_MIRROR", JSON.stringify(wish));
      assert.ok(!failed.message.includes("secret"), failed.message);
    }
    assert.deepEqual(readMirror(all.mirror), before);
    await all.keeper.setMirror("copy", undefined);
    assert.equal(readMirror(all.mirror), undefined);
    await assert.rejects(all.follow(), { code: "NO_MIRROR" });
    await using served = gitOf({ root: all.root });
    served.mirror();
  },
});

/**
 * `fs` of a guest: within its folders, in both tiers.
 *
 * @module
 */
import { Isolate, type IsolateOptions, ProcessGuest } from "@alknet/runtime";
import assert from "node:assert/strict";
import { GuestFiles } from "../../../runtime/outward/files/guest_files.ts";
import { temporaryFolder } from "../../support/temp.ts";

const TIERS = ["isolate", "process guest"] as const;
const ignore = Deno.build.os !== "linux";

async function guestOf(tier: typeof TIERS[number], stack: AsyncDisposableStack, options: IsolateOptions) {
  const limits = { cpu: 10_000, wall: 30_000 };
  return tier === "isolate"
    ? stack.use(await Isolate.create({ limits, ...options }))
    : stack.use(await ProcessGuest.start({ limits, ...options }));
}

const codeOf = (call: string) => `(async () => { try { await ${call}; return "done" } catch (e) { return e.code } })()`;
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
const none = new AbortController().signal;

for (const tier of TIERS) {
  Deno.test({
    name: `${tier}: fs reads and writes what lies in its folders`,
    ignore,
    async fn() {
      await using stack = new AsyncDisposableStack();
      await using folder = await temporaryFolder();
      await folder.write("a.txt", "täxt");
      await Deno.symlink("a.txt", folder.join("inside"));
      const allowFs = { mounts: [{ guest: "/data", folder: folder.path, ops: "readwrite" as const }] };
      const guest = await guestOf(tier, stack, { allowFs });
      const value = await guest.evaluate(`(async () => {
        await fs.mkdir("/data/sub");
        await fs.writeFile("/data/sub/b.bin", Uint8Array.of(1, 2, 3, 4));
        await fs.writeFile("/data/sub/c", "old");
        await fs.writeFile("/data//sub/./c", "new");
        await fs.rename("/data/sub/c", "/data/d");
        const part = await fs.readFile("/data/sub/b.bin", { offset: 1, length: 2 });
        const { isFile, isDirectory, size, modified } = await fs.stat("/data/sub/b.bin");
        const names = (await fs.readDir("/data")).map(({ name, isDirectory }) => name + (isDirectory ? "/" : "")).sort();
        await fs.remove("/data/sub/b.bin");
        await fs.remove("/data/sub");
        return [await fs.readTextFile("/data/a.txt"), await fs.readTextFile("/data/inside"), [...part], isFile, isDirectory, size,
          Date.now() - modified < 60000, names, await fs.readTextFile("/data/d"), (await fs.readDir("/"))[0].name];
      })()`);
      const names = ["a.txt", "d", "inside", "sub/"];
      assert.deepEqual(plain(value), ["täxt", "täxt", [2, 3], true, false, 4, true, names, "new", "data"]);
      assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), ["a.txt", "d", "inside"]);
    },
  });

  Deno.test({
    name: `${tier}: fs leaves its folder by no path, link, pipe or device (runtime.md row 60)`,
    ignore,
    async fn() {
      await using stack = new AsyncDisposableStack();
      await using outside = await temporaryFolder();
      await using folder = await temporaryFolder();
      await outside.write("secret", "hidden");
      await folder.write("own", "own");
      await Deno.symlink(outside.join("secret"), folder.join("file"));
      await Deno.symlink(outside.path, folder.join("out"));
      await Deno.symlink("..", folder.join("up"));
      await Deno.symlink("loop", folder.join("loop"));
      await Deno.symlink("/proc/self/environ", folder.join("environ"));
      await new Deno.Command("mkfifo", { args: [folder.join("pipe")] }).output();
      const allowFs = { mounts: [{ guest: "/data", folder: folder.path, ops: "readwrite" as const }] };
      const guest = await guestOf(tier, stack, { allowFs });
      const paths = ["/data/../secret", "/data/file", "/data/out/secret", "/data/up/x", "/data/loop", "/data/environ"]
        .concat(["/etc/passwd", "/proc/self/environ", "/data/own\0", "data/own", "", "../own", "/data/./../data/own"])
        .concat(["/data/own/../own", "/data/pipe", "/data/" + "x".repeat(256), "/" + "a/".repeat(3000)]);
      for (const path of paths) {
        const at = JSON.stringify(path);
        for (const call of [`fs.readFile(${at})`, `fs.readDir(${at})`]) {
          const code = await guest.evaluate(codeOf(call)) as string;
          assert.ok(["FS_REFUSED", "FS_NOT_FOUND"].includes(code), `${call}: ${code}`);
        }
      }
      const written = [
        "/data/file",
        "/data/out/made",
        "/data/up/made",
        "/data/../made",
        "/data/pipe",
        "/made",
        "/data",
      ];
      for (const path of written) {
        const at = JSON.stringify(path);
        for (const call of [`fs.writeFile(${at}, "x")`, ...(path === "/data/file" ? [] : [`fs.mkdir(${at})`])]) {
          const code = await guest.evaluate(codeOf(call)) as string;
          assert.ok(["FS_REFUSED", "FS_NOT_FOUND", "FS_EXISTS"].includes(code), `${call}: ${code}`);
        }
      }
      for (
        const call of [
          `fs.remove("/data/out/secret")`,
          `fs.rename("/data/out/secret", "/data/taken")`,
          `fs.rename("/data/own", "/data/out/own")`,
          `fs.remove("/data")`,
        ]
      ) {
        assert.equal(await guest.evaluate(codeOf(call)), "FS_REFUSED", call);
      }
      assert.equal(await Deno.readTextFile(outside.join("secret")), "hidden");
      assert.deepEqual([...Deno.readDirSync(outside.path)].map(({ name }) => name), ["secret"]);
      // A link itself may go: what it leads to stays.
      assert.equal(await guest.evaluate(codeOf(`fs.remove("/data/file")`)), "done");
      assert.equal(await Deno.readTextFile(outside.join("secret")), "hidden");
    },
  });

  Deno.test({
    name: `${tier}: fs reads where it may read, writes where it may write, up to its quota (runtime.md row 60)`,
    ignore,
    async fn() {
      await using stack = new AsyncDisposableStack();
      await using folder = await temporaryFolder();
      await folder.write("a", "a");
      const guest = await guestOf(tier, stack, {
        allowFs: {
          mounts: [
            { guest: "/in", folder: folder.path },
            { guest: "/out", folder: folder.path, ops: "write", maxBytes: 10, maxEntries: 3 },
          ],
        },
      });
      const calls: Record<string, string> = {
        'fs.writeFile("/in/b", "b")': "FS_REFUSED",
        'fs.remove("/in/a")': "FS_REFUSED",
        'fs.mkdir("/in/b")': "FS_REFUSED",
        'fs.readFile("/out/a")': "FS_REFUSED",
        'fs.readDir("/out")': "FS_REFUSED",
        'fs.stat("/out/a")': "FS_REFUSED",
        'fs.rename("/in/a", "/out/b")': "FS_REFUSED",
        'fs.writeFile("/out/b", "12345678901")': "FS_LIMIT",
        'fs.writeFile("/out/b", "1234567890")': "done",
        'fs.writeFile("/out/b", "1")': "FS_LIMIT",
        'fs.mkdir("/out/c")': "done",
        'fs.mkdir("/out/d")': "done",
        'fs.mkdir("/out/e")': "FS_LIMIT",
        'fs.writeFile("/out/e", "")': "FS_LIMIT",
      };
      for (const [call, code] of Object.entries(calls)) assert.equal(await guest.evaluate(codeOf(call)), code, call);
      const why = await guest.evaluate(`fs.writeFile("/in/b", "b").catch((e) => e.message)`) as string;
      assert.match(why, /--allow-fs=FOLDER:write/);
      assert.equal(why.includes(folder.path), false);
    },
  });
}

Deno.test({
  name: "fs: a link exchanged between look and use leads nowhere else (runtime.md row 60)",
  ignore,
  async fn() {
    await using outside = await temporaryFolder();
    await using folder = await temporaryFolder();
    await outside.write("name", "secret");
    await Deno.mkdir(folder.join("true"));
    await folder.write("true/name", "own");
    await Deno.symlink(outside.path, folder.join("false"));
    await Deno.symlink("true", folder.join("link"));
    const files = new GuestFiles({ mounts: [{ guest: "/d", folder: folder.path, ops: "readwrite" }] });
    let over = false;
    const exchanging = (async () => {
      for (let at = 0; !over; at++) {
        await Deno.symlink(at % 2 ? "true" : outside.path, folder.join("next"));
        await Deno.rename(folder.join("next"), folder.join("link"));
      }
    })();
    const seen = new Set<string>();
    const both = () => seen.has("own") && seen.has("FS_REFUSED");
    for (let times = 0; times < 500 || (!both() && times < 50_000); times++) {
      const read = files.answer("readFile", { path: "/d/link/name" }, none);
      seen.add(await read.then((bytes) => new TextDecoder().decode(bytes as Uint8Array), (error) => error.code));
      const data = new TextEncoder().encode("own");
      await files.answer("writeFile", { path: "/d/link/name", data }, none).catch((error) => seen.add(error.code));
    }
    over = true;
    await exchanging;
    files[Symbol.dispose]();
    assert.ok([...seen].every((one) => ["own", "FS_REFUSED", "FS_NOT_FOUND"].includes(one)), [...seen].join());
    assert.ok(both(), "both were met");
    assert.equal(await Deno.readTextFile(outside.join("name")), "secret");
  },
});

Deno.test({
  name: "fs: descriptors are given back, and none is used after the guest is gone",
  ignore,
  async fn() {
    await using folder = await temporaryFolder();
    await folder.write("a", "a");
    const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = descriptors();
    const files = new GuestFiles({ mounts: [{ guest: "/d", folder: folder.path, ops: "readwrite" }] });
    const paths = ["/d/a", "/d/none", "/d", "/d/a/b"];
    const calls = Array.from({ length: 200 }, (_, at) => {
      return files.answer(at % 2 ? "readFile" : "readDir", { path: paths[at % 4] }, none).catch(() => {});
    });
    await Promise.all(calls);
    const last = files.answer("readFile", { path: "/d/a" }, none);
    files[Symbol.dispose]();
    await last.catch(() => {});
    await assert.rejects(files.answer("readFile", { path: "/d/a" }, none), { code: "E_DISPOSED" });
    assert.equal(descriptors(), before);
  },
});

Deno.test({
  name: "fs: a folder that is none, or a place that is none, cannot be granted",
  ignore,
  async fn() {
    await using folder = await temporaryFolder();
    const file = await folder.write("a", "a");
    const wrong = [
      [{ guest: "/d", folder: folder.join("none") }],
      [{ guest: "/d", folder: file }],
      [{ guest: "d", folder: folder.path }],
      [{ guest: "/d/e", folder: folder.path }],
      [{ guest: "/..", folder: folder.path }],
      [{ guest: "/d", folder: folder.path }, { guest: "/d", folder: folder.path }],
    ];
    for (const mounts of wrong) {
      assert.throws(() => new GuestFiles({ mounts }), { code: "E_REFUSED" }, JSON.stringify(mounts));
    }
  },
});

/**
 * Ways out of the folder, over the wire; canaries lie beside it (ssh.md row 9).
 *
 * @module
 */
import assert from "node:assert/strict";
import { OpenFlag, PacketType } from "../../../handlers/sftp/codec/numbers.ts";
import { openFolderStore } from "../../../handlers/sftp/folder_store.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { handleIn, said, sftpClient, type TestSftpClient, withHandle } from "./client.ts";
import { descriptors } from "./stores.ts";

type Ask = (client: TestSftpClient) => Promise<string>;

const open = (path: string, flags: number): Ask => (client) =>
  client.says(PacketType.OPEN, (fields) => fields.name(path).uint32(flags).uint32(0));
const read = (path: string): Ask => open(path, OpenFlag.READ);
const make = (path: string): Ask => open(path, OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.TRUNCATE);
const exclusive = (path: string): Ask => open(path, OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.EXCLUSIVE);
const append = (path: string): Ask => open(path, OpenFlag.WRITE | OpenFlag.APPEND);
const on = (type: number, path: string): Ask => (client) => client.says(type, (fields) => fields.name(path));
const two = (type: number, from: string, to: string): Ask => (client) =>
  client.says(type, (fields) => fields.name(from).name(to));
const attributes = (type: number, path: string): Ask => (client) =>
  client.says(type, (fields) => fields.name(path).uint32(4).uint32(0o777));
const extended = (name: string, ...paths: string[]): Ask => async (client) =>
  said(await client.extended(name, (fields) => paths.reduce((all, path) => all.name(path), fields)));
const extendedMode = (name: string, path: string): Ask => async (client) =>
  said(await client.extended(name, (fields) => fields.name(path).uint32(4).uint32(0o777)));
/** Makes a link first, as a client can; then asks. */
const linked = (target: string, ask: (link: string) => Ask): Ask => async (client) => {
  const link = `made ${crypto.randomUUID()}`;
  assert.equal(await client.says(PacketType.SYMLINK, (fields) => fields.name(target).name(link)), "OK");
  return await ask(link)(client);
};

/** Each must be refused. `around` is the folder that holds the root and the canaries. */
const ESCAPES: readonly (readonly [name: string, ask: (around: string) => Ask])[] = [
  ["read ..", () => read("/../canary")],
  ["read .. without a slash", () => read("../canary")],
  ["read .. after a folder", () => read("/folder/../../canary")],
  ["read .. many times", () => read("/../../../../../../../../etc/passwd")],
  ["read .. with slashes and dots between", () => read("//.//..///./canary")],
  ["read the canary's absolute path", (around) => read(`/..${around}/canary`)],
  ["read an absolute link to a file", () => read("/absolute")],
  ["read beneath an absolute link to a folder", () => read("/etc/passwd")],
  ["read a relative link out", () => read("/out")],
  ["read a link to a link out", () => read("/chain")],
  ["read beneath a link to the parent", () => read("/up/canary")],
  ["read a link in a folder that leads out of the root", () => read("/folder/out")],
  ["read an absolute link that leads back into the root", () => read("/inside")],
  ["read a link of /proc to the root", () => read("/proc root/etc/passwd")],
  ["read a link of /proc to the working folder", () => read("/proc cwd/deno.json")],
  ["read a link of /proc to a descriptor", () => read("/proc fd/0")],
  ["read a loop of links", () => read("/loop")],
  ["read a name with a zero", () => read("/folder\0/../../canary")],
  ["read by a link that the client has made", () => linked("../canary", read)],
  ["read by an absolute link that the client has made", () => linked("/etc/passwd", read)],
  ["read by a link of /proc that the client has made", () => linked("/proc/self/environ", read)],
  ["write ..", () => make("/../canary")],
  ["make a file beside the root", () => make("/../made")],
  ["make a file by a dangling link", () => make("/dangling")],
  ["make a file by a dangling link that the client has made", () => linked("../made", make)],
  ["make a file alone, beside the root", () => exclusive("/../made")],
  ["append by a link", () => append("/out")],
  ["list ..", () => on(PacketType.OPENDIR, "/..")],
  ["list a link to the parent", () => on(PacketType.OPENDIR, "/up")],
  ["list by a link of /proc", () => on(PacketType.OPENDIR, "/proc root")],
  ["attributes of ..", () => on(PacketType.STAT, "/../canary")],
  ["attributes of a link's target", () => on(PacketType.STAT, "/absolute")],
  ["attributes of .. itself", () => on(PacketType.LSTAT, "/../canary")],
  ["the real path of ..", () => on(PacketType.REALPATH, "/..")],
  ["the real path of a link", () => on(PacketType.REALPATH, "/out")],
  ["the real path of ~/..", () => extended("expand-path@openssh.com", "~/..")],
  ["a link's target beside the root", () => on(PacketType.READLINK, "/../link")],
  ["the mode of ..", () => attributes(PacketType.SETSTAT, "/../canary")],
  ["the mode of a link's target", () => attributes(PacketType.SETSTAT, "/out")],
  ["the mode of .. itself", () => extendedMode("lsetstat@openssh.com", "/../canary")],
  ["make a folder beside the root", () => attributes(PacketType.MKDIR, "/../made")],
  ["make a folder beneath a link", () => attributes(PacketType.MKDIR, "/up/made")],
  ["remove ..", () => on(PacketType.REMOVE, "/../canary")],
  ["remove beneath a link", () => on(PacketType.REMOVE, "/up/canary")],
  ["remove the root", () => on(PacketType.RMDIR, "/folder/../..")],
  ["remove a folder beside the root", () => on(PacketType.RMDIR, "/../empty")],
  ["rename out", () => two(PacketType.RENAME, "/file", "/../made")],
  ["rename in", () => two(PacketType.RENAME, "/../canary", "/made")],
  ["rename over the canary", () => extended("posix-rename@openssh.com", "/file", "/../canary")],
  ["rename beneath a link", () => extended("posix-rename@openssh.com", "/file", "/up/made")],
  ["a second name for the canary", () => extended("hardlink@openssh.com", "/../canary", "/made")],
  ["a second name beside the root", () => extended("hardlink@openssh.com", "/file", "/../made")],
  ["a link beside the root", () => two(PacketType.SYMLINK, "x", "/../made")],
  ["the room beside the root", () => extended("statvfs@openssh.com", "/up")],
];

Deno.test({
  name: `alknet/sftp: ${ESCAPES.length} ways out are refused; nothing outside is read, made or changed (ssh.md row 9)`,
  ...needs("linux"),
  async fn(t) {
    await using around = await temporaryFolder();
    const root = around.join("root");
    await lay(around.path, root);
    const before = state(around.path);
    await using store = await openFolderStore(root);
    const open = descriptors();
    {
      const reasons: string[] = [];
      await using client = await sftpClient({ store, refused: (reason) => reasons.push(reason) });
      for (const [name, ask] of ESCAPES) {
        await t.step(name, async () => {
          assert.match(await ask(around.path)(client), /^PERMISSION_DENIED/);
          assert.deepEqual(state(around.path), before);
        });
      }
      assert.ok(reasons.length > 0 && reasons.every((reason) => !reason.includes("/")), reasons.join());
    }
    assert.equal(descriptors(), open);
    assert.equal(Deno.readTextFileSync(`${root}/file`), "file");
  },
});

Deno.test({
  name: "alknet/sftp: a folder that turns into a link out and back, over and over, lets nobody out (ssh.md row 9)",
  ...needs("linux"),
  async fn() {
    await using around = await temporaryFolder();
    const root = around.join("root");
    await lay(around.path, root);
    await Deno.mkdir(`${root}/turning`);
    await Deno.writeTextFile(`${root}/turning/canary`, "mine");
    await Deno.symlink("..", `${root}/way out`);
    await using store = await openFolderStore(root);
    await using client = await sftpClient({ store });
    let over = false;
    const turning = (async () => {
      for (let at = 0; !over; at++) {
        const [away, there] = at % 2 === 0 ? ["folder kept", "way out"] : ["way out", "folder kept"];
        await Deno.rename(`${root}/turning`, `${root}/${away}`);
        await Deno.rename(`${root}/${there}`, `${root}/turning`);
      }
    })();
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const answers = await Promise.all(
        Array.from(
          { length: 20 },
          () =>
            client.must(PacketType.OPEN, (fields) => fields.name("/turning/canary").uint32(OpenFlag.READ).uint32(0)),
        ),
      );
      for (const answer of answers) {
        if (answer.type !== PacketType.HANDLE) {
          seen.add(said(answer).split(" ")[0]);
          continue;
        }
        const handle = handleIn(answer);
        const data = await client.must(PacketType.READ, (fields) => withHandle(fields, handle).uint64(0).uint32(99));
        seen.add(new TextDecoder().decode(data.fields.bytes()));
        await client.must(PacketType.CLOSE, (fields) => withHandle(fields, handle));
      }
    }
    over = true;
    await turning;
    assert.deepEqual([...seen].filter((what) => !["mine", "PERMISSION_DENIED", "NO_SUCH_FILE"].includes(what)), []);
  },
});

/** The root, with links of every kind, and canaries beside it. */
async function lay(around: string, root: string): Promise<void> {
  await Deno.mkdir(`${root}/folder`, { recursive: true });
  await Deno.mkdir(`${around}/empty`);
  await Deno.writeTextFile(`${around}/canary`, "canary");
  await Deno.symlink("canary", `${around}/link`);
  await Deno.writeTextFile(`${root}/file`, "file");
  const links = {
    absolute: `${around}/canary`,
    etc: "/etc",
    out: "../canary",
    chain: "out",
    up: "..",
    "folder/out": "../../canary",
    inside: `${root}/file`,
    "proc root": "/proc/self/root",
    "proc cwd": "/proc/self/cwd",
    "proc fd": "/proc/self/fd",
    loop: "loop",
    dangling: "../made",
  };
  for (const [name, target] of Object.entries(links)) await Deno.symlink(target, `${root}/${name}`);
}

/** What lies beside the root. */
function state(around: string): unknown {
  const { mode, mtime, size, nlink } = Deno.statSync(`${around}/canary`);
  const names = [...Deno.readDirSync(around)].map(({ name }) => name).sort();
  return { names, mode, mtime, size, nlink, content: Deno.readTextFileSync(`${around}/canary`) };
}

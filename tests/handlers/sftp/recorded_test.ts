/**
 * What OpenSSH's `sftp` says, recorded, then said again with mistakes (ssh.md row 10). `ALKNET_FUZZ_CASES` asks for another
 * number of them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { OpenFlag, PacketType } from "../../../handlers/sftp/codec/numbers.ts";
import { PacketReader } from "../../../handlers/sftp/codec/packet_reader.ts";
import { openFolderStore } from "../../../handlers/sftp/folder_store.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { type Random, seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { sshNode } from "../ssh/node.ts";
import { sftpClient, type TestSftpClient, withHandle } from "./client.ts";
import { joined, serveBytes } from "./serve_bytes.ts";
import { descriptors } from "./stores.ts";

const CASES = Number(Deno.env.get("ALKNET_FUZZ_CASES") ?? 100_000);
const PROGRAMS = needs("ssh", "ssh-keygen", "linux");
/** Share of a session's packets that are changed. */
const CHANGED = 0.25;
/** Sessions between two looks at the one beside them. */
const LOOK = 200;
/** Bytes of a packet in which each length field is tried at each of its limits. */
const HEAD = 64;

/** All that a client of OpenSSH's asks for. */
const BATCH = [
  "mkdir a",
  "put in a/one",
  "put -fp in a/two",
  "get -p a/one out",
  "!truncate -s 4000 in",
  "reput in a/one",
  "reget a/one out",
  "ls -la a",
  "chmod 640 a/one",
  "chown 0 a/one",
  "ln a/one a/hard",
  "ln -s one a/soft",
  "ls -l a/soft",
  "cp a/one a/copy",
  "rename a/copy a/moved",
  "df -h a",
  "cd a",
  "pwd",
  ...["moved", "hard", "soft", "two"].map((name) => `rm ${name}`),
  "cd ..",
  "-rm a/none",
  "-rmdir a",
  "rm a/one",
  "rmdir a",
];

/** The packets of one session of `sftp`, from their types on. */
async function recorded(): Promise<Uint8Array<ArrayBuffer>[]> {
  await using folder = await temporaryFolder();
  const root = folder.join("root");
  await Deno.mkdir(root);
  await Deno.writeFile(folder.join("in"), new Uint8Array(3000).fill(7));
  const packets: Uint8Array<ArrayBuffer>[] = [];
  const reader = new PacketReader();
  const tapFiles = (chunk: Uint8Array<ArrayBuffer>): void => {
    for (const packet of reader.read(chunk)) packets.push(packet.slice());
  };
  await using node = await sshNode({ policy: { sftp: { root } }, tapFiles });
  const { code, stderr } = await runProgram("sftp", ["-q", "-b", "-", ...node.options, "anyone@node"], {
    cwd: folder.path,
    stdin: BATCH.join("\n") + "\n",
  });
  assert.equal(code, 0, stderr);
  return packets;
}

/** A packet with its length in front. */
function framed(packet: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(4 + packet.length);
  new DataView(whole.buffer).setUint32(0, packet.length);
  whole.set(packet, 4);
  return whole;
}

/** A packet with a mistake: random ones, or a field of 32 bits that says what it should not. */
function changed(packet: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (random.chance(0.5)) return random.mutate(packet);
  const copy = packet.slice();
  const at = random.between(0, Math.max(0, copy.length - 4));
  if (copy.length < 4) return copy;
  new DataView(copy.buffer).setUint32(at, random.pick(limits(packet)));
  return copy;
}

/** What a length field may say that is wrong: nothing, one, just too much, and the most. */
function limits({ length }: Uint8Array): number[] {
  return [0, 1, length - 3, length, length + 1, length + 4, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff];
}

/** A session that goes on beside the others: what it writes is what it reads. */
async function goesOn(client: TestSftpClient, random: Random): Promise<void> {
  const bytes = random.bytes(random.between(1, 5000));
  const handle = await client.open("beside", OpenFlag.READ | OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.TRUNCATE);
  await client.must(PacketType.WRITE, (to) => withHandle(to, handle).uint64(0).bytes(bytes));
  const { type, fields } = await client.must(PacketType.READ, (to) => withHandle(to, handle).uint64(0).uint32(9999));
  assert.equal(type, PacketType.DATA);
  assert.deepEqual(fields.bytes(), bytes);
  assert.match(await client.says(PacketType.CLOSE, (to) => withHandle(to, handle)), /^OK/);
}

Deno.test({
  name: `serveSftp(): ${CASES} mistakes in a session of OpenSSH's harm no session beside it, and leave nothing open ` +
    "(ssh.md row 10)",
  ...PROGRAMS,
  async fn() {
    const session = await recorded();
    const kinds = new Set(session.map(([type]) => type));
    assert.ok(session.length > 50 && kinds.size >= 15, `${session.length} packets of ${kinds.size} kinds`);
    const random = seeded("mistakes in recorded SFTP");
    await using around = await temporaryFolder();
    const [root, besideRoot] = [around.join("root"), around.join("beside")];
    for (const folder of [root, besideRoot]) await Deno.mkdir(folder);
    await using store = await openFolderStore(root);
    await using besideStore = await openFolderStore(besideRoot);
    await using beside = await sftpClient({ store: besideStore });
    await goesOn(beside, random);
    const before = descriptors();
    let [cases, sessions, answered] = [0, 0, 0];
    while (cases < CASES) {
      // A mistake in what frames a packet ends the session, or near: most have none.
      const misframed = random.chance(0.1) ? random.below(session.length) : -1;
      const packets = session.map((packet, at) => {
        const wrong = random.chance(at === 0 ? CHANGED / 10 : CHANGED);
        if (wrong || at === misframed) cases++;
        const one = framed(wrong ? changed(packet, random) : packet);
        return at === misframed ? changed(one, random) : one;
      });
      answered += await serveBytes(store, joined(packets));
      if (++sessions % LOOK === 0) await goesOn(beside, random);
    }
    console.log(`${cases} mistakes in ${sessions} sessions of ${session.length} packets; ${answered} bytes of answers`);
    assert.ok(answered > sessions * 500, "sessions are answered as far as they go");
    await goesOn(beside, random);
    assert.equal(descriptors(), before);
    assert.deepEqual([...Deno.readDirSync(around.path)].map(({ name }) => name).sort(), ["beside", "root"]);
    assert.deepEqual([...Deno.readDirSync(besideRoot)].map(({ name }) => name), ["beside"]);
    // Modes that came of it may keep even their owner out.
    assert.equal((await runProgram("chmod", ["-R", "u+rwX", root])).code, 0);
  },
});

Deno.test({
  name: "serveSftp(): each field of each packet of OpenSSH's at 0, 1, past the end and the most (ssh.md row 10)",
  ...PROGRAMS,
  async fn() {
    const session = (await recorded()).map(framed);
    await using around = await temporaryFolder();
    const root = around.join("root");
    await Deno.mkdir(root);
    await using store = await openFolderStore(root);
    const before = descriptors();
    let cases = 0;
    for (const [index, packet] of session.entries()) {
      const alike = session.findIndex((one) => one[4] === packet[4] && one.length === packet.length);
      if (alike < index) continue;
      for (let at = 0; at + 4 <= Math.min(packet.length, HEAD); at++) {
        for (const value of limits(packet)) {
          const wrong = packet.slice();
          new DataView(wrong.buffer).setUint32(at, value);
          await serveBytes(
            store,
            joined([...session.slice(0, Math.min(index, 6)), wrong, ...session.slice(index, index + 2)]),
          );
          cases++;
        }
      }
    }
    console.log(`${cases} packets`);
    assert.equal(descriptors(), before);
    assert.equal((await runProgram("chmod", ["-R", "u+rwX", root])).code, 0);
  },
});

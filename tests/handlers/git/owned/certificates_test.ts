/**
 * Signed pushes of stock git: who signed what, and what is refused (git.md §3.6; row 52).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { signerOf } from "../../../../handlers/git/wire/signed/ssh_signature.ts";
import { Nonces } from "../../../../handlers/git/serve/push/nonces.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { answers, joined, requestLine, textOf } from "../client.ts";
import { git } from "../repositories.ts";
import { type OwnedNode, ownedNode, PEOPLE } from "./node.ts";
import { bytesOf, packOf } from "../packs.ts";
import { FLUSH, pktLine } from "../../../../handlers/git/wire/pkt_line.ts";
import { CAPABILITIES, ENTRIES, HEAD, world, WRITER, ZERO } from "../push/pushes.ts";

const needed = needs("git", "ssh-keygen", "linux");
const { "token-ada": ADA } = PEOPLE;

/** Makes a key; what the configuration would call it, and its file. */
async function keyIn(folder: string, name: string, ...kind: string[]): Promise<{ file: string; prints: string[] }> {
  const file = `${folder}/${name}`;
  const made = await runProgram("ssh-keygen", ["-q", "-N", "", "-C", "", "-f", file, ...kind], {});
  equal(made.code, 0, made.stderr);
  const blob = Uint8Array.fromBase64((await Deno.readTextFile(`${file}.pub`)).split(" ")[1]);
  const hash = `SHA256:${createHash("sha256").update(blob).digest("hex")}`;
  return { file, prints: kind.includes("ed25519") ? [`ed25519:${blob.slice(-32).toHex()}`, hash] : [hash] };
}

/** Pushes, signed with a key. */
async function signed(node: OwnedNode, key: string, ...args: string[]) {
  const told = ["-c", "gpg.format=ssh", "-c", `user.signingkey=${key}`];
  return await node.stock(...told, "push", "--signed", ...args);
}

function certificates(bare: string): string[] {
  try {
    return [...Deno.readDirSync(`${bare}/alknet/certificates`)].map(({ name }) => name);
  } catch {
    return [];
  }
}

Deno.test({
  name:
    "signedPush: a push that its pusher has signed moves refs, is kept, and is named in the event: all kinds of keys",
  ...needed,
  async fn() {
    await using node = await ownedNode({ signedPush: "accept" });
    const kinds = [["-t", "ed25519"], ["-t", "ecdsa", "-b", "256"], ["-t", "ecdsa", "-b", "384"], [
      "-t",
      "ecdsa",
      "-b",
      "521",
    ], ["-t", "rsa", "-b", "2048"]];
    const events = node.dispatcher.subscribe({ operation: "git/push", input: null, identity: ADA });
    for (const [i, kind] of kinds.entries()) {
      const next = events.next();
      const { file, prints } = await keyIn(node.folder, `k${i}`, ...kind);
      node.keys.set(prints[0], ADA);
      const { code, stderr } = await signed(node, file, "-o", "why not", node.url("r"), `main:refs/heads/b${i}`);
      equal(code, 0, stderr);
      const { certificate } = (await next).value as {
        certificate: { signer: string; key: string; file: string; seconds: number };
      };
      deepEqual([certificate.signer, certificate.key], ["ada", prints[0]], kind.join(" "));
      ok(Math.abs(certificate.seconds - Date.now() / 1000) < 600);
      const bytes = await Deno.readFile(`${node.bare}/alknet/certificates/${certificate.file}`);
      equal(createHash("sha1").update(bytes).digest("hex"), certificate.file);
      match(new TextDecoder().decode(bytes), /^certificate version 0\.1\npusher /);
    }
    equal(certificates(node.bare).length, kinds.length);
    await events.return?.();
    // Unsigned pushes are still taken, and a deletion is signed as any other.
    equal((await node.stock("push", node.url("r"), "main:refs/heads/plain")).code, 0);
    equal((await signed(node, `${node.folder}/k0`, node.url("r"), ":refs/heads/plain")).code, 0);
    await git(node.bare, "fsck", "--strict");
  },
});

Deno.test({
  name:
    "signedPush: a key of somebody else or of nobody, or none at all, is refused where it is to be signed; nothing is kept",
  ...needed,
  async fn() {
    await using node = await ownedNode({ signedPush: "require" });
    const { file, prints } = await keyIn(node.folder, "k", "-t", "ed25519");
    const refused = async (words: RegExp, ...args: string[]) => {
      const { code, stderr } = await signed(node, file, ...args, node.url("r"), "main");
      equal(code, 1);
      match(stderr, words);
    };
    await refused(/main -> main \(signature wrong\)/);
    node.keys.set(prints[1], { ...ADA, id: "other" });
    await refused(/the key that signed it is not one of who pushes/);
    const plain = await node.stock("push", node.url("r"), "main");
    match(plain.stderr, /main -> main \(signature required\)/);
    deepEqual(certificates(node.bare), []);
    deepEqual([...Deno.readDirSync(`${node.bare}/objects/pack`)], []);
    node.keys.set(prints[0], ADA);
    equal((await signed(node, file, node.url("r"), "main")).code, 0);
    equal(certificates(node.bare).length, 1);
    // What moves nothing leaves nothing.
    const stale = await signed(node, file, "-f", node.url("r"), "main~1:main");
    match(stale.stderr, /main~1 -> main \(protected\)/);
    equal(certificates(node.bare).length, 1);
  },
});

Deno.test({
  name: "alknet.requireSigned: one repository takes signed pushes alone, where the node takes none otherwise",
  ...needed,
  async fn() {
    await using node = await ownedNode();
    const { file, prints } = await keyIn(node.folder, "k", "-t", "ed25519");
    node.keys.set(prints[0], ADA);
    const off = await signed(node, file, node.url("r"), "main");
    match(off.stderr, /does not support --signed push/);
    await git(node.bare, "config", "alknet.requireSigned", "true");
    match((await node.stock("push", node.url("r"), "main")).stderr, /\(signature required\)/);
    equal((await signed(node, file, node.url("r"), "main")).code, 0);
  },
});

Deno.test({
  name:
    "push-cert: the nonce of another stream, other options or commands, a changed byte, a second time: each is wrong",
  ...needed,
  async fn() {
    await using at = await world();
    await using folder = await temporaryFolder();
    const { file, prints } = await keyIn(folder.path, "k", "-t", "ed25519");
    await git(at.bare, "config", "alknet.requireSigned", "true");
    interface Change {
      readonly nonce?: (given: string) => string;
      readonly options?: readonly string[];
      readonly sent?: (lines: string[]) => string[];
      readonly namespace?: string;
    }
    let last: string[] = [];
    const pushed = async (change: Change, name: string, again = false): Promise<string> => {
      const keys = { resolveFingerprint: (print: string) => prints.includes(print) ? WRITER : undefined };
      await using connection = at.node.connect(WRITER, keys);
      const stream = await connection.open(requestLine("/r", 0, "git-receive-pack"));
      const reader = stream.readable.getReader();
      let text = "";
      while (!text.endsWith("0000")) text += new TextDecoder().decode((await reader.read()).value);
      const given = /push-cert=(\S+)/.exec(text)![1];
      const head = [
        "certificate version 0.1",
        `pusher key ${1_700_000_000} +0000`,
        `nonce ${change.nonce?.(given) ?? given}`,
        "push-option a",
        "",
        `${ZERO} ${HEAD} refs/heads/${name}`,
      ].map((line) => `${line}\n`);
      const message = `${folder.path}/message`;
      await Deno.writeTextFile(message, head.join(""));
      await Deno.remove(`${message}.sig`).catch(() => {});
      const args = ["-Y", "sign", "-n", change.namespace ?? "git", "-f", file, message];
      const made = await runProgram("ssh-keygen", args, {});
      equal(made.code, 0, made.stderr);
      const armour = (await Deno.readTextFile(`${message}.sig`)).split(/(?<=\n)/);
      const lines = again ? last : change.sent?.([...head, ...armour]) ?? [...head, ...armour];
      last = lines;
      const packets = [
        pktLine(bytesOf(`push-cert\0 push-options ${CAPABILITIES}`)),
        ...lines.map((line) => pktLine(bytesOf(line))),
        pktLine(bytesOf("push-cert-end\n")),
        FLUSH,
        ...(change.options ?? ["a"]).map((option) => pktLine(bytesOf(option))),
        FLUSH,
      ];
      const writer = stream.writable.getWriter();
      await writer.write(joined([...packets, packOf(ENTRIES)]));
      await writer.close();
      let answer = "";
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        answer += new TextDecoder().decode(read.value);
      }
      return /(?:ok|ng) refs\/heads\/.*|ERR .*/.exec(answer)?.[0] ?? answer;
    };
    const wrong = (name: string) => `ng refs/heads/${name} signature wrong`;
    const other = new Nonces().give("r");
    equal(await pushed({ nonce: () => other }, "a"), wrong("a"));
    equal(await pushed({ nonce: (given) => given.replace(/.$/, (c) => c === "0" ? "1" : "0") }, "a"), wrong("a"));
    equal(await pushed({ options: ["b"] }, "a"), wrong("a"));
    equal(await pushed({ options: [] }, "a"), wrong("a"));
    equal(await pushed({ options: ["a", "a"] }, "a"), wrong("a"));
    equal(await pushed({ namespace: "file" }, "a"), wrong("a"));
    const moved = (lines: string[]) => lines.map((line) => line.replace("refs/heads/a", "refs/heads/z"));
    equal(await pushed({ sent: moved }, "a"), wrong("z"));
    const later = (lines: string[]) => lines.map((line) => line.replace("1700000000 +0000", "1700000001 +0000"));
    equal(await pushed({ sent: later }, "a"), wrong("a"));
    const unnonced = (lines: string[]) => lines.filter((line) => !line.startsWith("nonce"));
    equal(await pushed({ sent: unnonced }, "a"), wrong("a"));
    const unsigned = (lines: string[]) => lines.slice(0, lines.findIndex((line) => line.startsWith("-----")));
    equal(await pushed({ sent: unsigned }, "a"), "ng refs/heads/a signature required");
    const pgp = (lines: string[]) => lines.map((line) => line.replace("SSH SIGNATURE", "PGP SIGNATURE"));
    equal(await pushed({ sent: pgp }, "a"), "ng refs/heads/a signature required");
    match(await pushed({ sent: (lines) => lines.slice(1) }, "a"), /^ERR .*a push-cert has no header/);
    match(await pushed({ sent: () => [] }, "a"), /^ERR .*a push-cert has no header/);
    equal(await git(at.bare, "for-each-ref"), "");
    equal(await pushed({}, "a"), "ok refs/heads/a");
    await git(at.bare, "update-ref", "-d", "refs/heads/a");
    equal(await pushed({}, "a", true), wrong("a"));
    equal(await git(at.bare, "for-each-ref"), "");
    equal(certificates(at.bare).length, 1);
    match(
      textOf(await answers(at.node, requestLine("/r", 0, "git-receive-pack"), WRITER))[0],
      /push-cert=\d+-[0-9a-f]{64}/,
    );
  },
});

Deno.test({
  name: "nonces: those of HTTP count for sixty seconds, of their repository, of this start; each certificate once",
  fn() {
    let now = 1_700_000_000_000;
    const nonces = new Nonces(() => now);
    const given = nonces.give("r");
    equal(nonces.isGiven(given, "r"), true);
    equal(nonces.isGiven(given, "s"), false);
    equal(new Nonces(() => now).isGiven(given, "r"), false);
    now += 60_000;
    equal(nonces.isGiven(given, "r"), true);
    now += 1000;
    equal(nonces.isGiven(given, "r"), false);
    now -= 62_000;
    equal(nonces.isGiven(given, "r"), false);
    for (const wrong of ["", "-", "x", `${given}0`, given.slice(0, -1), given.toUpperCase()]) {
      equal(nonces.isGiven(wrong, "r"), false, wrong);
    }
    equal(nonces.isFirst("a"), true);
    equal(nonces.isFirst("a"), false);
    equal(nonces.isFirst("b"), true);
  },
});

Deno.test({
  name: "signerOf: a signature with any bit changed, or cut anywhere, counts for nothing and throws nothing",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const { file } = await keyIn(folder.path, "k", "-t", "ed25519");
    await Deno.writeTextFile(folder.join("m"), "message");
    await runProgram("ssh-keygen", ["-Y", "sign", "-n", "git", "-f", file, folder.join("m")], {});
    const armoured = await Deno.readTextFile(folder.join("m.sig"));
    const message = bytesOf("message");
    equal(signerOf(armoured, message)?.byteLength, 51);
    const [head, foot] = ["-----BEGIN SSH SIGNATURE-----\n", "\n-----END SSH SIGNATURE-----\n"];
    const bytes = Uint8Array.fromBase64(armoured.slice(head.length, armoured.indexOf("-----END")).replaceAll("\n", ""));
    for (let i = 0; i < bytes.byteLength; i++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = bytes.slice();
        changed[i] ^= 1 << bit;
        equal(signerOf(head + changed.toBase64() + foot, message), undefined, `${i} ${bit}`);
      }
      equal(signerOf(head + bytes.slice(0, i).toBase64() + foot, message), undefined);
    }
    equal(signerOf(armoured, bytesOf("messagf")), undefined);
    equal(signerOf("", message), undefined);
  },
});

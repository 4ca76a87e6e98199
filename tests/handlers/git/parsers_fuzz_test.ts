/**
 * Every parser of git's forms on bytes that were changed at random: an answer, or an `AlknetError`, and never another
 * failure (git.md §13 row 59). `ALKNET_FUZZ_CASES` sets how many of each; `ALKNET_SEED` repeats a run.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { pathBytes } from "../../../handlers/git/browse/quoted_path.ts";
import { FetchClient } from "../../../handlers/git/mirror/fetching.ts";
import { parseCommit } from "../../../handlers/git/objects/commit.ts";
import { fsckObject } from "../../../handlers/git/objects/fsck.ts";
import { parseObjectHeader } from "../../../handlers/git/objects/header.ts";
import { isOid, type Kind } from "../../../handlers/git/objects/oid.ts";
import { parseTag } from "../../../handlers/git/objects/tag.ts";
import { parseTree } from "../../../handlers/git/objects/tree.ts";
import { applyDelta, deltaResultSize } from "../../../handlers/git/pack/delta.ts";
import { parseEntryHead } from "../../../handlers/git/pack/entry.ts";
import { PackIndex } from "../../../handlers/git/pack/index.ts";
import { deflate, inflateExactly } from "../../../handlers/git/pack/inflate.ts";
import { formatClosure, parseClosure } from "../../../handlers/git/store/folder/closure/record.ts";
import { GitConfig } from "../../../handlers/git/store/folder/git_config.ts";
import { formatJournal, parseJournal } from "../../../handlers/git/store/folder/journal.ts";
import { parsePackedRefs } from "../../../handlers/git/store/folder/packed_refs.ts";
import { readCommand } from "../../../handlers/git/wire/command.ts";
import { parseFetch } from "../../../handlers/git/wire/fetch_request.ts";
import { readSaid, readWants } from "../../../handlers/git/wire/fetch_v0.ts";
import { parseFilter } from "../../../handlers/git/wire/filter_spec.ts";
import { parseLsRefs } from "../../../handlers/git/wire/ls_refs.ts";
import { parseMirrorUrl } from "../../../handlers/git/store/folder/owning/mirror_url.ts";
import { isPushName, repositoryName } from "../../../handlers/git/wire/names.ts";
import { parseObjectInfo } from "../../../handlers/git/wire/object_info.ts";
import { DELIM, FLUSH, pktLine, PktReader } from "../../../handlers/git/wire/pkt_line.ts";
import { readPushRequest } from "../../../handlers/git/wire/push_request.ts";
import { formatRequestLine, parseRequestLine } from "../../../handlers/git/wire/request_line.ts";
import { CertificateLines } from "../../../handlers/git/wire/signed/certificate.ts";
import { signerOf } from "../../../handlers/git/wire/signed/ssh_signature.ts";
import { seeded } from "../../support/random.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const CASES = Number(Deno.env.get("ALKNET_FUZZ_CASES") ?? 20_000);
const [OID, OTHER] = ["1".repeat(40), "a0".repeat(20)];
const LIMITS = {
  ...{ wants: 100, haves: 100, shallows: 100, filters: true, bytes: 10_000, commands: 100 },
  ...{ pushOptions: 4, optionBytes: 64, signed: true, idle: 1000 },
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function joined(...parts: readonly (string | Uint8Array)[]): Bytes {
  const all = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  const whole = new Uint8Array(all.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of all) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

const reader = (bytes: Bytes): PktReader => new PktReader(new Blob([bytes]).stream());
const lines = (bytes: Bytes): string[] => decoder.decode(bytes).split("\n");
/** The same text with the sum that it has now: what is changed is read on. */
const summed = (bytes: Bytes): string => {
  const text = decoder.decode(bytes).replace(/sum [0-9a-f]*\n?$/, "");
  return `${text}sum ${createHash("sha1").update(text).digest("hex")}\n`;
};
const isText = (text: string): void => assert.equal(typeof text, "string");
const areOids = (oids: Iterable<string>): void => {
  for (const oid of oids) assert.ok(isOid(oid), oid);
};

const COMMIT = joined(
  `tree ${OID}\nparent ${OTHER}\nparent ${OID}\nauthor A <a@b> 1700000000 +0100\ncommitter A <a@b> 1700000000 -0000\n`,
  "encoding x\ngpgsig -----BEGIN\n more\n\nwords\n",
);
const TREE = joined(
  "100644 a\0",
  Uint8Array.fromHex(OID),
  "40000 b c\0",
  Uint8Array.fromHex(OTHER),
  "160000 m\0",
  Uint8Array.fromHex(OID),
);
const TAG = joined(`object ${OID}\ntype commit\ntag v1\ntagger A <a@b> 1700000000 +0000\n\nwords\n`);
const BASE = encoder.encode("0123456789".repeat(20));
const DELTA = Uint8Array.of(0xc8, 0x01, 0x16, 0x90, 0x0a, 0x02, 0x41, 0x42, 0x91, 0x14, 0x0a);
const PUSH = joined(
  pktLine(
    joined(`${OID} ${OTHER} refs/heads/main\0report-status side-band-64k atomic push-options object-format=sha1`),
  ),
  pktLine(`${OID} ${"0".repeat(40)} refs/tags/v1`),
  FLUSH,
  pktLine("an option"),
  FLUSH,
  "PACK",
);
const SIGNED = joined(
  pktLine(joined("push-cert\0report-status push-options\n")),
  pktLine("certificate version 0.1"),
  pktLine("pusher me 1700000000 +0000"),
  pktLine("nonce 1-2"),
  pktLine(""),
  pktLine(`${OID} ${OTHER} refs/heads/main`),
  pktLine("-----BEGIN SSH SIGNATURE-----"),
  pktLine("U1NIU0lH"),
  pktLine("-----END SSH SIGNATURE-----"),
  pktLine("push-cert-end"),
  FLUSH,
);
const CERTIFICATE = "certificate version 0.1\npusher me 1700000000 +0000\npushee x\nnonce 1-2\npush-option a\n\n" +
  `${OID} ${OTHER} refs/heads/main\n-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n`;
const INDEX = (() => {
  const bytes = new Uint8Array(8 + 1024 + 2 * 28 + 40);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xff744f63);
  view.setUint32(4, 2);
  for (let i = 0; i < 256; i++) view.setUint32(8 + i * 4, i < 0x11 ? 0 : i < 0xa0 ? 1 : 2);
  bytes.set(Uint8Array.fromHex(OID), 1032);
  bytes.set(Uint8Array.fromHex(OTHER), 1052);
  view.setUint32(1080, 12);
  view.setUint32(1084, 100);
  return bytes;
})();

/** A parser: what it is given whole, and what is asked of its answer. */
const PARSERS: readonly (readonly [name: string, samples: readonly Bytes[], parse: (bytes: Bytes) => unknown])[] = [
  ["a commit", [COMMIT], (bytes) => {
    const { tree, parents } = parseCommit(bytes);
    areOids([tree, ...parents]);
  }],
  ["a tree", [TREE], (bytes) => areOids(parseTree(bytes).map(({ oid }) => oid))],
  ["a tag", [TAG], (bytes) => areOids([parseTag(bytes).oid])],
  ["the head of an object", [joined("blob 123\0abc"), joined("commit 0\0")], (bytes) => parseObjectHeader(bytes)],
  ...(["commit", "tree", "tag"] as Kind[]).map((kind): (typeof PARSERS)[number] => [
    `the check of a ${kind}`,
    [kind === "commit" ? COMMIT : kind === "tree" ? TREE : TAG],
    (bytes) => fsckObject(kind, bytes, () => false),
  ]),
  ["a delta", [DELTA], (bytes) => {
    assert.ok(deltaResultSize(bytes) >= 0);
    assert.ok(applyDelta(BASE, bytes, 10_000).byteLength <= 10_000);
  }],
  [
    "the head of an entry",
    [Uint8Array.of(0x9a, 0x08), Uint8Array.of(0xe1, 0x01, 0x80, 0x00)],
    (bytes) => parseEntryHead(bytes),
  ],
  ["a zlib stream", [joined(deflate(BASE))], (bytes) => assert.equal(inflateExactly(bytes, 200).byteLength, 200)],
  ["the index of a pack", [INDEX], (bytes) => {
    const index = new PackIndex(bytes, 1000);
    for (const oid of [OID, OTHER, "f".repeat(40)]) assert.ok(index.find(oid) < index.count);
  }],
  ["packed-refs", [
    joined(`# pack-refs with: peeled fully-peeled sorted \n${OID} refs/heads/a\n${OTHER} refs/tags/b\n^${OID}\n`),
  ], (bytes) => {
    areOids(parsePackedRefs(decoder.decode(bytes)).map(({ oid }) => oid));
  }],
  ["a config", [
    joined('[core]\n\tbare = true\n[alknet "x.y"]\n\tquota = 10m ; more\n\tdescription = "a \\"b\\" \\\n c"\n'),
  ], (bytes) => {
    const config = new GitConfig(decoder.decode(bytes));
    for (const key of config.keysOf("alknet")) config.all(key).forEach(isText);
  }],
  ["a journal", [
    joined(
      formatJournal({
        holder: "5f0c1e9a3b7d2468",
        by: "a <> 1 +0000\tpush",
        moves: [{ name: "refs/heads/a", old: OID, new: OTHER }],
      }),
    ),
  ], (bytes) => {
    areOids(parseJournal(summed(bytes))?.moves.flatMap((move) => [move.old, move.new]) ?? []);
  }],
  [
    "a closure",
    [joined(formatClosure({ tips: [OID, OTHER], bodies: [{ pack: OID, end: 100, count: 3 }] }))],
    (bytes) => {
      areOids(parseClosure(summed(bytes))?.tips ?? []);
    },
  ],
  [
    "a quoted path",
    [joined('"a\\303\\244 \\t\\"b\\\\"'), joined("a/b c")],
    (bytes) => pathBytes(decoder.decode(bytes)),
  ],
  ["a request line", [
    joined(formatRequestLine({ service: "git-upload-pack", path: "/notes", version: 2, token: "alk_x" }, "a:4433")),
  ], (bytes) => {
    isText(parseRequestLine(bytes).path);
  }],
  ["the name of a repository", [joined("/team/notes.git/")], (bytes) => {
    const parts = (repositoryName(decoder.decode(bytes)) ?? "").split("/");
    assert.ok(!parts.includes("..") && !parts.includes("."));
  }],
  ["the name of a ref", [joined("refs/heads/träume/a")], (bytes) => {
    const name = decoder.decode(bytes);
    // deno-lint-ignore no-control-regex
    if (isPushName(name)) assert.ok(!/[\x00-\x20\x7f~^:?*[\\]|\.\./.test(name));
  }],
  [
    "the URL of a mirror",
    [joined("alknet://a.test:4433/team/notes.git"), joined("https://a.test:8443/x/y.git")],
    (bytes) => {
      isText(parseMirrorUrl(decoder.decode(bytes)).host);
    },
  ],
  [
    "a filter",
    [joined("combine:blob:limit=1k+tree:3+object:type=blob"), joined("blob:none")],
    (bytes) => parseFilter(decoder.decode(bytes)),
  ],
  ["arguments of fetch", [
    joined(
      `want ${OID}\nhave ${OTHER}\nthin-pack\nofs-delta\ndeepen 3\nshallow ${OID}\nfilter tree:1\nwant-ref refs/heads/a\ndone`,
    ),
  ], (bytes) => {
    areOids(parseFetch(lines(bytes), LIMITS).haves);
  }],
  [
    "arguments of ls-refs",
    [joined("peel\nsymrefs\nunborn\nref-prefix refs/heads/\nref-prefix refs/tags/")],
    (bytes) => parseLsRefs(lines(bytes)),
  ],
  ["arguments of object-info", [joined(`size\noid ${OID}\noid ${OTHER}`)], (bytes) => parseObjectInfo(lines(bytes))],
  ["a certificate", [joined(CERTIFICATE)], (bytes) => {
    const taking = new CertificateLines();
    for (const line of lines(bytes)) taking.add(encoder.encode(`${line}\n`));
    taking.end().commands.forEach(isText);
  }],
  ["a signature", [
    joined(
      "-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg\n-----END SSH SIGNATURE-----\n",
    ),
  ], (bytes) => {
    assert.equal(signerOf(decoder.decode(bytes), COMMIT), undefined);
  }],
];

/** Parsers of streams: they take longer, and are given fewer. */
const STREAMS: typeof PARSERS = [
  [
    "a command",
    [joined(pktLine("command=fetch"), pktLine("object-format=sha1"), DELIM, pktLine(`want ${OID}`), FLUSH)],
    (bytes) => readCommand(reader(bytes), LIMITS),
  ],
  ["a push", [PUSH, SIGNED], (bytes) => readPushRequest(reader(bytes), LIMITS)],
  ["wants of version 0", [
    joined(pktLine(`want ${OID} side-band-64k ofs-delta`), pktLine(`want ${OTHER}`), pktLine("deepen 2"), FLUSH),
  ], (bytes) => readWants(reader(bytes), LIMITS)],
  ["haves of version 0", [joined(pktLine(`have ${OID}`), FLUSH, pktLine("done"))], async (bytes) => {
    const from = reader(bytes);
    while (await readSaid(from, 1000));
  }],
  ["the answers to a mirror", [joined(
    ...[
      pktLine("# service=git-upload-pack"),
      FLUSH,
      pktLine("version 2"),
      pktLine("ls-refs=unborn"),
      pktLine("fetch=shallow"),
      FLUSH,
    ],
    ...[pktLine(`${OID} HEAD symref-target:refs/heads/main`), pktLine(`${OID} refs/heads/main`), FLUSH],
    ...[pktLine("packfile"), pktLine(joined("\u0001", "PACK")), pktLine(joined("\u0002", "words")), FLUSH],
  )], async (bytes) => {
    const from = reader(bytes);
    const answer = () => Promise.resolve(from);
    const remote = { host: "a.test:443", advertised: answer, ask: answer, [Symbol.asyncDispose]: () => from.cancel() };
    const client = await FetchClient.begin(remote, 1000);
    const { refs } = await client.refs(["refs/"]);
    for (const [name, oid] of refs) assert.ok(isPushName(name) && isOid(oid), name);
    const read = await client.pack({ wants: [OID], haves: [] });
    while (await read());
  }],
];

async function fuzz(
  [name, samples, parse]: (typeof PARSERS)[number],
  cases: number,
): Promise<{ readonly taken: number; readonly refused: number }> {
  const random = seeded(name);
  const counts = { taken: 0, refused: 0 };
  for (const sample of samples) {
    try {
      await parse(sample);
    } catch (error) {
      assert.ok(error instanceof AlknetError, `${name}, as it is: ${error}`);
    }
  }
  for (let n = 0; n < cases; n++) {
    const bytes = random.mutate(random.pick(samples));
    try {
      const answer = parse(bytes);
      if (answer instanceof Promise) await answer;
      counts.taken++;
    } catch (error) {
      if (!(error instanceof AlknetError)) {
        throw new Error(`${name}: case ${n}, ${JSON.stringify(decoder.decode(bytes))}`, { cause: error });
      }
      counts.refused++;
    }
  }
  return counts;
}

for (const parser of PARSERS) {
  Deno.test(`git: ${parser[0]}, changed at random, is read or refused (git.md row 59)`, async () => {
    const { taken, refused } = await fuzz(parser, CASES);
    assert.equal(taken + refused, CASES);
  });
}

for (const parser of STREAMS) {
  Deno.test(`git: ${parser[0]}, changed at random, is read or refused (git.md row 59)`, async () => {
    const { taken, refused } = await fuzz(parser, Math.ceil(CASES / 10));
    assert.ok(taken > 0 && refused > 0, `${taken} taken, ${refused} refused`);
  });
}

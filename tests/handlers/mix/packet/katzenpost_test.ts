/**
 * Katzenpost's own packets through the production code: their derivation of keys and their payloads in the place of ours,
 * all else as it is (msg.md §5.1, row 38). AEZ is that of a program in Go, which also makes packets of its own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { chacha20 } from "@noble/ciphers/chacha.js";
import { ascii, expand, joined, sha256 } from "../../../../core/crypto/mod.ts";
import { makePacket, type SphinxPacket } from "../../../../handlers/mix/packet/packet.ts";
import { type HopKeys, SCHEME, type Scheme } from "../../../../handlers/mix/packet/scheme.ts";
import { answerSurb, makeSurb, SurbKeys } from "../../../../handlers/mix/packet/surb.ts";
import { start } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { GO_SPHINX_PEER } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";
import published from "../../../vectors/sphinx-katzenpost.json" with { type: "json" };
import { along, at, back, forwarded, nodeOf, nodes, through } from "../paths.ts";

const { fromHex } = Uint8Array;
const LABEL = ascii("katzenpost-kdf-v0-hkdf-sha256");
/** Bytes of the vectors' payloads. */
const PAYLOAD = 103;

function hopKeys(shared: Uint8Array): HopKeys {
  const keys = expand(shared, [LABEL], 160);
  const iv = keys.subarray(64, 80);
  return {
    mac: keys.subarray(0, 32),
    stream: keys.subarray(32, 64),
    iv,
    payload: joined(keys.subarray(80, 128), iv),
    blinding: chacha20(keys.subarray(128), new Uint8Array(12), new Uint8Array(32)),
    tag: sha256(shared).subarray(0, 16),
  };
}

function aez(what: "encrypt" | "decrypt", key: Uint8Array, block: Uint8Array): Uint8Array {
  const { code, stdout } = new Deno.Command(GO_SPHINX_PEER, { args: [what, key.toHex(), block.toHex()] }).outputSync();
  assert.equal(code, 0);
  return fromHex(new TextDecoder().decode(stdout));
}

function schemeOf(body: number): Scheme {
  const { header } = SCHEME.layout;
  const delta = 32 + body;
  return {
    layout: { ...SCHEME.layout, body, delta, packet: header + delta, surb: header + 32 + 64, payloadKey: 64 },
    hopKeys,
    encipher: (key, block) => aez("encrypt", key, block),
    decipher: (key, block) => aez("decrypt", key, block),
  };
}

const scheme = schemeOf(PAYLOAD);

Deno.test({
  name: "Katzenpost: its ten packets at 30 hops: commands, next packets, payloads, and answers by its reply blocks",
  ...needs("go-sphinx"),
  async fn() {
    let unwraps = 0;
    for (const { nodes: keys, path, packets, payload, surb, surbKeys } of published.vectors) {
      const reply = surb !== "";
      const hops = keys.map(({ iD, privateKey }) => nodeOf(fromHex(privateKey), fromHex(iD)));
      if (reply) {
        const sent = answerSurb(fromHex(surb), fromHex(payload), scheme);
        assert.deepEqual(sent, { packet: { bytes: fromHex(packets[0]) }, next: hops[0].id });
      }
      for (const [i, node] of hops.entries()) {
        assert.equal(node.key.publicKey.toHex(), path[i].publicKey);
        const out = await at(node, { bytes: fromHex(packets[i]) }, scheme, 2 ** 32);
        unwraps++;
        const [command, behind] = path[i].commands;
        if (i + 1 < hops.length) {
          assert.ok(out.kind === "forward", JSON.stringify(out));
          assert.equal(out.packet.bytes.toHex(), packets[i + 1]);
          assert.deepEqual(out.next, hops[i + 1].id);
          assert.equal(`80${out.delay.toString(16).padStart(8, "0")}`, command);
        } else if (!reply) {
          assert.ok(out.kind === "deliver");
          assert.deepEqual([`02${out.recipient.toHex()}`, out.body.toHex()], [command, payload]);
        } else {
          assert.ok(out.kind === "reply");
          assert.deepEqual([`02${out.recipient.toHex()}`, `03${out.surbId.toHex()}`], [command, behind]);
          // Theirs are in the order in which they are used: the last node's first, then the payload key.
          const kept = fromHex(surbKeys);
          const inOrder = hops.map((_, i) => kept.subarray(64 * i, 64 * (i + 1))).reverse();
          const opening = SurbKeys.fromBytes(joined(...inOrder, kept.subarray(-64)), scheme);
          assert.equal(opening.open(out.delta, scheme).toHex(), payload);
        }
      }
    }
    assert.equal(unwraps, 30);
  },
});

Deno.test({
  name: "Katzenpost: packets that a second implementation makes are unwrapped here, and ours there, at 1 to 5 hops",
  ...needs("go-sphinx"),
  async fn() {
    const random = seeded("mix katzenpost");
    await using peer = start(GO_SPHINX_PEER);
    const ask = async <T>(request: Record<string, unknown>): Promise<T> => {
      await peer.write(`${JSON.stringify(request)}\n`);
      return await peer.json<T>();
    };
    type Made = { secrets: string[]; ids: string[]; packet: string; payload: string };
    for (let round = 0; round < 10; round++) {
      const count = round % 5 + 1;
      const length = random.between(1, 300);
      const scheme = schemeOf(length);
      const theirs = await ask<Made>({ do: "make", count, length });
      let going: SphinxPacket = { bytes: fromHex(theirs.packet) };
      const hops = theirs.secrets.map((secret, i) => nodeOf(fromHex(secret), fromHex(theirs.ids[i])));
      for (const [i, node] of hops.slice(0, -1).entries()) {
        const { packet, next, delay } = await forwarded(node, going, scheme);
        assert.deepEqual([next, delay], [hops[i + 1].id, i + 1]);
        going = packet;
      }
      const last = await at(hops.at(-1)!, going, scheme);
      assert.deepEqual(last, { kind: "deliver", recipient: hops[0].id, body: fromHex(theirs.payload) });

      const draw = (length: number) => random.bytes(length);
      const [path, body] = [nodes(count, draw), draw(length)];
      let ours = makePacket(through(path, draw(32)), body, { random: draw, scheme }).bytes.toHex();
      for (const [i, { secret }] of path.entries()) {
        const { out, last } = await ask<{ out: string; last: boolean }>({
          do: "unwrap",
          secret: secret.toHex(),
          packet: ours,
        });
        assert.equal(last, i + 1 === count);
        ours = out;
      }
      assert.equal(ours, body.toHex());

      // A reply block, made and answered here.
      const way = nodes(count, draw);
      const { surb, keys } = makeSurb(back(way, draw(32), draw(16)), { random: draw, scheme });
      const answer = await along(way, answerSurb(surb, body, scheme).packet, scheme);
      assert.ok(answer.kind === "reply");
      assert.deepEqual(keys.open(answer.delta, scheme), body);
    }
  },
});

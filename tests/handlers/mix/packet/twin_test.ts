/**
 * Packets and reply blocks against a second implementation, in Python, made from the specification's text alone (msg.md
 * §5.1, row 39).
 *
 * @module
 */
import assert from "node:assert/strict";
import { makePacket } from "../../../../handlers/mix/packet/packet.ts";
import { answerSurb, makeSurb, SurbKeys } from "../../../../handlers/mix/packet/surb.ts";
import { needs } from "../../../support/programs.ts";
import { startPeer } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";
import { at, drawing, nodes, type TestNode } from "../paths.ts";

const { fromHex } = Uint8Array;
/** Paths, each with a packet and a reply block. */
const ROUNDS = 1000;

Deno.test({
  name:
    `twin: packets and reply blocks of 1 to 5 hops: the same bytes, and each unwraps the other's (${ROUNDS} of each)`,
  ...needs("python"),
  async fn() {
    const random = seeded("mix twin");
    const draw = (length: number) => random.bytes(length);
    await using twin = startPeer("mix_reference.py");
    const ask = async (request: Record<string, unknown>): Promise<Record<string, string>> => {
      const said = await twin.ask<Record<string, string>>(request);
      assert.equal(said.error, undefined, JSON.stringify(request).slice(0, 200));
      return said;
    };
    /** Each node is either of this implementation or of the other, by chance. */
    const passed = async (path: readonly TestNode[], packet: string, epoch: number) => {
      let going = packet;
      for (const node of path) {
        let out: Record<string, unknown>;
        if (random.chance(0.5)) {
          out = await ask({ do: "unwrap", secret: node.secret.toHex(), packet: going, epoch });
        } else {
          const { kind, ...rest } = await at(node, { bytes: fromHex(going) });
          assert.notEqual(kind, "refused", JSON.stringify(rest));
          out = Object.fromEntries(
            Object.entries(rest).map(([name, value]) => {
              if (value instanceof Uint8Array) return [name, value.toHex()];
              return [name, typeof value === "object" ? value.bytes.toHex() : value];
            }),
          );
        }
        if (node === path.at(-1)) return out;
        assert.ok(typeof out.packet === "string");
        going = out.packet;
      }
    };

    for (let round = 0; round < ROUNDS; round++) {
      const epoch = random.below(2 ** 31);
      const count = round % 5 + 1;
      const path = nodes(count, draw, epoch);
      const hops = path.map(({ id, key }) => ({ id, key: key.publicKey }));
      const delays = path.slice(1).map(() => random.below(600_001));
      const recipient = draw(32);
      const [x, filling, body] = [draw(32), draw(82 * (5 - count)), draw(2692)];
      const drawn = count < 5 ? [x, filling] : [x];
      const asked = {
        epoch,
        delays,
        recipient: recipient.toHex(),
        hops: hops.map(({ id, key }) => ({ id: id.toHex(), key: key.toHex() })),
        x: x.toHex(),
        filling: filling.toHex(),
      };
      const route = { epoch, hops, delays, recipient };
      const ours = makePacket(route, body, { random: drawing(...drawn) }).bytes.toHex();
      const theirs = await ask({ do: "packet", ...asked, body: body.toHex() });
      assert.equal(ours, theirs.packet);
      assert.deepEqual(await passed(path, ours, epoch), { recipient: recipient.toHex(), body: body.toHex() });

      const way = nodes(count, draw, epoch);
      const [surbId, payload] = [draw(16), draw(32)];
      const wayHops = way.map(({ id, key }) => ({ id, key: key.publicKey }));
      const made = makeSurb({ ...route, hops: wayHops, surbId }, { random: drawing(...drawn, payload) });
      const block = await ask({
        do: "surb",
        ...asked,
        hops: wayHops.map(({ id, key }) => ({ id: id.toHex(), key: key.toHex() })),
        surbId: surbId.toHex(),
        payload: payload.toHex(),
      });
      assert.equal(made.surb.toHex(), block.surb);
      assert.equal(made.keys.toBytes().toHex(), block.kept);
      const sent = answerSurb(made.surb, body).packet.bytes.toHex();
      assert.equal((await ask({ do: "answer", surb: block.surb, body: body.toHex() })).packet, sent);
      const came = await passed(way, sent, epoch);
      assert.ok(typeof came?.delta === "string");
      assert.deepEqual([came.recipient, came.surbId], [recipient.toHex(), surbId.toHex()]);
      assert.deepEqual(SurbKeys.fromBytes(fromHex(block.kept)).open(fromHex(came.delta)), body);
      assert.equal((await ask({ do: "open", kept: block.kept, delta: came.delta })).body, body.toHex());
    }
  },
});

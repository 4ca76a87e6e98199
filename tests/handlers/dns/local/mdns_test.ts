/**
 * Nodes that say on their own network where they are, and those that ask (dns.md §7.5): over the loopback interface, to
 * programs of others too.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createSocket, type RemoteInfo } from "node:dgram";
import { logger } from "@alknet/core/handler";
import { NodeKey } from "@alknet/core/identity";
import { decodeMessage } from "../../../../handlers/dns/codec/decode.ts";
import { encodeMessage } from "../../../../handlers/dns/codec/encode.ts";
import { parseName } from "../../../../handlers/dns/codec/name.ts";
import { type Message, Type } from "../../../../handlers/dns/codec/types.ts";
import { isOnLink, type Link } from "../../../../handlers/dns/local/links.ts";
import { type Found, mdnsProvider, mdnsResponder, type MdnsResponderOptions } from "../../../../handlers/dns/mod.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { startPeer } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";

const LOOPBACK: Link = { name: "lo", address: "127.0.0.1", cidr: "127.0.0.1/8" };
const never = new AbortController().signal;

function answering(options: Partial<MdnsResponderOptions> & { readonly nodeId: string }) {
  const listening = [{ hostname: "127.0.0.1", port: 4433 }];
  return mdnsResponder({ listening, log: logger("test"), port: 0, links: () => [LOOPBACK], ...options });
}

async function found(nodeId: string, port: number, links: readonly Link[] = [LOOPBACK]): Promise<readonly Found[]> {
  return await Array.fromAsync(mdnsProvider({ port, links: () => links }).find(nodeId, never));
}

/** A socket that asks as it likes, and what it was answered. */
async function asker() {
  const socket = createSocket("udp4");
  const answers: Message[] = [];
  socket.on("message", (bytes: Uint8Array, _from: RemoteInfo) => answers.push(decodeMessage(bytes)));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    answers,
    send: (bytes: Uint8Array, port: number) => new Promise((resolve) => socket.send(bytes, port, "127.0.0.1", resolve)),
    [Symbol.dispose]: () => void socket.close(),
  };
}

function question(name: string, type: number, id = 7): Uint8Array {
  const flags = { aa: false, tc: false, rd: false, ra: false, ad: false, cd: false };
  const none = { answer: [], authority: [], additional: [] };
  const asked = { name: parseName(name), type, class: 1 };
  return encodeMessage({ id, response: false, opcode: 0, rcode: 0, flags, question: asked, ...none });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

Deno.test("mdns: whoever asks for a node's id gets its address; for another id nobody answers", async () => {
  const [{ id }, other] = [NodeKey.generate(), NodeKey.generate()];
  using node = await answering({ nodeId: id });
  const [one, nothing] = await Promise.all([found(id, node.port), found(other.id, node.port)]);
  deepEqual(one[0], { addresses: ["127.0.0.1:4433"], source: "mdns" });
  deepEqual(nothing, []);
});

Deno.test("mdns: what is said on a network is what is listened at there", async () => {
  const { id } = NodeKey.generate();
  const links: Link[] = [
    LOOPBACK,
    { name: "lo", address: "::1", cidr: "::1/128" },
    { name: "lo", address: "fe80::1", cidr: "fe80::1/64" },
    { name: "eth0", address: "192.0.2.7", cidr: "192.0.2.7/24" },
  ];
  const heard = [
    ["0.0.0.0", ["127.0.0.1:4433"]],
    ["::", ["127.0.0.1:4433", "[::1]:4433"]],
    ["::1", ["[::1]:4433"]],
    ["192.0.2.7", []],
  ] as const;
  await Promise.all(heard.map(async ([hostname, wanted]) => {
    using node = await answering({ nodeId: id, listening: [{ hostname, port: 4433 }], links: () => links });
    const all = await found(id, node.port, links);
    deepEqual(all[0]?.addresses ?? [], wanted, hostname);
  }));
});

Deno.test("mdns: who is not of the network is not answered, nor heard, nor what they tell of elsewhere", async () => {
  const { id } = NodeKey.generate();
  const alone: Link = { name: "lo", address: "127.0.0.1", cidr: "127.0.0.2/32" };
  using node = await answering({ nodeId: id });
  using far = await answering({ nodeId: id, links: () => [alone] });
  using liar = await answering({
    nodeId: id,
    listening: [{ hostname: "192.0.2.7", port: 1 }],
    links: () => [LOOPBACK, { name: "lo", address: "192.0.2.7", cidr: "192.0.2.7/24" }],
  });
  const six: Link = { name: "lo", address: "::1", cidr: "::1/128" };
  const listening = [{ hostname: "::1", port: 4433 }];
  using distant = await answering({ nodeId: id, listening, links: () => [LOOPBACK, six] });
  const all = [
    found(id, far.port),
    found(id, node.port, [alone]),
    found(id, liar.port),
    found(id, distant.port, [alone, six]),
  ];
  deepEqual(await Promise.all(all), [[], [], [], []]);
});

Deno.test("mdns: an answer comes from the port that was asked; where none came, it is asked once more", async () => {
  const { id } = NodeKey.generate();
  using node = await answering({ nodeId: id });
  const [asked, elsewhere] = [createSocket({ type: "udp4", reuseAddr: true }), createSocket("udp4")];
  let questions = 0;
  // What the node would say goes to who asked, by another way.
  asked.on("message", (bytes: Uint8Array, from: RemoteInfo) => {
    questions++;
    elsewhere.once("message", (answer: Uint8Array) => elsewhere.send(answer, from.port, from.address));
    elsewhere.send(bytes, node.port, "127.0.0.1");
  });
  await new Promise<void>((resolve) => asked.bind(0, "0.0.0.0", resolve));
  asked.addMembership("224.0.0.251", "127.0.0.1");
  await new Promise<void>((resolve) => elsewhere.bind(0, "127.0.0.1", resolve));
  deepEqual(await found(id, asked.address().port), []);
  await until(() => questions === 2);
  asked.close();
  elsewhere.close();
});

Deno.test("mdns: one asker gets one answer a second; a plain resolver's has its question and id, and is not kept", async () => {
  const { id } = NodeKey.generate();
  using node = await answering({ nodeId: id });
  using asking = await asker();
  const service = `${id}._alknet._udp.local.`;
  const began = performance.now();
  for (let n = 0; n < 5; n++) await asking.send(question(service, Type.SRV), node.port);
  using another = await asker();
  await another.send(question(service.toUpperCase(), 255, 9), node.port);
  await until(() => another.answers.length > 0 && asking.answers.length > 0);
  ok(asking.answers.length <= 1 + (performance.now() - began) / 1000);
  const [{ id: number, question: asked, answer, additional, flags }] = asking.answers;
  deepEqual([number, asked?.type, flags.aa], [7, Type.SRV, true]);
  deepEqual(answer.map(({ type, ttl, class: of }) => [type, ttl, of]), [[Type.SRV, 10, 1]]);
  deepEqual(additional.map(({ type }) => type), [Type.TXT, Type.A]);
  deepEqual(another.answers[0].answer.map(({ type }) => type), [Type.SRV, Type.TXT]);
});

Deno.test("mdns: services are not listed, other names and classes not answered, and nonsense harms nobody", async () => {
  const { id } = NodeKey.generate();
  using node = await answering({ nodeId: id });
  using asking = await asker();
  const service = `${id}._alknet._udp.local.`;
  for (
    const [name, type] of [["_alknet._udp.local.", 12], ["_services._dns-sd._udp.local.", 12], [service, 1], [
      `x.${service}`,
      33,
    ]] as const
  ) {
    await asking.send(question(name, type), node.port);
  }
  const good = question(service, Type.SRV);
  const random = seeded("mdns");
  for (let n = 0; n < 5000; n++) {
    await asking.send(random.mutate(good), node.port);
  }
  deepEqual((await found(id, node.port))[0]?.addresses, ["127.0.0.1:4433"]);
  ok(asking.answers.every(({ answer }) => answer[0].type === Type.SRV || answer[0].type === Type.TXT));
});

Deno.test({
  name: "mdns: dig is answered",
  ...needs("dig"),
  async fn() {
    const { id } = NodeKey.generate();
    using node = await answering({ nodeId: id });
    const name = `${id}._alknet._udp.local`;
    const { code, stdout } = await runProgram("dig", ["@127.0.0.1", "-p", `${node.port}`, name, "SRV"]);
    equal(code, 0, stdout);
    match(stdout, new RegExp(`^${name}\\.\\s+10\\s+IN\\s+SRV\\s+0 0 4433 ${id}\\.local\\.`, "m"));
    match(stdout, new RegExp(`^${id}\\.local\\.\\s+10\\s+IN\\s+A\\s+127\\.0\\.0\\.1`, "m"));
  },
});

Deno.test({
  name: "mdns: zeroconf finds our node, and we find what zeroconf says",
  ...needs("python"),
  async fn() {
    const [ours, theirs] = [NodeKey.generate().id, NodeKey.generate().id];
    using _node = await answering({ nodeId: ours, port: 5353 });
    await using peer = startPeer("mdns_peer.py");
    await peer.ask({ register: theirs });
    deepEqual(await peer.ask({ find: ours }), { port: 4433, addresses: ["127.0.0.1"] });
    deepEqual((await found(theirs, 5353))[0]?.addresses, ["127.0.0.1:4434"]);
  },
});

Deno.test("mdns: which addresses are of a network", () => {
  const on = (cidr: string, address: string) => isOnLink({ name: "", address: "", cidr }, address);
  deepEqual(
    [on("192.0.2.7/24", "192.0.2.255"), on("192.0.2.7/24", "192.0.3.1"), on("192.0.2.7/25", "192.0.2.128")],
    [true, false, false],
  );
  deepEqual([on("fd00::2/63", "fd00:0:0:1::9"), on("fd00::2/64", "fd00:0:0:1::9"), on("fd00::2/64", "192.0.2.1")], [
    true,
    false,
    false,
  ]);
  equal(isOnLink({ name: "", address: "192.0.2.7", cidr: null }, "192.0.2.7"), false);
});

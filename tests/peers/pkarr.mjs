/**
 * The npm package `pkarr`, which runs in the folder where it is. Each writes one line of JSON:
 *
 * - `read SEED PAYLOAD`: reads a payload, and signs its records again;
 * - `put URL SEED TIMESTAMP TEXT`: sends a relay one record, and says its status;
 * - `get URL SEED`: what a relay has of a key.
 *
 * @module
 */
import { createRequire } from "node:module";
import process from "node:process";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const { default: Pkarr, SignedPacket } = await import(pathToFileURL(require.resolve("pkarr")));
const [what, ...args] = process.argv.slice(2);
const hex = (text) => Buffer.from(text, "hex");

function answersOf(packet) {
  return packet.packet().answers.map(({ name, type, ttl, data }) => [name, type, ttl, `${data}`]);
}

function signed(pair, answers, timestamp) {
  return SignedPacket.fromPacket(pair, { id: 0, type: "response", flags: 0, answers }, { timestamp });
}

const actions = {
  read(seed, payload) {
    const pair = Pkarr.generateKeyPair(hex(seed));
    const packet = SignedPacket.fromBytes(pair.publicKey, hex(payload));
    const read = { timestamp: packet.timestamp(), answers: answersOf(packet) };
    const made = signed(pair, packet.packet().answers, packet.timestamp());
    return { read, made: Buffer.from(made.bytes()).toString("hex") };
  },
  async put(url, seed, timestamp, text) {
    const pair = Pkarr.generateKeyPair(hex(seed));
    const answers = [{ name: "_test", type: "TXT", class: "IN", ttl: 300, data: text }];
    const { status } = await Pkarr.relayPut(url, signed(pair, answers, Number(timestamp)));
    return { status };
  },
  async get(url, seed) {
    const packet = await Pkarr.relayGet(url, Pkarr.generateKeyPair(hex(seed)).publicKey);
    return { timestamp: packet.timestamp(), answers: answersOf(packet) };
  },
};
console.log(JSON.stringify(await actions[what](...args)));

/**
 * The npm package `pkarr`: reads a relay payload, and signs records of its own. `node pkarr.mjs SEED PAYLOAD` writes one line
 * of JSON. It runs in the folder where the package is.
 *
 * @module
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import process from "node:process";

const require = createRequire(`${process.cwd()}/`);
const { default: Pkarr, SignedPacket } = await import(pathToFileURL(require.resolve("pkarr")));
const [seed, payload] = process.argv.slice(2).map((text) => Buffer.from(text, "hex"));
const pair = Pkarr.generateKeyPair(seed);
const packet = SignedPacket.fromBytes(pair.publicKey, payload);
const read = {
  timestamp: packet.timestamp(),
  answers: packet.packet().answers.map(({ name, type, ttl, data }) => [name, type, ttl, `${data}`]),
};
const made = SignedPacket.fromPacket(pair, {
  id: 0,
  type: "response",
  flags: 0,
  answers: packet.packet().answers,
}, { timestamp: packet.timestamp() });
console.log(JSON.stringify({ read, made: Buffer.from(made.bytes()).toString("hex") }));

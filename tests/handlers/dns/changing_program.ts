/**
 * Changes a zone as fast as it goes, two names in each change, and prints the number of each that is done. Argument: the
 * database.
 *
 * @module
 */
import { newZone, openDnsStore, parseName } from "../../../handlers/dns/mod.ts";
import { record } from "./zone.ts";

const { zones } = openDnsStore(Deno.args[0]);
const name = parseName("home.example.");
let zone = zones.find(name) ?? zones.create(newZone(name), "primary");
const [last] = zones.at(zone, parseName("a.home.example."));
const encoder = new TextEncoder();
for (let n = last ? Number(new TextDecoder().decode(last.data.subarray(1))) + 1 : 1;; n++) {
  const both = ["a", "b"].map((owner) => record(`${owner} 60 TXT ${n}`, "home.example"));
  zone = zones.apply(zone, { remove: both.map(({ name, type }) => ({ name, type })), add: both });
  Deno.stdout.writeSync(encoder.encode(`${n}\n`));
}

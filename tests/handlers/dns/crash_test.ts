import { equal, ok } from "node:assert/strict";
import { openDnsStore, parseName, type ZoneStore } from "../../../handlers/dns/mod.ts";
import { start } from "../../support/process.ts";
import { seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";

const PROGRAM = new URL("./changing_program.ts", import.meta.url).pathname;
const ROUNDS = 12;

Deno.test("whoever changes a zone is killed: the zone is as before or as after, never between, and nothing told is lost", async () => {
  const random = seeded("killed writers");
  await using folder = await temporaryFolder();
  const file = folder.join("dns.db");
  let told = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await using child = start(Deno.execPath(), ["run", "-A", "--cached-only", "--no-check", PROGRAM, file]);
    for (let lines = random.between(1, 40); lines > 0; lines--) told = Number(await child.line(/^\d+$/));
    // Somewhere within the next change.
    await new Promise((resolve) => setTimeout(resolve, random.below(4)));
    child.kill("SIGKILL");
    await child.status;
    using store = openDnsStore(file);
    const [a, b] = ["a", "b"].map((name) => numberAt(store.zones, name));
    equal(a, b, `round ${round}`);
    ok(a >= told, `${a} is there, ${told} was told`);
    equal(store.zones.list()[0].records, 4);
  }
});

function numberAt(zones: ZoneStore, owner: string): number {
  const [{ data }] = zones.at(zones.list()[0], parseName(`${owner}.home.example.`));
  return Number(new TextDecoder().decode(data.subarray(1)));
}

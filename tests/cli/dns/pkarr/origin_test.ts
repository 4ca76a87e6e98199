/**
 * A node that is looked for by DNS, which NSD answers (dns.md §7.5).
 *
 * @module
 */
import { deepEqual } from "node:assert/strict";
import { type Found, originProvider } from "../../../../handlers/dns/mod.ts";
import { KEY } from "../../../handlers/dns/pkarr/packets.ts";
import { needs } from "../../../support/programs.ts";
import { startNsd } from "../nsd.ts";

const OTHER = "df9sse9bp1nuftim3yhxiuk6w6r5hddsskjygpydux7esxjstioo";
const ZONE = `
$TTL 60
@ SOA ns mail 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
_alknet.${KEY.id} TXT "v=1"
_alknet.${KEY.id} TXT "addr=192.0.2" ".7:4433"
_alknet.${KEY.id} TXT "exp=4000000000"
_alknet.${OTHER} TXT "v=1"
_alknet.${OTHER} TXT "addr=192.0.2.8:4433"
_alknet.${OTHER} TXT "exp=1"
`;

Deno.test({
  name: "records below an origin, as long as they are good, and none",
  ...needs("nsd", "dig", "linux"),
  async fn() {
    await using nsd = await startNsd(
      { "keys.zone": ZONE },
      'zone:\n  name: "keys.example"\n  zonefile: "keys.zone"\n',
    );
    const nameServer = { ipAddr: "127.0.0.1", port: nsd.port };
    const provider = originProvider(
      "keys.example",
      (name, signal) => Deno.resolveDns(name, "TXT", { nameServer, signal }),
    );
    const of = async (nodeId: string) => {
      const found: Found[] = [];
      for await (const one of provider.find(nodeId, new AbortController().signal)) found.push(one);
      return found;
    };
    deepEqual(await of(KEY.id), [{ addresses: ["192.0.2.7:4433"], source: "dns" }]);
    deepEqual(await of(OTHER), [{ addresses: [], source: "dns" }]);
    const none = await of("yryyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy").catch((error) => error);
    // Whoever asks takes a failure for nothing.
    deepEqual(none instanceof Deno.errors.NotFound, true, String(none));
  },
});

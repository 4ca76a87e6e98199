/**
 * A node as a relay of signed packets: the npm package `pkarr`, curl, kdig and other nodes come to it (rows 59, 61 to 65 of
 * dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { NodeKey } from "@alknet/core/identity";
import { type Output, runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { initHome, nextEvent } from "../../home.ts";
import { kdig } from "../../dns_home.ts";
import { packet } from "../../../handlers/dns/pkarr/packets.ts";
import { pkarrHome, pkarrPackage } from "./home.ts";

const SEED = "07".repeat(32);
const KEY = NodeKey.fromSeed(Uint8Array.fromHex(SEED));
const now = (): bigint => BigInt(Date.now()) * 1000n;

async function status(...args: readonly string[]): Promise<[string, string]> {
  const { stdout } = await runProgram("curl", ["-sk", "-w", "%{http_code}", ...args]);
  return [stdout.slice(-3), stdout.slice(0, -3).trim()];
}

Deno.test({
  name:
    "the npm package pkarr puts packets on a node and gets them, and kdig is answered out of them (rows 59, 61, 65)",
  ...needs("pkarr", "kdig"),
  async fn() {
    await using home = await pkarrHome({ relay: "open" });
    equal((await home.run("dns", "zone", "create", "keys.example", "--kind", "pkarr")).code, 0);
    await using node = await home.serve();
    const url = `https://${node.address}/pkarr`;
    const time = Number(now());
    const put = async (at: number, text: string) =>
      (await pkarrPackage<{ status: number }>("put", url, SEED, `${at}`, text)).status;
    deepEqual(await put(time, "m"), 204);
    deepEqual(await put(time, "m"), 204);
    deepEqual(await put(time - 1, "z"), 409);
    deepEqual(await put(time, "n"), 204);
    deepEqual(await put(time, "m"), 409);
    deepEqual(await pkarrPackage("get", url, SEED), {
      timestamp: time,
      answers: [[`_test.${KEY.id}`, "TXT", 300, "n"]],
    });
    match(
      await kdig(node.port, "+tls", `_test.${KEY.id}.keys.example`, "TXT"),
      /NOERROR[\s\S]*aa[\s\S]*\.keys\.example\.\s+300\s+IN\s+TXT\s+"n"/,
    );
    const bare = await kdig(node.port, "+tls", `_test.${KEY.id}`, "TXT");
    match(bare, /NOERROR[\s\S]*IN\s+TXT\s+"n"/);
    equal(/Flags:.* aa/.test(bare), false, bare);
    match(await kdig(node.port, "+tls", `nope.${KEY.id}.keys.example`), /NXDOMAIN[\s\S]*IN\s+SOA/);
    match(await kdig(node.port, "+tls", `${NodeKey.generate().id}`), /NXDOMAIN/);
    // A start later it is there still.
    await node[Symbol.asyncDispose]();
    await using again = await home.serve();
    match(await kdig(again.port, "+tls", `_test.${KEY.id}.keys.example`, "TXT"), /IN\s+TXT\s+"n"/);
    match((await home.run("dns", "zone", "list")).stdout, /keys\.example {2}pkarr {2}serial/);
  },
});

Deno.test({
  name: "curl: what a relay refuses, and a node that is none (rows 62, 63)",
  ...needs("curl"),
  async fn() {
    await using home = await pkarrHome({ relay: "peers" });
    await using folder = await initHome();
    await using node = await home.serve("--transport", "tls");
    const url = `https://${node.address}/pkarr/${KEY.id}`;
    const file = `${home.path}/payload`;
    const write = async (bytes: Uint8Array) => {
      await Deno.writeFile(file, bytes);
      return ["-T", file];
    };
    const good = packet("x 300 TXT a", now(), KEY).toRelayPayload();
    deepEqual(await status(...await write(good), url), ["403", "forbidden"]);
    deepEqual(await status(...await write(new Uint8Array(1073)), url), ["413", "size"]);
    deepEqual(await status(...await write(good), url.slice(0, -1)), ["400", "key"]);
    deepEqual(await status("-H", "authorization: Bearer alk_wrong", ...await write(good), url), ["401", "token"]);
    deepEqual(await status(url), ["404", "unknown"]);
    deepEqual(await status("-X", "DELETE", url), ["405", "method"]);
    const { code, stderr } = await home.run("authorize", KEY.id);
    equal(code, 0, stderr);
    await nextEvent(node.child, "reloaded");
    equal((await status(...await write(good), url))[0], "204");
    equal((await status(url))[0], "200");
    equal((await status("-z", "Fri, 31 Dec 2099 00:00:00 GMT", url))[0], "304");

    await using other = await folder.serve("--transport", "tls");
    const elsewhere = `https://${other.address}`;
    const [there, absent] = await Promise.all([status(`${elsewhere}/pkarr/${KEY.id}`), status(`${elsewhere}/nope`)]);
    deepEqual(there, absent);
  },
});

Deno.test("alknet publish, dns publish and dns resolve: over HTTPS and by a node's id (rows 66, 71)", async () => {
  await using relay = await pkarrHome({ relay: "open" });
  await using node = await relay.serve();
  await using home = await initHome();
  const well = async (...args: readonly string[]): Promise<Output> => {
    const output = await home.run(...args);
    equal(output.code, 0, `${args.join(" ")}: ${output.stderr}`);
    return output;
  };
  const byId = `${relay.nodeId}@${node.address}`;
  const byUrl = `https://${node.address}/pkarr`;
  const insecure = ["--relay", byUrl, "--insecure"];

  const published = await well(
    "publish",
    "--address",
    "192.0.2.7:4433",
    "--address",
    "[2001:db8::7]:4433",
    "--private",
    "--relay",
    byId,
  );
  match(published.stdout, /^stored at \S+: 2 addresses, \d+ bytes, until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/);
  const resolved = await well("dns", "resolve", home.nodeId, ...insecure);
  const lines = resolved.stdout.trimEnd().split("\n");
  deepEqual(lines.slice(0, 3), [
    `_alknet.${home.nodeId}. 300 IN TXT "v=1"`,
    `_alknet.${home.nodeId}. 300 IN TXT "addr=192.0.2.7:4433"`,
    `_alknet.${home.nodeId}. 300 IN TXT "addr=[2001:db8::7]:4433"`,
  ]);
  match(lines.at(-1)!, new RegExp(`^;; relay ${byUrl}, signed \\S+Z, \\d+ bytes$`));

  const file = `${home.path}/own.zone`;
  await Deno.writeTextFile(file, "@ 60 A 192.0.2.9\nwww 60 CNAME @\n");
  match((await well("dns", "publish", file, ...insecure)).stdout, /: 2 records, \d+ bytes, signed \S+Z\n$/);
  const one = await well("dns", "resolve", `pk:${home.nodeId}`, "www", "cname", "--relay", byId, "--json");
  deepEqual(JSON.parse(one.stdout), {
    name: `www.${home.nodeId}.`,
    type: "CNAME",
    ttl: 60,
    data: `${home.nodeId}.`,
  });
  const raw = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--cached-only", "--no-check", "cli/main.ts", "dns", "resolve", home.nodeId, "--raw", "--relay"]
      .concat(byId, "--home", home.path),
    stdin: "null",
  }).output();
  match(Buffer.from(raw.stdout).toString("latin1"), /www/);

  // One relay that is no relay does not keep the other from having it.
  const mixed = await home.run(
    "publish",
    "--address",
    "192.0.2.7:1",
    "--private",
    ...insecure,
    "--relay",
    `https://${node.address}/x`,
  );
  equal(mixed.code, 1);
  match(mixed.stdout, /^stored at [^\n]+\n$/);
  match(mixed.stderr, /status 40[45]; does it take packets there/);

  const strange = NodeKey.generate().id;
  const failures: readonly (readonly [string[], number, RegExp])[] = [
    [["publish", "--address", "192.0.2.7:1"], 2, /no relay/],
    [["publish", "--address", "10.0.0.1:1", "--relay", byId], 2, /private.*--private/],
    [["publish", "--address", "nonsense", "--relay", byId], 2, /nonsense/],
    [["publish", "--address", "192.0.2.7:1", "--relay", "http://relay.example"], 2, /https/],
    [["publish", "--address", "192.0.2.7:1", "--relay", "relay.example:1"], 2, /NODEID@HOST:PORT/],
    [["dns", "resolve", strange, "--relay", byId], 1, /no relay that was asked has a packet/],
    [["dns", "resolve", "nonsense", "--relay", byId], 2, /no key/],
    [["dns", "resolve", strange, "--relay", byUrl], 1, /certificate/],
    [["dns", "publish", `${home.path}/nope`, "--relay", byId], 1, /nope/],
  ];
  for (const [args, code, words] of failures) {
    const output = await home.run(...args);
    equal(output.code, code, `${args.join(" ")}: ${output.stderr}`);
    match(output.stderr, words);
  }
  await Deno.writeTextFile(file, "elsewhere.example. 60 A 192.0.2.9\n");
  match((await home.run("dns", "publish", file, ...insecure)).stderr, /a name in it neither is nor ends in its key/);
  await Deno.writeTextFile(file, Array.from({ length: 90 }, (_, n) => `h${n} 60 A 192.0.2.9\n`).join(""));
  match((await home.run("dns", "publish", file, ...insecure)).stderr, /1000 at most/);
  await Deno.writeTextFile(file, "@ 60 A nonsense\n");
  match((await home.run("dns", "publish", file, ...insecure)).stderr, /own\.zone:1:\d+: /);
});

Deno.test("a node that publishes tells its relay at the start, and a node with relays finds it (row 66)", async () => {
  await using relay = await pkarrHome({ relay: "open" });
  await using relaying = await relay.serve();
  const relays = [`${relay.nodeId}@${relaying.address}`];
  await using home = await pkarrHome({
    relays,
    publish: { addresses: ["10.1.2.3:4433"], private: true },
    iroh: true,
    https: true,
  });
  await using node = await home.serve();
  let output: Output | undefined;
  for (let tries = 0; tries < 50 && output?.code !== 0; tries++) {
    output = await relay.run("dns", "resolve", home.nodeId, "--relay", relays[0]);
  }
  match(output!.stdout, /"addr=10\.1\.2\.3:4433"[\s\S]*"alpn=[^"]*alknet\/call[^"]*"[\s\S]*_iroh/);
  const apex = `${home.nodeId}\\.\\s+300\\s+IN\\s+`;
  match(output!.stdout, new RegExp(`^${apex}HTTPS\\s+1 \\. alpn="?h2,http/1\\.1"? port=4433$`, "m"));
  match(output!.stdout, new RegExp(`^${apex}A\\s+10\\.1\\.2\\.3$`, "m"));
  await node[Symbol.asyncDispose]();
  for (
    const [pkarr, words] of [
      [
        { publish: { addresses: ["10.1.2.3:1"] } },
        /handlers\.dns\.pkarr\.publish\.addresses: 10\.1\.2\.3:1 is private/,
      ],
      [{ relays: ["ftp://x"] }, /handlers\.dns\.pkarr\.relays\[0\]/],
      [{ relay: "all" }, /pkarr/],
      [{ origins: ["a..b"] }, /handlers\.dns\.pkarr\.origins\[0\]/],
      [{ dht: true }, /dht/],
    ] as const
  ) {
    await using wrong = await pkarrHome(pkarr);
    const { code, stderr } = await wrong.run("serve", "--listen", "127.0.0.1:0");
    equal(code, 1, stderr);
    match(stderr, words);
  }
});

/**
 * `alknet dns query` by each way (row 71 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { dnsHome } from "../dns_home.ts";
import { freePort, startNsd } from "./nsd.ts";

Deno.test("alknet dns query: this home's node and others, by TLS, QUIC, HTTPS and between nodes", async () => {
  await using home = await dnsHome();
  await using node = await home.serve();
  const query = (...args: string[]) => home.run("dns", "query", ...args);
  const pinned = `@${home.nodeId}@${node.address}`;
  for (const via of ["alknet", "dot", "doq", "doh"]) {
    // It shows the certificate of the public, which nobody has signed here.
    const server = via === "doq" ? [`@${node.address}`, "--insecure"] : [pinned];
    const { code, stdout, stderr } = await query("www.home.example", ...server, "--via", via);
    equal(code, 0, `${via}: ${stderr}`);
    const lines = stdout.split("\n");
    match(
      lines[0],
      new RegExp(`^;; www\\.home\\.example\\. A from ${node.address} \\(${via}\\) in \\d+ ms, \\d+ bytes$`),
    );
    deepEqual(lines.slice(1, 3), [
      ";; NOERROR aa rd, 1 answer",
      "www.home.example.  300  IN  A  192.0.2.7",
    ]);
  }
  const json = JSON.parse((await query("www.home.example", "a", pinned, "--json")).stdout);
  deepEqual([json.Status, json.Answer[0].data], [0, "192.0.2.7"]);
  equal((await query("www.home.example", pinned, "--short", "--insecure")).stdout, "192.0.2.7\n");
  const negative = await query("nope.home.example", "MX", pinned);
  equal(negative.code, 0);
  match(negative.stdout, /;; NXDOMAIN aa rd, 0 answers\nhome\.example\. {2}300 {2}IN {2}SOA/);
  const refused = await query("elsewhere.example", pinned);
  equal(refused.code, 1);
  match(refused.stdout, /;; REFUSED rd, 0 answers\n;; EDE 18: recursion is not for you\n/);
  const url = await query("www.home.example", `@https://${node.address}/dns-query`, "--insecure", "--short");
  deepEqual([url.code, url.stdout], [0, "192.0.2.7\n"], url.stderr);

  // The home's own node, at its first address.
  await home.writeConfig({ ...await home.config(), listen: [node.address] });
  const own = await query("www.home.example");
  equal(own.code, 0, own.stderr);
  match(own.stdout, /\(alknet\)/);
});

Deno.test("alknet dns query: who is not who they should be, is no server, or is silent", async () => {
  await using home = await dnsHome();
  await using node = await home.serve();
  const query = (...args: string[]) => home.run("dns", "query", "www.home.example", ...args);
  const silent = await freePort();
  const other = home.nodeId.replace(/^./, (letter) => letter === "y" ? "b" : "y");
  const failures: readonly (readonly [string[], number, RegExp])[] = [
    [[`@${node.address}`], 1, /certificate/],
    [[`@${other}@${node.address}`], 1, /./],
    [[`@https://${node.address}/elsewhere`, "--insecure"], 1, /status 404 at \/elsewhere/],
    [[`@127.0.0.1:${silent}`, "--via", "udp", "--timeout", "500ms"], 1, /./],
    [[`@127.0.0.1:${silent}`, "--insecure"], 1, /./],
    [["NONSENSE", `@${node.address}`], 2, /no type of record/],
    [["A", "MX"], 2, /one TYPE and one @SERVER/],
    [["@https://a.example/", "--via", "dot"], 2, /--via doh, not dot/],
    [["@http:a:b"], 2, /./],
    [[`@${home.nodeId}@${node.address}`, "--via", "udp"], 2, /udp proves no node's key/],
    [["--via", "nonsense"], 2, /./],
  ];
  for (const [args, code, words] of failures) {
    const failed = await query(...args);
    equal(failed.code, code, `${args.join(" ")}: ${failed.stderr}`);
    match(failed.stderr, words);
  }
});

Deno.test({
  name: "alknet dns query --via udp: a server of others, and by TCP what does not fit",
  ...needs("nsd", "kdig"),
  async fn() {
    const texts = Array.from({ length: 20 }, (_, n) => `big TXT "${`${n}`.padEnd(200, ".")}"\n`).join("");
    const zone = `$TTL 60\n@ SOA ns mail 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n${texts}`;
    await using nsd = await startNsd({ "x.zone": zone }, 'zone:\n  name: "x.example"\n  zonefile: "x.zone"\n');
    await using home = await dnsHome();
    const query = (...args: string[]) => home.run("dns", "query", ...args, `@127.0.0.1:${nsd.port}`, "--via", "udp");
    const small = await query("ns.x.example", "--short");
    deepEqual([small.code, small.stdout], [0, "192.0.2.1\n"], small.stderr);
    const big = await query("big.x.example", "TXT", "--short");
    deepEqual([big.code, big.stdout.trim().split("\n").length], [0, 20], big.stderr);
    equal((await query("nope.example")).code, 1);
  },
});

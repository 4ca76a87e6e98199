/**
 * A node that is dialled by its id alone, found by a relay (rows 67 to 69 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { NodeKey } from "@alknet/core/identity";
import { startAlknet } from "../../../support/process.ts";
import { initHome } from "../../home.ts";
import { pkarrHome } from "./home.ts";

Deno.test("alknet dial by id: over QUIC and TLS, by a relay on the command line or in the configuration (row 67)", async () => {
  await using relay = await pkarrHome({ relay: "open" });
  await using relaying = await relay.serve();
  const at = `${relay.nodeId}@${relaying.address}`;
  await using target = await initHome();
  await using node = await target.serve();
  await using guest = await pkarrHome({ relays: [at] });
  // Whoever listens at the first address is another node.
  const addresses = ["--address", relaying.address, "--address", node.address, "--private"];
  const published = await target.run("publish", ...addresses, "--relay", at);
  equal(published.code, 0, published.stderr);
  for (const transport of ["quic", "tls"]) {
    const args = ["dial", "alknet/echo", target.nodeId, "--private", "--transport", transport];
    await using dial = startAlknet([...args, "--home", guest.path]);
    await dial.write("there and back\n");
    equal(await dial.line(""), "there and back", transport);
  }
  await using stranger = await initHome();
  const pinged = await stranger.run("ping", `pk:${target.nodeId}`, "-c", "1", "--relay", at, "--private", "--json");
  equal(pinged.code, 0, pinged.stderr);
  match(pinged.stdout, new RegExp(target.nodeId));
  const listed = await stranger.run("ops", target.nodeId, "--relay", at, "--private");
  equal(listed.code, 0, listed.stderr);
});

Deno.test("alknet dial by id: a node that says on its own networks where it is, if it is to (row 67)", async () => {
  await using target = await pkarrHome({ mdns: true });
  await using silent = await initHome();
  await using _node = await target.serve();
  await using _silent = await silent.serve();
  await using guest = await initHome();
  const pinged = await guest.run("ping", target.nodeId, "-c", "1", "--json");
  equal(pinged.code, 0, pinged.stderr);
  match(pinged.stdout, new RegExp(target.nodeId));
  for (const args of [[target.nodeId, "--no-mdns"], [silent.nodeId]]) {
    const { code, stderr } = await guest.run("ping", "-c", "1", ...args);
    equal(code, 1);
    match(stderr, /nobody knows where/);
  }
});

Deno.test("alknet dial by id: nobody knows, private addresses, nobody there, wrong usage (row 69)", async () => {
  await using relay = await pkarrHome({ relay: "open" });
  await using relaying = await relay.serve();
  const at = `${relay.nodeId}@${relaying.address}`;
  await using target = await initHome();
  const published = await target.run("publish", "--address", "127.0.0.1:1", "--private", "--relay", at);
  equal(published.code, 0, published.stderr);
  await using guest = await initHome();
  const id = target.nodeId;
  const unknown = NodeKey.generate().id;
  const short = (text: string) => `${text.slice(0, 4)}…${text.slice(-4)}`;
  const failures: readonly (readonly [string[], number, RegExp])[] = [
    [
      [unknown, "--relay", at],
      1,
      new RegExp(`nobody knows where ${short(unknown)} is \\(asked mdns, ${relay.nodeId}@\\S+\\); `),
    ],
    [[unknown, "--no-mdns"], 1, /nobody was asked\); name a relay with --relay, or write \S+@HOST:PORT/],
    [[unknown], 1, /\(asked mdns\); name a relay/],
    [[id, "--relay", at], 1, /only private addresses of itself; --private dials them/],
    [[id, "--relay", at, "--private"], 1, /127\.0\.0\.1:1/],
    [[id, "--relay", "http://relay.example"], 2, /https/],
    [[id, "--relay", at, "--insecure"], 2, /--insecure/],
    [[id.slice(1)], 2, /./],
    [["pk:nonsense"], 2, /node id/],
  ];
  for (const [args, code, words] of failures) {
    const { code: got, stdout, stderr } = await guest.run("ping", "-c", "1", ...args);
    deepEqual([got, stdout], [code, ""], `${args.join(" ")}: ${stderr}`);
    match(stderr, words);
  }
});

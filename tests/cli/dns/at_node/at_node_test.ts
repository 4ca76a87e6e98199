/**
 * `alknet dns zone` and `record` with `--node`: the zones of another process's node (dns.md §8).
 *
 * @module
 */
import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { type Output, runAlknet, start } from "../../../support/process.ts";
import { ROOT } from "../../../support/python.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { initHome } from "../../home.ts";

const ZONE = `$ORIGIN home.example.
$TTL 1h
@ SOA ns hostmaster 7 3600 600 1209600 300
  NS ns
ns A 192.0.2.53
svc 60 HTTPS 1 . alpn="h2"
`;

/** As many addresses of one name as no page and no text of the operations holds. */
const MANY = ZONE + Array.from({ length: 2000 }, (_, i) => `many A 10.0.${i >> 8}.${i & 255}\n`).join("");

/** What is said apart from when, and from the option that says where. */
function said({ code, stdout, stderr }: Output, node = "") {
  // A serial is 7 or a time in seconds.
  const plain = (text: string) => text.replaceAll(/\b\d{10}\b/g, "N").replaceAll(` --node ${node}`, "");
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}

/** Runs the same lines at a home of one's own and at another's node; all that is said has to be the same. */
async function alike(lines: (file: string) => readonly (readonly string[])[], zone = ZONE): Promise<void> {
  await using home = await initHome();
  await using there = await initHome();
  const scopes = ["--scope", "dns:read", "--scope", "dns:write"];
  equal((await there.run("authorize", home.nodeId, "--name", "friend", ...scopes)).code, 0);
  await using node = await there.serve();
  const address = `${there.nodeId}@${node.address}`;
  const file = `${home.path}/f.zone`;
  await Deno.writeTextFile(file, zone);
  for (const line of lines(file)) {
    const [here, at] = await Promise.all([home.run("dns", ...line), home.run("dns", ...line, "--node", address)]);
    deepEqual(said(at, address), said(here), line.join(" "));
  }
  const [here, at] = await Promise.all([home, there].map((one) => one.run("dns", "zone", "export", "home.example")));
  // But for the SOA, whose serial is a time.
  deepEqual(at.stdout.split("\n").slice(1), here.stdout.split("\n").slice(1));
}

Deno.test("zones of a node are worked on as those of the home: same output, same --json, same exit codes", () =>
  alike((file) => [
    ["zone", "create", "new.example", "--ns", "ns", "--ns", "ns.other.", "--mail", "a.b@new.example"],
    ["zone", "import", "home.example", file, "--dry-run"],
    ["zone", "import", "home.example", file],
    ["record", "set", "home.example", "ns", "A", "192.0.2.54"],
    ["zone", "import", "home.example", file, "--dry-run"],
    ["zone", "show", "home.example"],
    ["zone", "remove", "new.example", "--yes"],
    ["zone", "remove", "home.example"],
    ["zone", "list", "--json"],
  ]));

Deno.test("records of a node are worked on as those of the home, by pages where they are many", () =>
  alike((file) => [
    ["zone", "import", "home.example", file],
    ["record", "set", "home.example", "www", "A", "192.0.2.8"],
    ["record", "add", "home.example", "www.home.example", "A", "192.0.2.8", "--json"],
    ["record", "add", "home.example", "txt", "TXT", "a b", 'c"\\', "--ttl", "1h"],
    ["record", "list", "home.example", "--json"],
    ["record", "remove", "home.example", "many", "A"],
    ["record", "remove", "home.example", "nope", "A"],
  ], MANY));

Deno.test("what a node refuses of zones is one line, and so is --node where no node is asked", async () => {
  await using folder = await temporaryFolder();
  await using home = await initHome();
  await using there = await initHome();
  equal((await there.run("dns", "zone", "create", "home.example")).code, 0);
  const [reads, writes] = await Promise.all([["read"], ["read", "write"]].map(async (rights) => {
    const scopes = rights.flatMap((right) => ["--scope", `dns:${right}`]);
    const { stdout } = await there.run("token", "create", ...scopes);
    return ["--token-file", await folder.write(rights.join("_"), stdout.trim())];
  }));
  await using node = await there.serve();
  const at = ["--node", node.address, "--insecure"];
  const faulty = await folder.write("f.zone", `${ZONE}www A 192.0.2.7\nwww CNAME x\n`);
  const long = await folder.write("long.zone", ";".repeat(6 * 1024 * 1024 + 1));
  const add = ["record", "add", "home.example", "www", "A", "192.0.2.7"];
  const failures: readonly (readonly [string[], number, RegExp])[] = [
    [["zone", "list", ...at], 1, /FORBIDDEN: authentication required/],
    [[...add, ...at, ...reads], 1, /FORBIDDEN: .*dns:write/],
    [["zone", "export", "nope.example", ...at, ...reads], 1, /there is no zone nope\.example/],
    [["zone", "create", "home.example", ...at, ...writes], 1, /ZONE_EXISTS: .*is there already/],
    [
      ["zone", "import", "home.example", faulty, ...at, ...writes],
      1,
      /DNS_RULE: \S+f\.zone:8:5: www\.home\.example CNAME/,
    ],
    [["zone", "import", "home.example", long, ...at, ...writes], 1, /long\.zone: above 6 MiB.* without --node/],
    [["record", "add", "home.example", "www", "A", "nonsense", ...at, ...writes], 2, /no IPv4 address/],
    [[...add, ...writes], 2, /--token-file without --node/],
  ];
  const failed = await Promise.all([
    ...failures.map(([args]) => home.run("dns", ...args)),
    runAlknet(["dns", "zone", "check", faulty, ...at.slice(0, 2)]),
  ]);
  const expected = [...failures, [["zone", "check"], 2, /zone check .*asks no node; give it without --node/] as const];
  for (const [at, [args, code, words]] of expected.entries()) {
    const { code: exit, stdout, stderr } = failed[at];
    equal(exit, code, `${args.join(" ")}\n${stderr}`);
    equal(stdout, "");
    match(stderr.replace(/^alknet: warning: --insecure: .*\n/, ""), /^alknet: [^\n]+\n$/);
    match(stderr, words);
  }
  const piped = ["dns", "zone", "import", "home.example", "-", "--dry-run", ...at, ...writes, "--home", home.path];
  match(
    (await runAlknet(piped, { stdin: ZONE })).stdout,
    /^\+ ns\.[^\n]*\n\+ svc\.[^\n]*\nhome\.example: 2 added, 0 removed\n$/,
  );
  const json = await home.run("dns", "zone", "list", "--json", ...at);
  equal(JSON.parse(json.stdout).error.code, "FORBIDDEN");
});

Deno.test("a zone that somebody changes meanwhile is left as it is, and a node's nonsense reaches no terminal", async () => {
  const program = new URL("./other_node.ts", import.meta.url).pathname;
  const started = (...args: string[]) =>
    start(Deno.execPath(), ["run", "-A", "--no-check", program, ...args], { cwd: ROOT });
  await using folder = await temporaryFolder();
  const shared = ["--home", folder.join("none"), "--token", "alk_anybody", "--node"];
  await using moving = started("moving");
  await using nonsense = started("nonsense");
  const [movingAt, nonsenseAt] = await Promise.all(
    [moving, nonsense].map(async (node) => [...shared, (await node.json<{ address: string }>()).address]),
  );
  const changed = await runAlknet(["dns", "record", "set", "home.example", "www", "A", "192.0.2.8", ...movingAt]);
  equal(changed.code, 1);
  match(changed.stderr, /^alknet: DNS_SERIAL: [^\n]*it was changed since; nothing was changed, run it again\n$/);
  match(
    (await runAlknet(["dns", "record", "list", "home.example", ...movingAt])).stdout,
    /www\.home\.example\. 60 IN A 192\.0\.2\.7/,
  );
  for (
    const command of [["record", "list", "home.example"], ["zone", "export", "home.example"], [
      "zone",
      "show",
      "home.example",
    ]]
  ) {
    const { code, stdout, stderr } = await runAlknet(["dns", ...command, ...nonsenseAt]);
    equal(code, 1, stderr);
    match(stderr, /^alknet: the node's [^\n]*\n$/);
    // deno-lint-ignore no-control-regex -- those are what is looked for.
    doesNotMatch(stdout + stderr, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  }
});

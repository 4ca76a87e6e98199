/**
 * Zones of a node for stock clients: kdig, dig and curl (dns.md §2, §5, §8, §11).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type TLSSocket } from "node:tls";
import { decodeMessage, encodeMessage, formatRdata, parseName } from "@alknet/handlers/dns";
import { type Output, runProgram, startAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { initHome, type TestHome } from "./home.ts";

/** A home with a zone. */
async function dnsHome(): Promise<TestHome> {
  const home = await initHome();
  await well(home, "zone", "create", "home.example");
  return home;
}

async function dns(home: TestHome, ...args: readonly string[]): Promise<Output> {
  return await home.run("dns", ...args);
}

/** As {@linkcode dns}, and it has to do well. */
async function well(home: TestHome, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await dns(home, ...args);
  equal(code, 0, `alknet dns ${args.join(" ")}\n${stderr}`);
  return stdout;
}

/** What kdig says over TLS. */
async function kdig(port: number, ...args: readonly string[]): Promise<string> {
  const shared = ["@127.0.0.1", "-p", `${port}`, "+tls", "+timeout=5", "+retry=0"];
  const { code, stdout, stderr } = await runProgram("kdig", [...shared, ...args]);
  equal(code, 0, stdout + stderr);
  return stdout;
}

Deno.test("alknet dns: zones and records from the command line (row 79)", async () => {
  await using home = await initHome();
  const created = await dns(home, "zone", "create", "home.example");
  match(created.stdout, /^created home\.example, serial \d+\n$/);
  match(created.stderr, /give ns\.home\.example an address: alknet dns record add home\.example ns A/);
  match((await dns(home, "zone", "create", "Home.Example.")).stderr, /zone Home\.Example\. is there already/);
  match(
    await well(home, "record", "add", "home.example", "www.home.example", "A", "192.0.2.7"),
    /^added www\.home\.example\. 300 IN A 192\.0\.2\.7, serial \d+\n$/,
  );
  match(
    await well(home, "record", "add", "home.example", "www", "A", "192.0.2.7"),
    /^unchanged www\.home\.example\. 300 IN A 192\.0\.2\.7\n$/,
  );
  match(await well(home, "record", "add", "home.example", "far", "CNAME", "other."), /IN CNAME other\., serial/);
  match(
    await well(home, "record", "add", "home.example", "near", "CNAME", "other"),
    /IN CNAME other\.home\.example\., serial/,
  );
  match(
    await well(home, "record", "set", "home.example", "txt", "TXT", "a b", 'c"\\'),
    /IN TXT "a b" "c\\"\\\\" \(0 replaced\)/,
  );
  match(await well(home, "record", "set", "home.example", "www", "A", "192.0.2.8"), /\(1 replaced\), serial/);
  match(await well(home, "record", "remove", "home.example", "txt", "TXT"), /^removed 1 record, serial \d+\n$/);
  const records = (await well(home, "record", "list", "home.example", "--json")).trim().split("\n").map((text) =>
    JSON.parse(text)
  );
  deepEqual(records.map(({ name, type }) => `${name} ${type}`), [
    "home.example. SOA",
    "home.example. NS",
    "far.home.example. CNAME",
    "near.home.example. CNAME",
    "www.home.example. A",
  ]);
  match(await well(home, "zone", "list"), /^home\.example {2}primary {2}serial \d+ {2}5 records\n$/);
  const failures: readonly (readonly [string[], number, RegExp])[] = [
    [["record", "remove", "home.example", "txt", "TXT"], 1, /there is no such record/],
    [["record", "add", "home.example", "www", "CNAME", "x"], 1, /other records have this name/],
    [["record", "add", "nope.example", "www", "A", "192.0.2.1"], 1, /there is no zone nope\.example/],
    [["record", "add", "home.example", "www", "A", "nonsense"], 2, /no IPv4 address/],
    [["record", "add", "home.example", "www", "NONSENSE", "x"], 2, /no type of record/],
    [["record", "add", "home.example", "www", "A"], 2, /needs DATA/],
    [["record", "add", "home.example", "www", "A", "192.0.2.1", "--ttl", "soon"], 2, /is no time/],
    [["zone", "create", "a..b"], 2, /empty label/],
  ];
  for (const [args, code, words] of failures) {
    const failed = await dns(home, ...args);
    equal(failed.code, code, args.join(" "));
    match(failed.stderr, words);
    match(failed.stderr, /^alknet: [^\n]+\n$/);
  }
});

Deno.test({
  name: "kdig and dig over TLS get answers, negatives, referrals, aliases and wildcards (rows 32 to 36)",
  ...needs("kdig", "dig", "linux"),
  async fn() {
    await using home = await dnsHome();
    const add = (...args: string[]) => well(home, "record", "add", "home.example", ...args);
    await add("ns", "A", "192.0.2.53");
    await add("www", "A", "192.0.2.7");
    await add("*.wild", "TXT", "wildcard");
    await add("a.b", "A", "192.0.2.9");
    await add("alias", "CNAME", "www");
    await add("del", "NS", "ns.del");
    await add("ns.del", "A", "192.0.2.77");
    await using node = await home.serve();
    const { port } = node;
    match(
      await kdig(port, "www.home.example", "+padding"),
      /NOERROR[\s\S]*aa[\s\S]*www\.home\.example\.\s+300\s+IN\s+A\s+192\.0\.2\.7/,
    );
    match(await kdig(port, "nope.home.example"), /NXDOMAIN[\s\S]*home\.example\.\s+300\s+IN\s+SOA/);
    match(await kdig(port, "b.home.example"), /NOERROR[\s\S]*ANSWER: 0[\s\S]*IN\s+SOA/);
    match(await kdig(port, "x.wild.home.example", "TXT"), /x\.wild\.home\.example\.\s+300\s+IN\s+TXT\s+"wildcard"/);
    match(await kdig(port, "alias.home.example"), /IN\s+CNAME\s+www\.home\.example\.[\s\S]*IN\s+A\s+192\.0\.2\.7/);
    const referral = await kdig(port, "x.del.home.example");
    match(
      referral,
      /ANSWER: 0[\s\S]*del\.home\.example\.\s+300\s+IN\s+NS[\s\S]*ns\.del\.home\.example\.\s+300\s+IN\s+A\s+192\.0\.2\.77/,
    );
    ok(!/Flags:.* aa/.test(referral), referral);
    match(await kdig(port, "www.home.example", "ANY"), /HINFO\s+"RFC8482" ""/);
    match(await kdig(port, "elsewhere.example"), /REFUSED/);
    for (const name of ["www.home.example", "WwW.hOmE.example"]) {
      const dug = await runProgram("dig", ["@127.0.0.1", "-p", `${port}`, "+tls", "+noall", "+answer", name]);
      match(
        dug.stdout,
        new RegExp(`^${name.replaceAll(".", "\\.")}\\.\\s+300\\s+IN\\s+A\\s+192\\.0\\.2\\.7`),
        dug.stderr,
      );
    }
  },
});

Deno.test({
  name: "a record that is added beside a running node is answered within a second (row 46)",
  ...needs("kdig", "dig", "linux"),
  async fn() {
    await using home = await dnsHome();
    await using node = await home.serve();
    match(await kdig(node.port, "new.home.example"), /NXDOMAIN/);
    await well(home, "record", "add", "home.example", "new", "A", "192.0.2.3");
    await well(home, "zone", "create", "other.example");
    let answer = "";
    for (let tries = 0; tries < 50 && !answer.includes("192.0.2.3"); tries++) {
      answer = await kdig(node.port, "new.home.example");
    }
    match(answer, /192\.0\.2\.3/);
    match(await kdig(node.port, "other.example", "SOA"), /NOERROR[\s\S]*IN\s+SOA/);
    // And the next one too: the node keeps its locks, so that no command takes itself for the last user.
    for (let last = 4; last < 7; last++) {
      await well(home, "record", "set", "home.example", "new", "A", `192.0.2.${last}`);
      for (let tries = 0; tries < 50 && !answer.includes(`192.0.2.${last}`); tries++) {
        answer = await kdig(node.port, "new.home.example");
      }
      ok(answer.includes(`192.0.2.${last}`), answer);
    }
  },
});

Deno.test({
  name:
    "DoH: curl resolves by it, GET and POST are answered over h2 and http/1.1, and what is wrong is told (rows 2, 16, 78)",
  ...needs("curl", "linux"),
  async fn() {
    await using home = await dnsHome();
    await well(home, "record", "add", "home.example", "www", "A", "127.0.0.1");
    await using node = await home.serve("--transport", "tls");
    const url = `https://127.0.0.1:${node.port}/dns-query`;
    const reached = await runProgram("curl", [
      ...["-sk", "--doh-insecure", "--doh-url", url],
      `https://www.home.example:${node.port}/healthz`,
    ]);
    deepEqual([reached.code, reached.stdout], [0, "ok"], reached.stderr);
    const asked = { aa: false, tc: false, rd: true, ra: false, ad: false, cd: false };
    const query = encodeMessage({
      ...{ id: 0, response: false, opcode: 0, rcode: 0, flags: asked },
      ...{ answer: [], authority: [], additional: [] },
      question: { name: parseName("www.home.example."), type: 1, class: 1 },
    });
    const inUrl = `${url}?dns=${Buffer.from(query).toString("base64url")}`;
    const file = `${home.path}/query`;
    await Deno.writeFile(file, query);
    const post = ["-H", "content-type: application/dns-message", "--data-binary", `@${file}`, url];
    for (const version of ["--http1.1", "--http2"]) {
      for (const args of [[inUrl], post]) {
        const { stdout, head } = await curl(version, ...args);
        match(head, /^HTTP\/[\d.]+ 200/);
        match(head, /content-type: application\/dns-message/i);
        match(head, /cache-control: max-age=300/i);
        const [record] = decodeMessage(stdout).answer;
        equal(formatRdata(record.type, record.data), "127.0.0.1");
      }
    }
    const cases: readonly (readonly [string[], number])[] = [
      [["-X", "OPTIONS", url], 204],
      [["-I", inUrl], 200],
      [["-X", "PUT", url], 405],
      [[url], 400],
      [[`${url}?dns=*`], 400],
      [[`${url}?dns=${"A".repeat(7000)}`], 414],
      [["-H", "content-type: text/plain", "--data-binary", `@${file}`, url], 415],
      [["-H", "content-type: application/dns-message", "--data-binary", "x".repeat(5000), url], 413],
      [["-H", "content-type: application/dns-message", "--data-binary", "x", url], 400],
      [["-H", "accept: text/html", inUrl], 406],
      [["-H", "authorization: Bearer alk_wrong", inUrl], 401],
    ];
    for (const [args, status] of cases) {
      const { head } = await curl("--http1.1", ...args);
      match(head, new RegExp(`^HTTP/1\\.1 ${status} `), `${args.join(" ").slice(0, 100)}\n${head}`);
    }
  },
});

Deno.test("a node without zones answers /dns-query as anything else that is not there, and names over TLS with REFUSED", async () => {
  await using home = await initHome();
  await using node = await home.serve("--transport", "tls");
  const url = `https://127.0.0.1:${node.port}`;
  const [there, absent] = await Promise.all(
    ["/dns-query?dns=AAAA", "/nope"].map((path) => curl("--http1.1", url + path)),
  );
  const shape = (head: string) => head.replace(/date: .*|x-request-id: .*/gi, "");
  deepEqual(shape(there.head), shape(absent.head));
});

Deno.test("dot is served over TCP alone and doq over UDP alone, and dialled so (row 74)", async () => {
  await using home = await dnsHome();
  await home.writeConfig({ ...await home.config(), handlers: { dns: {} } });
  await using node = await home.serve();
  deepEqual(node.listening.alpns, ["dot", "doq", "alknet/dns"]);
  for (const [alpn, transport, words] of [["dot", "quic", /QUIC; use tls/], ["doq", "tls", /TCP; use quic/]] as const) {
    await using dial = startAlknet(["dial", alpn, `${home.nodeId}@${node.address}`, "--transport", transport]);
    notEqual((await dial.status).code, 0);
    match(await dial.errorLine(/alknet:/), words);
  }
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const options = { port: node.port, host: "127.0.0.1", ALPNProtocols: ["dot"], rejectUnauthorized: false };
    const socket: TLSSocket = connect(options, () => resolve(socket)).once("error", reject);
  });
  equal(socket.alpnProtocol, "dot");
  socket.destroy();
});

async function curl(...args: readonly string[]): Promise<{ head: string; stdout: Uint8Array }> {
  const { stdout } = await new Deno.Command("curl", { args: ["-sk", "-i", ...args], stdin: "null", stderr: "null" })
    .output();
  const text = Buffer.from(stdout).toString("latin1");
  const at = text.indexOf("\r\n\r\n");
  return { head: text.slice(0, at), stdout: stdout.slice(at + 4) };
}

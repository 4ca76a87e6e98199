/**
 * Operations on zones by every way there is, and answers in JSON (rows 19, 20 and 70 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { dnsHome } from "../dns_home.ts";
import { initHome } from "../home.ts";

const MCP_HEADERS = ["-H", "accept: application/json, text/event-stream"];

Deno.test({
  name: "zones are read and changed over call, REST and MCP, by who has the scope",
  ...needs("curl"),
  async fn() {
    await using home = await dnsHome();
    await using folder = await temporaryFolder();
    await home.writeConfig({ ...await home.config(), handlers: { dns: {}, call: {}, http: { mcp: true } } });
    const token = (await home.run("token", "create", "--scope", "dns:write")).stdout.trim();
    const tokenFile = await folder.write("token", token);
    await using node = await home.serve();
    const address = `${home.nodeId}@${node.address}`;
    const call = async (...args: string[]) => await home.run("call", address, ...args);
    const curl = async (path: string, body?: unknown, ...args: string[]) => {
      const url = `https://${node.address}${path}`;
      const data = body === undefined ? [] : ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
      const { stdout } = await runProgram("curl", ["-ksS", "-w", "\n%{http_code}", ...data, ...args, url]);
      const at = stdout.lastIndexOf("\n");
      return [stdout.slice(0, at), stdout.slice(at + 1)];
    };

    const change = { zone: "home.example", add: [{ name: "new", type: "A", ttl: 60, data: "192.0.2.9" }] };
    const added = await call("dns/records/change", JSON.stringify(change), "--token-file", tokenFile);
    equal(added.code, 0, added.stderr);
    equal(JSON.parse(added.stdout).added, 1);
    match((await call("dns/records/change", JSON.stringify(change))).stderr, /FORBIDDEN|scope|allowed/);

    const [asked, status] = await curl("/dns/query?name=new.home.example");
    deepEqual([JSON.parse(asked).Answer?.[0].data, status], ["192.0.2.9", "200"]);
    equal((await curl("/dns/zones/list"))[1], "401");
    equal(
      (await curl("/dns/zones/remove", { zone: "nope.example" }, "-H", `Authorization: Bearer ${token}`))[1],
      "404",
    );

    const mcp = async (method: string, params: unknown, ...args: string[]) =>
      (await curl("/mcp", { jsonrpc: "2.0", id: 1, method, params }, "-D", "-", ...MCP_HEADERS, ...args))[0];
    const client = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    const [, session] = /mcp-session-id: (\S+)/i.exec(await mcp("initialize", client)) ?? [];
    const query = { name: "call", arguments: { operation: "dns/query", input: { name: "new.home.example" } } };
    match(await mcp("tools/call", query, "-H", `mcp-session-id: ${session}`), /192\.0\.2\.9/);
  },
});

Deno.test({
  name:
    "/dns-query answers in JSON what is asked for by name (row 19), and nothing of it where there is no zone (row 20)",
  ...needs("curl"),
  async fn() {
    await using home = await dnsHome();
    for (const record of [["txt", "TXT", 'a "b" \\'], ["odd", "TYPE65280", "\\# 3 010203"]]) {
      equal((await home.run("dns", "record", "add", "home.example", ...record)).code, 0);
    }
    await using node = await home.serve();
    const get = async (query: string, ...args: string[]) => {
      const url = `https://127.0.0.1:${node.port}/dns-query?${query}`;
      const { stdout } = await runProgram("curl", ["-ksS", "-D", "-", ...args, url]);
      const [head, body] = stdout.split("\r\n\r\n");
      return { status: Number(head.split(" ")[1]), head: head.toLowerCase(), body };
    };
    const accept = ["-H", "accept: application/dns-json"];
    const plain = await get("name=www.home.example", ...accept);
    deepEqual(JSON.parse(plain.body), {
      Status: 0,
      TC: false,
      RD: true,
      RA: false,
      AD: false,
      CD: false,
      Question: [{ name: "www.home.example.", type: 1 }],
      Answer: [{ name: "www.home.example.", type: 1, TTL: 300, data: "192.0.2.7" }],
    });
    match(plain.head, /content-type: application\/dns-json/);
    match(plain.head, /cache-control: max-age=300/);
    match(plain.head, /access-control-allow-origin: \*/);
    equal(JSON.parse((await get("name=txt.home.example&type=TXT&cd=1")).body).Answer[0].data, '"a \\"b\\" \\\\"');
    equal(JSON.parse((await get("name=odd.home.example.&type=65280")).body).Answer[0].data, "\\# 3 010203");
    const negative = JSON.parse((await get("name=nope.home.example&type=mx&do=true")).body);
    deepEqual([negative.Status, negative.Answer, negative.Authority[0].type], [3, undefined, 6]);
    match(JSON.parse((await get("name=elsewhere.example")).body).Comment, /^EDE 18: /);
    const wrong: readonly (readonly [string, string[], number])[] = [
      ["name=a..b", [], 400],
      ["name=", [], 400],
      ["name=@", [], 400],
      ["name=www.home.example&type=nonsense", [], 400],
      ["name=www.home.example&type=65536", [], 400],
      ["name=www.home.example", ["-H", "accept: application/dns-message"], 406],
      ["type=A", accept, 400],
    ];
    for (const [query, args, status] of wrong) equal((await get(query, ...args)).status, status, query);
    equal((await get("name=www.home.example", "-I")).status, 200);

    await using bare = await initHome();
    await using other = await bare.serve();
    const url = `https://127.0.0.1:${other.port}`;
    const [asked, decoy] = await Promise.all(
      ["/dns-query?name=www.home.example", "/nothing"].map(async (path) =>
        (await runProgram("curl", ["-ksS", "-w", "%{http_code}", url + path])).stdout
      ),
    );
    equal(asked, decoy);
  },
});

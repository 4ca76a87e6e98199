/**
 * `alknet ops`, `call` and `subscribe` against a running node, over QUIC and TLS.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { runAlknet, runProgram, startAlknet } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { ROOT } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { initHome, type ServingNode, type TestHome } from "../home.ts";

/** A node, the address that pins it, and a token that may do everything. */
interface Setup extends AsyncDisposable {
  readonly home: TestHome;
  readonly node: ServingNode;
  readonly address: string;
  readonly tokenFile: string;
  readonly admin: readonly string[];
}

async function setup(): Promise<Setup> {
  const stack = new AsyncDisposableStack();
  const home = stack.use(await initHome());
  const folder = stack.use(await temporaryFolder());
  const { stdout } = await home.run("token", "create", "--scope", "admin");
  const tokenFile = await folder.write("token", stdout);
  const node = stack.use(await home.serve());
  return {
    home,
    node,
    address: `${home.nodeId}@${node.address}`,
    tokenFile,
    admin: ["--token-file", tokenFile, "--home", home.path],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test({
  name: "alknet serve: its operations over HTTP, for strangers and for who brings a token",
  ...needs("curl"),
  async fn() {
    await using it = await setup();
    const authorization = `Authorization: Bearer ${(await Deno.readTextFile(it.tokenFile)).trim()}`;
    const ask = async (path: string, ...args: string[]) => {
      const url = `https://${it.node.address}/${path}`;
      const { stdout } = await runProgram("curl", ["-ksS", "-w", "\n%{http_code}", ...args, url]);
      return stdout.split("\n");
    };
    const [body, status] = await ask("node/info");
    deepEqual([JSON.parse(body).nodeId, status], [it.home.nodeId, "200"]);
    equal((await ask("config/show")).at(-1), "401");
    const [shown, code] = await ask("config/show", "-H", authorization);
    deepEqual([JSON.parse(shown).static.drain_timeout_ms, code], [2000, "200"]);
  },
});

Deno.test("alknet ops, call, subscribe: what a node offers, over both transports", async (test) => {
  await using it = await setup();
  const { address, admin, home } = it;
  const alknet = (...args: string[]) => runAlknet(args);

  for (const transport of ["quic", "tls"]) {
    await test.step(`call over ${transport} prints JSON`, async () => {
      const { code, stdout, stderr } = await alknet("call", address, "node/info", "--transport", transport);
      equal(code, 0, stderr);
      equal(JSON.parse(stdout).nodeId, home.nodeId);
    });
  }
  await test.step("ops: strangers see what is open, an administrator sees all", async () => {
    const open = (await alknet("ops", address)).stdout;
    match(open, /^node\/info +query$/m);
    ok(!open.includes("tokens/"), open);
    const all = (await alknet("ops", address, ...admin, "--json")).stdout.trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    ok(all.some(({ name, type }) => name === "log/tail" && type === "subscription"));
  });
  await test.step("ops OPERATION: what it needs, takes and gives", async () => {
    const { stdout } = await alknet("ops", address, "tokens/create", ...admin);
    match(stdout, /^tokens\/create {2}mutation$/m);
    match(stdout, /^needs {3}scope admin$/m);
    match(stdout, /^input {3}\{ scopes: string\[\], description\?: string, expiresIn\?: integer \}$/m);
    const spec = JSON.parse((await alknet("ops", address, "tokens/create", ...admin, "--json")).stdout);
    equal(spec.op_type, "mutation");
    const hidden = await alknet("ops", address, "tokens/create");
    equal(hidden.code, 1);
    match(hidden.stderr, /^alknet: FORBIDDEN: authentication required$/m);
  });
  await test.step("ops --types: a program that uses them wrongly does not compile", () => checkTypes(it));
  await test.step("call with input, from the command line and from stdin", async () => {
    const made = await alknet("call", address, "tokens/create", '{"scopes":["notes:read"]}', ...admin, "--json");
    const { output } = JSON.parse(made.stdout);
    match(output.token, /^alk_/);
    const input = JSON.stringify({ prefix: output.prefix });
    const revoked = await runAlknet(["call", address, "tokens/revoke", "-", ...admin], { stdin: input });
    deepEqual([revoked.code, JSON.parse(revoked.stdout)], [0, { prefix: output.prefix }]);
  });
  await test.step("failures: one line, exit 1, and with --json the error as an answer", async () => {
    for (
      const [args, expected] of [
        [["call", address, "tokens/list"], /^alknet: FORBIDDEN: authentication required$/m],
        [["call", address, "node/inf"], /^alknet: NOT_FOUND: operation not found: node\/inf; .*node\/info/m],
        [["call", address, "tokens/lis"], /^alknet: NOT_FOUND: operation not found: tokens\/lis$/m],
        [
          ["call", address, "tokens/create", '{"scopes":7}', ...admin],
          /^alknet: INVALID_INPUT: .*scopes.*array.*; the input is \{ scopes: string\[\]/m,
        ],
      ] as const
    ) {
      const { code, stdout, stderr } = await alknet(...args);
      deepEqual([code, stdout], [1, ""]);
      match(stderr, expected);
      equal(stderr.trim().split("\n").length, 1, stderr);
    }
    const { code, stdout } = await alknet("call", address, "tokens/list", "--json");
    equal(code, 1);
    deepEqual(JSON.parse(stdout), {
      error: { code: "FORBIDDEN", message: "authentication required", retryable: false },
    });
  });
  await test.step("wrong usage: exit 2, and what to write instead", async () => {
    for (
      const [args, expected] of [
        [["call", address, "node/info", "{nodeId}"], /the input of the command line is no JSON/],
        [["call", address, "log/tail", ...admin], /log\/tail is a subscription; use: alknet subscribe/],
        [["subscribe", address, "node/info"], /node\/info is a query; use: alknet call/],
        [["ops", address, "node/info", "--types"], /leave OPERATION away/],
        [["call", address], /OPERATION/],
      ] as const
    ) {
      const { code, stderr } = await alknet(...args);
      equal(code, 2, stderr);
      match(stderr, expected);
    }
  });
  await test.step("subscribe: values as lines, as many as asked for", async () => {
    const { code, stdout } = await alknet("subscribe", address, "log/tail", '{"lines":5}', "--count", "1", ...admin);
    equal(code, 0);
    equal(typeof JSON.parse(stdout).line, "string");
  });
  await test.step("subscribe: ctrl-C ends it with 130", async () => {
    await using follow = startAlknet(["subscribe", address, "node/connections", "--json", ...admin]);
    const { output } = await follow.json<{ output: { event: string; alpn: string } }>();
    deepEqual([output.event, output.alpn], ["connection", "alknet/call"]);
    follow.kill("SIGINT");
    equal((await follow.status).code, 130);
  });
  await test.step("completions: the operations of the live node, of those that we may call", async () => {
    const offered = (await alknet("completions", "bash", "call", address, "node/")).stdout;
    match(offered, /^node\/info/m);
    ok(!offered.includes("node/stats"), offered);
    // Before the name, as in: alknet call ADDRESS --token-file FILE TAB.
    const shown = ["--token-file", it.tokenFile];
    const more = (await runAlknet(["completions", "bash", "call", address, ...shown, "tokens/"])).stdout;
    deepEqual(more.trim().split(/\s+/).toSorted(), ["tokens/create", "tokens/list", "tokens/revoke"]);
    const none = await alknet("completions", "bash", "call", "127.0.0.1:1", "no");
    deepEqual([none.code, none.stdout.trim()], [0, ""]);
  });
});

async function checkTypes({ address, admin }: Setup): Promise<void> {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await runAlknet(["ops", address, "--types", ...admin]);
  equal(code, 0, stderr);
  await folder.write("remote.d.ts", stdout);
  const head = `import type { CallClient } from "@alknet/handlers/call";
import type { RemoteOperations } from "./remote.d.ts";
declare const client: CallClient<RemoteOperations>;
`;
  const right = `const { token } = await client.call("tokens/create", { scopes: ["a"] });
export const length: number = token.length;
for await (const { line } of client.subscribe("log/tail", null)) line.toUpperCase();
`;
  const wrong = [
    `await client.call("tokens/create", { scopes: "a" });`,
    `await client.call("tokens/make", { scopes: [] });`,
    `client.subscribe("tokens/list", null);`,
  ];
  const check = async (name: string, text: string) => {
    const path = await folder.write(name, head + text);
    return await runProgram(Deno.execPath(), ["check", "--config", `${ROOT}deno.json`, path], { cwd: ROOT });
  };
  const fine = await check("right.ts", right);
  equal(fine.code, 0, fine.stderr);
  for (const [at, line] of wrong.entries()) equal((await check(`wrong${at}.ts`, line)).code, 1, line);
}

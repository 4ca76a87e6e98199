/**
 * `handlers.call.guests` in the configuration: guests of a folder, called by curl, by an MCP client and over QUIC.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { INSPECTOR, INSPECTOR_LOCK } from "../setup/packages.ts";
import { runProgram } from "../support/process.ts";
import { LiveGuest } from "../../cli/guests/live_guest.ts";
import { needs } from "../support/programs.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome, type ServingNode, type TestHome } from "./home.ts";

const JOBS = `
import { twice } from "./lib/twice.ts";

const numbers = { type: "object", properties: { a: { type: "number" } }, required: ["a"], additionalProperties: false };
const handlers: Record<string, (input: { a: number }) => unknown> = {
  sum: ({ a }) => twice(a) + 1,
  slow: ({ a }) => new Promise((done) => setTimeout(() => done(twice(a)), a)),
  loop: () => [].indexOf.call({ length: 2 ** 53 - 1 }, 1 as never),
  node: async () => (await env["node/info"]()).nodeId,
  doors: () => [Object.keys(env).sort(), typeof env["tokens/list"], typeof fetch, typeof Deno],
};
for (const [name, handler] of Object.entries(handlers)) ops.register({ name, input: numbers, handler, type: "query" });
ops.register({
  name: "count",
  type: "subscription",
  async *handler({ a }: { a: number }) {
    for (let i = 0; i < a; i++) yield i;
  },
});
console.log("ready\\x1b[31m");
`;
const TWICE = "export const twice = (n: number): number => 2 * n;\n";

interface GuestNode extends AsyncDisposable {
  readonly home: TestHome;
  readonly node: ServingNode;
  readonly guests: string;
  /** Calls an operation over HTTP: its status, and what it answers. */
  call(operation: string, input: unknown, token?: string): Promise<[status: number, output: unknown]>;
  readonly token: string;
}

/** A home with a folder of guests. */
async function homeOf(files: Readonly<Record<string, string>>, config: Readonly<Record<string, unknown>> = {}) {
  const home = await initHome();
  const guests = join(home.path, "guests");
  for (const [name, text] of Object.entries(files)) await put(guests, name, text);
  await home.writeConfig({
    ...await home.config(),
    handlers: {
      call: { guests: { folder: "guests", compute_ms: 10_000, ...config } },
      http: { mcp: true, direct: true },
    },
  });
  return { home, guests };
}

async function put(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeTextFile(`${path}.next`, text);
  await Deno.rename(`${path}.next`, path);
}

async function guestNode(
  files: Readonly<Record<string, string>>,
  config = {},
  folders: readonly string[] = [],
): Promise<GuestNode> {
  const { home, guests } = await homeOf(files, config);
  for (const folder of folders) await Deno.mkdir(join(home.path, folder));
  const { stdout } = await home.run("token", "create", "--scope", "jobs:call");
  const token = stdout.trim();
  const node = await home.serve();
  return {
    home,
    node,
    guests,
    token,
    async call(operation, input, as = token) {
      const { stdout } = await runProgram("curl", [
        ...["-ksS", "-w", "\n%{http_code}", "-H", "content-type: application/json"],
        ...(as === "" ? [] : ["-H", `authorization: Bearer ${as}`]),
        ...["-d", JSON.stringify({ operation, input }), `https://${node.address}/call`],
      ]);
      const [body, status] = stdout.split("\n");
      const answer = JSON.parse(body);
      return [Number(status), status === "200" ? answer.output : answer.code];
    },
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

Deno.test({
  name: "guests of a folder: called by curl, by an MCP client and over QUIC, by those who may",
  ...needs("curl"),
  async fn() {
    const files = { "jobs.ts": JOBS, "lib/twice.ts": TWICE, "notes.txt": "no guest" };
    await using it = await guestNode(files, { guests: { jobs: { calls: ["node/info"] } } });
    deepEqual(await it.call("jobs/sum", { a: 20 }), [200, 41]);
    deepEqual(await it.call("jobs/sum", { a: "20" }), [422, "INVALID_INPUT"]);
    equal((await it.call("jobs/sum", { a: 20 }, ""))[1], "FORBIDDEN");
    deepEqual(await it.call("jobs/node", { a: 0 }), [200, it.home.nodeId]);
    const doors = ["node", "node/info"];
    deepEqual(await it.call("jobs/doors", { a: 0 }), [200, [doors, "undefined", "undefined", "undefined"]]);
    const [, schema] = await it.call("services/schema", { name: "jobs/sum" });
    deepEqual((schema as { input_schema: { required: string[] } }).input_schema.required, ["a"]);

    const file = join(it.guests, "token");
    await Deno.writeTextFile(file, it.token, { mode: 0o600 });
    const address = `${it.home.nodeId}@${it.node.address}`;
    const over = ["--transport", "quic", "--token-file", file];
    const called = await it.home.run("call", address, "jobs/sum", '{"a":1}', ...over);
    deepEqual([called.code, called.stdout.trim()], [0, "3"], called.stderr);
    const counted = await it.home.run("subscribe", address, "jobs/count", '{"a":3}', ...over);
    deepEqual([counted.code, counted.stdout.trim().split("\n")], [0, ["0", "1", "2"]], counted.stderr);

    const inspect = ["run", "-A", "--quiet", ...INSPECTOR_LOCK, "--no-config", "--cached-only"]
      .concat("--unsafely-ignore-certificate-errors=localhost", INSPECTOR, "--cli")
      .concat(`https://localhost:${it.node.port}/mcp`, "--transport", "http")
      .concat("--header", `Authorization: Bearer ${it.token}`, "--method", "tools/call", "--tool-name", "call")
      .concat("--tool-arg", "operation=jobs/sum", "--tool-arg", 'input={"a":4}');
    const { stdout, stderr } = await runProgram(Deno.execPath(), inspect, { env: { NO_COLOR: "1" } });
    match(stdout, /\b9\b/, stderr);
  },
});

Deno.test({
  name: "guests of a folder: one that loops in native code is killed and started anew, the others go on",
  ...needs("curl"),
  async fn() {
    const other = 'ops.register({ name: "hello", handler: () => "hello" });\n';
    await using it = await guestNode({ "jobs.ts": JOBS, "lib/twice.ts": TWICE, "other.js": other }, {
      compute_ms: 2000,
      guests: { other: { scopes: ["jobs:call"] } },
    });
    const looping = it.call("jobs/loop", { a: 1 });
    deepEqual(await it.call("other/hello", {}), [200, "hello"]);
    notEqual((await looping)[0], 200);
    deepEqual(await it.call("jobs/sum", { a: 2 }), [200, 5]);
  },
});

Deno.test({
  name: "guests of a folder: a file that changes is used as it is now; calls that run end as they began",
  ...needs("curl"),
  async fn() {
    await using it = await guestNode({ "jobs.ts": JOBS, "lib/twice.ts": TWICE });
    const running = it.call("jobs/slow", { a: 3000 });
    // It has begun where another call that was made after it is answered.
    deepEqual(await it.call("jobs/sum", { a: 1 }), [200, 3]);
    await put(it.guests, "lib/twice.ts", TWICE.replace("2 *", "3 *"));
    await it.node.child.errorLine(/guest jobs: its file has changed/);
    deepEqual(await it.call("jobs/sum", { a: 1 }), [200, 4]);
    deepEqual(await running, [200, 6000]);

    await put(it.guests, "jobs.ts", JOBS + "const wrong: number = ;\n");
    await it.node.child.errorLine(/guest jobs stays as it was: .*jobs\.ts:\d+:\d+/);
    deepEqual(await it.call("jobs/sum", { a: 1 }), [200, 4]);
    await put(it.guests, "jobs.ts", JOBS + 'ops.register({ name: "more", handler: () => 1 });\n');
    await it.node.child.errorLine(/guest jobs stays as it was: .*offers other operations/);
    await put(it.guests, "jobs.ts", JOBS.replace("+ 1", "+ 2"));
    await it.node.child.errorLine(/guest jobs: its file has changed/);
    deepEqual(await it.call("jobs/sum", { a: 1 }), [200, 5]);
  },
});

Deno.test("a guest that ends too often rests for a while, and goes on then", async () => {
  await using folder = await temporaryFolder();
  const file = await folder.write(
    "jobs.js",
    `ops.register({ name: "loop", handler: () => [].indexOf.call({ length: 2 ** 53 - 1 }, 1) });
    ops.register({ name: "hello", handler: () => "hello" });`,
  );
  let now = 0;
  const options = { name: "jobs", file, limits: { cpu: 1000 }, grants: { operations: [], host: {} }, now: () => now };
  await using guest = await LiveGuest.start(options);
  for (let times = 0; times < 3; times++) {
    equal(await guest.invoke("hello", null), "hello");
    now += 1000;
    await rejects(guest.invoke("loop", null), { code: "E_KILLED" });
  }
  await rejects(guest.invoke("hello", null), { code: "E_UNAVAILABLE", message: /rests for 8 s/ });
  now += 7999;
  await rejects(guest.invoke("hello", null), { code: "E_UNAVAILABLE" });
  now += 1;
  equal(await guest.invoke("hello", null), "hello");
});

Deno.test({
  name: "guests of a folder: fetch and fs as the configuration grants them, and no further",
  ...needs("curl", "linux"),
  async fn() {
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("seen"));
    const origin = `http://127.0.0.1:${server.addr.port}`;
    const caught = ".catch((error) => error.code)";
    const source = `
      ops.register({ name: "get", handler: (url) => fetch(url).then((answer) => answer.text())${caught} });
      ops.register({ name: "read", handler: (path) => fs.readTextFile(path)${caught} });
      ops.register({ name: "write", handler: (path) => fs.writeFile(path, "new").then(() => "written")${caught} });
    `;
    const poor = 'ops.register({ name: "doors", handler: () => [typeof fetch, typeof fs] });';
    await using it = await guestNode({ "jobs.js": source, "poor.js": poor }, {
      guests: {
        jobs: { fetch: [origin], folders: ["data", "out:readwrite"] },
        poor: { scopes: ["jobs:call"] },
      },
    }, ["data", "out"]);
    await Deno.writeTextFile(join(it.home.path, "data/a"), "text");
    for (
      const [operation, input, output] of [
        ["jobs/get", `${origin}/`, "seen"],
        ["jobs/get", `https://127.0.0.1:${it.node.port}/`, "FETCH_REFUSED"],
        ["jobs/read", "/data/a", "text"],
        ["jobs/read", "/data/../config.json", "FS_REFUSED"],
        ["jobs/write", "/data/b", "FS_REFUSED"],
        ["jobs/write", "/out/b", "written"],
        ["jobs/read", "/out/b", "new"],
        ["poor/doors", null, ["undefined", "undefined"]],
      ] as const
    ) {
      deepEqual(await it.call(operation, input), [200, output], `${operation} ${input}`);
    }
  },
});

Deno.test({
  name: "guests of a folder: a GPU as the configuration grants it",
  ...needs("curl", "vulkan"),
  async fn() {
    const source = `ops.register({ name: "keep", handler: (bytes) =>
      typeof gpu === "undefined" ? "none" : gpu.buffer(bytes).then(() => "kept", (error) => error.code) });`;
    await using it = await guestNode({ "jobs.js": source, "poor.js": source }, {
      guests: { jobs: { gpu: 2 }, poor: { scopes: ["jobs:call"] } },
    });
    deepEqual(await it.call("jobs/keep", 1 << 20), [200, "kept"]);
    deepEqual(await it.call("jobs/keep", 1 << 21), [200, "GPU_LIMIT"]);
    deepEqual(await it.call("poor/keep", 4), [200, "none"]);
  },
});

Deno.test("guests of a folder: what is wrong is said at the start", async () => {
  const right = { "jobs.js": 'ops.register({ name: "a", handler: () => 1 });\n' };
  const cases: [files: Readonly<Record<string, string>>, config: Readonly<Record<string, unknown>>, error: RegExp][] = [
    [{ "jobs.js": "ops.register({\n  name: 'a' handler });\n" }, {}, /GUEST_FAILED|jobs\.js:2:\d+/],
    [{ "jobs.js": "export default 1;\n" }, {}, /jobs\.js: it offers no operation/],
    [{ "Jobs.js": "" }, {}, /Jobs\.js is no name of a guest/],
    [{ "node.js": "" }, {}, /node\.js has a name of the node's own/],
    [{ "jobs.js": "", "jobs.ts": "" }, {}, /two files are called jobs/],
    [right, { folder: "nowhere" }, /handlers\.call\.guests\.folder: .*nowhere/],
    [right, { guests: { other: {} } }, /guests\.other: folder .* has no guest of that name/],
    [right, { guests: { jobs: { calls: ["no/such"] } } }, /guests\.jobs\.calls: operation no\/such cannot be granted/],
    [right, { guests: { jobs: { fetch: ["https://*.example"] } } }, /guests\.jobs\.fetch\[0\]: origin .* no patterns/],
    [right, { guests: { jobs: { folders: ["nowhere"] } } }, /guests\.jobs\.folders\[0\]: \/.*nowhere is no folder/],
    [
      right,
      { guests: { jobs: { folders: ["guests", "./guests:write"] } } },
      /folders: two folders are called \/guests/,
    ],
    [right, { memory: 1 }, /handlers\.call\.guests\.memory/],
  ];
  for (const [files, config, error] of cases) {
    const { home } = await homeOf(files, config);
    await using _home = home;
    const { code, stderr } = await home.run("serve", "--listen", "127.0.0.1:0");
    equal(code, 1, stderr);
    match(stderr, error);
    ok(stderr.trim().split("\n").length <= 4, stderr);
  }
  const { home, guests } = await homeOf(right);
  await using _home = home;
  await Deno.chmod(guests, 0o777);
  const { code, stderr } = await home.run("serve", "--listen", "127.0.0.1:0");
  equal(code, 1, stderr);
  match(stderr, /folder of guests .* may be written by everyone/);
});

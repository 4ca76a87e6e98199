/**
 * `alknet import`, and nodes that offer what they imported: of a FastAPI service, of a server made with the official MCP
 * library, and of another node.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { McpService } from "../handlers/http/import/mcp_service.ts";
import { runAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { startPeer } from "../support/python.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temp.ts";
import { initHome, type ServingNode, type TestHome } from "./home.ts";

const SECRET = "s3cret-of-the-service";

/** A home, a folder beside it, a file with a credential, and ways to call its node. */
interface Setup extends AsyncDisposable {
  readonly home: TestHome;
  readonly folder: TemporaryFolder;
  readonly credentialFile: string;
  import(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Calls with a token of these scopes. */
  caller(scope: string): Promise<(node: ServingNode, ...args: string[]) => ReturnType<TestHome["run"]>>;
}

async function setup(): Promise<Setup> {
  const stack = new AsyncDisposableStack();
  const home = stack.use(await initHome());
  const folder = stack.use(await temporaryFolder());
  const credentialFile = await folder.write("credential", `${SECRET}\n`);
  await Deno.chmod(credentialFile, 0o600);
  return {
    home,
    folder,
    credentialFile,
    import: (...args) => home.run("import", ...args),
    async caller(scope) {
      const { stdout } = await home.run("token", "create", "--scope", scope);
      const file = await folder.write(`token-${scope.replaceAll(":", "-")}`, stdout);
      return (node, ...args) =>
        home.run("call", `${home.nodeId}@${node.address}`, ...args, "--token-file", file, "--json");
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function importsOf(home: TestHome): Promise<unknown> {
  const { handlers } = await home.config() as { handlers: { call: { imports?: unknown } } };
  return handlers.call.imports;
}

Deno.test({
  name: "alknet import openapi: a FastAPI service, called with its credential by who has the scope (http.md §11.2)",
  ...needs("python"),
  async fn() {
    await using it = await setup();
    const { home, credentialFile } = it;
    await using service = startPeer("fastapi_peer.py", [SECRET]);
    const { port } = await service.json<{ port: number }>();
    const url = `http://127.0.0.1:${port}/openapi.json`;
    const args = ["openapi", url, "--namespace", "pets", "--credential-file", credentialFile];

    const tried = await it.import(...args, "--dry-run");
    deepEqual([tried.code, tried.stdout], [0, "pets/get_pet  query\npets/put_pet  mutation\n"], tried.stderr);
    equal(await importsOf(home), undefined, "a dry run writes nothing");
    const added = await it.import(...args, "--json");
    equal(added.code, 0, added.stderr);
    const entry = {
      kind: "openapi",
      url,
      namespace: "pets",
      base_url: `http://127.0.0.1:${port}`,
      auth: { type: "bearer" },
      credential: { file: credentialFile },
    };
    const { import: told, written, operations } = JSON.parse(added.stdout);
    deepEqual([told, written, operations.length], [entry, true, 2]);
    deepEqual(await importsOf(home), [entry]);

    const again = await it.import(...args);
    deepEqual([again.code, /already/.test(again.stderr)], [1, true], again.stderr);
    equal((await it.import(...args, "--replace", "--only", "get_pet", "--only", "put_pet")).code, 0);

    await using node = await home.serve();
    const call = await it.caller("pets:call");
    const put = await call(node, "pets/put_pet", '{"pet_id":"a/b","body":{"name":"rex","age":3}}');
    // FastAPI does not match an encoded slash: what its path says is what counts.
    equal(JSON.parse(put.stdout).error.code, "HTTP_404", put.stdout);
    const made = await call(node, "pets/put_pet", '{"pet_id":"rex","body":{"name":"rex","age":3}}');
    deepEqual(JSON.parse(made.stdout), { output: { name: "rex", age: 3 } }, made.stderr);
    const got = await call(node, "pets/get_pet", '{"pet_id":"rex","loud":true}');
    deepEqual(JSON.parse(got.stdout), { output: { name: "REX", age: 3 } });
    const gone = JSON.parse((await call(node, "pets/get_pet", '{"pet_id":"tom"}')).stdout).error;
    deepEqual([gone.code, gone.details], ["HTTP_404", { detail: "no such pet" }]);
    const wrong = await call(node, "pets/put_pet", '{"pet_id":"rex","body":{"age":"old"}}');
    equal(JSON.parse(wrong.stdout).error.code, "INVALID_INPUT");
    const stranger = await it.caller("other:call");
    equal(JSON.parse((await stranger(node, "pets/get_pet", '{"pet_id":"rex"}')).stdout).error.code, "FORBIDDEN");
    // Over HTTP it is an operation like any other.
    const asked = await home.run("ops", `${home.nodeId}@${node.address}`);
    ok(!asked.stdout.includes("pets/"), "strangers do not see it");
    for (const { stdout, stderr } of [tried, added, put, made, got]) ok(!(stdout + stderr).includes(SECRET));
  },
});

Deno.test("alknet import mcp: the tools of the official library's server, with a token from the vault (http.md §11.4)", async () => {
  await using it = await setup();
  const { home } = it;
  await using service = new McpService(SECRET);
  const args = ["mcp", service.url, "--namespace", "tools"];

  const refused = await it.import(...args);
  equal(refused.code, 1);
  match(refused.stderr, /import tools \(mcp\): .*refuses the credential/);
  equal(await importsOf(home), undefined);

  const sealed = await runAlknet(["vault", "seal", "tools", "--home", home.path], { stdin: SECRET });
  equal(sealed.code, 0, sealed.stderr);
  const added = await it.import(...args, "--credential", "tools", "--scope", "tools:use", "--only", "add");
  deepEqual([added.code, added.stdout], [0, "tools/add  mutation\n"], added.stderr);
  deepEqual(await importsOf(home), [{
    kind: "mcp",
    url: service.url,
    namespace: "tools",
    credential: { vault: "tools" },
    scopes: ["tools:use"],
    only: ["add"],
  }]);
  ok(!(await Deno.readTextFile(`${home.path}/config.json`)).includes(SECRET));

  await using node = await home.serve();
  const call = await it.caller("tools:use");
  deepEqual(JSON.parse((await call(node, "tools/add", '{"a":2,"b":3}')).stdout), { output: { sum: 5 } });
  const other = JSON.parse((await call(node, "tools/say", "{}")).stdout);
  equal(other.error.code, "NOT_FOUND", "only what was named is imported");
  await service.forget();
  await call(node, "tools/add", '{"a":2,"b":3}');
  deepEqual(JSON.parse((await call(node, "tools/add", '{"a":1,"b":1}')).stdout), { output: { sum: 2 } });
  ok(service.tokens.filter((token) => token === `Bearer ${SECRET}`).length > 2);
});

Deno.test("alknet import node: operations of another node, which is dialled again after it was gone (call.md §19)", async () => {
  await using it = await setup();
  await using far = await initHome();
  await using folder = await temporaryFolder();
  const { stdout: token } = await far.run("token", "create", "--scope", "admin");
  const tokenFile = await folder.write("token", token);
  await Deno.chmod(tokenFile, 0o600);
  let farNode = await far.serve();
  try {
    const address = `${far.nodeId}@${farNode.address}`;
    const args = ["node", address, "--namespace", "far", "--credential-file", tokenFile];
    const added = await it.import(...args);
    equal(added.code, 0, added.stderr);
    ok(added.stdout.includes("far/node/info  query\n") && added.stdout.includes("far/tokens/list  query\n"));

    await using node = await it.home.serve();
    const call = await it.caller("far:call");
    const info = async () => JSON.parse((await call(node, "far/node/info")).stdout);
    equal((await info()).output.nodeId, far.nodeId);
    const listed = JSON.parse((await call(node, "far/tokens/list")).stdout);
    ok(listed.output, "the far node sees the token of the import");

    const { port } = farNode;
    await farNode[Symbol.asyncDispose]();
    equal((await info()).error.code, "INTERNAL");
    farNode = await far.serve("--listen", `127.0.0.1:${port}`);
    equal((await info()).output.nodeId, far.nodeId);
  } finally {
    await farNode[Symbol.asyncDispose]();
  }
});

Deno.test("alknet serve: an import that fails costs its operations, not the node", async () => {
  await using it = await setup();
  const { home, folder } = it;
  await using service = new McpService();
  const config = await home.config();
  const closed = "http://127.0.0.1:1/mcp";
  const broken = await folder.write("broken.json", '{"openapi":"3.1.0"}');
  const imports = [
    { kind: "mcp", url: closed, namespace: "gone" },
    { kind: "openapi", url: broken, base_url: "http://127.0.0.1:1", namespace: "broken" },
    { kind: "mcp", url: service.url, namespace: "tools", credential: { file: "missing" } },
    { kind: "mcp", url: "http://example.invalid/mcp", namespace: "plain", credential: { file: it.credentialFile } },
    { kind: "mcp", url: service.url, namespace: "tokens" },
    { kind: "mcp", url: service.url, namespace: "good" },
    { kind: "mcp", url: service.url, namespace: "good" },
  ];
  await home.writeConfig({ ...config, handlers: { call: { imports } } });
  await using node = await home.serve();
  const call = await it.caller("admin");
  deepEqual(JSON.parse((await call(node, "good/say", "{}")).stdout), { output: "plain text" });
  equal(JSON.parse((await call(node, "gone/say", "{}")).stdout).error.code, "NOT_FOUND");
});

Deno.test("alknet serve: an import that the schema refuses is a wrong configuration, and says where", async () => {
  await using it = await setup();
  const config = await it.home.config();
  for (
    const [entry, said] of [
      [
        { kind: "soap", url: "x", namespace: "a" },
        /handlers\.call\.imports\[0\]\.kind: expected "openapi", "mcp" or "node"/,
      ],
      [{ kind: "mcp", url: "x" }, /handlers\.call\.imports\[0\]\.namespace: expected a value, found nothing/],
      [
        { kind: "mcp", url: "x", namespace: "a", credential: SECRET },
        /handlers\.call\.imports\[0\]\.credential: expected object/,
      ],
      [{ kind: "mcp", url: "x", namespace: "a", token: SECRET }, /handlers\.call\.imports\[0\]/],
    ] as const
  ) {
    await it.home.writeConfig({ ...config, handlers: { call: { imports: [entry] } } });
    const { code, stderr } = await it.home.run("serve", "--listen", "127.0.0.1:0");
    equal(code, 1);
    match(stderr, said);
    ok(!stderr.includes(SECRET), stderr);
  }
});

Deno.test("alknet import: what makes no sense is said before anything is asked or written", async () => {
  await using it = await setup();
  const { credentialFile } = it;
  const credential = ["--credential-file", credentialFile];
  for (
    const [args, code, said] of [
      [["mcp", "ftp://x", "--namespace", "a"], 2, /absolute http or https URL/],
      [["mcp", "http://u:p@127.0.0.1/", "--namespace", "a"], 2, /must not hold a user or password/],
      [["mcp", "http://127.0.0.1:1/", "--namespace", "a/b"], 2, /no segment of a name/],
      [["mcp", "http://127.0.0.1:1/", "--namespace", "tokens"], 2, /the node's own/],
      [["mcp", "http://example.invalid/", "--namespace", "a", ...credential], 2, /not sent over plain http/],
      [["mcp", "http://127.0.0.1:1/", "--namespace", "a", "--credential", "x", ...credential], 2, /exclude each other/],
      [["mcp", "http://127.0.0.1:1/", "--namespace", "a", "--credential", "x"], 1, /no credential is named "x"/],
      [["mcp", "http://127.0.0.1:1/", "--namespace", "a"], 1, /gave no list of tools/],
      [["openapi", "http://127.0.0.1:1/", "--namespace", "a", "--auth", "basic"], 2, /needs a credential/],
      [["openapi", "/does/not/exist", "--namespace", "a"], 1, /cannot read \/does\/not\/exist/],
      [["node", "127.0.0.1:1", "--namespace", "a"], 1, /cannot be reached|import a \(node\)/],
      [["mcp", "http://127.0.0.1:1/"], 2, /--namespace/],
    ] as const
  ) {
    const { code: ended, stdout, stderr } = await it.import(...args);
    deepEqual([ended, stdout], [code, ""], `${args.join(" ")}: ${stderr}`);
    match(stderr, said);
    equal(stderr.trim().split("\n").length, 1, stderr);
  }
  equal(await importsOf(it.home), undefined);
});

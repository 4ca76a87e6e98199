/**
 * The commands of the README's tour, as they stand there: run against a node on a free port.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runProgram, start, startAlknet } from "./support/process.ts";
import { needs } from "./support/programs.ts";
import { ROOT } from "./support/python.ts";
import { temporaryFolder } from "./support/temp.ts";

const DENO = "npx -y deno@2.9.6";
const README = await Deno.readTextFile(`${ROOT}README.md`);

/** What the tour's commands print, in order. `ID` stands for the node's id, `TOKEN` for any token. */
const PRINTS: readonly RegExp[] = [
  /^ID$/m,
  /^ok over HTTP\/2$/m,
  /^ok over HTTP\/1.1$/m,
  /^ALPN protocol: h2$/m,
  /alert number 120$/m,
  /^subject=CN = ID$/m,
  /answered over quic/,
  /^peer ID$/m,
  /answered over tls/,
  /^peer ID$/m,
  /^hello$/m,
  /^laptop +notes:read/m,
  /^TOKEN$/m,
  /^alk_\S{4} +notes:read .*reader on the phone$/m,
  /answered over quic/,
  /✓ key: node ID/,
  /^(?:[a-z]+ ){23}[a-z]+$/m,
  /^sealed api-key$/m,
  /^sk-123$/m,
  /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI\S+$/m,
  /^0x[0-9a-fA-F]{40}$/m,
  /^node\/info +query$/m,
  /^input +\{ scopes: string\[\],/m,
  /"nodeId": "ID"/,
  /^\{"output":\{"token":"alk_/m,
  /^\{"line":"/m,
  /other\/node\/info +query$/m,
  /^8e4c7c1b99[0-9a-f]{54} {2}6 B {2}hello.txt$/m,
  /^8e4c7c1b99[0-9a-f]{54} {2}6 B {2}.*copy.txt$/m,
  /^hello$/m,
];

Deno.test({
  name: "README.md: the tour's commands do what it says",
  ...needs("curl", "openssl"),
  async fn() {
    const tour = section("A tour of five minutes");
    await using folder = await temporaryFolder();
    const home = folder.join("tour");
    await using node = startAlknet(["serve", "--home", home, "--listen", "127.0.0.1:0", "--json"]);
    const { nodeId, addresses } = await node.json<{ nodeId: string; addresses: string[] }>();
    const port = /:(\d+)$/.exec(addresses[0])![1];

    const commands = blocks(tour, "sh").filter((block) => !/alknet serve|shout/.test(block));
    const script = commands.join("\n").replaceAll("4433", port).replaceAll("./", `${folder.path}/`);
    const { code, stdout, stderr } = await runProgram("bash", ["-eu", "-c", script.replaceAll(DENO, Deno.execPath())], {
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    });
    assert.equal(code, 0, stdout + stderr);
    let rest = stdout.replaceAll(nodeId, "ID").replace(/^alk_[\w-]{43}$/m, "TOKEN");
    for (const expected of PRINTS) {
      const found = expected.exec(rest);
      assert.ok(found, `${expected} not in:\n${rest}\nstderr:\n${stderr}`);
      rest = rest.slice(found.index + found[0].length);
    }
  },
});

Deno.test("README.md: the handler of your own answers over QUIC and TLS", async () => {
  const [code] = blocks(section("A tour of five minutes"), "ts");
  await using folder = await temporaryFolder();
  // Port 0 instead of the page's, and the port said.
  const program = code.replace("127.0.0.1:4434", "127.0.0.1:0").replace(
    "node.nodeId",
    "`${node.nodeId}@127.0.0.1:${node.addresses[0].port}`",
  );
  assert.notEqual(program, code);
  const path = await folder.write("shout.ts", program);
  await using node = start(Deno.execPath(), ["run", "-A", "--config", `${ROOT}deno.json`, path]);
  const address = await node.line(/@127\.0\.0\.1:\d+$/);
  for (const transport of ["quic", "tls"]) {
    const dial = ["run", "-A", "cli/main.ts", "dial", "example/shout", address, "--transport", transport];
    const { code, stdout, stderr } = await runProgram(Deno.execPath(), dial, { cwd: ROOT, stdin: "hello\n" });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "HELLO\n" }, stderr);
  }
});

Deno.test("README.md: the links to files of this project lead somewhere", async () => {
  const missing: string[] = [];
  for (const [, target] of README.matchAll(/\]\(([^)#:]+)\)/g)) {
    await Deno.stat(ROOT + target).catch(() => missing.push(target));
  }
  assert.deepEqual(missing, []);
});

/** The text under one heading. */
function section(heading: string): string {
  const found = README.split(/^## /m).find((part) => part.startsWith(heading));
  assert.ok(found, `no section ${heading}`);
  return found;
}

/** The code blocks of one language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp("^```" + language + "[^\n]*\n(.*?)^```", "gms"))].map(([, code]) => code);
}

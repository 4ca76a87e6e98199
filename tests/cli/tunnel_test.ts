/**
 * `alknet tunnel` through a node over both transports, used by curl; the SSH server behind the node is OpenSSH's.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../core/transports/quic/quic.ts";
import "../../core/transports/quic/linux/call_table.ts";
import { router } from "@alknet/core";
import { defineHandler } from "@alknet/core/handler";
import { equal, match, notEqual } from "node:assert/strict";
import { sshd } from "../handlers/tunnel/sshd.ts";
import { runAlknet, runProgram, startAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { temporaryFolder } from "../support/temp.ts";
import { nextEvent } from "./home.ts";

for (const transport of ["quic", "tls"] as const) {
  Deno.test({
    name: `alknet tunnel --transport ${transport}: -L, -R and -D at once, and ctrl-C ends it with 130 (ssh.md row 5)`,
    ...needs("sshd", "ssh-keygen", "root", "curl"),
    async fn() {
      await using home = await temporaryFolder();
      await using far = await sshd();
      await using web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("wiki"));
      const handler = defineHandler({ alpns: ["alknet/ssh"], handle: (connection) => far.serve(connection) });
      await using endpoint = await router().use(handler).listen({ transports: [transport] });
      const [{ hostname, port }] = endpoint.addresses;
      const to = `127.0.0.1:${web.addr.port}`;
      await using tunnel = startAlknet([
        ...["tunnel", `${endpoint.nodeId}@${hostname}:${port}`, "--transport", transport, "--home", home.path],
        ...["-l", far.user, "-i", far.keyFile, "-L", `0:${to}`, "-R", `0:${to}`, "-D", "0", "--json"],
      ]);
      const at: Record<string, string> = {};
      while (Object.keys(at).length < 3) {
        const event = await nextEvent(tunnel, "listening");
        at[event.kind as string] = event.at as string;
      }
      equal((await nextEvent(tunnel, "connected")).transport, transport);
      for (
        const args of [
          [`http://${at.local}/`],
          [`http://${at.remote}/`],
          ["--socks5-hostname", at.dynamic, `http://localhost:${web.addr.port}/`],
        ]
      ) {
        const { code, stdout, stderr } = await runProgram("curl", ["-sS", ...args]);
        equal(stdout, "wiki", `${code} ${stderr}`);
      }
      const stats = await nextEvent(tunnel, "stats");
      notEqual(stats.sent, undefined);
      tunnel.kill("SIGINT");
      equal((await tunnel.status).code, 130);
    },
  });
}

Deno.test({
  name: "alknet tunnel: a key that is not known, one with a passphrase, and no key at all: one line each, exit code 1",
  ...needs("sshd", "ssh-keygen", "root"),
  async fn() {
    await using home = await temporaryFolder();
    await using far = await sshd();
    const handler = defineHandler({ alpns: ["alknet/ssh"], handle: (connection) => far.serve(connection) });
    await using endpoint = await router().use(handler).listen({ transports: ["tls"] });
    const [{ hostname, port }] = endpoint.addresses;
    const address = `${endpoint.nodeId}@${hostname}:${port}`;
    const make = async (name: string, passphrase: string): Promise<string> => {
      await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", home.join(name)]);
      return home.join(name);
    };
    const cases: readonly [file: string, says: RegExp][] = [
      [await make("unknown", ""), /login as ".+" was refused: no key that was tried is known there/],
      [await make("locked", "secret"), /has a passphrase; load it with: ssh-add/],
      [`${home.join("unknown")}.pub`, /holds no private key; give the file without \.pub/],
    ];
    for (const [file, says] of cases) {
      const args = [
        "tunnel",
        address,
        "--transport",
        "tls",
        "--home",
        home.path,
        "-l",
        far.user,
        "-i",
        file,
        "-D",
        "0",
      ];
      const { code, stderr } = await runAlknet([...args, "--json"]);
      equal(code, 1);
      match(stderr, says);
      equal(stderr.trimEnd().split("\n").length, 1, stderr);
    }
  },
});

/**
 * A served node for clients of few words: plain DNS for dig, drill and `alknet dns query` (dns.md §2.4; row 1), and DNS over
 * TLS for those that name no protocol (rows 8, 76).
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { dnsHome } from "../dns_home.ts";
import { freeTcpPort, startUnbound } from "../../support/unbound.ts";
import type { TestHome } from "../home.ts";

async function plain(home: TestHome, ...addresses: string[]): Promise<void> {
  const config = await home.config();
  await home.writeConfig({ ...config, handlers: { ...config.handlers as object, dns: { plain: addresses } } });
}

Deno.test({
  name: "a node answers dig, drill and alknet dns query on its plain addresses, over UDP and TCP, beside its own port",
  ...needs("dig", "drill", "kdig"),
  async fn() {
    await using home = await dnsHome();
    const [port, six] = [await freeTcpPort(), await freeTcpPort()];
    await plain(home, `127.0.0.1:${port}`, `[::1]:${six}`);
    await using node = await home.serve();
    for (const [host, at] of [["127.0.0.1", port], ["::1", six]] as const) {
      for (const way of ["+notcp", "+tcp"]) {
        const { stdout } = await runProgram("dig", [`@${host}`, "-p", `${at}`, "+tries=1", way, "www.home.example"]);
        match(stdout, /status: NOERROR[\s\S]*192\.0\.2\.7/, `${host} ${way}`);
      }
      const { stdout } = await runProgram("drill", ["-p", `${at}`, `@${host}`, "www.home.example"]);
      match(stdout, /flags: qr aa rd ;[\s\S]*192\.0\.2\.7/, host);
    }
    const asked = await home.run("dns", "query", "www.home.example", `@127.0.0.1:${port}`, "--via", "udp");
    match(asked.stdout, /www\.home\.example\.\s+\d+\s+IN\s+A\s+192\.0\.2\.7/, asked.stderr);
    const { stdout } = await runProgram("kdig", ["@127.0.0.1", "-p", `${node.port}`, "+tls", "www.home.example"]);
    match(stdout, /192\.0\.2\.7/);
  },
});

Deno.test("a plain address that is none, or that somebody has, ends serve with one line that says which", async () => {
  await using home = await dnsHome();
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  for (
    const [address, says] of [
      ["localhost", /handlers\.dns\.plain: address "localhost": the port is missing/],
      ["dns.example:53", /handlers\.dns\.plain.*"dns\.example" is not an IP address/],
      [`127.0.0.1:${port}`, new RegExp(`plain DNS: 127\\.0\\.0\\.1:${port} is in use by another program`)],
    ] as const
  ) {
    await plain(home, address);
    const { code, stderr } = await home.run("serve");
    equal(code, 1, stderr);
    match(stderr, says);
    equal(stderr.trim().split("\n").length, 1, stderr);
  }
  taken.close();
});

Deno.test({
  name:
    "unbound, which names no protocol, forwards to a node whose listener takes such for dot, and to no other (row 8)",
  ...needs("unbound", "kdig", "openssl"),
  async fn() {
    await using home = await dnsHome();
    const config = await home.config();
    for (const without of [undefined, "dot"]) {
      await home.writeConfig({
        ...config,
        listen: [{ address: "127.0.0.1:0", ...without && { without_alpn: without } }],
      });
      await using node = await home.serveAsConfigured();
      const forward =
        `forward-zone:\n  name: "home.example"\n  forward-tls-upstream: yes\n  forward-addr: 127.0.0.1@${node.port}`;
      await using unbound = await startUnbound([], forward);
      const args = ["@127.0.0.1", "-p", `${unbound.port}`, "+tls", "+timeout=10", "+retry=0", "www.home.example"];
      const { stdout } = await runProgram("kdig", args);
      match(stdout, without ? /NOERROR[\s\S]*192\.0\.2\.7/ : /SERVFAIL/);
      // Who names one gets it there as everywhere.
      const { stdout: named } = await runProgram("kdig", [
        "@127.0.0.1",
        "-p",
        `${node.port}`,
        "+tls",
        "www.home.example",
      ]);
      match(named, /192\.0\.2\.7/);
      const echo = await home.run("ping", `${home.nodeId}@127.0.0.1:${node.port}`, "--count", "1");
      equal(echo.code, 0, echo.stderr);
    }
    await home.writeConfig({ ...config, listen: [{ address: "127.0.0.1:0", without_alpn: "smtp" }] });
    const { code, stderr } = await home.run("serve");
    equal(code, 1);
    match(stderr, /^alknet: listen 127\.0\.0\.1:0: no handler serves "smtp" over TCP/);
  },
});

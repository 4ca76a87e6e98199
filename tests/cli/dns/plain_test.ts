/**
 * Plain DNS of a served node: dig, drill and `alknet dns query` on the port of its configuration (dns.md §2.4; row 1).
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { freeTcpPort } from "../../support/unbound.ts";
import { dnsHome } from "../dns_home.ts";
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

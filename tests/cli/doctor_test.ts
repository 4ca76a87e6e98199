/**
 * `alknet doctor`: what works on this machine, and how to mend the rest (design.md "The command").
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { runAlknet } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome, type TestHome } from "./home.ts";

type Finding = { check: string; status: string; finding: string; mend?: string };

Deno.test("alknet doctor --json: each check has a status and a finding, and what is not well says how to mend it", async () => {
  await using home = await initHome();
  const findings = await examine(home);
  const names = findings.map(({ check }) => check);
  for (const name of ["deno", "clock", "quic", "home", "key", "config", "gpu"]) equal(names.includes(name), true, name);
  equal(names.some((name) => name.startsWith("port")), true);
  for (const { check, status, finding, mend } of findings) {
    match(status, /^(ok|warn|fail)$/);
    equal(finding.length > 0, true, check);
    equal(mend === undefined, status === "ok", check);
  }
});

Deno.test("alknet doctor without a node warns and exits with 0", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout } = await runAlknet(["doctor", "--home", folder.join("absent")]);
  equal(code, 0, stdout);
  match(stdout, /^! home: .*absent is not there yet\n {2}run: alknet init$/m);
});

Deno.test({
  name: "alknet doctor finds an open home, an open key, a broken config and a port in use",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await initHome();
    const holder = Deno.listen({ hostname: "0.0.0.0", port: 0 });
    try {
      await home.writeConfig({ ...await home.config(), listen: [`127.0.0.1:${holder.addr.port}`] });
      await Deno.chmod(home.path, 0o755);
      await Deno.chmod(`${home.path}/vault.json`, 0o644);
      const before = await examine(home, 1);
      equal(of(before, "home").status, "warn");
      match(of(before, "home").mend!, /chmod 700/);
      equal(of(before, "key").status, "fail");
      match(of(before, "key").finding, /chmod 600/);
      const port = of(before, `port ${holder.addr.port}`);
      equal(port.status, "warn");
      if (Deno.build.os === "linux") match(port.finding, new RegExp(`by pid ${Deno.pid}\\b`));
      await home.writeConfig("{");
      equal(of(await examine(home, 1), "config").status, "fail");
    } finally {
      holder.close();
    }
  },
});

async function examine(home: TestHome, expected = 0): Promise<Finding[]> {
  const { code, stdout, stderr } = await home.run("doctor", "--json");
  equal(code, expected, stdout + stderr);
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

function of(findings: readonly Finding[], check: string): Finding {
  const found = findings.find((one) => one.check === check);
  if (!found) throw new Error(`no finding about ${check} in ${JSON.stringify(findings)}`);
  return found;
}

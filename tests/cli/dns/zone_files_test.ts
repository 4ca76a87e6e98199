/**
 * `alknet dns zone show|remove|import|export|check` (dns.md §8; rows 40 to 42).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { runAlknet } from "../../support/process.ts";
import { initHome } from "../home.ts";

const ZONE = `$ORIGIN home.example.
$TTL 1h
@ SOA ns hostmaster 7 3600 600 1209600 300
  NS ns
ns A 192.0.2.53
svc 60 HTTPS 1 . alpn="h2"
`;
const EXPORTED = `home.example. 3600 IN SOA ns.home.example. hostmaster.home.example. 7 3600 600 1209600 300
home.example. 3600 IN NS ns.home.example.
ns.home.example. 3600 IN A 192.0.2.53
svc.home.example. 60 IN HTTPS 1 . alpn="h2"
`;

Deno.test("alknet dns zone: a master file is checked, imported, shown, exported, and removed with its zone", async () => {
  await using home = await initHome();
  const dns = (...args: string[]) =>
    args[0] === "check" ? runAlknet(["dns", "zone", ...args]) : home.run("dns", "zone", ...args);
  const well = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await dns(...args);
    equal(code, 0, stderr);
    return stdout;
  };
  const file = `${home.path}/f.zone`;
  await Deno.writeTextFile(file, ZONE);
  equal(await well("check", file), `${file}: home.example, 4 records\n`);
  const dry = await well("import", "home.example", file, "--dry-run");
  equal(dry.replaceAll(/^\+ /gm, "").split("\n").sort().join("\n").trim().split("\n").length, 5);
  match(dry, /\nhome\.example: 4 added, 0 removed\n$/);
  match((await dns("show", "home.example")).stderr, /there is no zone home\.example/);
  equal(await well("import", "home.example", file), "home.example: 4 added, 0 removed, serial 7\n");
  equal(await well("import", "home.example", file), "home.example: 0 added, 0 removed, serial 7\n");
  equal(await well("export", "home.example"), EXPORTED);
  const shown = (await well("show", "home.example")).split("\n");
  deepEqual([shown[0], shown.at(-2)], ["home.example  primary  serial 7  4 records", "A 1  NS 1  SOA 1  HTTPS 1"]);
  const records = (await well("export", "home.example", "--json")).trim().split("\n").map((line) => JSON.parse(line));
  deepEqual(records[3], { name: "svc.home.example.", type: "HTTPS", ttl: 60, data: '1 . alpn="h2"' });
  await Deno.writeTextFile(file, `${ZONE}www A 192.0.2.7\nwww CNAME x\n`);
  const failures: readonly (readonly [string[], number, RegExp])[] = [
    [["check", file], 1, /^alknet: \S+f\.zone:8:5: www\.home\.example CNAME: other records have this name\n$/],
    [["import", "home.example", file], 1, /^alknet: \S+f\.zone:8:5: www\.home\.example CNAME: other records/],
    [["import", "home.example", `${file}.none`], 1, /^alknet: \S+f\.zone\.none: [^\n]*No such file/],
    [["export", "nope.example"], 1, /there is no zone nope\.example/],
    [["remove", "home.example"], 2, /has 4 records; give --yes/],
  ];
  for (const [args, code, words] of failures) {
    const failed = await dns(...args);
    equal(failed.code, code, args.join(" "));
    match(failed.stderr, words);
  }
  equal(await well("export", "home.example"), EXPORTED);
  equal(await well("remove", "home.example", "--yes"), "removed home.example, 4 records\n");
  equal(await well("list"), "");
});

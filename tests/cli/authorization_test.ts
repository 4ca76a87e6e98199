/**
 * `alknet token` and `alknet authorize`: who may do what (core.md §7, §8; §18 row 43).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { createHash } from "node:crypto";
import { initHome, type TestHome } from "./home.ts";

const NODE_ID = "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy";
const FINGERPRINT = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const OTHER = `SHA256:${"ab".repeat(32)}`;

Deno.test("alknet token: created token is shown once, listed by prefix, kept as a hash (core.md §18 row 43)", async () => {
  await using home = await initHome();
  const args = ["--scope", "notes:read", "--scope", "notes:write", "--description", "phone", "--expires", "30d"];
  const created = await home.run("token", "create", ...args);
  equal(created.code, 0, created.stderr);
  const token = created.stdout.trim();
  match(token, /^alk_[\w-]{43}$/);
  equal(created.stderr.includes(token), false);

  const file = await Deno.readTextFile(`${home.path}/config.json`);
  equal(file.includes(token), false);
  equal(file.includes(`sha256:${createHash("sha256").update(token).digest("hex")}`), true);

  const listed = await home.run("token", "list");
  equal((listed.stdout + listed.stderr).includes(token), false);
  const [entry] = await list(home);
  const { prefix, scopes, description, expiresAt } = entry;
  deepEqual({ prefix, scopes, description }, {
    prefix: token.slice(0, 8),
    scopes: ["notes:read", "notes:write"],
    description: "phone",
  });
  equal(Date.parse(expiresAt as string) > Date.now() + 29 * 86_400_000, true);

  equal((await home.run("token", "revoke", token.slice(0, 8))).code, 0);
  deepEqual(await list(home), []);
});

Deno.test("alknet token revoke of an unknown prefix: one line that does not repeat it, nothing changed", async () => {
  await using home = await initHome();
  const token = (await home.run("token", "create")).stdout.trim();
  const before = await home.config();
  const { code, stderr } = await home.run("token", "revoke", `${token.slice(0, 7)}?`);
  equal(code, 1);
  match(stderr, /^alknet: no token has that prefix[^\n]*\n$/);
  deepEqual(await home.config(), before);
});

Deno.test("alknet authorize takes node ids and fingerprints and gives one entry a name, scopes and further keys", async () => {
  await using home = await initHome();
  const add = ["authorize", "--json", "--name", "worker-b"];
  const first = await home.run(...add, NODE_ID, "--scope", "relay:connect");
  equal(first.code, 0, first.stderr);
  deepEqual(JSON.parse(first.stdout), {
    peer: "worker-b",
    fingerprints: [FINGERPRINT],
    scopes: ["relay:connect"],
    enabled: true,
  });
  // A second key of the same peer keeps the scopes; a different case of hex is the same fingerprint.
  await home.run(...add, OTHER.toUpperCase());
  deepEqual(await peers(home), [
    { peer_id: "worker-b", fingerprints: [FINGERPRINT, OTHER], scopes: ["relay:connect"] },
  ]);
  // Again, without a name, by fingerprint: the entry is found by its key.
  await home.run("authorize", FINGERPRINT, "--scope", "notes:read");
  deepEqual(await peers(home), [{ peer_id: "worker-b", fingerprints: [FINGERPRINT, OTHER], scopes: ["notes:read"] }]);
});

Deno.test("alknet authorize without a name calls a node by its id", async () => {
  await using home = await initHome();
  await home.run("authorize", NODE_ID);
  deepEqual(await peers(home), [{ peer_id: NODE_ID, fingerprints: [FINGERPRINT], scopes: [] }]);
});

Deno.test("alknet authorize --disable, again, --remove", async () => {
  await using home = await initHome();
  await home.run("authorize", NODE_ID, "--name", "worker-b");
  await home.run("authorize", OTHER, "--name", "worker-b");
  equal((await home.run("authorize", NODE_ID, "--disable")).code, 0);
  equal((await peers(home))[0].enabled, false);
  await home.run("authorize", NODE_ID);
  equal((await peers(home))[0].enabled, undefined);
  await home.run("authorize", NODE_ID, "--remove");
  deepEqual((await peers(home))[0].fingerprints, [OTHER]);
  await home.run("authorize", OTHER, "--remove");
  deepEqual(await peers(home), []);
});

/** What is asked, the exit code, and what the one line must say. Each runs after `authorize NODE_ID --name worker-b`. */
const REFUSED: readonly (readonly [string, number, RegExp])[] = [
  ["authorize worker-b", 2, /"worker-b" is no node id: it has 8 characters/],
  [`authorize ed25519:${"0".repeat(63)}`, 2, /is no fingerprint/],
  [`authorize ${OTHER} --remove`, 1, /no peer has the key/],
  [`authorize ${NODE_ID} --name other`, 1, /belongs to peer "worker-b" already/],
  [`authorize ${OTHER} --name local`, 1, /reserved/],
  ["authorize --remove", 2, /needs a KEY/],
];

for (const [line, expectedCode, expected] of REFUSED) {
  Deno.test(`alknet ${line}: one line, exit code ${expectedCode}, config untouched`, async () => {
    await using home = await initHome();
    await home.run("authorize", NODE_ID, "--name", "worker-b");
    const before = await home.config();
    const { code, stdout, stderr } = await home.run(...line.split(" "));
    match(stderr, expected);
    match(stderr, /^alknet: [^\n]+\n$/);
    equal(stdout, "");
    equal(code, expectedCode);
    deepEqual(await home.config(), before);
  });
}

Deno.test("alknet token create by ten at once loses none", async () => {
  await using home = await initHome();
  const made = await Promise.all(Array.from({ length: 10 }, () => home.run("token", "create")));
  deepEqual(made.map(({ code }) => code), Array(10).fill(0));
  const prefixes = (await list(home)).map(({ prefix }) => prefix).sort();
  deepEqual(prefixes, made.map(({ stdout }) => stdout.slice(0, 8)).sort());
});

async function list(home: TestHome): Promise<Record<string, unknown>[]> {
  const { stdout } = await home.run("token", "list", "--json");
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function peers(home: TestHome): Promise<Record<string, unknown>[]> {
  return (await home.config() as { auth: { peers: Record<string, unknown>[] } }).auth.peers;
}

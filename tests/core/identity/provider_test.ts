import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { type AuthSnapshot, configProvider } from "../../../core/identity/provider.ts";
import { createToken, hashToken, tokenPrefix } from "../../../core/identity/token.ts";

const TOKEN = "alk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const HASH = "sha256:c94139726ee0cfbde4c2ce0fc7b63ebff0adae83a502c9e3aabece35cf412a9a";
const NOW = 1_800_000_000;

type Auth = AuthSnapshot["auth"];
const provider = (auth: Partial<Auth>, now = NOW) => configProvider(snapshotOf(auth), { now: () => now * 1000 });
const snapshotOf = (auth: Partial<Auth>) => {
  const snapshot = { auth: { peers: [], api_keys: [], ...auth } };
  return () => snapshot;
};
const apiKey = (changes: Partial<Auth["api_keys"][number]> = {}) => ({
  prefix: "alk_AAEC",
  hash: HASH,
  scopes: ["notes:read"],
  ...changes,
});
const peer = (changes: Partial<Auth["peers"][number]> = {}) => ({
  peer_id: "worker-b",
  fingerprints: [] as string[],
  scopes: ["relay:connect"],
  ...changes,
});

Deno.test("configProvider: both fingerprints of an entry are the same identity (core.md §18 row 34)", () => {
  using one = NodeKey.generate();
  using two = NodeKey.generate();
  using stranger = NodeKey.generate();
  const resources = { container: ["start", "stop"] };
  const { resolveFingerprint } = provider({
    peers: [peer({ fingerprints: [one.fingerprint, two.fingerprint], resources })],
  });
  const identity = resolveFingerprint(one.fingerprint);
  assert.deepEqual({ ...identity, resources: { ...identity?.resources } }, {
    id: "worker-b",
    scopes: ["relay:connect"],
    resources,
  });
  assert.equal(resolveFingerprint(two.fingerprint), identity);
  assert.equal(resolveFingerprint(stranger.fingerprint), undefined);
  assert.equal(resolveFingerprint(one.fingerprint.toUpperCase()), undefined);
  assert.equal(resolveFingerprint(""), undefined);
});

Deno.test("configProvider: identity by key and by token of an entry is one, and frozen (core.md §7)", () => {
  using key = NodeKey.generate();
  const token = "not-an-api-key-but-long-enough";
  const { resolveFingerprint, resolveToken } = provider({
    peers: [peer({ fingerprints: [key.fingerprint], auth_token_hash: hashToken(token), resources: { a: ["b"] } })],
  });
  const identity = resolveFingerprint(key.fingerprint);
  assert.ok(identity);
  assert.equal(resolveToken(token), identity);
  for (const part of [identity, identity.scopes, identity.resources, identity.resources.a]) {
    assert.ok(Object.isFrozen(part));
  }
  assert.equal(identity.resources["constructor"], undefined);
  assert.equal(identity.resources["__proto__"], undefined);
});

Deno.test("configProvider: a disabled entry resolves to nothing (core.md §18 row 35)", () => {
  using key = NodeKey.generate();
  const entry = peer({ fingerprints: [key.fingerprint], auth_token_hash: hashToken("peer-token"), enabled: false });
  const { resolveFingerprint, resolveToken } = provider({ peers: [entry] });
  assert.equal(resolveFingerprint(key.fingerprint), undefined);
  assert.equal(resolveToken("peer-token"), undefined);
});

Deno.test("configProvider: the published token resolves (core.md §18 row 37)", () => {
  const { resolveToken } = provider({ api_keys: [apiKey()] });
  for (const token of [TOKEN, new TextEncoder().encode(TOKEN)]) {
    const identity = resolveToken(token);
    assert.equal(identity?.id, "alk_AAEC");
    assert.deepEqual(identity.scopes, ["notes:read"]);
    assert.deepEqual(Object.keys(identity.resources), []);
  }
});

Deno.test("configProvider: plain hex is accepted as a hash (core.md §8)", () => {
  assert.ok(provider({ api_keys: [apiKey({ hash: HASH.slice("sha256:".length) })] }).resolveToken(TOKEN));
});

const utf8 = (text: string) => new TextEncoder().encode(text);
const WRONG_TOKENS: Record<string, string | Uint8Array> = {
  "one character changed": TOKEN.slice(0, -1) + "9",
  "first random character changed": TOKEN.replace("alk_A", "alk_B"),
  "truncated": TOKEN.slice(0, -1),
  "truncated to its prefix": TOKEN.slice(0, 8),
  "truncated below its prefix": TOKEN.slice(0, 7),
  "trailing space": `${TOKEN} `,
  "leading byte order mark": Uint8Array.of(0xef, 0xbb, 0xbf, ...utf8(TOKEN)),
  "empty": "",
  "empty bytes": new Uint8Array(),
  "2 KiB": "alk_AAEC" + "A".repeat(2040),
  "1 KiB in characters, more in bytes": "alk_AAEC" + "ä".repeat(1000),
  "invalid UTF-8": Uint8Array.of(...utf8(TOKEN), 0xff),
  "a lone surrogate": `${TOKEN}\ud800`,
};

Deno.test("configProvider: nothing for a token that is not exactly the one (core.md §18 row 38)", () => {
  // A peer entry whose token is the same text shows that step 1 is as strict.
  const { resolveToken } = provider({ api_keys: [apiKey()], peers: [peer({ auth_token_hash: hashToken("x") })] });
  for (const [what, token] of Object.entries(WRONG_TOKENS)) assert.equal(resolveToken(token), undefined, what);
});

Deno.test("configProvider: malformed text never stands for the replacement character (core.md §8)", () => {
  const { resolveToken } = provider({ peers: [peer({ auth_token_hash: hashToken("token\ufffd") })] });
  assert.ok(resolveToken("token\ufffd"));
  assert.equal(resolveToken("token\ud800"), undefined);
  assert.equal(resolveToken(Uint8Array.of(...utf8("token"), 0xff)), undefined);
});

Deno.test("configProvider: a token of 1 KiB is looked at, one byte more is not (core.md §8)", () => {
  for (const [length, found] of [[1024, true], [1025, false]] as const) {
    const token = "t".repeat(length);
    const { resolveToken } = provider({ peers: [peer({ auth_token_hash: hashToken(token) })] });
    assert.equal(resolveToken(token) !== undefined, found, `${length} characters`);
    assert.equal(resolveToken(utf8(token)) !== undefined, found, `${length} bytes`);
  }
});

Deno.test("configProvider: a key is invalid from expires_at on (core.md §18 row 39)", () => {
  for (const [expires_at, valid] of [[NOW - 1, false], [NOW, false], [NOW + 1, true], [undefined, true]] as const) {
    const { resolveToken } = provider({ api_keys: [apiKey({ expires_at })] });
    assert.equal(resolveToken(TOKEN) !== undefined, valid, String(expires_at));
  }
});

Deno.test("configProvider: every key with the prefix is tried (core.md §18 row 40)", () => {
  const other = apiKey({ hash: hashToken(createToken()), scopes: ["other"] });
  const { resolveToken } = provider({ api_keys: [other, apiKey()] });
  assert.deepEqual(resolveToken(TOKEN)?.scopes, ["notes:read"]);
  const short = apiKey({ prefix: "alk_AA", scopes: ["short"] });
  assert.deepEqual(provider({ api_keys: [other, short] }).resolveToken(TOKEN)?.id, "alk_AA");
});

Deno.test("configProvider: a peer's token need not begin with alk_ (core.md §18 row 41)", () => {
  const { resolveToken } = provider({ peers: [peer({ auth_token_hash: hashToken("correct horse") })] });
  assert.equal(resolveToken("correct horse")?.id, "worker-b");
});

Deno.test("configProvider: an API key without alk_ is nothing, whatever is listed (core.md §18 row 42)", () => {
  for (const [token, prefix] of [["tok_12345678", "tok_1234"], ["alk_123", "alk_123"]]) {
    const { resolveToken } = provider({ api_keys: [apiKey({ prefix, hash: hashToken(token) })] });
    assert.equal(resolveToken(token), undefined, token);
  }
});

Deno.test("configProvider: the log has the reason and at most a prefix, never a token (core.md §18 row 44)", async () => {
  const records: LogRecord[] = [];
  await configure({
    sinks: { memory: (record) => records.push(record) },
    loggers: [{ category: [], sinks: ["memory"], lowestLevel: "trace" }],
  });
  try {
    const expired = apiKey({ expires_at: NOW - 1 });
    const { resolveToken } = provider({ api_keys: [expired] });
    resolveToken(TOKEN);
    resolveToken(createToken());
    resolveToken("correct horse battery staple");
    for (const token of Object.values(WRONG_TOKENS)) resolveToken(token);
  } finally {
    await reset();
  }
  const own = records.filter((record) => record.category.join() === "alknet,identity");
  assert.ok(own.some((record) => record.properties.reason === "expired" && record.properties.prefix === "alk_AAEC"));
  assert.ok(own.some((record) => record.properties.reason === "unknown"));
  const all = JSON.stringify(records.map(({ message, properties }) => ({ message, properties })));
  assert.ok(!all.includes(TOKEN.slice(0, 9)), "more than the prefix was logged");
  assert.ok(!all.includes("correct"));
});

Deno.test("configProvider: the next resolution sees a new snapshot, and the old one is not indexed again", () => {
  using key = NodeKey.generate();
  let snapshot: AuthSnapshot = { auth: { peers: [peer({ fingerprints: [key.fingerprint] })], api_keys: [] } };
  const { resolveFingerprint } = configProvider(() => snapshot);
  const before = resolveFingerprint(key.fingerprint);
  assert.equal(resolveFingerprint(key.fingerprint), before);
  snapshot = { auth: { peers: [peer({ fingerprints: [key.fingerprint], scopes: [] })], api_keys: [] } };
  assert.deepEqual(resolveFingerprint(key.fingerprint)?.scopes, []);
  assert.deepEqual(before?.scopes, ["relay:connect"]);
  snapshot = { auth: { peers: [], api_keys: [] } };
  assert.equal(resolveFingerprint(key.fingerprint), undefined);
});

Deno.test("tokenPrefix of a created token finds its key", () => {
  const token = createToken();
  const { resolveToken } = provider({ api_keys: [apiKey({ prefix: tokenPrefix(token), hash: hashToken(token) })] });
  assert.equal(resolveToken(token)?.id, tokenPrefix(token));
});

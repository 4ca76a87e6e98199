import assert from "node:assert/strict";
import { resolve } from "node:path";
import Type from "typebox";
import { InvalidConfigError } from "../../../core/config/check.ts";
import { limitsOf } from "../../../core/config/limits_of.ts";
import { ConfigSyntaxError, parseConfig } from "../../../core/config/parse.ts";
import { configSchema } from "../../../core/config/schema.ts";
import { limitsWith } from "../../../core/limits/limits.ts";

const FINGERPRINT = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const HASH = "sha256:c94139726ee0cfbde4c2ce0fc7b63ebff0adae83a502c9e3aabece35cf412a9a";
const HEX = HASH.slice("sha256:".length);
const FILE = "etc/node.json";

/** The example of core.md §12.2, whole. */
const EXAMPLE = {
  listen: ["[::]:4433"],
  drain_timeout_ms: 2000,
  auth: {
    peers: [{
      peer_id: "worker-b",
      fingerprints: [FINGERPRINT],
      scopes: ["relay:connect"],
      resources: { container: ["start", "stop"] },
      enabled: true,
    }],
    api_keys: [{
      prefix: "alk_AAEC",
      hash: HASH,
      scopes: ["notes:read"],
      description: "reader on the phone",
      expires_at: 1798761600,
    }],
  },
  rate_limits: { max_connections_per_ip: 100, max_auth_attempts: 5 },
};

const parse = (document: unknown) => parseConfig(JSON.stringify(document), FILE);
const fault = (text: string, options?: Parameters<typeof parseConfig>[2]): InvalidConfigError => {
  try {
    parseConfig(text, FILE, options);
  } catch (error) {
    assert.ok(error instanceof InvalidConfigError, String(error));
    assert.equal(error.code, "INVALID_CONFIG");
    assert.ok(!error.message.includes("\n"), error.message);
    return error;
  }
  throw new Error(`accepted: ${text}`);
};
const says = (document: unknown, message: string) =>
  assert.equal(fault(JSON.stringify(document)).message, `config ${FILE}: ${message}`);
const peers = (...list: unknown[]) => ({ auth: { peers: list } });
const keys = (...list: unknown[]) => ({ auth: { api_keys: list } });

Deno.test("parseConfig gives the defaults for an empty document (core.md §18 row 57)", () => {
  const { static: fixed, dynamic, notices } = parse({});
  assert.deepEqual(dynamic, {
    auth: { peers: [], api_keys: [] },
    rate_limits: { max_connections_per_ip: 100, max_auth_attempts: 5 },
  });
  assert.deepEqual(fixed, {
    listen: [],
    certificate: { mode: "key" },
    drain_timeout_ms: 2000,
    transports: ["quic", "tls"],
    quic: { engine: "process", engines: 1, udp: "auto" },
    limits: {},
    handlers: {},
  });
  assert.deepEqual(notices, []);
  assert.deepEqual(parse({ auth: {}, rate_limits: {} }).dynamic, dynamic);
});

Deno.test("parseConfig reads the example (core.md §12.2), and freezes it", () => {
  const config = parse(EXAMPLE);
  assert.deepEqual(config.dynamic.auth, EXAMPLE.auth);
  assert.deepEqual(config.static.listen, EXAMPLE.listen.map((address) => ({ address })));
  for (
    const part of [
      config,
      config.static,
      config.static.listen,
      config.dynamic.auth.peers,
      config.dynamic.auth.peers[0].scopes,
    ]
  ) assert.ok(Object.isFrozen(part));
});

Deno.test("parseConfig takes addresses as texts and as entries", () => {
  const { static: { listen } } = parse({
    listen: ["127.0.0.1:1", { address: "127.0.0.1:2" }, { address: "127.0.0.1:853", without_alpn: "dot" }],
  });
  assert.deepEqual(listen, [
    { address: "127.0.0.1:1" },
    { address: "127.0.0.1:2" },
    { address: "127.0.0.1:853", withoutAlpn: "dot" },
  ]);
});

Deno.test("parseConfig fills in what an entry leaves out (core.md §7.1)", () => {
  const { dynamic: { auth } } = parse({
    auth: { peers: [{ peer_id: "a" }], api_keys: [{ prefix: "alk_A", hash: HASH }] },
  });
  assert.deepEqual(auth.peers, [{ peer_id: "a", fingerprints: [], scopes: [], resources: {}, enabled: true }]);
  assert.deepEqual(auth.api_keys, [{ prefix: "alk_A", hash: HASH, scopes: [] }]);
});

Deno.test("parseConfig corrects the case of fingerprints with a notice, and of hashes (core.md §8, §9)", () => {
  const { dynamic: { auth }, notices } = parse({
    auth: {
      peers: [{ peer_id: "a", fingerprints: [`sha256:${HEX.toUpperCase()}`, FINGERPRINT], auth_token_hash: HEX }],
    },
  });
  assert.deepEqual(auth.peers[0].fingerprints, [`SHA256:${HEX}`, FINGERPRINT]);
  assert.equal(auth.peers[0].auth_token_hash, HASH);
  assert.deepEqual(notices, [`config ${FILE}: auth.peers[0].fingerprints[0]: read as SHA256:${HEX}`]);
});

Deno.test("parseConfig refuses duplicates and the reserved name, naming them (core.md §18 row 36, call.md §26 row 115)", () => {
  says(
    peers({ peer_id: "a" }, { peer_id: "b" }, { peer_id: "a" }),
    "auth.peers[2].peer_id: expected another one than in auth.peers[0].peer_id, found duplicate peer_id: a",
  );
  says(peers({ peer_id: "local" }), 'auth.peers[0].peer_id: expected another name, found "local", which is reserved');
  says(
    peers({ peer_id: "a", fingerprints: [FINGERPRINT] }, { peer_id: "b", fingerprints: [FINGERPRINT.toUpperCase()] }),
    `auth.peers[1].fingerprints[0]: expected another one than in auth.peers[0].fingerprints[0], ` +
      `found duplicate fingerprint: ${FINGERPRINT}`,
  );
  says(
    { auth: { peers: [{ peer_id: "a", auth_token_hash: HASH }], api_keys: [{ prefix: "alk_A", hash: HEX }] } },
    "auth.api_keys[0].hash: expected another one than in auth.peers[0].auth_token_hash, found duplicate token hash",
  );
  assert.equal(
    parse(keys({ prefix: "alk_A", hash: HASH }, { prefix: "alk_A", hash: "0".repeat(64) })).notices.length,
    0,
  );
});

Deno.test("parseConfig says path, expectation and finding in one line (core.md §18 row 62)", () => {
  const table: [unknown, string][] = [
    [peers({ peer_id: 3 }), "auth.peers[0].peer_id: expected string, found number"],
    [peers({}), "auth.peers[0].peer_id: expected a value, found nothing"],
    [peers({ peer_id: "" }), "auth.peers[0].peer_id: expected at least 1 character, found an empty string"],
    [peers({ peer_id: "a\n" }), 'auth.peers[0].peer_id: expected text without control characters, found "a\\u000a"'],
    [peers({ peer_id: "a", fingerprints: "x" }), "auth.peers[0].fingerprints: expected array, found string"],
    [
      peers({ peer_id: "a", fingerprints: ["x"] }),
      'auth.peers[0].fingerprints[0]: expected "ed25519:" or "SHA256:" and 64 hex digits, found "x"',
    ],
    [peers({ peer_id: "a", resources: { b: [true] } }), "auth.peers[0].resources.b[0]: expected string, found boolean"],
    [peers({ peer_id: "a", enabled: null }), "auth.peers[0].enabled: expected boolean, found null"],
    [
      keys({ prefix: "alk_AAECA", hash: HASH }),
      'auth.api_keys[0].prefix: expected at most 8 characters, found "alk_AAECA"',
    ],
    [keys({ prefix: "a", hash: HASH, expires_at: 1.5 }), "auth.api_keys[0].expires_at: expected integer, found 1.5"],
    [{ listen: 4433 }, "listen: expected string or array, found number"],
    [{ listen: [] }, "listen: expected at least 1 entry, found an empty array"],
    [{ listen: [4433] }, "listen[0]: expected string or object, found number"],
    [
      { listen: [{ address: "a" }] },
      'listen[0]: expected HOST:PORT, found address "a": the port is missing; write a:4433',
    ],
    [
      { listen: [{ address: "127.0.0.1:1", without: "dot" }] },
      "listen[0].without: expected one of address, without_alpn, found an unknown field",
    ],
    [{ listen: [{}] }, "listen[0].address: expected a value, found nothing"],
    [
      { listen: "127.0.0.1:99999" },
      'listen: expected HOST:PORT, found address "127.0.0.1:99999": port 99999 is above 65535',
    ],
    [
      { listen: ["127.0.0.1:1", "::1"] },
      'listen[1]: expected HOST:PORT, found address "::1": an IPv6 address needs brackets; write [::1]:4433',
    ],
    [{ drain_timeout_ms: -1 }, "drain_timeout_ms: expected a number from 0 to 2147483647, found -1"],
    [{ transports: ["tcp"] }, 'transports[0]: expected "quic" or "tls", found "tcp"'],
    [{ transports: ["tls", "tls"] }, "transports: expected entries that differ, found an array"],
    [{ quic: { max_datagram_size: 100 } }, "quic.max_datagram_size: expected a number from 1200 to 65527, found 100"],
    [{ limits: { max_connections: 0 } }, "limits.max_connections: expected a number from 1 up, found 0"],
    [
      { limits: { stream_window: 9, max_stream_window: 8 } },
      "limits.max_stream_window: expected at least stream_window, 9, found 8",
    ],
    [{ rate_limits: { max_auth_attempts: "5" } }, "rate_limits.max_auth_attempts: expected integer, found string"],
    [
      { rate_limits: { max_conections_per_ip: 5 } },
      "rate_limits.max_conections_per_ip: expected one of max_connections_per_ip, max_auth_attempts, found an unknown field",
    ],
    [{ auth: { peer: [] } }, "auth.peer: expected one of peers, api_keys, found an unknown field"],
    [{ certificate: { mode: "acme" } }, 'certificate.mode: expected "key", "x509" or "selfSigned", found "acme"'],
    [
      { certificate: { mode: "x509", certificate_file: "a" } },
      'certificate.key_file: expected a value, which mode "x509" needs, found nothing',
    ],
    [
      { certificate: { mode: "selfSigned", names: [] } },
      'certificate.names: expected a value, which mode "selfSigned" needs, found an empty array',
    ],
    [
      { certificate: { mode: "key", names: ["a"] } },
      'certificate.names: expected it to be absent in mode "key", found an array',
    ],
    [{ handlers: { http: 3 } }, "handlers.http: expected object, found number"],
    [{ handlers: { "a b": 3 } }, 'handlers["a b"]: expected object, found number'],
    [[], "expected object, found an empty array"],
    [null, "expected object, found null"],
    ["listen", "expected object, found string"],
  ];
  for (const [document, message] of table) says(document, message);
  const error = fault(JSON.stringify(peers({ peer_id: 3 })));
  assert.deepEqual([error.path, error.expected], ["auth.peers[0].peer_id", "string"]);
});

Deno.test("parseConfig refuses unknown fields everywhere, __proto__ too", () => {
  for (
    const [text, path] of [
      ['{"lisen":"a"}', "lisen"],
      ['{"__proto__":{"listen":"a"}}', "__proto__"],
      ['{"quic":{"constructor":1}}', "quic.constructor"],
      ['{"auth":{"peers":[{"peer_id":"a","\\u0007":1}]}}', 'auth.peers[0]["\\u0007"]'],
    ]
  ) {
    assert.equal(fault(text).path, path);
    assert.match(fault(text).message, /found an unknown field$/);
  }
});

Deno.test("parseConfig never repeats a hash, or what stands in its place (core.md §12.3)", () => {
  const secret = "alk_hunter2hunter2hunter2";
  for (
    const document of [
      keys({ prefix: "alk_A", hash: secret }),
      keys({ prefix: "alk_A", hash: [secret] }),
      peers({ peer_id: "a", auth_token_hash: secret }),
      peers({ peer_id: "a", auth_token_hash: `${HASH}${secret}` }),
    ]
  ) {
    const { message, cause } = fault(JSON.stringify(document));
    assert.ok(!`${message} ${(cause as Error)?.message}`.includes("hunter2"), message);
  }
  const handlers = { http: Type.Object({ pass: Type.String({ maxLength: 3 }) }) };
  const { message } = fault(JSON.stringify({ handlers: { http: { pass: "hunter2" } } }), { handlers });
  assert.equal(
    message,
    `config ${FILE}: handlers.http.pass: expected at most 3 characters, found a string of 7 characters`,
  );
});

Deno.test("parseConfig locates faults of JSON and repeats nothing around them", () => {
  const table: [string, string][] = [
    ["", "expected a JSON object, found an empty file"],
    [" \n\t", "expected a JSON object, found an empty file"],
    ['{"a": tru}', "expected a value, found something else in line 1, column 7"],
    ['{\n  "hash": "hunter2",\n}', "expected a field name in double quotes, found something else in line 3, column 1"],
    ['{\n  "hash": "hunter2"\n  "a": 1}', 'expected "," or "}", found something else in line 3, column 3'],
    ['{"hash" "hunter2"}', 'expected ":", found something else in line 1, column 9'],
    ['{"hash": "hunter2', "expected a string that ends on its line, found something else in line 1, column 10"],
    ['{"hash": "hunter2"', 'expected "," or "}", found something else in line 1, column 19'],
    ["[1, 2,]", "expected a value, found something else in line 1, column 7"],
    ["{} hunter2", "expected the end of the file, found something else in line 1, column 4"],
    ["// hunter2\n{}", "expected a value, found something else in line 1, column 1"],
    ["01", "expected a value, found something else in line 1, column 1"],
    ["[".repeat(100_000), "expected at most 64 levels, found something else in line 1, column 66"],
  ];
  for (const [text, message] of table) {
    const error = fault(text);
    assert.ok(error instanceof ConfigSyntaxError);
    assert.equal(error.message, `config ${FILE}: ${message}`);
  }
});

Deno.test("parseConfig reads what JSON.parse reads: every kind of value, an editor's byte order mark, long strings", () => {
  const unknown =
    '{"n":[-0,1.5e3,2E-1,0],"s":"\\"\\\\\\/\\b\\u00e9 ü\u{1f600}","t":true,"f":false,"z":null,"e":{},"a":[]}';
  const text = `\ufeff \r\n{"handlers": {"x": ${unknown}}}\t`;
  assert.deepEqual(parseConfig(text, FILE).static.handlers.x, JSON.parse(unknown));
  assert.ok(parseConfig(JSON.stringify({ handlers: { x: { long: "\u00e9\n".repeat(1e6) } } }), FILE));
});

Deno.test("parseConfig checks options of handlers by the schemas that it is given", () => {
  const mode = Type.Object({ mode: Type.Enum(["not_found", "redirect"]) }, { additionalProperties: false });
  const options = { handlers: { http: Type.Object({ decoy: Type.Optional(mode) }), echo: Type.Object({}) } };
  const at = (handlers: unknown) =>
    fault(JSON.stringify({ handlers }), options).message.replace(`config ${FILE}: `, "");
  assert.ok(parseConfig(JSON.stringify({ handlers: { http: { decoy: { mode: "redirect" } } } }), FILE, options));
  assert.equal(at({ ssh: {} }), "handlers.ssh: expected one of http, echo, found an unknown handler");
  assert.equal(at({ toString: {} }), "handlers.toString: expected one of http, echo, found an unknown handler");
  assert.match(
    at({ http: { decoy: { mode: "x" } } }),
    /^handlers\.http\.decoy\.mode: expected "not_found" or "redirect"/,
  );
  assert.match(
    at({ http: { decoy: { mode: "redirect", x: 1 } } }),
    /^handlers\.http\.decoy\.x: expected one of mode, found/,
  );
  assert.ok(parseConfig(JSON.stringify({ handlers: { ssh: { anything: 1 } } }), FILE));
});

Deno.test("parseConfig resolves paths against the folder of the file", () => {
  const { certificate } =
    parse({ certificate: { mode: "x509", certificate_file: "a.pem", key_file: "/k.pem" } }).static;
  assert.deepEqual(certificate, { mode: "x509", certificate_file: resolve("etc/a.pem"), key_file: resolve("/k.pem") });
});

Deno.test("limitsOf names every limit of the endpoint (core.md §13)", () => {
  const limits = {
    max_connections: 1,
    max_handshakes: 2,
    retry_threshold: 3,
    handshake_timeout_ms: 4,
    connection_rate: 5,
    connection_burst: 6,
    max_streams_bidi: 7,
    max_streams_uni: 8,
    stream_window: 9,
    max_stream_window: 10,
    connection_window: 11,
    max_connection_window: 12,
    idle_timeout_ms: 13,
    keep_alive_ms: 14,
    max_handshake_bytes: 15,
  };
  const all = limitsWith(
    limitsOf(parse({ limits, rate_limits: { max_connections_per_ip: 16, max_auth_attempts: 17 } })),
  );
  const camel = (name: string) => name.replace(/_ms$/, "").replace(/_./g, ([, letter]) => letter.toUpperCase());
  assert.deepEqual(all, {
    ...Object.fromEntries(Object.entries(limits).map(([name, value]) => [camel(name), value])),
    maxConnectionsPerAddress: 16,
    maxAuthFailures: 17,
  });
  assert.deepEqual(limitsWith(limitsOf(parse({}))), limitsWith());
});

Deno.test("configSchema is a JSON Schema that refuses unknown fields", () => {
  const schema = JSON.parse(JSON.stringify(configSchema));
  assert.equal(schema.type, "object");
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.required, undefined);
});

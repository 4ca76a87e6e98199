import assert from "node:assert/strict";
import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { connect } from "../../../core/endpoint/dial.ts";
import type { Endpoint } from "../../../core/endpoint/endpoint.ts";
import { type Router, router } from "../../../core/endpoint/router.ts";
import { AlknetError, type CloseInfo } from "../../../core/errors.ts";
import type { Connection } from "../../../core/handler/connection.ts";
import { defineHandler, type Handler } from "../../../core/handler/handler.ts";
import { memoryPair } from "../../../core/handler/memory.ts";
import type { Identity, IdentityProvider } from "../../../core/identity/identity.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { keepLogs } from "../../support/logs.ts";
import { addressOf, ask, readText, ROOMY, TRANSPORTS } from "./support.ts";

/** A handler whose answer to every stream is its own name and what it was sent. */
const named = <const Alpn extends string>(alpn: Alpn) =>
  defineHandler({
    alpns: [alpn],
    async handle(connection) {
      for await (const stream of connection) {
        const question = await readText(stream);
        const writer = stream.writable.getWriter();
        await writer.write(new TextEncoder().encode(`${connection.alpn} ${question}`));
        await writer.close();
      }
    },
  });

const known = NodeKey.generate();
const identity: Identity = { id: "known", scopes: ["a:b"], resources: { c: ["d"] } };
const provider: IdentityProvider = {
  resolveFingerprint: (fingerprint) => fingerprint === known.fingerprint ? identity : undefined,
  resolveToken: () => undefined,
};

/** Collects log lines while it is held. */
function logs(): { lines: LogRecord[] } & Disposable {
  const lines: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { kept: (record) => void lines.push(record) },
    loggers: [
      { category: ["alknet"], sinks: ["kept"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  return { lines, [Symbol.dispose]: resetSync };
}

async function exchange(
  endpoint: Endpoint,
  alpn: string,
  question: string,
  transport: "tls" | "quic",
): Promise<string> {
  await using connection = await connect(addressOf(endpoint), alpn, { transport });
  return await ask(await connection.open(), question);
}

Deno.test("Router.use refuses an ALPN that is claimed, for those who cast (core.md §18 row 1)", () => {
  const one = router().use(named("alknet/a"));
  assert.throws(() => one.use(named("alknet/a") as never), { code: "DUPLICATE_ALPN" });
  assert.equal(one.handler("alknet/a")?.alpns[0], "alknet/a");
  for (const alpn of ["alknet/", "alknet/ab", "ALKNET/A", ""]) assert.equal(one.handler(alpn), undefined);
});

Deno.test("Router.use gives a new router and leaves the old one as it was (core.md §4.3)", () => {
  const one = router().use(named("alknet/a"));
  const two = one.use(named("alknet/b"));
  assert.deepEqual(one.alpns, ["alknet/a"]);
  assert.deepEqual(two.alpns, ["alknet/a", "alknet/b"]);
});

Deno.test("Router.use after listen is an error (core.md §18 row 11)", async () => {
  const listening = router().use(named("alknet/a"));
  await using _endpoint = await listening.listen({ transports: ["tls"] });
  assert.throws(() => listening.use(named("alknet/b")), (error) => error instanceof AlknetError);
});

Deno.test("Router.listen without handlers fails (core.md §4.3)", async () => {
  await assert.rejects(router().listen({}), { code: "NO_HANDLERS" });
});

Deno.test("Endpoint.dispatch closes a connection that no handler claims (core.md §18 row 10)", async () => {
  await using endpoint = await router().use(named("alknet/a")).listen({ transports: ["tls"] });
  const [client, server] = memoryPair("alknet/b");
  await endpoint.dispatch(server);
  assert.deepEqual(await client.closed, { by: "peer", code: 0, reason: "no handler" });
});

Deno.test("Endpoint.dispatch never rejects, whatever the identity provider does (core.md §4.2)", async () => {
  using kept = logs();
  const identityProvider = { ...provider, resolveFingerprint: () => raise("no database") };
  await using endpoint = await router().use(named("alknet/a")).listen({ transports: ["tls"], identityProvider });
  const [client, server] = memoryPair("alknet/a", { client: { fingerprint: known.fingerprint } });
  await endpoint.dispatch(server);
  assert.equal((await client.closed).code, 0x100);
  assert.equal(kept.lines.filter(({ level }) => level === "error").length, 1);
});

for (const engine of ["process", "in-process"] as const) {
  Deno.test(`Router.listen, engine ${engine}: a certificate that cannot be used fails at once (core.md §15)`, async () => {
    const certificate = { certificate: "none", privateKey: "none" };
    const listening = router().use(named("alknet/a")).listen({ transports: ["quic"], quic: { engine }, certificate });
    await assert.rejects(listening, { code: "TLS_CONFIG" });
  });
}

Deno.test("Endpoint.dispatch serves a connection made elsewhere (core.md §4.3)", async () => {
  await using endpoint = await router().use(named("alknet/a")).listen({ transports: ["tls"] });
  const [client, server] = memoryPair("alknet/a");
  const done = endpoint.dispatch(server);
  assert.equal(await ask(await client.open(), "hello"), "alknet/a hello");
  client.close();
  await done;
});

for (const transport of TRANSPORTS) {
  const title = (what: string): string => `Endpoint over ${transport}: ${what}`;
  const listening = (served: Router<readonly string[]>, more: Parameters<typeof served.listen>[0] = {}) =>
    served.listen({ transports: [transport], limits: ROOMY, identityProvider: provider, drain: 20_000, ...more });

  Deno.test(title("two ALPNs on one port at once do not mix (core.md §18 rows 2 and 7)"), async () => {
    await using endpoint = await listening(router().use(named("alknet/a")).use(named("alknet/b")));
    const asked = Array.from({ length: 20 }, (_, i) => [i % 2 ? "alknet/a" : "alknet/b", `question ${i}`] as const);
    const answers = await Promise.all(asked.map(([alpn, question]) => exchange(endpoint, alpn, question, transport)));
    assert.deepEqual(answers, asked.map(([alpn, question]) => `${alpn} ${question}`));
  });

  Deno.test(title("a handler that fails closes its own connection, with one line (core.md §18 row 8)"), async () => {
    const failures: Record<string, () => unknown> = {
      "alknet/throws": () => {
        throw new Error("no luck");
      },
      "alknet/rejects": () => Promise.reject(new TypeError("not today")),
      "alknet/string": () => {
        throw "just a string";
      },
    };
    const failing = defineHandler({
      alpns: Object.keys(failures),
      handle: (connection) => failures[connection.alpn]() as Promise<void>,
    }) as Handler<readonly string[]>;
    using log = logs();
    await using endpoint = await listening(router().use(named("alknet/a")).use(failing as never));
    const spared = await connect(addressOf(endpoint), "alknet/a", { transport });
    const stream = await spared.open();
    for (const alpn of Object.keys(failures)) {
      const before = log.lines.filter(({ level }) => level === "warning").length;
      const connection = await connect(addressOf(endpoint), alpn, { transport });
      expectEnd(transport, await connection.closed, 0x100, "handler error");
      assert.equal(log.lines.filter(({ level }) => level === "warning").length, before + 1, alpn);
    }
    assert.equal(await ask(stream, "still here"), "alknet/a still here");
    spared.close();
  });

  Deno.test(title("a handler that returns after writing 1 MiB loses none of it (core.md §18 row 9)"), async () => {
    const writing = defineHandler({
      alpns: ["alknet/write"],
      async handle(connection) {
        for await (const { writable } of connection) {
          writable.getWriter().write(new Uint8Array(1024 * 1024)).catch(() => {});
          return;
        }
      },
    });
    await using endpoint = await listening(router().use(writing));
    const connection = await connect(addressOf(endpoint), "alknet/write", { transport });
    const stream = await connection.open();
    const asking = stream.writable.getWriter();
    await asking.write(Uint8Array.of(1));
    let received = 0;
    for await (const chunk of stream.readable) received += chunk.byteLength;
    assert.equal(received, 1024 * 1024);
    await asking.close().catch(() => {});
    assert.equal((await connection.closed).by, "peer");
  });

  Deno.test(title("requireIdentity keeps strangers out (core.md §18 row 12)"), async () => {
    let runs = 0;
    const strict = defineHandler({
      alpns: ["alknet/strict"],
      requireIdentity: true,
      handle: () => void runs++,
    });
    await using endpoint = await listening(router().use(strict));
    const stranger = await connect(addressOf(endpoint), "alknet/strict", { transport });
    expectEnd(transport, await stranger.closed, 0x101, "identity required");
    assert.equal(runs, 0);
    const friend = await connect(addressOf(endpoint), "alknet/strict", { transport, key: known });
    assert.equal((await friend.closed).by, "peer");
    assert.equal(runs, 1);
  });

  Deno.test(title("strangers that come again and again are one line in the log (core.md §13)"), async () => {
    await using logs = await keepLogs();
    const strict = defineHandler({ alpns: ["alknet/strict"], requireIdentity: true, handle: () => {} });
    await using endpoint = await listening(router().use(strict));
    for (let i = 0; i < 5; i++) await (await connect(addressOf(endpoint), "alknet/strict", { transport })).closed;
    const lines = logs.lines.filter((line) => line.includes('"src":"127.0.0.1"'));
    assert.deepEqual([lines.length, lines[0].includes("identity-required")], [1, true], lines.join("\n"));
    assert.equal(endpoint.stats().refused["identity-required"], 5);
  });

  Deno.test(title("the handler sees who the peer is (core.md §18 rows 30 to 33)"), async () => {
    const seen: Pick<Connection, "peer" | "identity">[] = [];
    const looking = defineHandler({
      alpns: ["alknet/look"],
      handle: ({ peer, identity }) => void seen.push({ peer, identity }),
    });
    await using endpoint = await listening(router().use(looking));
    const stranger = NodeKey.generate();
    for (const key of [known, stranger, undefined]) {
      const connection = await connect(addressOf(endpoint), "alknet/look", { transport, key });
      assert.equal(connection.peer.fingerprint, endpoint.fingerprint);
      await connection.closed;
    }
    assert.equal(seen[0].peer.fingerprint, known.fingerprint);
    assert.deepEqual(seen[0].identity, identity);
    assert.equal(seen[1].peer.fingerprint, stranger.fingerprint);
    assert.deepEqual(seen.slice(1).map(({ identity }) => identity), [undefined, undefined]);
    if (transport === "tls") assert.deepEqual(seen[2].peer, {});
  });

  Deno.test(title("six failed authentications refuse an address, and no other (core.md §18 row 66)"), async () => {
    let runs = 0;
    const checking = defineHandler({
      alpns: ["alknet/login"],
      handle: (_connection, context) => {
        runs++;
        if (runs <= 6) context.authenticationFailed();
      },
    });
    await using endpoint = await listening(router().use(checking));
    for (let i = 0; i < 6; i++) {
      await (await connect(addressOf(endpoint), "alknet/login", { transport })).closed;
    }
    const refused = await connect(addressOf(endpoint), "alknet/login", { transport });
    expectEnd(transport, await refused.closed, 0x102, "limit");
    assert.equal(runs, 6);
    assert.equal(endpoint.stats().refused["authentication-failures"], 1);
    // A certificate that is known is served all the same, and clears nobody else's failures.
    await (await connect(addressOf(endpoint), "alknet/login", { transport, key: known })).closed;
    assert.equal(runs, 7);
    const again = await connect(addressOf(endpoint), "alknet/login", { transport });
    expectEnd(transport, await again.closed, 0x102, "limit");
    assert.equal(runs, 7);
  });

  Deno.test(title("shutdown waits for a handler that finishes, and no longer (core.md §18 row 67)"), async () => {
    const finishing = defineHandler({
      alpns: ["alknet/finish"],
      async handle(connection, { signal }) {
        for await (const stream of connection) {
          await aborted(signal);
          assert.equal(signal.reason, "shutdown");
          const writer = stream.writable.getWriter();
          await writer.write(new Uint8Array(300_000));
          await writer.close();
          return;
        }
      },
    });
    const endpoint = await listening(router().use(finishing), { drain: 3_600_000 });
    const address = addressOf(endpoint);
    const connection = await connect(address, "alknet/finish", { transport });
    const stream = await connection.open();
    await stream.writable.getWriter().write(Uint8Array.of(1));
    await running(endpoint);
    const ending = endpoint.shutdown();
    await aborted(endpoint.signal);
    // Not yet over, and nobody new comes in (row 69).
    await assert.rejects(connect(address, "alknet/finish", { transport, timeout: 1000 }), (error) => {
      const { code } = error as AlknetError;
      assert.match(code, /UNREACHABLE|TIMEOUT|HANDSHAKE_FAILED/);
      return true;
    });
    await assert.rejects(endpoint.connect(address, "alknet/finish"), { code: "CONNECTION_CLOSED" });
    let received = 0;
    for await (const chunk of stream.readable) received += chunk.byteLength;
    assert.equal(received, 300_000);
    connection.close();
    await ending;
  });

  Deno.test(title("shutdown closes a handler that never returns at the drain time (core.md §18 row 68)"), async () => {
    const stuck = defineHandler({
      alpns: ["alknet/stuck"],
      handle: (connection) => connection.closed.then(() => {}),
    });
    const endpoint = await listening(router().use(stuck), { drain: 50 });
    const connection = await connect(addressOf(endpoint), "alknet/stuck", { transport });
    await running(endpoint);
    await endpoint.shutdown();
    expectEnd(transport, await connection.closed, 0, "shutdown");
  });

  Deno.test(title("shutdown twice is one; drain 0 does not wait (core.md §18 row 70)"), async () => {
    const stuck = defineHandler({
      alpns: ["alknet/stuck"],
      handle: (connection) => connection.closed.then(() => {}),
    });
    const endpoint = await listening(router().use(stuck), { drain: 3_600_000 });
    const connection = await connect(addressOf(endpoint), "alknet/stuck", { transport });
    await running(endpoint);
    const ending = endpoint.shutdown({ drain: 0 });
    assert.equal(endpoint.shutdown(), ending);
    await ending;
    await connection.closed;
    assert.equal([...endpoint.connections()].length, 0);
  });

  Deno.test(title("counters tell what runs and what was refused (core.md §13)"), async () => {
    await using endpoint = await listening(router().use(named("alknet/a")), {
      limits: { ...ROOMY, maxConnections: 1 },
    });
    const connection = await connect(addressOf(endpoint), "alknet/a", { transport });
    const stream = await connection.open();
    const writer = stream.writable.getWriter();
    await writer.write(new Uint8Array(1000));
    while (endpoint.stats().bytesReceived < 1000) await turn();
    assert.deepEqual(endpoint.stats().connections, { "alknet/a": 1 });
    await assert.rejects(connect(addressOf(endpoint), "alknet/a", { transport, timeout: 2000 }));
    // Over QUIC the engine refuses, in a process of its own.
    if (transport === "tls") assert.equal(endpoint.stats().refused.connections, 1);
    connection.close();
    while ([...endpoint.connections()].length > 0) await turn();
    assert.deepEqual(endpoint.stats().connections, {});
    assert.equal(endpoint.stats().accepted, 1);
  });
}

/** The peer closed; where the transport carries code and reason, with these. */
function expectEnd(transport: "tls" | "quic", info: CloseInfo, code: number, reason: string): void {
  if (transport === "quic") assert.deepEqual(info, { by: "peer", code, reason });
  else assert.match(info.by, /^(peer|error)$/);
}

async function running(endpoint: Endpoint): Promise<void> {
  while ([...endpoint.connections()].length === 0) await turn();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

function raise(message: string): never {
  throw new Error(message);
}

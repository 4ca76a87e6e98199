/**
 * Tunnels over OpenSSH's sshd, used by real programs.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../handlers/ssh/protocol/ssh2.ts";
import { AlknetError, memoryPair } from "@alknet/core/handler";
import {
  keepTunnel,
  type KeptTunnelEvent,
  openTunnel,
  parseForward,
  type Tunnel,
  type TunnelEvent,
  type TunnelOptions,
} from "@alknet/handlers/tunnel";
import assert from "node:assert/strict";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { type Sshd, sshd } from "./sshd.ts";

const ANYWHERE = "127.0.0.1:0";

/** A TCP server that says in capitals what it hears, and its last word when the client has ended. */
function shouter(listener: Deno.Listener): AsyncDisposable & { readonly connections: number } {
  let connections = 0;
  const serve = async (connection: Deno.Conn): Promise<void> => {
    connections++;
    const decoder = new TextDecoder();
    try {
      for await (const chunk of connection.readable) {
        const text = decoder.decode(chunk, { stream: true }).toUpperCase();
        await write(connection, text);
      }
    } catch { /* the client has gone */ }
  };
  const running: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) running.push(serve(connection));
  })();
  return {
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting.catch(() => {});
      await Promise.all(running);
    },
  };
}

async function say(connection: Deno.Conn, text: string): Promise<string> {
  const heard = new Response(connection.readable).text();
  await write(connection, text);
  await connection.closeWrite();
  return await heard;
}

async function write(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.byteLength;) at += await connection.write(bytes.subarray(at));
}

/** The events of a tunnel, to be waited for. */
class Events<T extends TunnelEvent | KeptTunnelEvent> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  readonly add = (event: T): void => {
    this.all.push(event);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  async next<E extends T["event"]>(event: E, count = 1): Promise<Extract<T, { event: E }>> {
    for (;;) {
      const found = this.all.filter((one): one is Extract<T, { event: E }> => one.event === event);
      if (found.length >= count) return found[count - 1];
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

function portOf(at: string): number {
  return Number(at.slice(at.lastIndexOf(":") + 1));
}

function login(far: Sshd): Pick<TunnelOptions, "user" | "keys"> {
  return { user: far.user, keys: [{ text: far.key }] };
}

const PROGRAMS = needs("sshd", "ssh-keygen", "root");

Deno.test({
  name: "openTunnel(): -L carries bytes both ways, each end by itself, and 1 MB whole (ssh.md row 5)",
  ...PROGRAMS,
  async fn() {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using _server = shouter(listener);
    await using far = await sshd();
    const events = new Events<TunnelEvent>();
    const local = [parseForward(`${ANYWHERE}:127.0.0.1:${listener.addr.port}`)];
    await using open = await openTunnel(far.connect(), { ...login(far), local, onEvent: events.add });
    const { at, to } = await events.next("listening");
    assert.equal(to, `127.0.0.1:${listener.addr.port}`);
    const text = "word ".repeat(200_000);
    const heard = await say(await Deno.connect({ port: portOf(at) }), text);
    assert.equal(heard, text.toUpperCase());
    const { connections, open: still } = open.tunnel.stats;
    assert.deepEqual([connections, still], [1, 0]);
    assert.deepEqual([open.tunnel.stats.sent, open.tunnel.stats.received], [text.length, text.length]);
  },
});

Deno.test({
  name: "openTunnel(): -L and -R between Unix sockets with a space in their names (ssh.md row 5)",
  ...PROGRAMS,
  async fn() {
    await using folder = await temporaryFolder();
    await using far = await sshd();
    await using _server = shouter(Deno.listen({ transport: "unix", path: folder.join("there is.sock") }) as never);
    const events = new Events<TunnelEvent>();
    const forward = parseForward(`${folder.join("a here.sock")}:${folder.join("there is.sock")}`);
    const back = parseForward(`${folder.join("a back.sock")}:${folder.join("there is.sock")}`);
    const options = { ...login(far), local: [forward], remote: [back], onEvent: events.add };
    await using _open = await openTunnel(far.connect(), options);
    await events.next("listening", 2);
    for (const name of ["a here.sock", "a back.sock"]) {
      const connection = await Deno.connect({ transport: "unix", path: folder.join(name) });
      assert.equal(await say(connection, "hello"), "HELLO", name);
    }
  },
});

Deno.test({
  name: "openTunnel(): -R on port 0 listens at the far side on a port that is free (ssh.md row 5, RFC 4254 §7.1)",
  ...PROGRAMS,
  async fn() {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using _server = shouter(listener);
    await using far = await sshd();
    const events = new Events<TunnelEvent>();
    const remote = [parseForward(`${ANYWHERE}:127.0.0.1:${listener.addr.port}`)];
    await using _open = await openTunnel(far.connect(), { ...login(far), remote, onEvent: events.add });
    const { at } = await events.next("listening");
    assert.notEqual(portOf(at), 0);
    assert.equal(await say(await Deno.connect({ port: portOf(at) }), "hello"), "HELLO");
  },
});

Deno.test({
  name: "openTunnel(): a far side that may not listen says so, and the rest goes on",
  ...PROGRAMS,
  async fn() {
    await using far = await sshd(["AllowTcpForwarding local"]);
    const events = new Events<TunnelEvent>();
    const remote = [parseForward("0:127.0.0.1:1")];
    await using _open = await openTunnel(far.connect(), { ...login(far), remote, onEvent: events.add });
    const refused = await events.next("refused");
    assert.deepEqual([refused.kind, refused.at], ["remote", "127.0.0.1:0"]);
  },
});

for (
  const [name, option] of [
    ["SOCKS5 with a name", "--socks5-hostname"],
    ["SOCKS5 with an address", "--socks5"],
    ["SOCKS4a", "--socks4a"],
    ["HTTP CONNECT", "--proxytunnel"],
  ] as const
) {
  Deno.test({
    name: `openTunnel(): -D serves curl by ${name} (ssh.md row 5)`,
    ...needs("sshd", "ssh-keygen", "root", "curl"),
    async fn() {
      await using web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("wiki"));
      await using far = await sshd();
      const events = new Events<TunnelEvent>();
      const dynamic = [{ hostname: "127.0.0.1", port: 0 }];
      await using _open = await openTunnel(far.connect(), { ...login(far), dynamic, onEvent: events.add });
      const proxy = (await events.next("listening")).at;
      const by = option === "--proxytunnel" ? [option, "-x", `http://${proxy}`] : [option, proxy];
      const { code, stdout } = await runProgram("curl", ["-sS", ...by, `http://localhost:${web.addr.port}/`]);
      assert.deepEqual([code, stdout], [0, "wiki"]);
      const nobody = await runProgram("curl", ["-sS", ...by, "http://127.0.0.1:1/"]);
      assert.notEqual(nobody.code, 0, "where nobody listens, curl is told");
    },
  });
}

Deno.test({
  name: "openTunnel(): who is not known there is refused with what to do, and nothing listens",
  ...PROGRAMS,
  async fn() {
    await using far = await sshd();
    const local = [parseForward(`${ANYWHERE}:127.0.0.1:1`)];
    const events = new Events<TunnelEvent>();
    const options = { user: far.user, keys: [{ text: far.strangersKey }], local, onEvent: events.add };
    await assert.rejects(openTunnel(far.connect(), options), (error: AlknetError) => {
      return error instanceof AlknetError && error.code === "SSH_REFUSED" && error.message.includes(far.user);
    });
    const { at } = await events.next("listening");
    await assert.rejects(Deno.connect({ port: portOf(at) }), Deno.errors.ConnectionRefused);
  },
});

Deno.test({
  name: "openTunnel(): a host key that is not the one expected ends it before anything is said",
  ...PROGRAMS,
  async fn() {
    await using far = await sshd();
    const seen: string[] = [];
    const hostKey = (fingerprint: string) => (seen.push(fingerprint), false);
    await assert.rejects(openTunnel(far.connect(), { ...login(far), hostKey }), AlknetError);
    assert.deepEqual(seen, [far.hostKey]);
  },
});

Deno.test("openTunnel(): a far side that speaks no SSH is an error that says so", async () => {
  const [near, far] = memoryPair("alknet/ssh");
  const served = (async () => {
    for await (const stream of far) {
      const writer = stream.writable.getWriter();
      await writer.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
      await writer.close();
      return;
    }
  })();
  await assert.rejects(openTunnel(near, { user: "me" }), (error: AlknetError) => error.code === "SSH_FAILED");
  await served;
});

Deno.test({
  name: "keepTunnel(): dials again after a loss, takes up remote forwards again, and who came in between is served",
  ...PROGRAMS,
  async fn() {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using server = shouter(listener);
    await using far = await sshd();
    const events = new Events<KeptTunnelEvent>();
    const waits: number[] = [];
    const gate = Promise.withResolvers<void>();
    const stop = new AbortController();
    let tunnel: Tunnel | undefined;
    const kept = keepTunnel(() => Promise.resolve(far.connect()), {
      ...login(far),
      local: [parseForward(`${ANYWHERE}:127.0.0.1:${listener.addr.port}`)],
      remote: [parseForward(`${ANYWHERE}:127.0.0.1:${listener.addr.port}`)],
      onEvent: events.add,
      signal: stop.signal,
      wait: (milliseconds) => (waits.push(milliseconds), gate.promise),
    }, (begun) => tunnel = begun);
    const { at } = await events.next("listening");
    await events.next("connected");
    assert.equal(await say(await Deno.connect({ port: portOf(at) }), "before"), "BEFORE");
    far.cut();
    await events.next("disconnected");
    const between = say(await Deno.connect({ port: portOf(at) }), "between");
    gate.resolve();
    assert.equal(await between, "BETWEEN");
    await events.next("connected", 2);
    assert.equal(events.all.filter((one) => one.event === "listening" && one.kind === "remote").length, 2);
    assert.equal(server.connections, 2);
    assert.ok(waits.length === 1 && waits[0] >= 500 && waits[0] <= 1000, `${waits}`);
    assert.equal(tunnel?.stats.connections, 2);
    stop.abort();
    await kept;
  },
});

Deno.test("keepTunnel(): what was never there is an error at once, and nothing listens after it", async () => {
  const events = new Events<KeptTunnelEvent>();
  const dial = () => Promise.reject(new AlknetError("UNREACHABLE", "nobody answers"));
  const local = [parseForward(`${ANYWHERE}:127.0.0.1:1`)];
  const options = { user: "me", local, signal: new AbortController().signal, onEvent: events.add };
  await assert.rejects(keepTunnel(dial, options), /nobody answers/);
  const { at } = await events.next("listening");
  await assert.rejects(Deno.connect({ port: portOf(at) }), Deno.errors.ConnectionRefused);
});

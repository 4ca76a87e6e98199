/**
 * What OpenSSH's `ssh` and `sftp` say, recorded, then said again with mistakes (ssh.md row 10): before the keys, before
 * the login, and after it. `ALKNET_FUZZ_CASES` asks for another number of mistakes, of which each test has its share.
 *
 * @module
 */
import "../node.ts";
import { type Connection, type Handler, type HandlerContext, type Identity, memoryPair } from "@alknet/core/handler";
import { serveFolder } from "@alknet/handlers/sftp";
import { ssh, type SshProgram } from "@alknet/handlers/ssh";
import { fingerprintsOf, publicKeyBlob } from "@alknet/handlers/ssh-key";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { childrenOf } from "../../../support/proc.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { type Random, seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { contextOf } from "../../context.ts";
import { descriptors } from "../../sftp/stores.ts";
import { clientOn, type TestClient } from "../client.ts";
import { until } from "../node_process.ts";
import { handle, type Recorder, recorder, type Recording } from "./recordings.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const CASES = Number(Deno.env.get("ALKNET_FUZZ_CASES") ?? 100_000);
/** Of a hundred: an exchange of keys costs milliseconds, a message microseconds. */
const SHARES = { keys: Math.ceil(CASES * 0.05), login: Math.ceil(CASES * 0.05), session: Math.ceil(CASES * 0.15) };
const PROGRAMS = needs("ssh", "ssh-keygen", "linux");
/** Connections between two looks at the one beside them. */
const LOOK = 50;
/** Connections after which nobody may be dropped at the door for those that were there. */
const AFTERWARDS = 20;
const USER = "me";
const IGNORE = () => {};

/** Gives back what it gets. */
const echo: SshProgram = {
  name: "echo",
  matches: ([name]) => name === "echo",
  async run(_command, { stdin, stdout }) {
    await stdin.pipeTo(stdout);
    return 0;
  },
};

/** Says more than a client's window takes. */
const pour: SshProgram = {
  name: "pour",
  matches: ([name]) => name === "pour",
  async run(_command, { stdout }) {
    const writer = stdout.getWriter();
    for (let at = 0; at < 96; at++) await writer.write(new Uint8Array(32 * 1024));
    return 0;
  },
};

/** A handler, and whom it lets in. What its clients may start ends by itself. */
interface Served extends AsyncDisposable {
  readonly handler: Handler;
  readonly context: HandlerContext;
  readonly key: string;
  readonly destination: string;
  readonly path: string;
  /** A client that has logged in. */
  client(before?: Parameters<typeof clientOn>[1]["before"]): Promise<Handled<TestClient>>;
  /** A connection, and when the handler is done with it. */
  dial(): { readonly near: Connection; readonly done: Promise<void> };
}

type Handled<T> = T & { readonly handled: Promise<void> };

async function served(): Promise<Served> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  for (const name of ["host", "user"]) {
    await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder.join(name)]);
  }
  await Deno.mkdir(folder.join("root"));
  const known = new Set(fingerprintsOf(publicKeyBlob(await Deno.readTextFile(folder.join("user.pub")))));
  const identity: Identity = { id: USER, scopes: [], resources: {} };
  const identityProvider = {
    resolveFingerprint: (fingerprint: string) => known.has(fingerprint) ? identity : undefined,
    resolveToken: () => undefined,
  };
  const listener = started.use(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  (async () => {
    for await (const socket of listener) socket.readable.pipeTo(socket.writable).catch(IGNORE);
  })().catch(IGNORE);
  const destination = `127.0.0.1:${listener.addr.port}`;
  const path = folder.join("socket");
  const policy = {
    // Whatever a mistake makes of a command, this is what runs.
    exec: { force: "head -c 3" },
    sftp: { root: folder.join("root") },
    forward: [destination],
    listen: ["127.0.0.1:0", path],
  };
  const handler: Handler = ssh({
    hostKeys: [await Deno.readTextFile(folder.join("host"))],
    policies: { [USER]: policy },
    programs: [echo, pour],
    subsystems: { sftp: (stream, { policy, ...client }) => serveFolder(stream, policy.sftp!, client) },
  });
  const ending = new AbortController();
  started.defer(() => ending.abort());
  const context = contextOf(ending.signal, identityProvider);
  const dial = () => {
    const [near, far] = memoryPair("alknet/ssh", { singleStream: true });
    return { near, done: handle(handler, far, context) };
  };
  const stack = started.move();
  const key = folder.join("user");
  return {
    ...{ handler, context, key, destination, path, dial },
    async client(before) {
      const { near, done } = dial();
      const client = await clientOn(near, { key, before });
      return Object.assign(client, { handled: done });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Sessions of every kind that the policy lets in. */
async function recordings(node: Served): Promise<Recording[]> {
  await using tape: Recorder = recorder(node.handler, node.context, node.key);
  const all = [
    await tape.record("ssh", ["echo", "a"], "in\n"),
    await tape.record("ssh", ["pour"], ""),
    await tape.record("ssh", ["-o", "SetEnv=GIT_PROTOCOL=version=2 LANG=C", "anything"], "1234"),
    await tape.record("ssh", ["-tt", "anything"], "1234\n"),
    await tape.record("ssh", ["-R", "0:127.0.0.1:1", "-R", `${node.path}:127.0.0.1:1`, "echo"], "forwarded"),
    await tape.record("ssh", ["-W", node.destination], "there and back"),
    await tape.record("sftp", [], "ls -l\nmkdir a\nput /etc/hostname a/b\nget a/b /dev/null\nrm a/b\nrmdir a\n"),
  ];
  const kinds = new Set(all.flatMap(({ messages }) => messages.map(([type]) => type)));
  for (const kind of [5, 50, 80, 90, 93, 94, 96, 97, 98]) assert.ok(kinds.has(kind), `no message ${kind}`);
  return all;
}

/** A mistake: random ones, or a field of 32 bits at a limit. Types are changed too. */
function wrong(message: Bytes, random: Random): Bytes {
  if (random.chance(0.4) || message.length < 4) return random.mutate(message);
  const copy = message.slice();
  if (random.chance(0.1)) copy[0] = random.below(256);
  const { length } = message;
  const limits = [0, 1, length - 4, length, length + 1, 0x7fffffff, 0x80000000, 0xfffffffb, 0xffffffff];
  new DataView(copy.buffer).setUint32(random.between(0, length - 4), random.pick(limits));
  return copy;
}

/** Changes some of a list, at least one; says how many. */
function withMistakes(parts: readonly Bytes[], random: Random): { readonly parts: Bytes[]; readonly count: number } {
  const first = random.below(parts.length);
  let count = 0;
  const changed = parts.map((part, at) => {
    if (at !== first && !random.chance(0.15)) return part;
    count++;
    return wrong(part, random);
  });
  if (random.chance(0.1)) changed.splice(random.below(changed.length), 1);
  if (random.chance(0.1)) changed.splice(random.below(changed.length), 0, random.pick(parts));
  return { parts: changed, count };
}

/** Runs connections with mistakes until there were enough, beside a session that must not notice. */
async function hammer(
  node: Served,
  name: string,
  most: number,
  connection: (random: Random) => Promise<number>,
): Promise<void> {
  const random = seeded(name);
  {
    const beside = await node.client();
    await using _ = beside;
    await beside.ready;
    const channel = await beside.exec("echo");
    const said = async (): Promise<void> => {
      const bytes = random.bytes(random.between(1, 3000));
      const back = new Promise<Uint8Array>((resolve) => {
        const chunks: Uint8Array[] = [];
        const take = (chunk: Uint8Array): void => {
          chunks.push(chunk);
          if (chunks.reduce((sum, { length }) => sum + length, 0) < bytes.length) return;
          channel.off("data", take);
          resolve(Buffer.concat(chunks));
        };
        channel.on("data", take);
      });
      channel.write(Buffer.from(bytes));
      assert.deepEqual(new Uint8Array(await back), bytes);
    };
    await said();
    const before = { descriptors: descriptors(), children: childrenOf(Deno.pid).length };
    let [cases, connections] = [0, 0];
    while (cases < most) {
      cases += await connection(random);
      if (++connections % LOOK === 0) await said();
    }
    await said();
    console.log(`${name}: ${cases} mistakes in ${connections} connections`);
    await until(() => childrenOf(Deno.pid).length <= before.children, "the end of what was started");
    await until(() => descriptors() <= before.descriptors, "the end of what was opened");
    channel.end();
  }
  for (let at = 0; at < AFTERWARDS; at++) {
    const client = await node.client();
    await using _ = client;
    await client.ready;
  }
}

/** Says messages as a client whose keys are exchanged; resolves when the handler has answered all, or is gone. */
async function say(client: Handled<TestClient>, messages: readonly Bytes[]): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    const inside = client.protocol as unknown as { _decipher: { _onPayload(payload: Uint8Array): unknown } };
    const { _onPayload } = inside._decipher;
    inside._decipher._onPayload = (payload) => {
      // The last question's answer, or one that came before it: either way it answers.
      if (payload[0] === 81 || payload[0] === 82) resolve();
      return _onPayload(payload);
    };
  });
  for (const message of [...messages, PING]) {
    if (client.socket.destroyed || !client.socket.writable) break;
    const packet = client.protocol._cipher.allocPacket(message.length);
    packet.set(message, 5);
    client.protocol._cipher.encrypt(packet);
  }
  let late: ReturnType<typeof setTimeout> | undefined;
  const hung = new Promise((_, reject) => late = setTimeout(() => reject(new Error("neither answer nor end")), 20_000));
  await Promise.race([answered, client.closed, client.handled, hung]).finally(() => clearTimeout(late));
}

/** GLOBAL_REQUEST of a name that nobody knows, with a reply. */
const PING = Uint8Array.of(80, 0, 0, 0, 4, ...new TextEncoder().encode("ping"), 1);

Deno.test({
  name: `alknet/ssh: ${SHARES.keys} mistakes before the keys are there end their connections alone (ssh.md row 10)`,
  ...PROGRAMS,
  async fn() {
    await using node = await served();
    const tapes = await recordings(node);
    await hammer(node, "mistakes before the keys", SHARES.keys, async (random) => {
      const { parts, count } = withMistakes(random.pick(tapes).clear, random);
      const { near, done } = node.dial();
      const stream = await near.open();
      const reading = stream.readable.pipeTo(new WritableStream()).catch(IGNORE);
      const writer = stream.writable.getWriter();
      writer.closed.catch(IGNORE);
      for (const part of parts) await writer.write(part).catch(IGNORE);
      await writer.close().catch(IGNORE);
      await done;
      await reading;
      near.close();
      return count;
    });
  },
});

Deno.test({
  name:
    `alknet/ssh: ${SHARES.login} mistakes before the login are answered, or end it, and let nobody in (ssh.md row 10)`,
  ...PROGRAMS,
  async fn() {
    await using node = await served();
    const tapes = await recordings(node);
    await hammer(node, "mistakes before the login", SHARES.login, async (random) => {
      const { parts, count } = withMistakes(random.pick(tapes).messages, random);
      const client = await node.client((protocol) => {
        // It says nothing by itself.
        (protocol as unknown as { service(): void }).service = IGNORE;
      });
      await using _ = client;
      const keys = new Promise((resolve) => client.client.once("handshake", resolve));
      await Promise.race([keys, client.closed]);
      let isIn = false;
      client.client.once("ready", () => isIn = true);
      client.client.on("error", IGNORE);
      // What comes before the login ends the connection with the first message that is for after it.
      await say(client, parts);
      client.connection.close();
      await client.handled;
      assert.equal(isIn, false);
      return count;
    });
  },
});

Deno.test({
  name: `alknet/ssh: ${SHARES.session} mistakes in sessions are answered, or end them alone (ssh.md row 10)`,
  ...PROGRAMS,
  async fn() {
    await using node = await served();
    const tapes = (await recordings(node)).map(({ messages }) => messages.filter(([type]) => type >= 80));
    await hammer(node, "mistakes in sessions", SHARES.session, async (random) => {
      const { parts, count } = withMistakes(random.pick(tapes), random);
      const client = await node.client();
      await using _ = client;
      await client.ready;
      client.client.on("error", IGNORE);
      await say(client, parts);
      client.connection.close();
      await client.handled;
      return count;
    });
  },
});

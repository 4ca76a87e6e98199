import assert from "node:assert/strict";
import type { JsonValue } from "@alknet/core/operations";
import type { CallPeer } from "@alknet/handlers/call";
import { encodeFrame } from "../../../handlers/call/frames/frames.ts";
import { needs } from "../../support/programs.ts";
import { ask } from "./api.ts";
import { type Served, type Way, WAYS } from "./fronts.ts";
import { READER, testApi, testDispatcher, Tokens, Witness, WRITER } from "./operations.ts";
import { curl, until } from "./support.ts";

const PATH = "/alknet/call";
const UPGRADE = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const encoder = new TextEncoder();
const NAMES: readonly JsonValue[] = ["call.responded", "call.completed"];

interface Envelope {
  readonly type: string;
  readonly id: string;
  readonly payload: Record<string, JsonValue>;
}

/** A client that speaks envelopes. */
class Client {
  readonly socket: WebSocket;
  readonly received: Envelope[] = [];
  readonly closed: Promise<CloseEvent>;
  readonly #opened: Promise<unknown>;

  constructor(base: string, token = WRITER, protocols = ["alknet.call"]) {
    const options = { headers: { authorization: `Bearer ${token}` }, protocols };
    this.socket = new WebSocket(base.replace("http", "ws") + PATH, options);
    this.socket.binaryType = "arraybuffer";
    this.#opened = new Promise((resolve) => this.socket.onopen = resolve);
    this.closed = new Promise((resolve) => this.socket.onclose = resolve);
    this.socket.onerror = () => {};
    this.socket.onmessage = ({ data }) => {
      assert.ok(data instanceof ArrayBuffer, "messages are binary");
      this.received.push(JSON.parse(new TextDecoder().decode(data)));
    };
  }

  async send(type: string, id: string, payload: JsonValue): Promise<void> {
    await this.#opened;
    this.socket.send(new TextEncoder().encode(JSON.stringify({ type, id, payload })));
  }

  request(id: string, operationId: string, input: JsonValue = null, more: object = {}): Promise<void> {
    return this.send("call.requested", id, { operationId, input, ...more });
  }

  async sendRaw(data: string | Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#opened;
    this.socket.send(data);
  }

  /** Everything that was received for an id, once `count` have come. */
  async answers(id: string, count = 1): Promise<Envelope[]> {
    const own = () => this.received.filter((envelope) => envelope.id === id);
    await until(() => own().length >= count, `${count} answers to ${id} are there`);
    return own();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close(1000);
    await this.closed;
  }
}

interface Staged {
  readonly way: Way;
  readonly served: Served;
  readonly witness: Witness;
  readonly peers: CallPeer[];
  connect(token?: string, protocols?: string[]): Client;
}

const CASES: { readonly title: string; run(staged: Staged): Promise<void> }[] = [
  {
    title: "an upgrade without token, with a wrong one, with a good one (http.md §15 row 54)",
    async run({ way, served }) {
      const upgrade = (...headers: string[]) => ask(way, served, PATH, { headers: [...UPGRADE, KEY, ...headers] });
      const none = await upgrade();
      assert.deepEqual([none.status, none.headers["www-authenticate"]], [401, "Bearer"]);
      assert.equal((await upgrade("Authorization: Bearer alk_wrong")).status, 401);
      assert.equal((await upgrade("Sec-WebSocket-Protocol: alknet.call, alknet.bearer.%%")).status, 401);
      await using client = new Client(served.base);
      await client.request("1", "/math/add", { a: 1, b: 2 });
      assert.equal((await client.answers("1"))[0].payload.output, 3);
    },
  },
  {
    title: "the token as a subprotocol is taken and not echoed (http.md §15 row 55, X9)",
    async run({ served }) {
      const token = new TextEncoder().encode(WRITER).toBase64({ alphabet: "base64url", omitPadding: true });
      const socket = new WebSocket(served.base.replace("http", "ws") + PATH, ["alknet.call", `alknet.bearer.${token}`]);
      const closed = new Promise((resolve) => socket.onclose = resolve);
      await new Promise((resolve) => socket.onopen = resolve);
      assert.equal(socket.protocol, "alknet.call");
      socket.close();
      await closed;
    },
  },
  {
    title: "messages that are no envelopes close with 1002 (http.md §15 row 57, call.md §26 row 16)",
    async run({ connect }) {
      const text = '{"type":"call.requested","id":"1","payload":{"operationId":"/math/add"}}';
      const bodies = ["not json", '{"type":"call.requested","payload":{}}', "[]"].map((text) => encoder.encode(text));
      const prefixed = encodeFrame(text) as Uint8Array<ArrayBuffer>;
      for (const wrong of [text, prefixed, new Uint8Array([0xff]), ...bodies]) {
        const client = connect();
        await client.sendRaw(wrong);
        assert.equal((await client.closed).code, 1002, String(wrong));
      }
    },
  },
  {
    title: "unknown event types are ignored (http.md §15 row 58)",
    async run({ connect }) {
      await using client = connect();
      await client.send("call.sung", "1", {});
      await client.request("2", "math/add", { a: 1, b: 1 });
      await client.answers("2");
      assert.equal(client.received.length, 1);
    },
  },
  {
    title: "100 calls at once beside a subscription that is aborted (http.md §15 rows 56, 59)",
    async run({ connect, witness }) {
      await using client = connect();
      await client.request("s", "/stream/silent");
      await witness.until("silent started");
      await Promise.all(Array.from({ length: 100 }, (_, i) => client.request(`${i}`, "/math/add", { a: i, b: 1 })));
      await client.send("call.aborted", "s", {});
      for (let i = 0; i < 100; i++) assert.equal((await client.answers(`${i}`))[0].payload.output, i + 1);
      await witness.until("silent aborted");
      assert.equal(client.received.length, 100);
    },
  },
  {
    title: "a subscription of 100 values (http.md §15 row 60)",
    async run({ connect }) {
      await using client = connect();
      await client.request("s", "/stream/count", { to: 100 });
      const answers = await client.answers("s", 101);
      assert.deepEqual(answers.map(({ type }) => type), [...Array(100).fill(NAMES[0]), NAMES[1]]);
      assert.deepEqual(answers[99].payload, { output: { n: 100 } });
    },
  },
  {
    title: "the node calls its client, which is no peer (http.md §15 rows 61, 62)",
    async run({ connect, peers }) {
      await using client = connect();
      await using other = connect();
      await until(() => peers.length === 2, "both are connected");
      const answer = peers[0].call("page/title", { x: 1 });
      await until(() => client.received.length + other.received.length > 0, "the page is asked");
      const asked = client.received.length > 0 ? client : other;
      const [{ type, id, payload }] = asked.received;
      assert.deepEqual([type, payload.operationId, payload.input], ["call.requested", "/page/title", { x: 1 }]);
      await asked.send("call.responded", id, { output: "Home" });
      assert.equal(await answer, "Home");
      assert.deepEqual([peers[0].isPeer, peers[0].identity?.id], [false, "writer"]);
      await other.request("l", "/services/list");
      await other.request("p", "/services/list-peers");
      const [list] = await other.answers("l");
      assert.doesNotMatch(JSON.stringify(list), /page\/title/);
      const [{ payload: listed }] = await other.answers("p");
      const blocks = (listed.output as { peers: { peer_id: string }[] }).peers;
      assert.deepEqual(blocks.map(({ peer_id }) => peer_id), ["local"]);
    },
  },
  {
    title: "auth_token gives one request other rights (http.md §15 row 63)",
    async run({ connect }) {
      await using client = connect(READER);
      const input = { title: "x" };
      await client.request("1", "/notes/create", input);
      await client.request("2", "/notes/create", input, { auth_token: WRITER });
      await client.request("3", "/notes/create", input);
      const types = await Promise.all(["1", "2", "3"].map(async (id) => (await client.answers(id))[0].type));
      assert.deepEqual(types, ["call.error", "call.responded", "call.error"]);
    },
  },
  {
    title: "a close in the middle ends what runs in both directions (http.md §15 row 64)",
    async run({ connect, peers, witness }) {
      const client = connect();
      await client.request("h", "/hang/query", {});
      await witness.until("child started");
      const answer = assert.rejects(peers[0].call("page/title"), { code: "INTERNAL", message: "connection closed" });
      await until(() => client.received.length > 0, "the page is asked");
      client.socket.close(1000);
      await answer;
      await Promise.all([witness.until("query aborted"), witness.until("child aborted"), peers[0].closed]);
      await client.closed;
    },
  },
  {
    title: "without an upgrade the path is the decoy's (http.md §15 row 65)",
    async run({ way, served }) {
      const { status, headers } = await curl([...way.curl, served.base + PATH]);
      assert.deepEqual([status, headers["content-length"]], [404, "146"]);
      const half = await ask(way, served, PATH, { headers: UPGRADE, token: WRITER });
      assert.equal(half.status, 400, "no key");
    },
  },
  {
    title: "a message over the limit closes with 1009 (http.md §9.2)",
    async run({ connect }) {
      const client = connect();
      await client.sendRaw(new Uint8Array(1024 * 1024 + 1));
      assert.equal((await client.closed).code, 1009);
    },
  },
  {
    title: "a client that does not read holds its producer back (http.md §9.3, call.md §12)",
    async run({ served, witness }) {
      const socket = await rawSocket(served);
      const buffer = new Uint8Array(65536);
      await socket.write(masked({ type: "call.requested", id: "e", payload: { operationId: "/stream/endless" } }));
      await until(() => witness.produced > 100, "values flow");
      const held = await restOf(() => witness.produced);
      assert.ok(held < 5000, `${held} values of 10 KB were produced`);
      let taken = 0;
      while (witness.produced < held + 1000) taken += (await socket.read(buffer))!;
      assert.ok(taken > 1000);
      socket.close();
      await witness.until("endless returned");
    },
  },
  {
    title: "the end of a client's bytes is its end, without a close (http.md §9.3, §15 row 64)",
    async run({ served, witness, peers }) {
      const socket = await rawSocket(served);
      await socket.write(masked({ type: "call.requested", id: "e", payload: { operationId: "/stream/silent" } }));
      await witness.until("silent started");
      await socket.closeWrite();
      await witness.until("silent returned");
      await peers[0].closed;
      socket.close();
    },
  },
  {
    title: "a client that leaves an endless producer ends it (http.md §9.3, §15 row 64)",
    async run({ connect, witness }) {
      const client = connect();
      await client.request("e", "/stream/endless");
      await until(() => witness.produced > 100, "values flow");
      client.socket.close();
      await witness.until("endless returned");
      await client.closed;
    },
  },
];

/** A client that writes and reads the bytes itself, upgraded. */
async function rawSocket({ base }: Served): Promise<Deno.TcpConn> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(base).port) });
  const head = [`GET ${PATH} HTTP/1.1`, "Host: h", ...UPGRADE, KEY, `Authorization: Bearer ${WRITER}`];
  await socket.write(encoder.encode(`${head.join("\r\n")}\r\n\r\n`));
  const buffer = new Uint8Array(4096);
  await socket.read(buffer);
  assert.match(new TextDecoder().decode(buffer.subarray(0, 12)), /^HTTP\/1.1 101/);
  return socket;
}

/** A message of a client, masked with zeros (RFC 6455 §5.3). */
function masked(envelope: Envelope): Uint8Array {
  const body = encoder.encode(JSON.stringify(envelope));
  return new Uint8Array([0x82, 0x80 | body.byteLength, 0, 0, 0, 0, ...body]);
}

/** The value of a count once it does not change any more. */
async function restOf(count: () => number): Promise<number> {
  for (let seen = -1; seen !== count();) {
    seen = count();
    for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return count();
}

for (const way of WAYS.filter(({ name }) => /^alknet\/http \(HTTP\/1.1\)/.test(name))) {
  for (const { title, run } of CASES) {
    Deno.test({
      name: `${way.name}: WebSocket: ${title}`,
      ...needs("curl"),
      async fn() {
        const witness = new Witness();
        const peers: CallPeer[] = [];
        const options = { onConnection: (peer: CallPeer) => void peers.push(peer), limits: { message: 1024 * 1024 } };
        const handler = testApi({ dispatcher: testDispatcher(witness), ...options });
        await using served = await way.serve(handler, new Tokens());
        await run({
          way,
          served,
          witness,
          peers,
          connect: (token, protocols) => new Client(served.base, token, protocols),
        });
        await Promise.all(peers.map(({ closed }) => closed));
      },
    });
  }
}

Deno.test("WebSocket: a shutdown ends it with 1001 once what runs is answered (http.md §9.3)", async () => {
  const way = WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over TLS")!;
  const witness = new Witness();
  await using served = await way.serve(testApi({ dispatcher: testDispatcher(witness) }), new Tokens());
  const client = new Client(served.base);
  await client.request("late", "/echo/late", "in time");
  await client.request("s", "/stream/silent");
  await Promise.all([witness.until("late started"), witness.until("silent started")]);
  const down = served.shutdown();
  assert.equal((await client.answers("s"))[0].type, "call.aborted", "one that gave no value yet is told too");
  await client.request("new", "/math/add", { a: 1, b: 2 });
  assert.match(String((await client.answers("new"))[0].payload.message), /shutting down/);
  witness.step();
  assert.deepEqual((await client.answers("late"))[0].payload, { output: "in time" });
  assert.equal((await client.closed).code, 1001);
  await down;
});

Deno.test("WebSocket: a page of an origin that is not named is refused: 403 (http.md §9.1)", async () => {
  const way = WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over a pair in memory")!;
  await using served = await way.serve(testApi({ origins: ["https://good.example"] }), new Tokens());
  const headers = [...UPGRADE, KEY, "Origin: https://evil.example"];
  assert.equal((await ask(way, served, PATH, { headers, token: WRITER })).status, 403);
});

/**
 * The wire as a stranger writes it, over memory, QUIC, TLS and WebSocket (call.md §2 to §12, §15, §16).
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { type JsonObject, type JsonValue, PeerSet } from "@alknet/core/operations";
import { encodeFrame } from "../../../handlers/call/frames/frames.ts";
import { keepLogs } from "../../support/logs.ts";
import { imported } from "./fixtures.ts";
import {
  type Answer,
  type Reached,
  type ReachOptions,
  STREAM_WAYS,
  StreamWire,
  type Way,
  WAYS,
  type Wire,
} from "./ways.ts";

const ISO = { output: { iso: "2026-07-18T09:30:00Z" } };

function test(
  title: string,
  body: (wire: Wire, reached: Reached, way: Way) => Promise<void>,
  options?: ReachOptions,
): void {
  for (const way of WAYS) {
    Deno.test(`alknet/call over ${way.name}: ${title}`, async () => {
      await using reached = await way.reach(options);
      await body(await reached.wire(), reached, way);
    });
  }
}

interface StreamReached extends Reached {
  readonly connection: NonNullable<Reached["connection"]>;
}

/** What only frames on streams can show. */
function testStreams(
  title: string,
  body: (wire: StreamWire, reached: StreamReached, way: Way) => Promise<void>,
): void {
  for (const way of STREAM_WAYS) {
    Deno.test(`alknet/call over ${way.name}: ${title}`, async () => {
      await using reached = await way.reach();
      await body(await reached.wire() as StreamWire, reached as StreamReached, way);
    });
  }
}

const BROKEN: readonly (readonly [row: string, title: string, bytes: () => Uint8Array])[] = [
  ["5", "a length of 0", () => new Uint8Array(4)],
  ["6", "a length of 67,108,865", () => new Uint8Array([4, 0, 0, 1])],
  ["11", "a body that is no JSON", () => encodeFrame("{")],
  ["12", "a body that is no envelope", () => encodeFrame(`{"type":"call.requested","id":"x"}`)],
  ["17b", "a body nested 100,000 levels deep", () => encodeFrame("[".repeat(100_000))],
];

for (const [row, title, bytes] of BROKEN) {
  testStreams(`${title} ends its stream, and others go on (call.md §26 row ${row})`, async (wire, reached, way) => {
    if (way.single) {
      await wire.bytes(bytes());
      equal(await wire.next(), undefined);
      await reached.ended;
      return;
    }
    const other = await reached.wire();
    await other.ask("waits", "/gate/wait", { gate: "g" });
    await wire.bytes(bytes());
    equal(await wire.next(), undefined);
    await other.ask("opens", "/gate/open", { gate: "g" });
    const answers = [await other.next(), await other.next()];
    deepEqual(answers.map((answer) => answer?.id).sort(), ["opens", "waits"]);
  });
}

for (const [row, part] of [["9", 2], ["10", 20]] as const) {
  testStreams(
    `a stream that ends after ${part} bytes of a frame serves nothing (call.md §26 row ${row})`,
    async (wire, reached) => {
      const frame = encodeFrame(`{"type":"call.requested","id":"b","payload":{"operationId":"/counters/bump"}}`);
      await wire.bytes(frame.subarray(0, part));
      await wire.writer.close();
      equal(await wire.next(), undefined);
      equal(reached.operations.counters.bumped, 0);
    },
  );
}

test("members and types that nobody knows change nothing (call.md §26 rows 13 to 15)", async (wire) => {
  await wire.send("call.requested", "13", { operationId: "/clock/now" }, { x: 1 });
  deepEqual(await wire.next(), { type: "call.responded", id: "13", payload: ISO });
  await wire.send("call.future", "14", { operationId: "/clock/now" });
  deepEqual((await wire.call("15", "/clock/now", null, { later: true }))?.payload, ISO);
});

test("a name that is none is not found (call.md §26 row 19)", async (wire) => {
  const payloads: JsonObject[] = [{}, { operationId: 7 }, { operationId: null }, { operationId: "/" }];
  for (const [n, payload] of payloads.entries()) {
    await wire.send("call.requested", `n${n}`, payload);
    const answer = await wire.next();
    deepEqual([answer?.id, answer?.payload.code], [`n${n}`, "NOT_FOUND"]);
  }
});

test("a name that is far too long comes back shortened (call.md §8.1)", async (wire) => {
  const { code, message } = (await wire.call("long", `/${"x".repeat(1_000_000)}`))!.payload;
  equal(code, "NOT_FOUND");
  equal(message, `operation not found: ${"x".repeat(256)}…`);
});

test("what is internal looks like what is not there, whoever asks (call.md §26 row 35)", async (wire, { tokens }) => {
  const callers: JsonObject[] = [{}, { auth_token: tokens.admin }];
  for (const more of callers) {
    const internal = await wire.call("same", "/notes/reindex", {}, more);
    const unknown = await wire.call("same", "/notes/xeindex", {}, more);
    equal(JSON.stringify(internal), JSON.stringify(unknown).replace("xeindex", "reindex"));
  }
});

test("an operation without errors says so (call.md §26 row 46)", async (wire) => {
  const spec = (await wire.call("46", "/services/schema", { name: "math/add" }))?.payload.output as JsonObject;
  deepEqual(spec.error_schemas, []);
});

test(
  "what was imported, and what a session has, is not called from outside (call.md §26 row 129)",
  async (wire, reached) => {
    await wire.call("first", "/clock/now");
    const [session] = reached.operations.peers;
    session.registerImported([imported("far/run", () => "import", { visibility: "external" })]);
    for (const name of ["far/run", "session/own"]) {
      deepEqual((await wire.call(name, `/${name}`))?.payload.code, "NOT_FOUND", name);
    }
    const listed = JSON.stringify(await wire.call("list", "/services/list"));
    ok(!listed.includes("far/run") && !listed.includes("session/own"));
  },
);

test("a token is in the frame of its request and nowhere else (call.md §26 row 72)", async (wire, { tokens }) => {
  await using logs = await keepLogs();
  const asked: [string, JsonValue][] = [
    ["/notes/create", { title: "x" }],
    ["/notes/create", { title: 1 }],
    ["/fail/throw", null],
    ["/fail/undeclared", null],
    ["/files/read", { path: "/no/such" }],
    ["/no/such", null],
    ["/echo/input", null],
    ["/log/follow", { lines: 1, fail: true }],
  ];
  const secrets = [tokens.notes, "alk_wrong-but-still-a-secret"];
  const told: string[] = [];
  for (const [n, [operation, input]] of asked.entries()) {
    // More wrong tokens than these would cost the connection (core.md §13).
    for (const auth_token of n < 2 ? secrets : [tokens.notes]) {
      const id = `${n}${auth_token === tokens.notes}`;
      await wire.ask(id, operation, input, { auth_token });
      for (let last = false; !last;) {
        const answer = await wire.next();
        told.push(JSON.stringify(answer));
        last = answer?.type !== "call.responded" || !operation.startsWith("/log");
      }
      // What is dropped is logged.
      await wire.ask(id, "/gate/wait", { gate: id }, { auth_token });
      await wire.ask(id, "/gate/wait", { gate: id }, { auth_token });
      await wire.send("call.aborted", id);
    }
  }
  await wire.call("last", "/clock/now");
  ok(logs.lines.some((line) => line.includes("hunter2")), "what handlers throw is logged");
  ok(logs.lines.some((line) => line.includes("still being served")), "and what is dropped");
  for (const line of [...told, ...logs.lines]) for (const secret of secrets) ok(!line.includes(secret), line);
});

test("declared errors come as they are (call.md §26 rows 38 and 39)", async (wire, { tokens }) => {
  const more = { auth_token: tokens.files };
  deepEqual((await wire.call("38", "/files/read", { path: "/no/such" }, more))?.payload, {
    code: "FILE_NOT_FOUND",
    message: "no such file",
    retryable: false,
    details: { path: "/no/such" },
  });
  const bare = await wire.call("39", "/files/read", { path: "/no/details" }, more);
  equal(Object.hasOwn(bare!.payload, "details"), false);
});

test(
  "a request is its token's, the next is the connection's again (call.md §26 rows 51 to 53, 56)",
  async (wire, { tokens }) => {
    const auth_token = tokens.notes;
    const create = (id: string, more: JsonObject) => wire.call(id, "/notes/create", { title: "List" }, more);
    deepEqual((await create("51", { auth_token }))?.payload, { output: { noteId: "n-204" } });
    equal((await create("52", {}))?.payload.code, "FORBIDDEN");
    await wire.ask("53a", "/identity/wait", { gate: "53" }, { auth_token });
    await wire.ask("53b", "/identity/wait", { gate: "53" }, { auth_token: tokens.files });
    await wire.ask("open", "/gate/open", { gate: "53" });
    const answers = new Map((await take(wire, 3)).map(({ id, payload }) => [id, payload.output as JsonObject | null]));
    equal(answers.get("53a")?.id, "notes");
    equal(answers.get("53b")?.id, "files");
    await wire.call("revoke", "/control/revoke", { name: "notes" }, { auth_token: tokens.admin });
    equal((await create("56", { auth_token }))?.payload.code, "FORBIDDEN");
  },
);

test(
  "a token replaces the connection's identity, a wrong one does not (call.md §26 rows 54, 55)",
  async (wire, { tokens }) => {
    deepEqual((await wire.call("54", "/restricted/a", null, { auth_token: "alk_wrong" }))?.payload, { output: "peer" });
    const replaced = await wire.call("55", "/restricted/a", null, { auth_token: tokens.notes });
    match(replaced?.payload.message as string, /missing required scope: a/);
    deepEqual((await wire.call("57", "/restricted/a", null, { auth_token: 5 }))?.payload, { output: "peer" });
  },
  { known: true },
);

test("1,000 requests at once on one stream are each answered (call.md §26 row 23)", async (wire) => {
  const ids = Array.from({ length: 1000 }, (_, n) => `r${n}`);
  const asked = Promise.all(ids.map((id, n) => wire.ask(id, "/math/add", { a: n, b: 1 })));
  const answers = await take(wire, ids.length);
  await asked;
  deepEqual(new Map(answers.map(({ id, payload }) => [id, payload.output])), new Map(ids.map((id, n) => [id, n + 1])));
});

test("an id of 256 bytes is served, a longer one dropped (call.md §3)", async (wire) => {
  await wire.ask("x".repeat(257), "/clock/now");
  await wire.ask("é".repeat(129), "/clock/now");
  const id = "é".repeat(128);
  equal((await wire.call(id, "/clock/now"))?.id, id);
});

test("answers to nobody are dropped, and an id is free once it was answered (call.md §26 rows 26, 28, 97)", async (wire) => {
  for (const type of ["call.responded", "call.completed", "call.error", "call.aborted"]) await wire.send(type, "ghost");
  equal((await wire.call("a", "/math/add", { a: 1, b: 1 }))?.payload.output, 2);
  await wire.send("call.aborted", "a");
  equal((await wire.call("a", "/math/add", { a: 2, b: 1 }))?.payload.output, 3, "row 28: the id is free again");
});

test(
  "an id that is being served is not served twice (call.md §26 row 27)",
  async (wire, { operations: { counters } }) => {
    await wire.ask("a", "/gate/wait", { gate: "27" });
    await wire.ask("a", "/counters/bump");
    await wire.ask("b", "/gate/open", { gate: "27" });
    deepEqual((await take(wire, 2)).map(({ id }) => id).sort(), ["a", "b"]);
    equal(counters.bumped, 0);
  },
);

test("a composed call shows no id but the root's (call.md §26 row 30)", async (wire) => {
  deepEqual(await wire.call("root", "/compose/sum", { values: [1, 2, 3] }), {
    type: "call.responded",
    id: "root",
    payload: { output: 6 },
  });
});

test("values come in order and then the end, or the error (call.md §26 rows 73 to 75)", async (wire) => {
  await wire.ask("73", "/log/follow", { lines: 3 });
  deepEqual(await take(wire, 4), [
    ...[0, 1, 2].map((line) => ({ type: "call.responded", id: "73", payload: { output: { line } } })),
    { type: "call.completed", id: "73", payload: {} },
  ]);
  equal((await wire.call("74", "/log/follow", { lines: 0 }))?.type, "call.completed");
  await wire.ask("75", "/log/follow", { lines: 1, fail: true });
  const [, error] = await take(wire, 2);
  deepEqual(error.payload, { code: "SOURCE_LOST", message: "upstream gone", retryable: true, details: { after: 1 } });
});

test(
  "an abort ends what runs, beside others on the stream (call.md §26 rows 45, 76, 82, 83, 89)",
  async (wire, { operations: { counters } }) => {
    await wire.ask("s", "/log/forever");
    await wire.ask("g", "/gate/wait", { gate: "never" });
    await wire.ask("t", "/fail/throw");
    for (let answered = false; !answered;) answered = (await wire.next())?.id === "t";
    await wire.send("call.aborted", "s");
    await wire.send("call.aborted", "g");
    await wire.ask("q", "/counters/quiet", { open: 0, aborted: 1 });
    for (let answered = false; !answered;) {
      const answer = await wire.next();
      ok(answer && answer.id !== "g");
      answered = answer.id === "q";
    }
    await wire.ask("last", "/clock/now");
    equal((await wire.next())?.id, "last", "nothing of the subscription follows");
    equal(counters.aborted, 1);
  },
);

testStreams("a request is answered after the end of its stream (call.md §26 row 99)", async (wire) => {
  await wire.ask("a", "/math/slow", { turns: 3 });
  await wire.writer.close();
  equal((await wire.next())?.payload.output, "done");
  equal(await wire.next(), undefined);
});

for (const how of ["reset", "stop"] as const) {
  testStreams(
    `a stream cut by ${how} cancels its requests, and no others (call.md §26 row 98)`,
    async (wire, reached, way) => {
      // Where there is one stream, cutting it is losing the connection: row 100.
      if (way.single) return;
      const other = await reached.wire();
      await wire.ask("cut", "/gate/wait", { gate: "never" });
      await other.ask("kept", "/gate/wait", { gate: "98" });
      await reached.operations.reached({ waiting: 2 });
      wire.stream[how](0);
      await reached.operations.reached({ aborted: 1 });
      await other.ask("open", "/gate/open", { gate: "98" });
      deepEqual((await take(other, 2)).map(({ id }) => id).sort(), ["kept", "open"]);
    },
  );
}

test(
  "both ends use the same id, each as caller (call.md §26 rows 24, 101, 102, 104)",
  async (wire, { connection }, way) => {
    await wire.ask("1", "/worker/ask", { input: 7 });
    const back = way.single ? wire : await acceptedWire(connection!);
    const asked = await back.next();
    equal(asked?.type, "call.requested");
    deepEqual(asked?.payload, { operationId: "/worker/status", input: 7 });
    // Row 104: the answer waits for a call of ours in the other direction.
    await wire.ask(asked!.id, "/math/add", { a: 1, b: 1 });
    equal((await wire.next())?.payload.output, 2);
    await back.send("call.responded", asked!.id, { output: { busy: false } });
    deepEqual((await wire.next())?.payload.output, { busy: false });
  },
);

testStreams("an answer on another stream is an answer (call.md §26 row 25)", async (wire, { connection }, way) => {
  if (way.single) return;
  await wire.ask("1", "/worker/ask", { input: 7 });
  const back = await acceptedWire(connection);
  const asked = await back.next();
  const other = new StreamWire(await connection.open());
  await other.send("call.responded", asked!.id, { output: "elsewhere" });
  deepEqual(await wire.next(), { type: "call.responded", id: "1", payload: { output: "elsewhere" } });
});

/** Of each kind, as many as row 100 asks for together. */
const IN_FLIGHT = 5000;

test("a lost connection ends 10,000 requests (call.md §26 rows 79, 89, 100)", async (wire, reached) => {
  const { operations } = reached;
  await wire.call("first", "/clock/now");
  const [session] = operations.peers;
  const peers = new PeerSet();
  session.registerImported([imported("far/run", () => null)]);
  if (session.isPeer) peers.attach(session);
  for (let n = 0; n < IN_FLIGHT; n++) {
    await wire.ask(`s${n}`, "/log/silent");
    await wire.ask(`g${n}`, "/gate/wait", { gate: "never" });
  }
  await operations.reached({ open: IN_FLIGHT, waiting: IN_FLIGHT });
  equal(session.counts.inbound, 2 * IN_FLIGHT);
  const asked = rejects(session.call("worker/status"), { code: "INTERNAL", message: "connection closed" });
  reached.lose();
  await operations.reached({ open: 0, aborted: IN_FLIGHT, waiting: 0 });
  await Promise.all([asked, session.closed]);
  deepEqual(session.counts, { inbound: 0, outgoing: 0 });
  deepEqual([...session.layer.list()], []);
  equal(peers.current().size, 0);
}, { known: true });

async function take(wire: Wire, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < count) {
    const answer = await wire.next();
    ok(answer, `the stream ended after ${answers.length} of ${count} answers`);
    answers.push(answer);
  }
  return answers;
}

async function acceptedWire(connection: StreamReached["connection"]): Promise<Wire> {
  for await (const stream of connection) return new StreamWire(stream);
  throw new Error("no stream came");
}

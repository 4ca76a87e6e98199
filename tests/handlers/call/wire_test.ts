/**
 * The wire as a stranger writes it, over memory, QUIC and TLS (call.md §2 to §12, §15, §16).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { JsonObject, JsonValue } from "@alknet/handlers/call";
import { encodeFrame } from "../../../handlers/call/frames.ts";
import { type Answer, type Reached, type Way, WAYS, Wire, wireOf } from "./ways.ts";

const ISO = { output: { iso: "2026-07-18T09:30:00Z" } };

function test(title: string, body: (wire: Wire, reached: Reached, way: Way) => Promise<void>, known = false): void {
  for (const way of WAYS) {
    Deno.test(`alknet/call over ${way.name}: ${title}`, async () => {
      await using reached = await way.reach(known);
      await body(await wireOf(reached.connection), reached, way);
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
  test(`${title} ends its stream, and others go on (call.md §26 row ${row})`, async (wire, { connection }, way) => {
    if (way.single) {
      await wire.bytes(bytes());
      equal(await wire.next(), undefined);
      await connection.closed;
      return;
    }
    const other = await wireOf(connection);
    await other.ask("waits", "/gate/wait", { gate: "g" });
    await wire.bytes(bytes());
    equal(await wire.next(), undefined);
    await other.ask("opens", "/gate/open", { gate: "g" });
    const answers = [await other.next(), await other.next()];
    deepEqual(answers.map((answer) => answer?.id).sort(), ["opens", "waits"]);
  });
}

for (const [row, part] of [["9", 2], ["10", 20]] as const) {
  test(
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

interface Exchange {
  readonly row: string;
  readonly ask: string;
  readonly input?: JsonValue;
  readonly more?: JsonObject;
  readonly output?: JsonValue;
  readonly error?: { readonly code: string; readonly message?: RegExp; readonly details?: JsonValue };
}

const MALFORMED_CLAIMS: readonly JsonValue[] = [
  { id: "x" },
  "x",
  { id: 1, scopes: [], resources: {} },
  { id: "x", scopes: [1], resources: {} },
  { id: "x", scopes: [], resources: { a: "b" } },
];

const EXCHANGES: readonly Exchange[] = [
  { row: "18", ask: "/clock/now", output: ISO.output },
  { row: "18", ask: "clock/now", output: ISO.output },
  { row: "19", ask: "//clock/now", error: { code: "NOT_FOUND" } },
  { row: "19", ask: "", error: { code: "NOT_FOUND" } },
  { row: "20", ask: "/Clock/now", error: { code: "NOT_FOUND" } },
  { row: "32", ask: "/fail/undefined-output", output: null },
  { row: "34", ask: "/clock/later", error: { code: "NOT_FOUND", message: /^operation not found: clock\/later/ } },
  { row: "35", ask: "/notes/reindex", error: { code: "NOT_FOUND", message: /^operation not found: notes\/reindex/ } },
  { row: "36", ask: "/math/add", input: { a: 1, b: "2" }, error: { code: "INVALID_INPUT", message: /\/b/ } },
  { row: "37", ask: "/notes/create", input: { title: 1 }, error: { code: "FORBIDDEN" } },
  {
    row: "40",
    ask: "/fail/undeclared",
    error: { code: "INTERNAL", message: /disk quota/, details: { code: "QUOTA", details: { limit: 1048576 } } },
  },
  { row: "41", ask: "/fail/throw", error: { code: "INTERNAL", message: /^handler failed$/ } },
  { row: "42", ask: "/fail/value", error: { code: "INTERNAL", message: /^handler failed$/ } },
  { row: "42", ask: "/fail/undefined", error: { code: "INTERNAL", message: /^handler failed$/ } },
  { row: "49", ask: "/math/add", input: { a: 2, b: 3 }, output: 5 },
  { row: "50", ask: "/restricted/a", error: { code: "FORBIDDEN", message: /^authentication required$/ } },
  { row: "57", ask: "/clock/now", more: { auth_token: 5 }, output: ISO.output },
  { row: "57", ask: "/clock/now", more: { auth_token: {} }, output: ISO.output },
  {
    row: "69",
    ask: "/notes/create",
    more: { forwarded_for: { id: "x", scopes: ["admin", "notes:write"], resources: {} } },
    error: { code: "FORBIDDEN" },
  },
  ...MALFORMED_CLAIMS.map((forwarded_for) => ({
    row: "70",
    ask: "/echo/input",
    more: { forwarded_for },
    output: { input: null, identity: null, forwarded_for: null },
  })),
  ...[0, -1, 1.5, "5"].map((timeout_ms) => ({
    row: "88",
    ask: "/clock/now",
    more: { timeout_ms },
    output: ISO.output,
  })),
  { row: "87", ask: "/gate/wait", input: { gate: "87" }, more: { timeout_ms: 50 }, error: { code: "TIMEOUT" } },
];

test("what is asked and what is answered (call.md §26 rows 18 to 20, 31 to 42, 49 to 57, 69, 70, 87, 88)", async (wire) => {
  for (const [n, { row, ask, input, more, output, error }] of EXCHANGES.entries()) {
    const answer = await wire.call(String(n), ask, input, more);
    const about = `row ${row}: ${ask} ${JSON.stringify(more ?? {})}`;
    equal(answer?.id, String(n), about);
    if (!error) {
      deepEqual(answer, { type: "call.responded", id: String(n), payload: { output } }, about);
      continue;
    }
    equal(answer?.type, "call.error", about);
    const { code, message, retryable, details } = answer!.payload;
    equal(code, error.code, about);
    if (error.message) match(message as string, error.message, about);
    equal(retryable, code === "TIMEOUT", about);
    deepEqual(details, error.details, about);
    equal(Object.hasOwn(answer!.payload, "details"), error.details !== undefined, about);
    ok(!JSON.stringify(answer).includes("hunter2"), about);
  }
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
  },
  true,
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

test("answers to nobody are dropped (call.md §26 rows 26 and 97)", async (wire) => {
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

test("a request is answered after the end of its stream (call.md §26 row 99)", async (wire) => {
  await wire.ask("a", "/math/slow", { turns: 3 });
  await wire.writer.close();
  equal((await wire.next())?.payload.output, "done");
  equal(await wire.next(), undefined);
});

for (const how of ["reset", "stop"] as const) {
  test(
    `a stream cut by ${how} cancels its requests, and no others (call.md §26 row 98)`,
    async (wire, reached, way) => {
      // Where there is one stream, cutting it is losing the connection: row 100.
      if (way.single) return;
      const other = await wireOf(reached.connection);
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
    const back = way.single ? wire : await acceptedWire(connection);
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

test("a lost connection ends everything (call.md §26 rows 79, 89, 100)", async (wire, { connection, operations }) => {
  for (let n = 0; n < 50; n++) await wire.ask(`s${n}`, "/log/silent");
  for (let n = 0; n < 50; n++) await wire.ask(`g${n}`, "/gate/wait", { gate: "never" });
  await operations.reached({ open: 50, waiting: 50 });
  connection.close();
  await operations.reached({ open: 0, aborted: 50 });
  for (const session of operations.peers) {
    await session.closed.then(() => deepEqual(session.counts, { inbound: 0, outgoing: 0 }));
  }
});

async function take(wire: Wire, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < count) {
    const answer = await wire.next();
    ok(answer, `the stream ended after ${answers.length} of ${count} answers`);
    answers.push(answer);
  }
  return answers;
}

async function acceptedWire(connection: Reached["connection"]): Promise<Wire> {
  for await (const stream of connection) return new Wire(stream);
  throw new Error("no stream came");
}

/**
 * One request and its answer each, as a stranger writes and reads them, over every way (call.md §5, §6, §8, §9, §13).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { JsonObject, JsonValue } from "@alknet/core/operations";
import { WAYS } from "./ways.ts";

const ISO = { output: { iso: "2026-07-18T09:30:00Z" } };

interface Exchange {
  readonly row: string;
  readonly ask: string;
  readonly input?: JsonValue;
  readonly more?: JsonObject;
  /** Whose token goes along. */
  readonly token?: string;
  readonly output?: JsonValue;
  readonly error?: {
    readonly code: string;
    readonly message?: RegExp;
    /** Where the connection has an identity: a WebSocket always has. */
    readonly named?: RegExp;
    readonly details?: JsonValue;
  };
}

/** Stands for whoever the connection is. */
const WHO = "who";
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
  { row: "31", ask: "/clock/now", input: { zone: "UTC" }, output: ISO.output },
  { row: "32", ask: "/fail/undefined-output", output: null },
  { row: "34", ask: "/clock/later", error: { code: "NOT_FOUND", message: /^operation not found: clock\/later/ } },
  { row: "35", ask: "/notes/reindex", error: { code: "NOT_FOUND", message: /^operation not found: notes\/reindex/ } },
  {
    row: "35",
    ask: "/notes/reindex",
    token: "admin",
    error: { code: "NOT_FOUND", message: /^operation not found: notes\/reindex/ },
  },
  { row: "36", ask: "/math/add", input: { a: 1, b: "2" }, error: { code: "INVALID_INPUT", message: /\/b/ } },
  { row: "36", ask: "/counters/bump", input: { by: "one" }, error: { code: "INVALID_INPUT", message: /\/by/ } },
  { row: "36", ask: "/counters/read", output: { bumped: 0, waiting: 0, aborted: 0, open: 0 } },
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
  {
    row: "50",
    ask: "/restricted/a",
    error: {
      code: "FORBIDDEN",
      message: /^authentication required$/,
      named: /^missing required scope: a$/,
    },
  },
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
    output: { input: null, identity: WHO, forwarded_for: null },
  })),
  { row: "33", ask: "/echo/input", output: { input: null, identity: WHO, forwarded_for: null } },
  ...[0, -1, 1.5, "5"].map((timeout_ms) => ({
    row: "88",
    ask: "/clock/now",
    more: { timeout_ms },
    output: ISO.output,
  })),
  { row: "87", ask: "/gate/wait", input: { gate: "87" }, more: { timeout_ms: 50 }, error: { code: "TIMEOUT" } },
  { row: "87", ask: "/log/silent", more: { timeout_ms: 50 }, error: { code: "TIMEOUT" } },
];

for (const way of WAYS) {
  Deno.test(`alknet/call over ${way.name}: what is asked and what is answered (call.md §26 rows 18 to 20, 31 to 42, 49 to 57, 69, 70, 87, 88)`, async () => {
    await using reached = await way.reach();
    const { tokens, identity } = reached;
    const wire = await reached.wire();
    for (const [n, { row, ask, input, more, token, output, error }] of EXCHANGES.entries()) {
      const answer = await wire.call(String(n), ask, input, { ...more, ...(token && { auth_token: tokens[token] }) });
      const about = `row ${row}: ${ask} ${JSON.stringify(more ?? {})}`;
      equal(answer?.id, String(n), about);
      if (!error) {
        const given = JSON.parse(JSON.stringify(output).replace(`"${WHO}"`, JSON.stringify(identity ?? null)));
        deepEqual(answer, { type: "call.responded", id: String(n), payload: { output: given } }, about);
        continue;
      }
      equal(answer?.type, "call.error", about);
      const { code, message, retryable, details } = answer!.payload;
      equal(code, error.code, about);
      const expected = identity ? error.named ?? error.message : error.message;
      if (expected) match(message as string, expected, about);
      equal(retryable, code === "TIMEOUT", about);
      deepEqual(details, error.details, about);
      equal(Object.hasOwn(answer!.payload, "details"), error.details !== undefined, about);
      ok(!JSON.stringify(answer).includes("hunter2"), about);
    }
  });
}

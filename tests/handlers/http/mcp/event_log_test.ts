import assert from "node:assert/strict";
import { EventLog } from "../../../../handlers/http/mcp/event_log.ts";

async function replayed(log: EventLog, id: string): Promise<[string, unknown][]> {
  const found: [string, unknown][] = [];
  await log.replayEventsAfter(id, { send: (later, message) => Promise.resolve(void found.push([later, message])) });
  return found;
}

Deno.test("EventLog replays what came after an event on its stream (MCP, Resumability)", async () => {
  const log = new EventLog();
  const note = { jsonrpc: "2.0", method: "notifications/progress" } as const;
  const answer = { jsonrpc: "2.0", id: 1, result: {} } as const;
  const first = await log.storeEvent("a", {} as never);
  const other = await log.storeEvent("b", answer);
  const second = await log.storeEvent("a", note);
  assert.deepEqual(await replayed(log, first), [[second, note]]);
  assert.deepEqual(await replayed(log, other), []);
  assert.equal(log.answeredAfter(first), undefined, "the answer is to come");
  const last = await log.storeEvent("a", answer);
  assert.deepEqual([first, second, last].map((id) => log.answeredAfter(id)), [2, 1, 0]);
});

Deno.test("EventLog keeps 64 events and 1 MiB, the latest", async () => {
  const log = new EventLog();
  const ids: string[] = [];
  const store = async (size: number) =>
    ids.push(await log.storeEvent("a", { jsonrpc: "2.0", id: 1, result: { x: "x".repeat(size) } }));
  const known = () => ids.filter((id) => log.has(id)).length;
  for (let n = 0; n < 100; n++) await store(1);
  assert.deepEqual([known(), log.has(ids[99]), log.has(ids[35])], [64, true, false]);
  await store(1_000_000);
  assert.ok(log.has(ids[100]) && known() === 64);
  await store(100_000);
  assert.deepEqual([known(), log.has(ids[101])], [1, true], "what was before the large one went first");
  await store(2_000_000);
  assert.equal(known(), 0, "too large by itself");
});

/**
 * What one message may cost whoever is asked: its size, its parts, and the words for what is wrong with it.
 *
 * @module
 */
import { equal, match, ok } from "node:assert/strict";
import { type BidiStream, type Connection, type Identity, memoryPair } from "@alknet/core/handler";
import {
  boundsFault,
  Dispatcher,
  type JsonValue,
  nodeRegistry,
  schemaCheck,
  STRANGER_BODY,
  STRANGER_MEMBERS,
} from "@alknet/core/operations";
import { call } from "@alknet/handlers/call";
import Type from "typebox";
import { contextOf } from "../context.ts";
import { identity, once } from "./fixtures.ts";
import { StreamWire } from "./ways.ts";

const MANY = 100_000;
const members = (count: number): Record<string, number> => {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`m${n}`, n]));
};

Deno.test("boundsFault: levels, members and items are counted, text within strings is not (core.md §13)", () => {
  const bounds = { depth: 3, members: 5 };
  for (const fits of ["[[[]]]", "[1,2,3,4]", `"[[[[[,,,,,,,,"`, `["a\\",,,,,,,,","[[[[["]`, `{"a":{"b":1,"c":2}}`]) {
    equal(boundsFault(fits, bounds), undefined, fits);
  }
  match(boundsFault("[[[[0]]]]", bounds)!, /nested below 3 levels/);
  for (const over of ["[1,2,3,4,5,6]", `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}`, "[[],[],[],[]]"]) {
    match(boundsFault(over, bounds)!, /more than 5 members and items/, over);
  }
});

Deno.test("schemaCheck: the fault of a value with a hundred thousand members is found without listing the others", () => {
  const CHECK = 5;
  const closed = Type.Object({ a: Type.Optional(Type.Integer()) }, { additionalProperties: false });
  const cases: readonly [schema: unknown, value: unknown, words: RegExp][] = [
    [closed, members(MANY), /^\/m0 must not be there$/],
    [
      Type.Record(Type.String(), Type.Integer()),
      { ...members(MANY), last: "x" },
      /^\/last must be integer, but is a string/,
    ],
    [Type.Array(Type.Integer()), [...Array(MANY).keys(), null], /^\/100000 must be integer, but is null/],
    [Type.Object({ list: Type.Array(Type.String()) }), { list: Array(MANY).fill(1) }, /^\/list\/0 must be string/],
    [Type.String(), members(MANY), /does not fit its schema/],
  ];
  for (const [schema, value, words] of cases) {
    const check = schemaCheck(schema as JsonValue);
    // The work is counted by the parts that are looked at: each case looks at every part a few times at most.
    let looked = 0;
    const counting = (part: unknown): unknown =>
      typeof part !== "object" || part === null ? part : new Proxy(part, {
        get(target, name, self) {
          looked++;
          return Reflect.get(target, name, self);
        },
      });
    match(check(counting(value))!, words);
    ok(looked < CHECK * MANY, `${looked} looks`);
  }
});

Deno.test("alknet/call: a stranger's message is short and has few parts, somebody's is not (core.md §13)", async () => {
  const text = (bytes: number) => ({ text: "x".repeat(bytes) });
  const list = (items: number) => ({ list: Array(items).fill(0) });
  for (const who of [undefined, identity("ada")]) {
    equal(await answered(who, text(STRANGER_BODY - 1000)), true);
    equal(await answered(who, list(STRANGER_MEMBERS - 100)), true);
    equal(await answered(who, text(STRANGER_BODY + 1)), who !== undefined);
    equal(await answered(who, list(STRANGER_MEMBERS + 1)), who !== undefined);
  }
});

Deno.test("alknet/call: a token that is somebody's raises what a connection may send (core.md §13)", async () => {
  const ada = identity("ada");
  await using ends = await serving(undefined, (token) => token === "alk_right" ? ada : undefined);
  const wire = new StreamWire(await ends.near.open());
  await wire.ask("1", "/echo/size", "x", { auth_token: "alk_right" });
  equal((await wire.next())?.type, "call.responded");
  await wire.ask("2", "/echo/size", "x".repeat(2 * STRANGER_BODY));
  equal((await wire.next())?.type, "call.responded");
});

/** Whether a request with this input is answered rather than its stream cut. */
async function answered(who: Identity | undefined, input: JsonValue): Promise<boolean> {
  await using ends = await serving(who);
  const stream: BidiStream = await ends.near.open();
  const wire = new StreamWire(stream);
  await wire.ask("1", "/echo/size", input).catch(() => {});
  return (await wire.next().catch(() => undefined))?.type === "call.responded";
}

interface Ends extends AsyncDisposable {
  readonly near: Connection;
}

function serving(who: Identity | undefined, resolveToken: (token: string) => Identity | undefined = () => undefined) {
  const [near, far] = memoryPair("alknet/call", { singleStream: false });
  if (who) far.identity = who;
  const dispatcher = new Dispatcher({ registry: nodeRegistry([once("echo/size", () => "taken")]) });
  const provider = { resolveFingerprint: () => undefined, resolveToken };
  const handled = Promise.resolve(call(dispatcher).handle(far, contextOf(new AbortController().signal, provider)));
  return Promise.resolve<Ends>({
    near,
    async [Symbol.asyncDispose]() {
      near.close();
      await handled;
    },
  });
}

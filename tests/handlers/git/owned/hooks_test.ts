/**
 * Hooks and options of pushes: what decides, what the pusher reads, and that nothing moves where one fails (row 53).
 *
 * @module
 */
import { operation, provide } from "@alknet/core/operations";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import Type from "typebox";
import type { Push } from "../../../../handlers/git/mod.ts";
import { needs } from "../../../support/programs.ts";
import { git } from "../repositories.ts";
import { ownedNode } from "./node.ts";

const needed = needs("git", "linux");

Deno.test({
  name: "git({ hooks }): a text of preReceive refuses all, of update one; the pusher reads it and no terminal obeys it",
  ...needed,
  async fn() {
    const seen: Push[] = [];
    const answers: { pre?: string; update?: (ref: string) => string | undefined } = {};
    const after = Promise.withResolvers<Push>();
    await using node = await ownedNode({
      hooks: {
        preReceive: async (push, say) => {
          seen.push(push);
          say("looking\x1b[2J");
          // What is pushed can be read before it is there.
          ok(await push.objects.has(push.updates[0].new!));
          return answers.pre;
        },
        update: (_, ref) => Promise.resolve(answers.update?.(ref)),
        postReceive: (push) => {
          after.resolve(push);
          return Promise.resolve("done");
        },
      },
    });
    answers.pre = "not on\nFridays \x07";
    const none = await node.stock("push", "-o", "a", "-o", "b c", node.url("r"), "main", "main~1:refs/heads/old");
    equal(none.code, 1);
    match(none.stderr, /^remote: alknet: looking\?\[2J *$/m);
    match(none.stderr, /^remote: alknet: not on *\nremote: alknet: Fridays \? *$/m);
    match(none.stderr, /main -> main \(pre-receive hook declined\)/);
    match(none.stderr, /main~1 -> old \(pre-receive hook declined\)/);
    equal(await git(node.bare, "for-each-ref"), "");
    deepEqual([...Deno.readDirSync(`${node.bare}/objects/pack`)], []);
    const { options, front, identity: { id }, updates } = seen[0];
    deepEqual([options, front, id, updates.length], [["a", "b c"], "http", "ada", 2]);
    answers.pre = undefined;
    answers.update = (ref) => ref.endsWith("/old") ? "no old ones\x1b" : undefined;
    const one = await node.stock("push", node.url("r"), "main", "main~1:refs/heads/old");
    equal(one.code, 1);
    match(one.stderr, /^remote: alknet: refs\/heads\/old: hook declined: no old ones\? *$/m);
    match(one.stderr, /\[new branch\] +main -> main/);
    match(one.stderr, /main~1 -> old \(hook declined\)/);
    equal(await git(node.bare, "for-each-ref", "--format=%(refname)"), "refs/heads/main");
    deepEqual((await after.promise).updates.map(({ name }) => name), ["refs/heads/main"]);
    const atomic = await node.stock("push", "--atomic", node.url("r"), "main~1:refs/heads/old", "main:refs/heads/new");
    match(atomic.stderr, /main -> new \(atomic push failure\)/);
    equal(await git(node.bare, "for-each-ref", "--format=%(refname)"), "refs/heads/main");
    answers.update = (ref) => ref.endsWith("/main") ? "" : undefined;
    await git(node.bare, "config", "alknet.protected", "!HEAD");
    seen.length = 0;
    const forced = await node.stock("push", "-f", node.url("r"), "main~1:main", "main:refs/heads/new");
    match(forced.stderr, /main~1 -> main \(hook declined\)/);
    deepEqual(seen[0].updates.map(({ name, forced }) => [name, forced]).sort(), [
      ["refs/heads/main", true],
      ["refs/heads/new", false],
    ]);
  },
});

Deno.test({
  name: "git({ hooks }): one that throws, or takes longer than hookTime, refuses; the pusher does not learn why",
  ...needed,
  async fn() {
    await using throwing = await ownedNode({
      hooks: { preReceive: () => Promise.reject(new Error("a secret path")) },
    });
    const { code, stderr } = await throwing.stock("push", throwing.url("r"), "main");
    equal(code, 1);
    match(stderr, /alknet: the hook failed/);
    match(stderr, /\(pre-receive hook declined\)/);
    ok(!stderr.includes("secret"));
    const held = Promise.withResolvers<void>();
    await using slow = await ownedNode({ hooks: { update: () => held.promise }, limits: { hookTime: 20 } });
    const late = await slow.stock("push", slow.url("r"), "main");
    match(late.stderr, /main -> main \(hook declined\)/);
    equal(await git(slow.bare, "for-each-ref"), "");
    held.resolve();
    // Deletions are asked about too.
    await git(slow.work, "push", "-q", slow.bare, "main:refs/heads/x");
    const gone = await slow.stock("push", slow.url("r"), ":refs/heads/x");
    equal(gone.code, 0, gone.stderr);
  },
});

const INPUT = Type.Object({
  repo: Type.String(),
  identity: Type.Unknown(),
  front: Type.String(),
  options: Type.Array(Type.String()),
  updates: Type.Array(Type.Object({
    name: Type.String(),
    old: Type.Union([Type.Null(), Type.String()]),
    new: Type.Union([Type.Null(), Type.String()]),
    forced: Type.Boolean(),
  }, { additionalProperties: false })),
  ref: Type.Optional(Type.String()),
}, { additionalProperties: false });

Deno.test({
  name:
    "git({ hooks, call }): operations as hooks get the push as identity git; null passes, text refuses, all else refuses",
  ...needed,
  async fn() {
    const asked: unknown[] = [];
    const check = operation({
      name: "policy/check",
      type: "query",
      input: INPUT,
      output: Type.Unknown(),
      access: { scopes: ["git:hook"] },
    });
    const answer: { value: string | number | null } = { value: null };
    const policy = provide(check, (input, { identity }) => {
      asked.push([identity?.id, input]);
      return answer.value;
    });
    await using node = await ownedNode({ hooks: { preReceive: "policy/check", update: "policy/check" } }, [policy]);
    const done = await node.stock("push", "-o", "x", node.url("r"), "main");
    equal(done.code, 0, done.stderr);
    const tip = await git(node.work, "rev-parse", "main");
    const push = {
      repo: "r",
      identity: { id: "ada", scopes: ["git:write"], resources: {} },
      front: "http",
      options: ["x"],
      updates: [{ name: "refs/heads/main", old: null, new: tip, forced: false }],
    };
    deepEqual(asked, [["git", push], ["git", { ...push, ref: "refs/heads/main" }]]);
    for (const [value, said] of [["ask Ada", /alknet: ask Ada/], [7, /alknet: the hook failed/]] as const) {
      answer.value = value;
      const refused = await node.stock("push", node.url("r"), "main:refs/heads/next");
      match(refused.stderr, said);
      match(refused.stderr, /\(pre-receive hook declined\)/);
    }
    await using missing = await ownedNode({ hooks: { update: "policy/none" } });
    match((await missing.stock("push", missing.url("r"), "main")).stderr, /\(hook declined\)/);
  },
});

Deno.test({
  name: "receive-pack: 64 push options pass, 65 do not, nor one of more than 4096 bytes (row 53)",
  ...needed,
  async fn() {
    const seen: (readonly string[])[] = [];
    await using node = await ownedNode({
      hooks: { preReceive: (push) => Promise.resolve(void seen.push(push.options)) },
    });
    const options = (count: number): string[] => Array.from({ length: count }, (_, i) => ["-o", `o${i}`]).flat();
    const many = await node.stock("push", ...options(65), node.url("r"), "main");
    equal(many.code, 1);
    match(many.stderr, /main -> main \(too many push options\)/);
    const long = await node.stock("push", "-o", "x".repeat(4097), node.url("r"), "main");
    match(long.stderr, /main -> main \(too many push options\)/);
    equal(await git(node.bare, "for-each-ref"), "");
    const most = await node.stock("push", ...options(64), "-o", "x".repeat(4096), node.url("r"), "main");
    match(most.stderr, /alknet: refs\/heads\/main: too many push options: a push may have 64 of up to 4096 bytes/);
    equal((await node.stock("push", ...options(64), node.url("r"), "main")).code, 0);
    equal((await node.stock("push", "-o", "x".repeat(4096), node.url("r"), "main:b")).code, 0);
    deepEqual(seen.map(({ length }) => length), [64, 1]);
  },
});

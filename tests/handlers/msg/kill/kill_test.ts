/**
 * Killed between any two steps: nothing that was acknowledged is lost, nothing is shown twice (msg.md rows 18, 19, 20, 30, 62).
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ROOT } from "../../../support/python.ts";
import { runProgram } from "../../../support/process.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temp.ts";

const KILLED = 137;

/** Runs the program in a folder; the step is where it is killed, `-` for nowhere. */
async function run(folder: TemporaryFolder, ...args: string[]): Promise<{ code: number; out: string }> {
  const program = `${ROOT}tests/handlers/msg/kill/step_program.ts`;
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), [
    "run",
    "-A",
    "--no-check",
    program,
    folder.path,
    ...args,
  ]);
  assert.ok(code === 0 || code === KILLED, stderr);
  return { code, out: stdout.trim() };
}

/** What is there, without a look into the mailbox. */
const shown = (folder: TemporaryFolder, person: string) => run(folder, person, "show", "-");

for (const step of ["before TAKE", "after TAKE", "before NEW", "after NEW", "before SEND", "after SEND"]) {
  Deno.test(`send, killed ${step}: what was written comes once, in order, after the next sync`, async () => {
    await using folder = await temporaryFolder();
    const { out: token } = await run(folder, "bob", "token", "-");
    await run(folder, "ann", "add", "-", "bob", token);
    assert.equal((await run(folder, "ann", "send", step, "bob", "one")).code, KILLED);
    await run(folder, "ann", "send", "-", "bob", "two");
    await run(folder, "ann", "sync", "-");
    const texts = JSON.parse((await run(folder, "bob", "sync", "-")).out) as [string, string][];
    assert.deepEqual(texts.map(([, text]) => text), ["one", "two"]);
  });
}

for (const step of ["after ITEM", "before ACK", "after ACK"]) {
  Deno.test(`receive, killed ${step}, again and again: each is kept once, in order, and the session goes on`, async () => {
    await using folder = await temporaryFolder();
    const { out: token } = await run(folder, "bob", "token", "-");
    await run(folder, "ann", "add", "-", "bob", token);
    await run(folder, "ann", "send", "-", "bob", "one", "two");
    for (let n = 0; n < 3; n++) {
      const { code } = await run(folder, "bob", "sync", step);
      // Whoever dies after an acknowledgement has one less to die at.
      assert.equal(code, step === "after ACK" && n === 2 ? 0 : KILLED);
    }
    const texts = JSON.parse((await run(folder, "bob", "sync", "-")).out) as [string, string][];
    assert.deepEqual(texts.map(([, text]) => text), ["one", "two"]);
    await run(folder, "bob", "send", "-", texts[0][0], "three");
    const answer = JSON.parse((await run(folder, "ann", "sync", "-")).out) as [string, string][];
    assert.deepEqual(answer, [["bob", "three"]]);
  });
}

Deno.test("parts, killed after SEND and after each ACK: all come, joined once, and what follows opens (row 18)", async () => {
  await using folder = await temporaryFolder();
  const { out: token } = await run(folder, "bob", "token", "-");
  await run(folder, "ann", "add", "-", "bob", token);
  const long = "long ".repeat(8000);
  assert.equal((await run(folder, "ann", "send", "after SEND", "bob", long)).code, KILLED);
  // The same part again: whoever dies before the answer does not know that the mailbox has it.
  assert.equal((await run(folder, "ann", "sync", "after SEND")).code, KILLED);
  await run(folder, "ann", "sync", "-");
  let deaths = 0;
  while ((await run(folder, "bob", "sync", "after ACK")).code === KILLED) deaths++;
  assert.equal(deaths, 3);
  await run(folder, "ann", "send", "-", "bob", "after");
  assert.equal((await run(folder, "bob", "sync", "before ACK")).code, KILLED);
  const texts = JSON.parse((await run(folder, "bob", "sync", "-")).out) as [string, string][];
  assert.deepEqual(texts.map(([, text]) => text), [long, "after"]);
});

Deno.test("token, killed after NEW and after PUT: the queue is made at the next sync, the token the same", async () => {
  await using folder = await temporaryFolder();
  for (const step of ["before NEW", "after NEW", "before PUT", "after PUT", "after PUT of keys"]) {
    assert.equal((await run(folder, "bob", "token", step)).code, KILLED);
  }
  const { out: token } = await run(folder, "bob", "token", "-");
  await run(folder, "ann", "add", "-", "bob", token);
  await run(folder, "ann", "send", "-", "bob", "one");
  const texts = JSON.parse((await run(folder, "bob", "sync", "-")).out) as [string, string][];
  assert.deepEqual(texts.map(([, text]) => text), ["one"]);
});

Deno.test("receive, killed between any two writes of a first message: kept once with its key, which is gone then; the answer opens (rows 18, 62)", async () => {
  await using folder = await temporaryFolder();
  const { out: token } = await run(folder, "bob", "token", "-");
  await run(folder, "ann", "add", "-", "bob", token);
  await run(folder, "ann", "send", "-", "bob", "one");
  const keys = (): number[] => {
    using database = new DatabaseSync(folder.join("bob.sqlite")) as DatabaseSync & Disposable;
    return database.prepare("SELECT id FROM prekey WHERE kind = 'opk' ORDER BY id").all().map(({ id }) => id as number);
  };
  let kills = 0;
  for (;; kills++) {
    const { code } = await run(folder, "bob", "sync", `draw ${kills + 1}`);
    if (code === 0) break;
    // All of it, or nothing.
    const isKept = JSON.parse((await shown(folder, "bob")).out).length > 0;
    assert.equal(keys().includes(1), !isKept, `draw ${kills + 1}`);
    if (isKept) break;
  }
  assert.ok(kills >= 4, `${kills}`);
  const texts = JSON.parse((await run(folder, "bob", "sync", "-")).out) as [string, string][];
  assert.deepEqual(texts.map(([, text]) => text), ["one"]);
  assert.ok(!keys().includes(1));
  await run(folder, "bob", "send", "-", texts[0][0], "two");
  assert.deepEqual(JSON.parse((await run(folder, "ann", "sync", "-")).out), [["bob", "two"]]);
});

Deno.test("send, killed between any two writes: what is on its way goes once, in order, and opens (row 18)", async () => {
  await using folder = await temporaryFolder();
  const { out: token } = await run(folder, "bob", "token", "-");
  await run(folder, "ann", "add", "-", "bob", token);
  const sent: string[] = [];
  for (let n = 1;; n++) {
    sent.push(`${n}`);
    if ((await run(folder, "ann", "send", `draw ${n}`, "bob", `${n}`)).code === 0) break;
  }
  assert.ok(sent.length > 4, `${sent.length}`);
  assert.equal((await run(folder, "ann", "sync", "-")).code, 0);
  const texts = (JSON.parse((await run(folder, "bob", "sync", "-")).out) as [string, string][]).map(([, text]) => text);
  // One that was killed before it was kept is nowhere; all others are there, once.
  assert.deepEqual(texts, sent.filter((text) => texts.includes(text)));
  const own = JSON.parse((await run(folder, "ann", "own", "-")).out) as string[];
  assert.deepEqual(texts, own);
});

Deno.test("opening, killed before, in and after its mark, again and again: no false STALE_STATE, a true one is seen (rows 20, 62)", async () => {
  await using folder = await temporaryFolder();
  await run(folder, "bob", "token", "-");
  for (const step of ["before mark", "in mark", "after mark"]) {
    for (let n = 0; n < 2; n++) assert.equal((await run(folder, "bob", "show", step)).code, KILLED);
  }
  assert.equal((await run(folder, "bob", "fault", "-")).out, "none");
  await Deno.copyFile(folder.join("bob.sqlite"), folder.join("copy.sqlite"));
  await run(folder, "bob", "show", "-");
  await Deno.copyFile(folder.join("copy.sqlite"), folder.join("bob.sqlite"));
  assert.equal((await run(folder, "bob", "fault", "-")).out, "STALE_STATE");
});

Deno.test("put back, then killed at each step of giving the queue new keys: a first message opens in the end (row 20)", async () => {
  for (const step of ["before NEW", "after ITEM", "before DROP", "after DROP", "after NEW", "after PUT"]) {
    await using folder = await temporaryFolder();
    const { out: token } = await run(folder, "bob", "token", "-");
    await Deno.copyFile(folder.join("bob.sqlite"), folder.join("copy.sqlite"));
    await run(folder, "ann", "add", "-", "bob", token);
    await run(folder, "ann", "send", "-", "bob", "one");
    await Deno.copyFile(folder.join("copy.sqlite"), folder.join("bob.sqlite"));
    // The copy is as old as its file where nothing was opened meanwhile.
    await Deno.writeTextFile(folder.join("bob.generation"), "99");
    assert.equal((await run(folder, "bob", "sync", step)).code, KILLED, step);
    await run(folder, "bob", "sync", "-");
    await run(folder, "eve", "add", "-", "bob", token);
    await run(folder, "eve", "send", "-", "bob", "two");
    const texts = JSON.parse((await run(folder, "bob", "sync", "-")).out) as [string, string][];
    assert.deepEqual(texts.map(([, text]) => text), ["one", "two"], step);
  }
});

Deno.test("two processes of each, one session: all of what they send comes, once (row 19)", async () => {
  await using folder = await temporaryFolder();
  const { out: token } = await run(folder, "bob", "token", "-");
  await run(folder, "ann", "add", "-", "bob", token);
  await run(folder, "ann", "send", "-", "bob", "0");
  for (const from of [1, 7]) {
    const [one, other] = [0, 3].map((offset) => [0, 1, 2].map((n) => `${from + offset + n}`));
    await Promise.all([
      ...[one, other].map((texts) => run(folder, "ann", "send", "-", "bob", ...texts)),
      ...[1, 2].map(() => run(folder, "bob", "sync", "-")),
    ]);
  }
  await run(folder, "ann", "sync", "-");
  const texts = (JSON.parse((await run(folder, "bob", "sync", "-")).out) as [string, string][]).map(([, text]) => text);
  assert.deepEqual(texts.sort((a, b) => Number(a) - Number(b)), Array.from({ length: 13 }, (_, n) => `${n}`));
});

for (const senders of [1, 4, 64]) {
  Deno.test(`mailbox, killed while it takes in, ${senders} at once: every SEND that it said OK to is there, every ACK done (row 30)`, async () => {
    await using folder = await temporaryFolder();
    const program = `${ROOT}tests/handlers/msg/kill/mailbox_program.ts`;
    const file = folder.join("mailbox.sqlite");
    const said = new Set<number>();
    const gone = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const args = ["run", "-A", "--no-check", program, file, `${said.size}`, `${senders}`];
      const { code, stdout, stderr } = await runProgram(Deno.execPath(), args);
      assert.equal(code, KILLED, stderr);
      for (const [word, n] of stdout.trim().split("\n").map((line) => line.split(" "))) {
        (word === "stored" ? said : gone).add(Number(n));
      }
      assert.ok(said.size > 0);
    }
    const { openMailboxStore } = await import("@alknet/handlers/msg");
    await using store = openMailboxStore(file);
    const there = store.after(new Uint8Array(24).fill(1), 0n, 10_000).map(({ body }) =>
      new DataView(body.buffer, body.byteOffset).getUint32(0)
    );
    assert.deepEqual(there.length, new Set(there).size);
    for (const n of said) assert.ok(gone.has(n) || there.includes(n), `${n} was lost`);
    for (const n of gone) assert.ok(!there.includes(n), `${n} came back`);
  });
}

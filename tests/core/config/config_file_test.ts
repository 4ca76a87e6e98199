import assert from "node:assert/strict";
import type { AlknetError } from "../../../core/errors.ts";
import { watchConfig, type WatchOptions } from "../../../core/config/config_file.ts";
import { loadConfig } from "../../../core/config/load.ts";
import type { ConfigDocument, DynamicConfig } from "../../../core/config/types.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { configProvider } from "../../../core/identity/provider.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";

/** A snapshot that says its number in both of its parts. */
const numbered = (n: number, more: ConfigDocument = {}) =>
  JSON.stringify({
    ...more,
    auth: { peers: Array.from({ length: 20 }, (_, i) => ({ peer_id: `peer-${i}`, scopes: [`v${n}`] })) },
    rate_limits: { max_auth_attempts: n },
  });
const numberOf = (snapshot: DynamicConfig) => snapshot.rate_limits.max_auth_attempts;

/** Calls back into lists that can be waited on. */
class Told implements WatchOptions {
  readonly reloads = new Mailbox<DynamicConfig>();
  readonly faults = new Mailbox<AlknetError>();
  readonly fields = new Mailbox<readonly string[]>();
  readonly delays: number[] = [];
  onReload = (snapshot: DynamicConfig) => this.reloads.put(snapshot);
  onInvalid = (error: AlknetError) => this.faults.put(error);
  onStaticChanged = (fields: readonly string[]) => this.fields.put(fields);
  delay = (milliseconds: number): Promise<void> => {
    this.delays.push(milliseconds);
    return Promise.resolve();
  };
}

class Mailbox<T> {
  readonly all: T[] = [];
  readonly #waiting: [number, () => void][] = [];

  put(value: T): void {
    this.all.push(value);
    for (const [count, resolve] of this.#waiting) if (this.all.length >= count) resolve();
  }

  /** The nth value, counted from 1, once it is there. */
  async nth(n: number): Promise<T> {
    if (this.all.length < n) await new Promise<void>((resolve) => this.#waiting.push([n, resolve]));
    return this.all[n - 1];
  }

  /** The first value that fits, once it is there. */
  async first(fits: (value: T) => boolean): Promise<T> {
    for (let n = 1;; n++) {
      const value = await this.nth(n);
      if (fits(value)) return value;
    }
  }
}

async function rename(folder: TemporaryFolder, content: string): Promise<void> {
  await Deno.rename(await folder.write("new", content), folder.join("config.json"));
}

Deno.test("watchConfig takes over a file that is replaced by rename (core.md §18 row 59)", async () => {
  await using folder = await temporaryFolder();
  const told = new Told();
  await using config = await watchConfig(await folder.write("config.json", numbered(1)), told);
  assert.equal(numberOf(config.snapshot()), 1);
  for (let n = 2; n <= 4; n++) {
    await rename(folder, numbered(n));
    assert.equal(numberOf(await told.reloads.nth(n - 1)), n);
    assert.equal(numberOf(config.snapshot()), n);
  }
  assert.deepEqual(told.faults.all, []);
});

Deno.test("watchConfig takes over a file that is rewritten in place, and one that vanishes and comes back", async () => {
  await using folder = await temporaryFolder();
  const told = new Told();
  const path = await folder.write("config.json", numbered(1));
  await using config = await watchConfig(path, told);
  await folder.write("config.json", numbered(2));
  // A moment at which the file is empty may be seen and reported; only what comes in the end is certain.
  await told.reloads.first((snapshot) => numberOf(snapshot) === 2);
  await Deno.remove(path);
  await told.faults.first(({ code }) => code === "CONFIG_NOT_FOUND");
  assert.equal(numberOf(config.snapshot()), 2);
  await folder.write("config.json", numbered(3));
  await told.reloads.first((snapshot) => numberOf(snapshot) === 3);
  assert.equal(numberOf(config.snapshot()), 3);
});

Deno.test({
  name: "watchConfig follows a symbolic link that is turned to another file",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await temporaryFolder();
    const told = new Told();
    await folder.write("one", numbered(1));
    await folder.write("two", numbered(2));
    await Deno.symlink("one", folder.join("config.json"));
    await using config = await watchConfig(folder.join("config.json"), told);
    await Deno.symlink("two", folder.join("next"));
    await Deno.rename(folder.join("next"), folder.join("config.json"));
    assert.equal(numberOf(await told.reloads.nth(1)), 2);
    assert.equal(numberOf(config.snapshot()), 2);
  },
});

Deno.test("reload reads a half-written file once more after 200 ms, and applies it whole (core.md §12.3, row 59)", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", numbered(1));
  const told = new Told();
  const whole = numbered(2);
  const delay = async (milliseconds: number) => {
    await told.delay(milliseconds);
    await folder.write("config.json", whole);
  };
  await using config = await watchConfig(path, { ...told, delay, watch: false });
  for (const half of [whole.slice(0, whole.length / 2), ""]) {
    await folder.write("config.json", half);
    await config.reload();
    assert.equal(numberOf(config.snapshot()), 2);
  }
  assert.equal((await config.reload()).outcome, "unchanged");
  assert.deepEqual(told.delays, [200, 200]);
  assert.equal(told.reloads.all.length, 1);
  assert.deepEqual(told.faults.all, []);
});

Deno.test("reload of an invalid file changes nothing and reports it once (core.md §12.3, row 59)", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", numbered(1));
  const told = new Told();
  await using config = await watchConfig(path, { ...told, watch: false });
  const before = config.snapshot();
  const table: [string, RegExp, number][] = [
    [
      '{"rate_limits": {"max_auth_attempts": "9"}}',
      /rate_limits\.max_auth_attempts: expected integer, found string$/,
      0,
    ],
    ["", /found an empty file$/, 1],
    ['{"rate_limits":', /line 1, column 16$/, 1],
  ];
  for (const [text, message, retries] of table) {
    told.delays.length = told.faults.all.length = 0;
    await folder.write("config.json", text);
    for (let i = 0; i < 2; i++) {
      const { outcome, error } = await config.reload();
      assert.equal(outcome, "invalid");
      assert.match(error?.message ?? "", message);
    }
    assert.equal(config.snapshot(), before);
    assert.equal(told.faults.all.length, 1, "the same fault is told once");
    assert.ok(told.faults.all[0].message.startsWith(`config ${path}: `));
    assert.equal(told.delays.length, retries * 2);
  }
  await folder.write("config.json", numbered(1));
  assert.equal((await config.reload()).outcome, "unchanged");
  assert.equal(config.snapshot(), before);
  assert.deepEqual(told.reloads.all, []);
});

Deno.test("reload names static fields that changed, and does not apply them (core.md §18 row 61, its unit part)", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", numbered(1, { listen: "127.0.0.1:1" }));
  const told = new Told();
  await using config = await watchConfig(path, { ...told, watch: false });
  await folder.write("config.json", numbered(2, { listen: "127.0.0.1:2", limits: { max_connections: 7 } }));
  const result = await config.reload();
  assert.deepEqual(result.staticChanged, ["listen", "limits"]);
  assert.equal(result.outcome, "applied");
  assert.deepEqual(config.static.listen, [{ address: "127.0.0.1:1" }]);
  assert.equal(numberOf(config.snapshot()), 2);
  await config.reload();
  assert.deepEqual(told.fields.all, [["listen", "limits"]], "told once for each change");
  await folder.write("config.json", numbered(2, { listen: ["127.0.0.1:1"] }));
  assert.deepEqual(await config.reload(), { outcome: "unchanged", staticChanged: [] });
});

Deno.test("1 000 reads during swaps each see one whole snapshot (core.md §18 row 60)", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", numbered(1));
  await using config = await watchConfig(path, { watch: false });
  let reading = true;
  let n = 1;
  const swaps = (async () => {
    while (reading) {
      await rename(folder, numbered(++n));
      assert.equal((await config.reload()).outcome, "applied");
    }
  })();
  const seen = new Set<number>();
  let reads = 0;
  // Swaps wait for the file system, so a read a turn of the event loop meets them at every stage.
  while (reads < 1000 || seen.size < 3) {
    const snapshot = config.snapshot();
    const number = numberOf(snapshot);
    await new Promise((resolve) => setImmediate(resolve));
    for (const { scopes } of snapshot.auth.peers) assert.deepEqual(scopes, [`v${number}`]);
    assert.equal(numberOf(snapshot), number);
    seen.add(number);
    reads++;
  }
  reading = false;
  await swaps;
});

Deno.test("an identity provider over the file sees a peer authorized, changed and removed (core.md §18 row 58, its unit part)", async () => {
  using key = NodeKey.generate();
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", "{}");
  await using config = await watchConfig(path, { watch: false });
  const provider = configProvider(() => config.snapshot());
  const scopesWith = async (...peers: object[]) => {
    await folder.write("config.json", JSON.stringify({ auth: { peers } }));
    await config.reload();
    return provider.resolveFingerprint(key.fingerprint)?.scopes;
  };
  const peer = { peer_id: "a", fingerprints: [key.fingerprint], scopes: ["one"] };
  assert.equal(await scopesWith(), undefined);
  assert.deepEqual(await scopesWith(peer), ["one"]);
  const held = provider.resolveFingerprint(key.fingerprint);
  assert.deepEqual(await scopesWith({ ...peer, scopes: ["two"] }), ["two"]);
  assert.equal(await scopesWith({ ...peer, enabled: false }), undefined);
  assert.equal(await scopesWith(), undefined);
  assert.deepEqual(held?.scopes, ["one"]);
});

Deno.test("watchConfig: a callback that throws does not end the following", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", numbered(1));
  await using config = await watchConfig(path, {
    watch: false,
    onReload: () => {
      throw new Error("callback");
    },
  });
  for (const n of [2, 3]) {
    await folder.write("config.json", numbered(n));
    assert.equal((await config.reload()).outcome, "applied");
    assert.equal(numberOf(config.snapshot()), n);
  }
});

Deno.test("watchConfig and loadConfig reject what cannot be read at the start, and leave nothing open", async () => {
  await using folder = await temporaryFolder();
  for (const read of [(path: string) => watchConfig(path), (path: string) => loadConfig(path)]) {
    await assert.rejects(read(folder.join("none.json")), { code: "CONFIG_NOT_FOUND" });
    await assert.rejects(read(folder.path), { code: "CONFIG_UNREADABLE" });
    await assert.rejects(read(await folder.write("bad.json", "{")), { code: "INVALID_CONFIG" });
  }
  await assert.rejects(watchConfig(folder.join("no", "folder.json")), { code: "CONFIG_NOT_FOUND" });
});

Deno.test("disposing of a followed file ends a wait at once, and keeps the last snapshot", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", numbered(1));
  const config = await watchConfig(path);
  await folder.write("config.json", "{");
  const reload = config.reload();
  await config[Symbol.asyncDispose]();
  await config[Symbol.asyncDispose]();
  assert.equal((await reload).outcome, "invalid");
  assert.equal(numberOf(config.snapshot()), 1);
});

Deno.test("watchConfig follows a link that a deployment turns, and the file that it leads to then", async () => {
  await using folder = await temporaryFolder();
  const told = new Told();
  for (const n of [1, 2]) {
    await Deno.mkdir(folder.join(`release-${n}`));
    await folder.write(`release-${n}/config.json`, numbered(n));
  }
  await Deno.symlink("release-1", folder.join("current"));
  await using config = await watchConfig(folder.join("current/config.json"), { ...options(told), poll: 20 });
  await Deno.symlink("release-2", folder.join("turned"));
  await Deno.rename(folder.join("turned"), folder.join("current"));
  assert.equal(numberOf(await told.reloads.nth(1)), 2);
  await folder.write("release-2/config.json", numbered(3));
  assert.equal(numberOf(await told.reloads.nth(2)), 3);
  assert.equal(numberOf(config.snapshot()), 3);
});

Deno.test("watchConfig, asked to read after a link was turned, notices what changes there later", async () => {
  await using folder = await temporaryFolder();
  const told = new Told();
  for (const n of [1, 2]) {
    await Deno.mkdir(folder.join(`release-${n}`));
    await folder.write(`release-${n}/config.json`, numbered(n));
  }
  await Deno.symlink("release-1", folder.join("current"));
  await using config = await watchConfig(folder.join("current/config.json"), { ...options(told), poll: 1_000_000 });
  await Deno.symlink("release-2", folder.join("turned"));
  await Deno.rename(folder.join("turned"), folder.join("current"));
  assert.equal((await config.reload()).outcome, "applied");
  await folder.write("release-2/config.json", numbered(3));
  assert.equal(numberOf(await told.reloads.nth(2)), 3);
});

Deno.test("watchConfig follows a folder that is replaced", async () => {
  await using folder = await temporaryFolder();
  const told = new Told();
  await Deno.mkdir(folder.join("home"));
  await using config = await watchConfig(await folder.write("home/config.json", numbered(1)), {
    ...options(told),
    poll: 20,
  });
  await Deno.mkdir(folder.join("next"));
  await folder.write("next/config.json", numbered(2));
  await Deno.rename(folder.join("home"), folder.join("old"));
  await Deno.rename(folder.join("next"), folder.join("home"));
  await told.reloads.first((snapshot) => numberOf(snapshot) === 2);
  await folder.write("home/config.json", numbered(3));
  await told.reloads.first((snapshot) => numberOf(snapshot) === 3);
  assert.equal(numberOf(config.snapshot()), 3);
});

Deno.test("what is written beside the file is not taken for a change of it", async () => {
  await using folder = await temporaryFolder();
  const told = new Told();
  const path = await folder.write("config.json", numbered(1));
  // A file written a moment ago may be written again unseen: it is read once more then.
  await Deno.utime(path, new Date(0), new Date(0));
  await new Promise((resolve) => setTimeout(resolve, 150));
  await using _config = await watchConfig(path, told);
  for (let i = 0; i < 50; i++) await folder.write("log", `line ${i}\n`);
  await rename(folder, numbered(2));
  await told.reloads.nth(1);
  assert.ok(told.delays.length <= 3, `read ${told.delays.length} times for one change`);
});

/** The callbacks with the real delays. */
function options({ onReload, onInvalid, onStaticChanged }: Told): WatchOptions {
  return { onReload, onInvalid, onStaticChanged };
}

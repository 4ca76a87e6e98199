/**
 * Whoever may know is asked in turn, and what is found is dialled until one is the node (rows 67 to 69 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, rejects } from "node:assert/strict";
import {
  dialFound,
  discover,
  type DiscoveryProvider,
  type Found,
  keptPackets,
  openDnsStore,
  type RelayClient,
  relayProvider,
} from "../../../../handlers/dns/mod.ts";
import { KEY, now, packet, TIME } from "../pkarr/packets.ts";

const never = new AbortController().signal;

/** A wait that ends when the test says so, and says how long it was to be. */
function clock() {
  const waits: { milliseconds: number; end: () => void }[] = [];
  const wait = (milliseconds: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      waits.push({ milliseconds, end: resolve });
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  return { waits, wait };
}

/** Runs what is due, until nothing moves. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

function found(addresses: readonly string[], timestamp = 1n): Found {
  return { addresses, source: "relay", timestamp };
}

class Won implements AsyncDisposable {
  readonly address: string;
  isOpen = true;

  constructor(address: string) {
    this.address = address;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.isOpen = false;
    return Promise.resolve();
  }
}

async function* sequence(...all: readonly (Found | Promise<Found>)[]): AsyncIterable<Found> {
  for (const one of all) yield await one;
}

const all = (address: string) => Promise.resolve([address]);

Deno.test("each is asked after its delay, or at once when those before it are done", async () => {
  const { waits, wait } = clock();
  const asked: string[] = [];
  const first = Promise.withResolvers<void>();
  const provider = (name: string, delay: number, until?: Promise<void>): DiscoveryProvider => ({
    name,
    delay,
    async *find() {
      asked.push(name);
      await until;
      yield found([`${name}.example:1`]);
    },
  });
  const slow = Promise.withResolvers<void>();
  const providers = [provider("c", 400, slow.promise), provider("a", 0, first.promise), provider("b", 200)];
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { addresses } of discover(providers, KEY.id, never, { wait })) seen.push(...addresses);
  })();
  await settle();
  deepEqual([asked, waits.map(({ milliseconds }) => milliseconds)], [["a"], [200]]);
  waits[0].end();
  await settle();
  deepEqual([asked, waits.map(({ milliseconds }) => milliseconds)], [["a", "b"], [200, 200]]);
  // `b` is done, `a` is not: `c` waits for its time still, until `a` is done too.
  first.resolve();
  await settle();
  deepEqual(asked, ["a", "b", "c"]);
  slow.resolve();
  await reading;
  deepEqual(seen, ["b.example:1", "a.example:1", "c.example:1"]);
});

Deno.test("who fails knows nothing, and nobody is waited for when it ends", async () => {
  const stop = new AbortController();
  const hanging: DiscoveryProvider = {
    name: "hanging",
    delay: 0,
    // deno-lint-ignore require-yield -- it never knows anything.
    async *find(_, signal) {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    },
  };
  const failing: DiscoveryProvider = {
    name: "failing",
    delay: 0,
    // deno-lint-ignore require-yield -- it only fails.
    async *find() {
      throw await Promise.resolve(new Error("down"));
    },
  };
  const good: DiscoveryProvider = { name: "good", delay: 0, find: () => sequence(found(["a.example:1"])) };
  const seen: unknown[] = [];
  for await (const one of discover([failing, hanging, good], KEY.id, stop.signal)) {
    seen.push(one.addresses);
    stop.abort();
  }
  deepEqual(seen, [["a.example:1"]]);
});

Deno.test("what is kept and what relays have, as long as it is good (row 77)", async () => {
  using store = openDnsStore(":memory:", { now });
  const lines = '_alknet 300 TXT v=1\n_alknet 300 TXT "addr=192.0.2.7:1"\n';
  const of = async (provider: DiscoveryProvider) => {
    const seen: Found[] = [];
    for await (const one of provider.find(KEY.id, never)) seen.push(one);
    return seen;
  };
  deepEqual(await of(keptPackets(store.packets, now)), []);
  store.packets.put(packet(lines));
  deepEqual(await of(keptPackets(store.packets, now)), [
    { addresses: ["192.0.2.7:1"], source: "cache", timestamp: TIME },
  ]);
  const relay = (text: string): RelayClient => ({
    name: "r",
    get: () => Promise.resolve(packet(text, TIME + 1n)),
    put: () => Promise.resolve("stored"),
  });
  const expired = relay(`${lines}_alknet 300 TXT exp=${Number(TIME / 1_000_000n)}`);
  deepEqual(await of(relayProvider(expired, store.packets, now)), [
    { addresses: [], source: "relay", timestamp: TIME + 1n },
  ]);
  equal(store.packets.get(KEY.id)?.timestamp, TIME + 1n);
});

Deno.test("the wrong node first: the next is tried, and what is still dialled is let go (row 68)", async () => {
  const { waits, wait } = clock();
  const attempts: string[] = [];
  const late = Promise.withResolvers<Won>();
  const lateWon = new Won("silent:1");
  const outcome = dialFound(() => sequence(found(["wrong:1", "silent:1", "right:1", "never:1"])), {
    attempt(address, signal) {
      attempts.push(address);
      if (address === "wrong:1") return Promise.reject(new Error("FINGERPRINT_MISMATCH"));
      if (address === "right:1") return Promise.resolve(new Won(address));
      signal.addEventListener("abort", () => late.resolve(lateWon), { once: true });
      return late.promise;
    },
    allowed: all,
    signal: never,
    wait,
  });
  await settle();
  deepEqual(attempts, ["wrong:1", "silent:1"]);
  waits.at(-1)!.end();
  const won = await outcome as Won;
  deepEqual([won.address, won.isOpen, lateWon.isOpen], ["right:1", true, false]);
  deepEqual(attempts, ["wrong:1", "silent:1", "right:1"]);
});

Deno.test("a newer packet takes the place of what was not tried yet, an older one of nothing (row 68)", async () => {
  const { waits, wait } = clock();
  const attempts: string[] = [];
  const newer = Promise.withResolvers<Found>();
  const last = Promise.withResolvers<Won>();
  const outcome = dialFound(
    () =>
      sequence(found(["a:1", "b:1", "c:1"], 5n), found(["older:1"], 4n), newer.promise, found(["same:1", "a:1"], 9n)),
    {
      attempt(address) {
        attempts.push(address);
        return address === "a:1" ? last.promise : Promise.reject(new Error(address));
      },
      allowed: all,
      signal: never,
      wait,
    },
  );
  await settle();
  deepEqual(attempts, ["a:1"]);
  newer.resolve(found(["d:1"], 9n));
  await settle();
  waits.at(-1)!.end();
  await settle();
  deepEqual(attempts, ["a:1", "d:1", "same:1"]);
  last.resolve(new Won("a:1"));
  equal((await outcome as Won).address, "a:1");
});

Deno.test("what nobody has signed takes the place of nothing", async () => {
  const { wait } = clock();
  const attempts: string[] = [];
  const all = () => sequence(found(["a:1"], 5n), { addresses: ["b:1"], source: "dns" }, found(["c:1"], 4n));
  await dialFound(all, {
    attempt(address) {
      attempts.push(address);
      return Promise.reject<Won>(new Error(address));
    },
    allowed: (address) => Promise.resolve([address]),
    signal: never,
    wait,
  });
  deepEqual(attempts, ["a:1", "b:1"]);
});

Deno.test("nothing that may be dialled, nothing that answers, 64 at most, and an end from outside (row 69)", async () => {
  const { wait } = clock();
  const shared = { allowed: all, signal: never, wait };
  const fails = (address: string) => Promise.reject<Won>(new Error(address));
  deepEqual(await dialFound(() => sequence(), { ...shared, attempt: fails }), { skipped: 0, failures: [] });
  const none = { ...shared, attempt: fails, allowed: () => Promise.resolve([]) };
  deepEqual(await dialFound(() => sequence(found(["a:1", "b:1"])), none), { skipped: 2, failures: [] });
  const many = Array.from({ length: 100 }, (_, n) => `h${n}:1`);
  const outcome = await dialFound(() => sequence(found(many)), { ...shared, attempt: fails });
  equal("failures" in outcome && outcome.failures.length, 64);
  const stop = new AbortController();
  const stopped = dialFound((signal) => discover([{ name: "x", delay: 0, find: () => hang(signal) }], KEY.id, signal), {
    ...shared,
    signal: stop.signal,
    attempt: fails,
  });
  stop.abort(new Error("enough"));
  await rejects(stopped, { message: "enough" });
});

// deno-lint-ignore require-yield -- it never knows anything.
async function* hang(signal: AbortSignal): AsyncIterable<Found> {
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

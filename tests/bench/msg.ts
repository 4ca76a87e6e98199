/**
 * Messages beside their floors: what the cryptography costs at least, and the same rows in SQLite as it comes (msg.md §8).
 *
 * @module
 */
import { openGcm, sealGcm, sha256, systemBytes, x25519, x25519Public } from "@alknet/core/crypto";
import { MAILBOX_LIMITS, type MailboxStore, messageKeys, type NewItem, openMailboxStore } from "@alknet/handlers/msg";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { DatabaseSync } from "node:sqlite";
import { answer, begin } from "../../handlers/msg/agreement/agreement.ts";
import { makeBundle, readBundle } from "../../handlers/msg/agreement/bundle.ts";
import { readFirst } from "../../handlers/msg/agreement/envelope.ts";
import { open, seal } from "../../handlers/msg/agreement/ratchet.ts";
import { runProgram } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { compare, type Contestant, type Effort, type Figure, type Group, script, sized } from "./harness.ts";

const SENDERS = 64;
const BODY = 2048;
const FEW = 100;
const MANY = 100_000;
const LISTENED = 10_000;
const random = systemBytes;
const skipped = { headerKeys: () => [], find: () => undefined };

/** Agreement and ratchet. */
export const msgSealing: Group = {
  name: "msg-sealing",
  async run(effort) {
    const [ann, bob] = [person(), person()];
    const spk = random(32);
    const seed = random(64);
    const begunIn = (pq?: Uint8Array) => {
      const bundle = readBundle(makeBundle(bob, { id: 1, spk, pq }, 30_000), bob.ed, 1);
      return () => {
        const { session, envelope } = seal(begin(ann, bundle, random), new Uint8Array(10), { size: 2048, random });
        return { a: session, b: answer(bob, { spk, pq }, readFirst(envelope)!).session, envelope };
      };
    };
    const begun = begunIn();
    const other = x25519Public(spk);
    const exchanges = () => {
      for (let i = 0; i < 8; i++) x25519(spk, other);
    };
    const [agreement, agreementFloor] = await rates(effort, [begun, exchanges]);
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    const [hybrid, hybridFloor] = await rates(effort, [begunIn(seed), () => {
      exchanges();
      ml_kem768.decapsulate(ml_kem768.encapsulate(publicKey).cipherText, secretKey);
    }]);
    const first = begun();
    const opened = open(first.b, first.envelope, { skipped, random });
    const answered = seal(opened.session, new Uint8Array(10), { size: 1024, random });
    let a = open(first.a, answered.envelope, { skipped, random }).session;
    let b = answered.session;
    const content = random(900);
    const [key, nonce, kilobyte] = [random(32), random(12), random(1000)];
    const [message, messageFloor] = await rates(effort, [() => {
      const sealed = seal(a, content, { size: 1024, random });
      a = sealed.session;
      b = open(b, sealed.envelope, { skipped, random }).session;
    }, () => openGcm(key, nonce, sealGcm(key, nonce, kilobyte))]);
    return [
      beside("agreement, both ends, suite 1", agreement, agreementFloor, "8 X25519", 0.4),
      beside("agreement, both ends, suite 2", hybrid, hybridFloor, "8 X25519, 2 ML-KEM", 0.4),
      beside("seal and open, 1 KB", message, messageFloor, "2 GCM of 1 KB", 0.2),
    ];
  },
};

/** A mailbox that takes in what many send. */
export const msgMailbox: Group = {
  name: "msg-mailbox",
  async run(effort) {
    await using folder = await temporaryFolder();
    const limits = { ...MAILBOX_LIMITS, queueItems: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };
    await using store = openMailboxStore(folder.join("mailbox.sqlite"), limits);
    const rids = await queuesOf(store, SENDERS);
    const plain = plainRows(folder.join("plain.sqlite"));
    await using few = openMailboxStore(folder.join("few.sqlite"), limits);
    await using many = openMailboxStore(folder.join("many.sqlite"), limits);
    // Fewer are not seen in what a process has.
    const [queued, listened] = [sized(effort, MANY, MANY / 10), sized(effort, LISTENED, LISTENED / 10)];
    const [inFew, inMany] = [await queuesOf(few, FEW), await queuesOf(many, sized(effort, MANY, FEW))];
    try {
      const [ours, floor] = await rates(effort, [
        () => Promise.all(rids.map((rid) => store.append(rid, fresh()))),
        () => plain.insert(rids),
      ], 1);
      const [ofMany, ofFew] = await rates(effort, [passing(many, inMany), passing(few, inFew)], 1);
      const { queues, subscriptions } = await memory(folder.join("memory.sqlite"), queued, listened);
      const mib = (bytes: number): number => bytes / 2 ** 20;
      return [
        beside(`SEND ${BODY} B, ${SENDERS} senders`, ours * SENDERS, floor * SENDERS, "node:sqlite, 64 a commit", 0.5),
        beside(
          `SEND and ACK ${BODY} B, ${MANY} queues`,
          ofMany * SENDERS,
          ofFew * SENDERS,
          `itself with ${FEW} queues`,
          0.8,
        ),
        {
          ...beside(`memory of ${queued} queues`, mib(queues), 64, "what it may be", 1),
          unit: "MiB",
          lessIsBetter: true,
        },
        {
          ...beside(`memory of ${listened} SUBs`, mib(subscriptions), 32, "what it may be", 1),
          unit: "MiB",
          lessIsBetter: true,
        },
      ];
    } finally {
      plain.close();
    }
  },
};

function fresh(): NewItem {
  const body = random(BODY);
  return { kind: 0, digest: sha256(body).subarray(0, 16), day: 1, body };
}

async function queuesOf(store: MailboxStore, count: number): Promise<Uint8Array[]> {
  return await Promise.all(Array.from({ length: count }, async () => {
    const rid = random(24);
    await store.create({ rid, sid: random(24), rcap: random(32), scap: random(32), kind: 0, used: 1 });
    return rid;
  }));
}

/** Into as many queues as there are senders, any of them; and out of those before. */
function passing(store: MailboxStore, rids: readonly Uint8Array[]): () => Promise<unknown> {
  let before: Uint8Array[] = [];
  return () => {
    const acknowledging = before.map(async (rid) => await store.ack(rid, store.after(rid, 0n, 1)[0]?.seq ?? 0n));
    before = Array.from({ length: SENDERS }, () => rids[Math.floor(Math.random() * rids.length)]);
    return Promise.all([...acknowledging, ...before.map((rid) => store.append(rid, fresh()))]);
  };
}

/** Measured in a program of its own, whose garbage can be taken away, and that did not make what it opens. */
async function memory(
  file: string,
  queues: number,
  listened: number,
): Promise<{ readonly queues: number; readonly subscriptions: number }> {
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(Deno.execPath(), [
      "run",
      "-A",
      ...args,
      file,
      `${queues}`,
      `${listened}`,
    ]);
    if (code !== 0) throw new Error(`${args.join(" ")} failed: ${stderr}`);
    return stdout;
  };
  await run(script("msg_memory.ts"), "make");
  return JSON.parse(await run("--v8-flags=--expose-gc", script("msg_memory.ts"), "measure"));
}

/** The same rows, 64 a transaction. */
function plainRows(file: string) {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;
    CREATE TABLE item (id INTEGER PRIMARY KEY, rid BLOB NOT NULL, seq INT NOT NULL, kind INT NOT NULL, day INT NOT NULL,
      digest BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (rid, seq), UNIQUE (rid, digest)) STRICT;
    CREATE INDEX item_day ON item (day);`);
  const insert = database.prepare("INSERT INTO item (rid, seq, kind, day, digest, body) VALUES (?, ?, 0, 1, ?, ?)");
  let seq = 0;
  return {
    insert(rids: readonly Uint8Array[]): void {
      database.exec("BEGIN IMMEDIATE");
      seq++;
      for (const rid of rids) {
        const body = random(BODY);
        insert.run(rid, seq, sha256(body).subarray(0, 16), body);
      }
      database.exec("COMMIT");
    },
    close: () => database.close(),
  };
}

function person() {
  return messageKeys({ ed: random(32), ik: random(32), store: random(32) });
}

function beside(name: string, ours: number, peer: number, peerName: string, wanted: number): Figure {
  return { name: `msg: ${name}`, unit: "/s", ours, peer, peerName, wanted };
}

/** Calls a second of each, which take turns in this process. */
function rates(effort: Effort, works: readonly (() => unknown)[], calls = 5): Promise<number[]> {
  return compare(works.map((work) => inProcess(work, calls)), { task: "call" }, effort);
}

function inProcess(work: () => unknown, calls: number): Contestant {
  return {
    async measure(_task, seconds) {
      const start = performance.now();
      let [done, elapsed] = [0, 0];
      do {
        for (let i = 0; i < calls; i++) await work();
        done += calls;
        elapsed = performance.now() - start;
      } while (elapsed < seconds * 1000);
      return done / elapsed * 1000;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

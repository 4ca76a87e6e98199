/**
 * Messages beside their floors: what the cryptography costs at least, and the same rows in SQLite as it comes (msg.md §8).
 *
 * @module
 */
import { openGcm, sealGcm, sha256, systemBytes, x25519, x25519Public } from "@alknet/core/crypto";
import { MAILBOX_LIMITS, messageKeys, openMailboxStore } from "@alknet/handlers/msg";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { DatabaseSync } from "node:sqlite";
import { answer, begin } from "../../handlers/msg/agreement/agreement.ts";
import { makeBundle, readBundle } from "../../handlers/msg/agreement/bundle.ts";
import { readFirst } from "../../handlers/msg/agreement/envelope.ts";
import { open, seal } from "../../handlers/msg/agreement/ratchet.ts";
import { temporaryFolder } from "../support/temp.ts";
import { compare, type Contestant, type Effort, type Figure, type Group } from "./harness.ts";

const SENDERS = 64;
const BODY = 2048;
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
    const rids = await Promise.all(Array.from({ length: SENDERS }, async () => {
      const rid = random(24);
      await store.create({ rid, sid: random(24), rcap: random(32), scap: random(32), kind: 0, used: 1 });
      return rid;
    }));
    const plain = plainRows(folder.join("plain.sqlite"));
    try {
      const [ours, floor] = await rates(effort, [
        () =>
          Promise.all(rids.map((rid) => {
            const body = random(BODY);
            return store.append(rid, { kind: 0, digest: sha256(body).subarray(0, 16), day: 1, body });
          })),
        () => plain.insert(rids),
      ], 1);
      return [
        beside(`SEND ${BODY} B, ${SENDERS} senders`, ours * SENDERS, floor * SENDERS, "node:sqlite, 64 a commit", 0.5),
      ];
    } finally {
      plain.close();
    }
  },
};

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

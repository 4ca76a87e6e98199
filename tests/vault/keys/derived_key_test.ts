import assert from "node:assert/strict";
import { DerivedKey } from "../../../vault/keys/derived_key.ts";
import { seeded } from "../../support/random.ts";
import { arraysCopiedInto } from "../watch_set.ts";

const DISPOSED = { name: "VaultError", code: "KEY_DISPOSED" };

Deno.test("DerivedKey: among many that come and go, each holds its own bytes until it is disposed of, then zeros", () => {
  const random = seeded("derived keys that come and go");
  const live = new Map<DerivedKey, Uint8Array>();
  for (let turn = 0; turn < 2000; turn++) {
    const secret = random.bytes(64);
    const key = new DerivedKey("ed25519", `m/${turn}'`, secret);
    live.set(key, secret.slice());
    secret.fill(0xee);
    const [chosen, bytes] = random.pick([...live]);
    assert.deepEqual(chosen.privateKey, bytes.subarray(0, 32));
    assert.deepEqual(chosen.chainCode, bytes.subarray(32));
    if (!random.chance(0.9)) continue;
    const arrays = [chosen.privateKey, chosen.chainCode];
    chosen.dispose();
    live.delete(chosen);
    for (const array of arrays) assert.deepEqual(array, new Uint8Array(32));
  }
  assert(live.size > 64, "more than one piece of memory was in use");
  for (const [key, bytes] of live) assert.deepEqual(key.privateKey, bytes.subarray(0, 32));
});

Deno.test("DerivedKey gives arrays that reach no other key's bytes", () => {
  using key = new DerivedKey("ed25519", "m/0'", new Uint8Array(64).fill(1));
  for (const array of [key.privateKey, key.chainCode, key.publicKey]) assert.equal(array.buffer.byteLength, 32);
  assert.equal(key.privateKey, key.privateKey, "one array, so that all there is gets wiped");
  key.publicKey.fill(0);
  assert.notDeepEqual(key.publicKey, new Uint8Array(32), "the public key is a copy");
});

Deno.test("DerivedKey, disposed of twice, gives its memory back once and nothing of itself any more", () => {
  const first = new DerivedKey("ed25519", "m/0'", new Uint8Array(64).fill(1));
  first.dispose();
  first.dispose();
  using one = new DerivedKey("ed25519", "m/1'", new Uint8Array(64).fill(2));
  using other = new DerivedKey("ed25519", "m/2'", new Uint8Array(64).fill(3));
  first.dispose();
  assert.deepEqual([one.privateKey[0], other.privateKey[0]], [2, 3]);
  for (const read of [() => first.privateKey, () => first.publicKey, () => first.chainCode]) {
    assert.throws(read, DISPOSED);
  }
});

Deno.test("DerivedKey.dispose() wipes also the copy that is never given out", () => {
  let key: DerivedKey | undefined;
  const arrays = arraysCopiedInto(() => key = new DerivedKey("ed25519", "m/0'", new Uint8Array(64).fill(1)));
  assert.deepEqual(arrays, [new Uint8Array(64).fill(1)]);
  key!.dispose();
  assert.deepEqual(arrays, [new Uint8Array(64)]);
});

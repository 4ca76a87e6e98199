import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { hmacSha512 } from "../../../vault/keys/hmac.ts";
import { seeded } from "../../support/random.ts";
import { arraysCopiedInto } from "../watch_set.ts";

const ASCII = new TextEncoder();
const KEY = new Uint8Array(32).fill(1);

/** RFC 4231 §4: those of its cases whose key and message the derivation schemes could have. */
const RFC_4231 = [
  {
    key: "0b".repeat(20),
    message: ASCII.encode("Hi There").toHex(),
    mac: "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde" +
      "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
  },
  {
    key: ASCII.encode("Jefe").toHex(),
    message: ASCII.encode("what do ya want for nothing?").toHex(),
    mac: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  },
  {
    key: "aa".repeat(20),
    message: "dd".repeat(50),
    mac: "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39" +
      "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
  },
];

Deno.test("hmacSha512() gives the published values (RFC 4231 §4)", () => {
  for (const { key, message, mac } of RFC_4231) {
    assert.equal(hmac(Uint8Array.fromHex(key), Uint8Array.fromHex(message)), mac);
  }
});

Deno.test("hmacSha512() agrees with another implementation at every length it takes, in any parts", () => {
  const random = seeded("HMAC-SHA512 in parts");
  for (let length = 0; length <= 128; length++) {
    const [key, message] = [random.bytes(length), random.bytes(length % 70)];
    const cut = random.below(message.length + 1);
    const wanted = createHmac("sha512", key).update(message).digest("hex");
    assert.equal(hmac(key, message), wanted);
    assert.equal(hmac(key, message.subarray(0, cut), message.subarray(cut)), wanted);
  }
  assert.equal(hmac("Bitcoin seed", new Uint8Array(16)), hmac(ASCII.encode("Bitcoin seed"), new Uint8Array(16)));
});

Deno.test("hmacSha512() gives an array whose slices are copies, as a Buffer's are not", () => {
  const given = hmacSha512(new Uint8Array(32), new Uint8Array(4));
  const copy = given.slice();
  given.fill(0);
  assert.notDeepEqual(copy, given);
});

Deno.test("hmacSha512() leaves nothing of key and message in its memory, whether it refuses or not", () => {
  const message = new Uint8Array(64).fill(2);
  for (const work of [() => hmac(KEY, message), () => assert.throws(() => hmac(KEY, message, message), RangeError)]) {
    const arrays = arraysCopiedInto(() => void work());
    assert(arrays.some((array) => array.length === 128 + 69));
    for (const array of arrays) assert.deepEqual(array, new Uint8Array(array.length));
  }
});

Deno.test("hmacSha512() takes no longer key and no longer message, and is as good after it refused", () => {
  const message = new Uint8Array(64).fill(2);
  const before = hmac(KEY, message);
  assert.throws(() => hmac(new Uint8Array(129), message), RangeError);
  assert.throws(() => hmac(KEY, new Uint8Array(70)), RangeError);
  assert.throws(() => hmac(KEY, message, message), RangeError);
  assert.equal(hmac(KEY, message), before);
});

function hmac(key: Uint8Array | string, ...parts: Uint8Array[]): string {
  return hmacSha512(key, ...parts).toHex();
}

/**
 * What opens a database or a bucket is printed by nobody.
 *
 * @module
 */
import { BucketCredential, PostgresPassword } from "@alknet/handlers/fs";
import { deepEqual } from "node:assert/strict";
import { inspect } from "node:util";

for (const secret of [new BucketCredential("topsecret", "topsecret", "topsecret"), new PostgresPassword("topsecret")]) {
  Deno.test(`${secret.constructor.name}: printed as [redacted], however it is printed`, () => {
    const printed = [String(secret), JSON.stringify(secret), Deno.inspect(secret), inspect(secret)];
    deepEqual(printed, ["[redacted]", '"[redacted]"', "[redacted]", "[redacted]"]);
  });
}

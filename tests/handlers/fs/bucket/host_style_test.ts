/**
 * A bucket whose name stands in the host: the server takes it from there, and so it is signed (fs.md §7). Names below
 * `localhost` lead nowhere on some machines: a proxy of the test brings them to the server.
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { S3Bucket } from "../../../../handlers/fs/bucket/s3/client.ts";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { BUCKET, startS3 } from "../../../support/s3.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { filesBelow, sound } from "../stores.ts";
import { faulty } from "./faulty.ts";

const DOMAIN = "s3.localhost";

Deno.test({
  name: "versitygw: a bucket in the name of its host: blobs go there and come back, are listed and removed",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3("versitygw", undefined, DOMAIN);
    await using front = faulty(server);
    await using temporary = await temporaryFolder();
    using _proxy = proxied(front.options().endpoint);
    const { port } = new URL(server.endpoint);
    const options = server.options({ endpoint: `http://${DOMAIN}:${port}`, pathStyle: false, prefix: "one/" });
    const bytes = seeded("host style").bytes(300_000);
    const folder = temporary.join("fs");
    {
      await using fs = await openFs({ folder, bucket: { ...options, mode: "cold", cacheBytes: 0 } });
      await using held = await fs.blobs.add(new Blob([bytes]).stream());
      await fs.settle();
      const sent = await filesBelow(`${server.folder}/${BUCKET}/one`);
      for (const kind of ["data", "obao4"]) ok(sent.includes(`${held.hash}.${kind}`), sent.join());
      deepEqual((await filesBelow(`${folder}/data`)).filter((name) => name.endsWith(".data")), []);
      await using reader = await fs.blobs.open(held.hash);
      deepEqual(await reader.read(0, reader.size), bytes);
    }
    // Each request named the bucket in its host, and none in its path.
    ok(front.seen.length > 3);
    deepEqual(new Set(front.seen.map(({ headers }) => headers.get("host"))), new Set([`${BUCKET}.${DOMAIN}:${port}`]));
    equal(front.seen.some(({ path }) => path.includes(BUCKET)), false);
    {
      using bucket = new S3Bucket(options);
      const keys = (await Array.fromAsync(bucket.list(""))).map(({ key }) => key);
      equal(keys.filter((key) => /\.(?:data|obao4)$/.test(key)).length, 2);
      for (const key of keys) await bucket.remove(key);
      deepEqual(await Array.fromAsync(bucket.list("")), []);
      using wrong = new S3Bucket({ ...options, bucket: "other" });
      await rejects(wrong.put("a", new Uint8Array(1)), { code: "BUCKET_REFUSED" });
    }
    await sound(folder);
  },
});

/** Requests of this process go by a proxy until it is disposed of. */
function proxied(url: string): Disposable {
  const before = ["HTTP_PROXY", "NO_PROXY"].map((name) => [name, Deno.env.get(name)] as const);
  Deno.env.set("HTTP_PROXY", url);
  Deno.env.delete("NO_PROXY");
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    },
  };
}

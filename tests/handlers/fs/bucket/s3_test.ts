/**
 * The client of S3 against real servers, and another client that reads what it wrote (fs.md §7).
 *
 * @module
 */
import { type BucketOptions, bucketUrl, probeBucket } from "@alknet/handlers/fs";
import { selfSignedCertificate } from "@alknet/core/identity";
import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { AT_ONCE, S3Bucket } from "../../../../handlers/fs/bucket/s3/client.ts";
import { partSize } from "../../../../handlers/fs/bucket/s3/parts.ts";
import { needs } from "../../../support/programs.ts";
import { startPeer } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";
import { ACCESS_KEY, BUCKET, type S3Server, SECRET, startS3 } from "../../../support/s3.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { faulty } from "./faulty.ts";

/** Two parts and a bit. */
const LARGE = 2 * AT_ONCE + 70_001;

for (const kind of ["versitygw", "seaweedfs"] as const) {
  Deno.test({
    name: `${kind}: put, refuse to replace, parts, list, read ranges, remove; boto3 reads the same (fs.md §11 row 52)`,
    ...needs(kind, "python"),
    async fn() {
      await using server = await startS3(kind);
      await using peer = startPeer("s3_client.py");
      const asked = { endpoint: server.endpoint, accessKey: ACCESS_KEY, secret: SECRET, bucket: BUCKET };
      if (kind === "seaweedfs") await peer.ask({ action: "make", ...asked });
      using bucket = new S3Bucket(server.options({ prefix: "node/one." }));
      const bytes = seeded(kind).bytes(LARGE);
      const read = (at: number, length: number): Promise<Uint8Array> => Promise.resolve(bytes.slice(at, at + length));
      equal(await bucket.put("ab/small", bytes.subarray(0, 1000), { ifAbsent: true }), true);
      equal(await bucket.put("ab/small", bytes.subarray(0, 10), { ifAbsent: true }), false);
      equal((await bucket.head("ab/small"))!.size, 1000);
      equal(await bucket.putParts("ab/large", LARGE, read, { ifAbsent: true }), true);
      equal(await bucket.putParts("ab/large", LARGE, read, { ifAbsent: true }), false);
      equal(await bucket.put("ab/empty", new Uint8Array()), true);
      equal(await bucket.put("ac/other", bytes.subarray(0, 5)), true);
      equal(await bucket.put("ac/other", bytes.subarray(0, 6)), true);
      for (const [at, length] of [[0, 1], [AT_ONCE - 5, 10], [LARGE - 3, 10], [LARGE, 10], [100_000, 1 << 20]]) {
        deepEqual(await bucket.get("ab/large", at, length), bytes.slice(at, at + length));
      }
      equal(await bucket.get("ab/none", 0, 1), undefined);
      equal(await bucket.head("ab/none"), undefined);
      const listed = await Array.fromAsync(bucket.list("ab/"));
      deepEqual(listed.map(({ key, size }) => [key, size]), [["ab/empty", 0], ["ab/large", LARGE], ["ab/small", 1000]]);
      const { objects } = await peer.ask<{ objects: { key: string; sha256: string }[] }>({ action: "names", ...asked });
      const sha = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      equal(objects.find(({ key }) => key === "node/one.ab/large")?.sha256, sha);
      equal(objects.length, 4);
      await peer.ask({ action: "put", ...asked, key: "node/one.ab/theirs", hex: "00ff" });
      deepEqual(await bucket.get("ab/theirs", 0, 100), new Uint8Array([0, 255]));
      await bucket.remove("ab/large");
      await bucket.remove("ab/large");
      equal(await bucket.head("ab/large"), undefined);
      equal(await probeBucket(server.options()), `${BUCKET} at ${new URL(server.endpoint).host}`);
    },
  });
}

Deno.test({
  name:
    "S3Bucket: a put in parts that was cut at each of its requests goes on where it was; what nobody finishes is ended (fs.md §11 row 52)",
  ...needs("versitygw", "python"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    await using peer = startPeer("s3_client.py");
    const asked = { endpoint: server.endpoint, accessKey: ACCESS_KEY, secret: SECRET, bucket: BUCKET };
    const bytes = seeded("parts").bytes(LARGE);
    const read = (at: number, length: number): Promise<Uint8Array> => Promise.resolve(bytes.slice(at, at + length));
    let sent = 0;
    // Each request of it is the last one once; at the end none is left.
    for (let passing = 0;; passing++) {
      let left = passing;
      front.rule = ({ path }) => {
        if (left-- <= 0) return { status: 403, code: "AccessDenied" };
        if (path.includes("partNumber=")) sent++;
        return undefined;
      };
      using bucket = new S3Bucket(front.options());
      const done = await bucket.putParts("ab/x", LARGE, read, { ifAbsent: true }).catch((error) => error.code);
      // What was cut off is on its way yet.
      await front.quiet();
      if (done === true) break;
      equal(done, "BUCKET_REFUSED");
      const { uploads } = await peer.ask<{ uploads: string[] }>({ action: "uploads", ...asked });
      equal(uploads.length <= 1, true, "one of them is gone on with");
    }
    equal(sent, 3, "none is sent again that is there");
    using bucket = new S3Bucket(server.options());
    deepEqual(await bucket.get("ab/x", 0, LARGE), bytes);
    deepEqual(await peer.ask({ action: "uploads", ...asked }), { uploads: [] });
    // Begun, and left alone.
    front.rule = ({ method }) => method === "PUT" ? { status: 403, code: "AccessDenied" } : undefined;
    using through = new S3Bucket(front.options());
    await rejects(through.putParts("ab/y", LARGE, read), { code: "BUCKET_REFUSED" });
    equal(await bucket.sweep(3_600_000), 0);
    equal(await bucket.sweep(-3_600_000), 1);
    deepEqual(await peer.ask({ action: "uploads", ...asked }), { uploads: [] });
  },
});

Deno.test({
  name: "S3Bucket: where a part comes back under a wrong tag, the object is put together at the next try",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    using bucket = new S3Bucket(front.options());
    const bytes = seeded("tags").bytes(LARGE);
    const read = (at: number, length: number): Promise<Uint8Array> => Promise.resolve(bytes.slice(at, at + length));
    front.rule = ({ path }) =>
      path.includes("partNumber=2") ? { headers: { etag: '"00000000000000000000000000000000"' } } : undefined;
    await rejects(bucket.putParts("a", LARGE, read), { code: "BUCKET_REFUSED", message: /InvalidPart/ });
    equal(await bucket.head("a"), undefined);
    equal(await bucket.putParts("a", LARGE, read), true);
    deepEqual(await bucket.get("a", 0, LARGE), bytes);
  },
});

Deno.test("partSize(): at most 9000 parts of at least 16 MiB (fs.md §7)", () => {
  equal(partSize(AT_ONCE + 1), AT_ONCE);
  for (const size of [2 ** 37, 2 ** 40, 2 ** 44]) equal(Math.ceil(size / partSize(size)) <= 9000, true);
});

/** What each fault of a server is told as. */
const REFUSALS: readonly [name: string, changes: (server: S3Server) => Partial<BucketOptions>, said: RegExp][] = [
  ["a bucket that is not there", () => ({ bucket: "another" }), /another at .*NoSuchBucket.*make the bucket/],
  ["a key that is not known", () => ({ credential: keyed("AKOTHER", SECRET) }), /access key/],
  ["a wrong secret", () => ({ credential: keyed(ACCESS_KEY, "top-secret") }), /SignatureDoesNotMatch.*credential/],
];

for (const [name, changes, said] of REFUSALS) {
  Deno.test({
    name: `S3Bucket: ${name} is refused, with what to do and no secret`,
    ...needs("versitygw"),
    async fn() {
      await using server = await startS3();
      using bucket = new S3Bucket(server.options(changes(server)));
      for (const work of [() => bucket.put("a", new Uint8Array(1)), () => bucket.get("a", 0, 1)]) {
        await rejects(work(), (error) => {
          const { code, message } = error as { code?: unknown; message: string };
          equal(code, "BUCKET_REFUSED");
          match(message, said);
          equal(message.includes("top-secret"), false);
          return true;
        });
      }
    },
  });
}

Deno.test({
  name: "S3Bucket: passing faults are tried again, five times; keys that are over are asked for anew",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    using bucket = new S3Bucket(front.options());
    for (const status of [429, 500, 502, 503, 504]) {
      let left = 2;
      front.rule = () => left-- > 0 ? { status, code: "SlowDown" } : undefined;
      equal(await bucket.put(`s/${status}`, new Uint8Array(5)), true);
    }
    front.seen.length = 0;
    front.rule = () => ({ status: 503, code: "SlowDown" });
    await rejects(bucket.put("s/never", new Uint8Array(5)), { code: "BUCKET_UNAVAILABLE" });
    equal(front.seen.length, 5);
    let asked = 0;
    using other = new S3Bucket(front.options({
      credential: () => {
        asked++;
        return server.options().credential();
      },
    }));
    let isOver = true;
    front.rule = () => {
      if (!isOver) return undefined;
      isOver = false;
      return { status: 400, code: "ExpiredToken" };
    };
    equal(await other.put("s/keys", new Uint8Array(5)), true);
    equal(asked, 2);
    front.rule = () => ({ status: 400, code: "ExpiredToken" });
    await rejects(other.put("s/keys", new Uint8Array(5)), { code: "BUCKET_REFUSED" });
    equal(asked, 3);
  },
});

Deno.test({
  name: "S3Bucket: answers that are cut, lost, slow, of another range, or lead elsewhere",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    using bucket = new S3Bucket(front.options(), 300);
    const bytes = seeded("cut").bytes(100_000);
    await bucket.put("a", bytes);
    for (const fault of [{ cut: 50_000 }, "lost", "stall"] as const) {
      let left = 1;
      front.rule = () => left-- > 0 ? fault : undefined;
      deepEqual(await bucket.get("a", 0, 100_000), bytes);
    }
    front.rule = () => "stall";
    await rejects(bucket.get("a", 0, 10), { code: "BUCKET_UNAVAILABLE", message: /nothing came for 0.3 s/ });
    front.rule = () => ({ headers: { "content-range": "bytes 7-9/100000" } });
    await rejects(bucket.get("a", 5, 3), { code: "BUCKET_REFUSED", message: /another range/ });
    await using elsewhere = faulty(server);
    front.rule = () => ({ status: 307, location: `${elsewhere.options().endpoint}/blobs/a` });
    await rejects(bucket.get("a", 5, 3), { code: "BUCKET_REFUSED", message: /elsewhere/ });
    equal(elsewhere.seen.length, 0, "nobody else gets the signature");
    front.rule = () => ({ body: new Uint8Array(10_000_000) });
    equal((await bucket.get("a", 5, 3))!.byteLength, 3);
    const stopped = AbortSignal.abort(new Error("stopped"));
    await rejects(bucket.get("a", 0, 1, { signal: stopped }), /stopped/);
  },
});

Deno.test({
  name: "S3Bucket: of a server without conditions is asked first whether an object is there (fs.md §7)",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    using bucket = new S3Bucket(front.options());
    front.rule = ({ headers }) => headers.has("if-none-match") ? { status: 501, code: "NotImplemented" } : undefined;
    equal(await bucket.put("a", new Uint8Array(1), { ifAbsent: true }), true);
    equal(await bucket.put("a", new Uint8Array(2), { ifAbsent: true }), false);
    equal((await bucket.head("a"))!.size, 1);
    equal(
      await bucket.putParts("b", LARGE, (_, length) => Promise.resolve(new Uint8Array(length)), { ifAbsent: true }),
      true,
    );
    equal((await bucket.head("b"))!.size, LARGE);
  },
});

Deno.test("bucketUrl(): path or host, and what is no bucket", () => {
  const options = { endpoint: "https://s3.example:9000", bucket: "blobs", credential: keyed("a", "b") };
  equal(bucketUrl(options).href, "https://s3.example:9000/blobs/");
  equal(bucketUrl({ ...options, pathStyle: false }).href, "https://blobs.s3.example:9000/");
  for (
    const [changes, said] of [
      [{ endpoint: "s3.example" }, /no URL/],
      [{ endpoint: "ftp://s3.example" }, /no URL/],
      [{ endpoint: "http://s3.example" }, /plain http/],
      [{ endpoint: "http://127.evil.example" }, /plain http/],
      [{ endpoint: "https://user:pass@s3.example" }, /no user/],
      [{ endpoint: "https://s3.example/blobs" }, /path/],
      [{ bucket: "Blobs" }, /no name/],
      [{ bucket: "a/b" }, /no name/],
      [{ prefix: "../x" }, /prefix/],
      [{ prefix: "a b" }, /prefix/],
      [{ region: "eu 1" }, /region/],
    ] as const
  ) {
    throws(
      () => bucketUrl({ ...options, ...changes }),
      (error) => error instanceof RangeError && said.test(error.message),
    );
  }
});

function keyed(key: string, secret: string): BucketOptions["credential"] {
  return async () => new (await import("@alknet/handlers/fs")).BucketCredential(key, secret);
}

Deno.test({
  name: "S3Bucket: TLS by an authority that ca names, and by no other",
  ...needs("versitygw"),
  async fn() {
    await using folder = await temporaryFolder();
    const { certificate, privateKey } = selfSignedCertificate({ names: ["127.0.0.1"] });
    const tls = { cert: await folder.write("cert", certificate), key: await folder.write("key", privateKey) };
    await using server = await startS3("versitygw", tls);
    using bucket = new S3Bucket(server.options({ ca: certificate }));
    equal(await bucket.put("a", new Uint8Array(5)), true);
    equal((await bucket.head("a"))!.size, 5);
    using other = new S3Bucket(server.options());
    await rejects(other.head("a"), { code: "BUCKET_UNAVAILABLE", message: /certificate/i });
  },
});

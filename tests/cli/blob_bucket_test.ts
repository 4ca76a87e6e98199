/**
 * `alknet blob` with a bucket in `handlers.fs`: with and without a running node, and what is said where it does not answer.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { runAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { seeded } from "../support/random.ts";
import { ACCESS_KEY, BUCKET, SECRET, startS3 } from "../support/s3.ts";
import { temporaryFolder } from "../support/temp.ts";
import { filesBelow, sound } from "../handlers/fs/stores.ts";
import { initHome, type TestHome } from "./home.ts";

/** Writes the configuration of a bucket beside what else there is. */
async function configured(home: TestHome, bucket: Record<string, unknown>): Promise<void> {
  await home.writeConfig({ ...await home.config(), handlers: { fs: { bucket } } });
}

async function well(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run(...args);
  equal(code, 0, `${args.join(" ")}\n${stderr}`);
  equal(stderr.includes(SECRET), false);
  return stdout.trimEnd();
}

/** A home whose vault has the keys. */
async function homeWithKeys(): Promise<TestHome> {
  const home = await initHome();
  const sealed = await runAlknet(["vault", "seal", "store", "--home", home.path], {
    stdin: `${ACCESS_KEY}:${SECRET}\n`,
  });
  equal(sealed.code, 0, sealed.stderr);
  return home;
}

Deno.test({
  name:
    "alknet blob add, get, gc over a cold bucket, its keys in the vault; a node sends what comes while it runs; doctor looks",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using home = await homeWithKeys();
    await using folder = await temporaryFolder();
    const { endpoint } = server;
    const bucket = { endpoint, bucket: BUCKET, region: "us-east-1", credential: "store", mode: "cold", cache_bytes: 0 };
    await configured(home, bucket);
    const bytes = seeded("bucket").bytes(3_000_000);
    const { hash } = JSON.parse(await well(home, "blob", "add", await folder.write("large", bytes), "--json"));
    deepEqual(await filesBelow(`${home.path}/fs/data`), []);
    const object = `${server.folder}/${BUCKET}/${hash.slice(0, 2)}/${hash}.data`;
    deepEqual(await Deno.readFile(object), bytes);
    await well(home, "blob", "get", hash, "-o", folder.join("out"));
    deepEqual(await Deno.readFile(folder.join("out")), bytes);
    match(await well(home, "blob", "stat", hash), /complete/);
    equal(await well(home, "blob", "verify", hash), "sound");
    const doctor = await well(home, "doctor");
    match(doctor, /^✓ bucket: blobs at 127\.0\.0\.1:\d+, put, listed, read and removed$/m);
    {
      await using node = await home.serve();
      const small = JSON.parse(await well(home, "blob", "add", await folder.write("small", "hello"), "--json"));
      const there = `${server.folder}/${BUCKET}/${small.hash.slice(0, 2)}/${small.hash}.data`;
      while (!await Deno.stat(there).catch(() => undefined)) await new Promise((done) => setTimeout(done, 50));
      equal(await Deno.readTextFile(there), "hello");
      equal(node.child.errors.includes(SECRET), false);
    }
    await well(home, "blob", "untag", `large@${hash.slice(0, 10)}`);
    equal(await well(home, "blob", "gc", "--full"), "1 blob, 2.9 MiB");
    equal(await Deno.stat(object).then(() => true, () => false), false);
    // It is gone: what is added now stays here, and is sent with the next command.
    await server.kill();
    const late = await home.run("blob", "add", await folder.write("late", "late"), "--json");
    equal(late.code, 0, late.stderr);
    match(
      late.stderr,
      /^alknet: 1 blob is not in the bucket yet, and will be sent later: bucket blobs at 127.*onnect/m,
    );
    match((await home.run("doctor")).stdout, /^✗ bucket: .*\n {2}see handlers\.fs\.bucket of /m);
    await server.again();
    equal((await home.run("blob", "ls")).stderr, "");
    equal(
      await Deno.stat(`${server.folder}/${BUCKET}/${JSON.parse(late.stdout).hash.slice(0, 2)}`).then(() => true),
      true,
    );
    await sound(`${home.path}/fs`);
  },
});

Deno.test({
  name:
    "handlers.fs.bucket: keys in a file that others may read, keys nowhere, http elsewhere, an unknown setting are refused in words",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using home = await homeWithKeys();
    await using folder = await temporaryFolder();
    const file = await folder.write("keys", `${ACCESS_KEY}:${SECRET}\n`);
    const bucket = { endpoint: server.endpoint, bucket: BUCKET, region: "us-east-1", credential_file: file };
    await configured(home, bucket);
    const input = await folder.write("input", "hello");
    equal((await home.run("blob", "add", input)).stderr, "");
    equal((await filesBelow(`${server.folder}/${BUCKET}`)).filter((name) => name.endsWith(".data")).length, 1);
    if (Deno.build.os !== "windows") {
      await Deno.chmod(file, 0o644);
      const open = await home.run("blob", "add", await folder.write("other", "other"));
      match(open.stderr, /not in the bucket yet.*chmod 600/);
      await Deno.chmod(file, 0o600);
    }
    const wrong: readonly [Record<string, unknown>, RegExp][] = [
      [{ credential: "store" }, /one of them/],
      [{ credential_file: undefined }, /one of them/],
      [{ endpoint: "http://s3.example" }, /plain http.*use https/],
      [{ bucket: "UPPER" }, /no name of one/],
      [{ ca_file: "nowhere.pem" }, /ca_file: cannot read/],
    ];
    for (const [changes, said] of wrong) {
      await configured(home, { ...bucket, ...changes });
      const { code, stderr } = await home.run("blob", "add", input);
      notEqual(code, 0, stderr);
      match(stderr, said);
    }
    await configured(home, { ...bucket, secret: "x" });
    match((await home.run("doctor")).stdout, /^✗ config: .*handlers.fs.bucket/m);
    await configured(home, { ...bucket, credential_file: undefined, credential: "none" });
    match((await home.run("blob", "add", await folder.write("new", "new"))).stderr, /no credential is named "none"/);
  },
});

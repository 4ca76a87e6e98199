/**
 * `blobs/fetch`: a node gets blobs from those that its operator named (fs.md §8, §9; §11 row 45).
 *
 * @module
 */
import { AlknetError, type Identity } from "@alknet/core/handler";
import { Dispatcher, type JsonObject, nodeRegistry } from "@alknet/core/operations";
import { fsOperations, type Provider } from "@alknet/handlers/fs";
import { hashOf } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, rejects } from "node:assert/strict";
import { diskStore } from "./stores.ts";
import { identityOf, serving } from "./transfer/serving.ts";
import { treeStore } from "./tree/trees.ts";
import { joined, pattern } from "./twin.ts";

const ADMIN = identityOf("ada", "blobs:admin");

Deno.test("blobs/fetch: from named nodes alone, with the scope alone; the blob, a sequence, a tag; who has nothing, lets nobody or is gone (row 45)", async () => {
  await using store = await treeStore();
  await using provider = await diskStore();
  const bytes = pattern(300_000);
  const links = joined([hashOf(bytes)]);
  const [blob, list] = await Promise.all(
    [bytes, links].map((one) => provider.fs.blobs.add(new Blob([one as Uint8Array<ArrayBuffer>]).stream())),
  );
  const dialled: string[] = [];
  await using connections = new AsyncDisposableStack();
  const providerOf = (address: string): Provider | undefined => {
    if (!["one:1", "shut:1", "gone:1"].includes(address)) return undefined;
    return {
      address,
      dial() {
        dialled.push(address);
        if (address === "gone:1") return Promise.reject(new AlknetError("DIAL_FAILED", "nothing listens at gone:1"));
        return Promise.resolve(connections.use(serving(provider.fs, { publicBlobs: address === "one:1" })));
      },
    };
  };
  const dispatcherOf = (max?: number): Dispatcher =>
    new Dispatcher({ registry: nodeRegistry(fsOperations(store.fs, { providerOf, maxBlobSize: max })) });
  const dispatcher = dispatcherOf();
  const fetch = (more: JsonObject, identity: Identity | undefined = ADMIN, by = dispatcher): Promise<unknown> =>
    by.call({
      operation: "blobs/fetch",
      input: { hash: blob.hash, format: "raw", providers: ["one:1"], ...more },
      identity,
    });
  for (const who of [identityOf("eve", "blobs:write"), identityOf("eve", "fs:admin"), identityOf("eve")]) {
    await rejects(fetch({}, who), { code: "FORBIDDEN" });
  }
  for (const address of ["127.0.0.1:22", "one:2", "ONE:1", "169.254.169.254:80"]) {
    await rejects(fetch({ providers: ["one:1", address] }), { code: "INVALID_INPUT" }, address);
  }
  const wrong: JsonObject[] = [{ hash: "x" }, { providers: [] }, { providers: Array(9).fill("one:1") }, { tag: "" }, {
    x: 1,
  }];
  for (const bad of wrong) {
    await rejects(fetch(bad), { code: "INVALID_INPUT" });
  }
  deepEqual(dialled, [], "nobody was dialled for those");
  await rejects(fetch({ providers: ["shut:1"] }), { code: "BLOB_NOT_FOUND" });
  await rejects(fetch({ hash: hashOf(pattern(9)).toHex() }), { code: "BLOB_NOT_FOUND" });
  await rejects(fetch({}, ADMIN, dispatcherOf(1000)), { code: "QUOTA_EXCEEDED" });
  deepEqual(await fetch({ hash: list.hash, format: "hashSeq", tag: "kept" }), { size: links.length });
  equal((await store.fs.blobs.status(blob.hash)).state, "complete");
  deepEqual(await fetch({}), { size: bytes.length });
  const tags = await Array.fromAsync(store.fs.blobs.tags({}));
  deepEqual(tags.filter(({ owner }) => owner === "ada").map(({ name, hash }) => [name, hash]), [["kept", list.hash]]);
  await rejects(fetch({ hash: hashOf(pattern(8)).toHex(), providers: ["gone:1"] }), {
    code: "BLOB_ABSENT",
    retryable: true,
  });
  // A node that asks nobody does not offer it.
  const none = new Dispatcher({ registry: nodeRegistry(fsOperations(store.fs)) });
  await rejects(fetch({}, ADMIN, none), { code: "NOT_FOUND" });
});

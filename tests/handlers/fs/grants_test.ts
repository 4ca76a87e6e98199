/**
 * Grants by operations, and what may be done with what was pushed (fs.md §8, §9; §11 rows 46, 47).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import { Dispatcher, type JsonObject, nodeRegistry } from "@alknet/core/operations";
import { fsOperations, getBlob, memoryFs, pushBlob, type TreeFs } from "@alknet/handlers/fs";
import { hashOf } from "@alknet/handlers/fs/bao";
import { equal, ok, rejects } from "node:assert/strict";
import { identityOf, serving } from "./transfer/serving.ts";
import { treeStore } from "./tree/trees.ts";
import { joined, pattern } from "./twin.ts";

type Call = (operation: string, input: JsonObject, identity: Identity) => Promise<JsonObject>;

function callsOf(files: TreeFs): Call {
  const operations = fsOperations(files, { ticketOf: ({ hash, secret }) => `${hash} ${secret?.toHex()}` });
  const dispatcher = new Dispatcher({ registry: nodeRegistry(operations) });
  return async (operation, input, identity) => await dispatcher.call({ operation, input, identity }) as JsonObject;
}

Deno.test("blobs/grant: a sequence with what it lists is granted by who may read all of it; bytes that are hashes give no right (row 47)", async () => {
  await using store = await treeStore();
  const { fs } = store;
  const call = callsOf(fs);
  const secret = pattern(30_000);
  const root = joined([hashOf(secret)]) as Uint8Array<ArrayBuffer>;
  await using _secret = await fs.blobs.add(new Blob([secret]).stream());
  await using list = await fs.blobs.add(new Blob([root]).stream());
  const [ada, reader] = [identityOf("ada"), identityOf("eve", "blobs:read")];
  await fs.grants.grant({ hash: list.hash, subject: "id:ada" });
  const input = { hash: list.hash, format: "hashSeq", action: "read", subject: "id:ada" };
  await rejects(call("blobs/grant", input, ada), { code: "BLOB_NOT_FOUND" });
  await using connection = serving(fs, { identity: ada });
  await using getter = memoryFs();
  await rejects(getBlob(connection, hashOf(secret).toHex(), getter.blobs), { code: "BLOB_NOT_FOUND" });
  ok((await call("blobs/grant", { ...input, format: "raw" }, ada)).id);
  await call("blobs/grant", input, reader);
  await using _got = await getBlob(connection, hashOf(secret).toHex(), getter.blobs);
});

Deno.test("blobs/grant: a push is granted by who may push, and not by who was granted it; its bytes are in the grant (row 46)", async () => {
  await using store = await treeStore();
  const { fs } = store;
  const call = callsOf(fs);
  const hash = hashOf(pattern(5000)).toHex();
  const input = { hash, action: "push", subject: "id:bob", bytes: 5000 };
  for (const scope of ["blobs:read", "fs:write:main", "other"]) {
    await rejects(call("blobs/grant", input, identityOf("ada", scope)), { code: "BLOB_NOT_FOUND" }, scope);
  }
  await call("blobs/grant", input, identityOf("ada", "blobs:write"));
  equal((await fs.grants.mayPush(hash, ["id:bob"]))?.bytes, 5000);
  equal((await fs.grants.mayPush(hash, ["id:bob"]))?.owner, "ada");
  equal(await fs.grants.mayRead(hash, ["id:bob"]), false);
  await rejects(call("blobs/grant", input, identityOf("bob")), { code: "BLOB_NOT_FOUND" });
  const { id } = await call("blobs/grant", { ...input, subject: "secret", bytes: 1 }, identityOf("ada", "blobs:write"));
  await call("blobs/revoke", { id }, identityOf("ada"));
});

Deno.test("fs/link: what was pushed by who may write the branch, and by nobody else (row 47)", async () => {
  await using store = await treeStore();
  const { fs } = store;
  const call = callsOf(fs);
  await using pusher = memoryFs();
  await using held = await pusher.blobs.add(new Blob([pattern(70_000)]).stream());
  const [ada, bob] = [identityOf("ada", "fs:write:main"), identityOf("bob", "fs:write:main")];
  const link = (path: string, who: Identity) => call("fs/link", { branch: "main", path, hash: held.hash }, who);
  await rejects(link("/a", ada), { code: "BLOB_NOT_FOUND" });
  await using connection = serving(fs, { identity: ada });
  await pushBlob(connection, held.hash, pusher.blobs);
  await rejects(link("/b", bob), { code: "BLOB_NOT_FOUND" });
  await link("/a", ada);
  // Linked, it is for the readers of the branch.
  await link("/b", bob);
});

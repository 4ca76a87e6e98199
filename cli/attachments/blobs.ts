/**
 * Files too large for messages: their sealed bytes lie in the store of this home, and come from that of their sender.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf, parseNodeId } from "@alknet/core/identity";
import type { Blobs, Dial } from "@alknet/handlers/msg";
import type { Held } from "@alknet/handlers/fs";
import type { BlobHomeChoice } from "../blobs/store.ts";
import { note } from "../terminal/output.ts";

/** Milliseconds for which a file is kept for those who are to get it: a mailbox keeps the message for 30 days. */
const KEPT = 31 * 86_400_000;
/** Digits of the hash in the name of a tag. */
const TAG_DIGITS = 16;
/** Bytes that are read at once. */
const PIECE = 256 * 1024;

/** The blobs of a home, opened when they are needed. */
export function homeBlobs(choice: BlobHomeChoice, dial: Dial): Blobs {
  return {
    async put(sealed, { signal }) {
      const [{ openBlobHome }, { formatTicket }, { publicIdentity }] = await parts();
      await using home = await openBlobHome(choice);
      const { blobs, grants } = home.fs;
      // A ticket that nobody can use would be noticed by the contact alone.
      const addresses = await home.addresses();
      await using held = await blobs.add(sealed, { owner: "local", signal });
      const { hash, format } = held;
      const until = new Date(Date.now() + KEPT);
      const expires = Math.floor(until.getTime() / 1000);
      await blobs.setTag(`msg-${hash.slice(0, TAG_DIGITS)}`, { hash, format }, { owner: "local", expires: until });
      // Whoever knows the hash has the message, and without the message it is noise.
      await grants.grant({ hash, subject: "anyone", expires, owner: "local" });
      if (!home.served) {
        note("alknet: note: the configuration names handlers without fs, so the node does not serve it");
      }
      const nodeKey = parseNodeId((await publicIdentity(home.home)).nodeId);
      return { hash, ticket: formatTicket({ kind: "alknet", nodeKey, addresses, format, hash, expires }) };
    },
    get: (hash, options) => ReadableStream.from(got(choice, dial, hash, options)),
  };
}

/** Sealed bytes, from the store, else from the node that the ticket names. */
async function* got(
  choice: BlobHomeChoice,
  dial: Dial,
  hash: string,
  { ticket, length, signal }: Parameters<Blobs["get"]>[1],
): AsyncGenerator<Uint8Array> {
  const { openBlobHome } = await import("../blobs/store.ts");
  await using home = await openBlobHome(choice);
  const { blobs } = home.fs;
  const isHere = (await blobs.status(hash)).state === "complete";
  await using held = isHere ? await blobs.hold(hash) : await fetched();
  await using reader = await blobs.open(held.hash);
  for (let at = 0; at < reader.size; at += PIECE) {
    signal.throwIfAborted();
    yield await reader.read(at, Math.min(PIECE, reader.size - at));
  }

  async function fetched(): Promise<Held> {
    const [{ BLOBS_ALPN, getBlob }, { parseTicket }] = await Promise.all([
      import("@alknet/handlers/fs"),
      import("@alknet/handlers/fs/bao"),
    ]);
    if (ticket === undefined) throw new AlknetError("BLOB_NOT_FOUND", "its sender does not say where the file is");
    const { hash: named, nodeKey, addresses } = parseTicket(ticket);
    if (named !== hash) throw new AlknetError("BAD_ATTACHMENT", "its sender says where another file is");
    let fault: unknown = new AlknetError("BLOB_NOT_FOUND", "its sender does not say where the file is");
    for (const address of addresses) {
      try {
        await using connection = await dial(`${nodeIdOf(nodeKey)}@${address}`, BLOBS_ALPN, { signal, anonymous: true });
        return await getBlob(connection, hash, blobs, { maxSize: length, signal });
      } catch (error) {
        signal.throwIfAborted();
        fault = error;
      }
    }
    throw fault;
  }
}

async function parts() {
  return await Promise.all([
    import("../blobs/store.ts"),
    import("@alknet/handlers/fs/bao"),
    import("../node/node_key.ts"),
  ]);
}

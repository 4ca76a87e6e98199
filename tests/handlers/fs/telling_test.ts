/**
 * What logs and errors tell: no secret, no ticket, no content, and of a hash ten digits (fs.md §9, §11 row 60).
 *
 * @module
 */
import { Dispatcher, type JsonValue, nodeRegistry } from "@alknet/core/operations";
import { fsOperations, getBlob, memoryFs, pushBlob } from "@alknet/handlers/fs";
import { formatTicket, hashOf, parseTicket, RAW, writeRequest } from "@alknet/handlers/fs/bao";
import { equal, ok } from "node:assert/strict";
import { keepLogs } from "../../support/logs.ts";
import { seeded } from "../../support/random.ts";
import { ask, identityOf, serving } from "./transfer/serving.ts";
import { treeStore } from "./tree/trees.ts";
import { joined, slowEncoding } from "./twin.ts";

const MARK = "confidential-7719204";
const BYTES = new TextEncoder().encode(`${MARK} `.repeat(5000));
const HASH = hashOf(BYTES).toHex();
const KEYS = ["1", "2"].map((digit) => `ed25519:${digit.repeat(64)}`);

Deno.test("fs: logs and errors of what is refused, damaged, expired and malformed hold no secret, ticket or content (row 60)", async () => {
  await using logs = await keepLogs();
  const errors: unknown[] = [];
  const tickets: string[] = [];
  const secrets: string[] = [];
  {
    await using store = await treeStore();
    const { fs, folder } = store;
    const ticketOf = ({ hash, format, secret, expires }: {
      readonly hash: string;
      readonly format: "raw" | "hashSeq";
      readonly secret?: Uint8Array;
      readonly expires?: number;
    }): string => {
      if (secret) secrets.push(secret.toHex());
      const addresses = ["localhost:4433"];
      const nodeKey = new Uint8Array(32).fill(7);
      tickets.push(formatTicket({ kind: "alknet", nodeKey, addresses, hash, format, secret, expires }));
      return tickets.at(-1)!;
    };
    const dispatcher = new Dispatcher({ registry: nodeRegistry(fsOperations(fs, { ticketOf })) });
    const [ada, bob] = [identityOf("ada", "admin"), identityOf("bob", "fs:read")];
    const refused = async (work: () => unknown): Promise<void> => {
      const before = errors.length;
      try {
        await work();
      } catch (error) {
        errors.push(error);
      }
      equal(errors.length, before + 1, "it was not refused");
    };
    const call = (operation: string, input: JsonValue, identity = ada): Promise<JsonValue> =>
      dispatcher.call({ operation, input, identity });
    await using _held = await fs.blobs.add(new Blob([BYTES]).stream());
    // Tickets and grants.
    await call("blobs/grant", { hash: HASH, action: "read", subject: "secret" });
    await call("blobs/grant", { hash: HASH, action: "read", subject: "secret", ttl: 60 });
    const [secret] = secrets;
    await call("blobs/redeem", { secret, key: KEYS[0] }, bob);
    await refused(() => call("blobs/redeem", { secret, key: KEYS[1] }, bob));
    await refused(() => call("blobs/redeem", { secret: secret.toUpperCase(), key: KEYS[0] }, bob));
    await refused(() => call("blobs/redeem", { secret: `${secret}00`, key: KEYS[0] }, bob));
    await refused(() => call("blobs/redeem", { secret, key: secret }, bob));
    await refused(() => call("blobs/redeem", { secrets: secret, key: KEYS[0] }, bob));
    await refused(() => call("blobs/grant", { hash: HASH, action: "read", subject: `secret:${secret}` }));
    for (const ticket of tickets) {
      await refused(() => parseTicket(`${ticket}a`));
      await refused(() => parseTicket(ticket.slice(0, -3)));
      await refused(() => parseTicket(`alkblob${ticket.slice(9)}`));
    }
    // Requests, with a right and without, damaged ones, ones that hold what they should not.
    await using provider = serving(fs, { identity: identityOf("eve", "blobs:read") });
    await using nobody = serving(fs, {});
    await using writer = serving(fs, { identity: identityOf("eve", "blobs:write"), limits: { malformed: 10_000 } });
    await using getter = memoryFs();
    await refused(() => getBlob(nobody, HASH, getter.blobs));
    await refused(() => getBlob(provider, hashOf(new Uint8Array(9)).toHex(), getter.blobs));
    await using _got = await getBlob(provider, HASH, getter.blobs);
    const push = joined([
      writeRequest({ type: "push", hash: hashOf(BYTES), seq: RAW, encodings: 0 }),
      slowEncoding(BYTES, [0n]),
    ]);
    const random = seeded("telling");
    for (let i = 0; i < 200; i++) await ask(writer, random.mutate(push.subarray(0, random.between(1, push.length))));
    for (const text of [MARK, secret, tickets[0]]) await ask(writer, new TextEncoder().encode(text));
    await refused(() => pushBlob(nobody, HASH, getter.blobs));
    // Names and blobs of branches.
    await refused(() => call("fs/link", { branch: "main", path: "/x", hash: HASH, size: 1 }));
    await refused(() => call("fs/link", { branch: "main", path: "/x", hash: HASH }, bob));
    await refused(() => call("blobs/status", { hash: MARK }));
    // A copy that was damaged.
    await Deno.truncate(`${folder}/data/${HASH.slice(0, 2)}/${HASH}.data`, BYTES.length - 20_000);
    await using other = memoryFs();
    await refused(() => getBlob(provider, HASH, other.blobs));
    await refused(async () => {
      await using reader = await fs.blobs.open(HASH);
      await reader.read(0, reader.size);
    });
    // What stands there again is whole.
    await Deno.writeFile(`${folder}/data/${HASH.slice(0, 2)}/${HASH}.data`, BYTES);
  }
  const told = [...logs.lines, ...errors.map(everything)];
  ok(logs.lines.length > 20 && errors.length > 15, `${logs.lines.length} lines, ${errors.length} errors`);
  ok(logs.lines.some((line) => line.includes(HASH.slice(0, 10))));
  const needles = [MARK, ...tickets, ...secrets].flatMap((text) => [text, text.slice(-50, -2), hexOf(text)]);
  for (const text of told) {
    for (const needle of needles) equal(text.toLowerCase().includes(needle.toLowerCase()), false, text);
  }
  for (const line of logs.lines) equal(line.includes(HASH), false, line);
});

function hexOf(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

/** An error with what is behind it. */
function everything(error: unknown): string {
  const { name, message, stack, cause, ...rest } = error as Error;
  return [name, message, stack, JSON.stringify(rest), cause === undefined ? "" : everything(cause)].join("\n");
}

/**
 * Operations of a node, for a guest that may call some of them by name.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { formatSocketAddress, parseListenAddress } from "@alknet/core/address";
import type { JsonValue } from "@alknet/core/operations";
import type { Grants } from "@alknet/runtime";
import { type Home, locateHome } from "../home/home.ts";
import { describeOperation, openRemote } from "../reaching/remote.ts";
import { UsageError } from "../terminal/output.ts";
import type { GrantOptions } from "./options.ts";

/** Milliseconds to get to the node. */
const DIAL = 10_000;

/** Operations that were granted, and the connection that calls them. */
export type NodeGrants = Grants & AsyncDisposable;

/**
 * Connects to the node, and looks the operations up. They are called as whoever the home folder and the token say.
 *
 * @throws {AlknetError} There is no node, it cannot be reached, or it does not show one of the names.
 */
export async function nodeGrants(options: GrantOptions, signal: AbortSignal): Promise<NodeGrants> {
  const { op: names, insecure, ca, home, passphraseFile, tokenFile } = options;
  const address = options.node ?? await ownAddress(locateHome(home));
  const reach = { address, transport: "auto", insecure, ca, timeout: DIAL, home, passphraseFile, tokenFile } as const;
  const [{ CallError }, { operationHost }] = await Promise.all([
    import("@alknet/core/operations"),
    import("@alknet/runtime"),
  ]);
  await using stack = new AsyncDisposableStack();
  const client = stack.use(await openRemote(reach, signal));
  const operations = await Promise.all([...new Set(names)].map(async (name) => {
    const spec = await describeOperation(client, name, signal).catch((cause) => {
      if (!(cause instanceof CallError)) throw cause;
      throw new AlknetError("NOT_FOUND", `--op ${name}: the node shows no such operation; see alknet ops ${address}`, {
        cause,
      });
    });
    return { name, type: spec.op_type };
  }));
  // Where the node is, and why it is not reached, is none of the guest's business.
  const outward = (error: unknown) =>
    error instanceof CallError ? error : new CallError("UNAVAILABLE", "the node cannot be reached", { cause: error });
  const host = operationHost({
    async call(name, input, signal) {
      try {
        return await client.call(name, input as JsonValue, { signal });
      } catch (error) {
        throw outward(error);
      }
    },
    async *subscribe(name, input, signal) {
      try {
        yield* client.subscribe(name, input as JsonValue, { signal });
      } catch (error) {
        throw outward(error);
      }
    },
  });
  const kept = stack.move();
  return { operations, host, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Where the node of a home folder listens, by its configuration. */
async function ownAddress(home: Home): Promise<string> {
  const { publicIdentity } = await import("../node/node_key.ts");
  const { nodeId } = await publicIdentity(home).catch((cause) => {
    throw new UsageError(`--op: ${(cause as Error).message}, or name another with --node`);
  });
  let listen: unknown;
  try {
    listen = JSON.parse(await Deno.readTextFile(home.configFile)).listen?.[0];
  } catch {
    // Said below.
  }
  if (typeof listen !== "string") {
    throw new UsageError(`--op: ${home.configFile} does not say where the node listens; name it with --node`);
  }
  const { hostname, port } = parseListenAddress(listen);
  const reached = /^(?:0\.0\.0\.0|::)$/.test(hostname) ? "localhost" : hostname;
  return `${nodeId}@${formatSocketAddress({ hostname: reached, port })}`;
}

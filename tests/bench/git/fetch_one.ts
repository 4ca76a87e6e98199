/**
 * Fetches the last commit of a repository with the one before it, over a stream in memory or from `git daemon`:
 * `fetch_one.ts ROOT NAME WANT HAVE [PORT]`. Prints the median of the milliseconds, what was first being warm.
 *
 * @module
 */
import { PktReader } from "../../../handlers/git/wire/pkt_line.ts";
import { fetched, gitNode, joined, request, requestLine } from "../../handlers/git/client.ts";
import { median } from "../harness.ts";

const ROUNDS = 30;
const [root, name, want, have, port] = Deno.args;
const asked = [`want ${want}`, `have ${have}`, "ofs-delta", "no-progress", "done"];
await using node = gitNode({ root });
const times: number[] = [];
for (let round = 0; round < ROUNDS * 2; round++) {
  const began = performance.now();
  if (port === undefined) await fetched(node, name, ...asked);
  else await fromDaemon();
  if (round >= ROUNDS) times.push(performance.now() - began);
}
console.log(JSON.stringify({ milliseconds: median(times) }));

async function fromDaemon(): Promise<void> {
  using connection = await Deno.connect({ port: Number(port) });
  const writer = connection.writable.getWriter();
  await writer.write(joined([requestLine(`/${name}.git`), request("command=fetch", "0001", ...asked, "0000", "0000")]));
  const reader = new PktReader(connection.readable);
  while (await reader.next() !== undefined);
}

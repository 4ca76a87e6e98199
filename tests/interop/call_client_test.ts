/**
 * `alknet/call` as a client sees it that was written from its text alone, in Python with the standard library.
 *
 * @module
 */
import { NodeKey } from "@alknet/core/identity";
import { deepEqual, ok } from "node:assert/strict";
import { startPeer } from "../support/python.ts";
import { needs } from "../support/programs.ts";
import { temporaryFolder } from "../support/temp.ts";
import { startCallNode } from "./call_node.ts";

/** Requests that the small node takes at once. */
const SMALL_TABLE = 8;
/** Fewer cases than this means that some were lost on the way. */
const LEAST_CASES = 60;

interface CaseResult {
  readonly row: string;
  readonly name: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly done?: number;
}

Deno.test({
  name: "alknet/call over TLS: a client in Python, written from the text alone, passes the cases of call.md §26",
  ...needs("python"),
  async fn(test) {
    await using folder = await temporaryFolder();
    using key = NodeKey.generate();
    const { certificate, privateKey } = key.certificate();
    await using node = await startCallNode(key.fingerprint);
    await using small = await startCallNode(key.fingerprint, {}, { maxRequests: SMALL_TABLE });
    await using client = startPeer("../interop/call_cases.py");
    await client.send({
      host: "127.0.0.1",
      port: node.endpoint.addresses[0].port,
      nodeId: node.endpoint.nodeId,
      tokens: node.tokens,
      certificate: await folder.write("peer.pem", certificate),
      key: await folder.write("peer.key", privateKey),
      small: { port: small.endpoint.addresses[0].port, nodeId: small.endpoint.nodeId, table: SMALL_TABLE },
    });
    let cases = 0;
    for (;;) {
      const result = await client.json<CaseResult>();
      if (result.done !== undefined) {
        deepEqual(cases, result.done);
        break;
      }
      cases++;
      await test.step(`call.md §26 row ${result.row}: ${result.name}`, () => ok(result.ok, result.error));
    }
    ok(cases >= LEAST_CASES, `${cases} cases`);
    deepEqual(node.operations.counters.open, 0);
  },
});

/**
 * A node that says whatever it likes: prints its address, then answers `alknet/echo` by closing with a reason that would
 * drive a terminal, and `alknet/call` with descriptions that are none.
 *
 * @module
 */
import { router } from "@alknet/core";
import { defineHandler } from "@alknet/core/handler";
import { Dispatcher, type JsonValue, nodeRegistry, operation, provide, Registry } from "@alknet/core/operations";
import { call } from "@alknet/handlers/call";
import Type from "typebox";

const NASTY = "\x1b]0;OWNED\x07\x1b[2J\x9b31mX";

const echo = defineHandler({
  alpns: ["alknet/echo"],
  async handle(connection) {
    for await (const stream of connection) {
      stream.stop(1);
      connection.close(7, NASTY);
    }
  },
});

/** An operation that answers what it is told to. */
const says = (name: string, output: JsonValue) => {
  return provide(operation({ name, type: "query", input: Type.Unknown(), output: Type.Unknown() }), () => output);
};
const honest = nodeRegistry([]);
const registry = new Registry([
  says("services/list", {
    operations: [`evil/${NASTY}`, "evil;touch${IFS}owned", "fine/name"].map((name) => {
      return { name, namespace: name.split("/")[0], op_type: "query" };
    }),
  }),
  says("services/schema", {}),
  ...[...honest.list()].filter(({ spec }) => spec.name === "services/list-peers"),
]);

const endpoint = await router().use(echo).use(call(new Dispatcher({ registry }))).listen({ listen: "127.0.0.1:0" });
console.log(JSON.stringify({ address: `${endpoint.nodeId}@127.0.0.1:${endpoint.addresses[0].port}` }));

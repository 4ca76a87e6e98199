/**
 * DNS over TLS (RFC 7858): the messages of one connection.
 *
 * @module
 */
import { defineHandler, type Handler } from "@alknet/core/handler";
import { FramedStream, type FrontParts } from "./framed.ts";

/** Close code of a connection that is cut, a hint for people. */
const CUT = 2;

/** The handler of `dot`. */
export function dns(parts: FrontParts): Handler<readonly ["dot"]> {
  return defineHandler({
    alpns: ["dot"] as const,
    async handle(connection, { signal }) {
      const { remoteAddress: { hostname: address }, identity } = connection;
      for await (const stream of connection) {
        const end = await new FramedStream(parts, { front: "dot", address, identity }, stream).serve(signal);
        if (end !== "end") return connection.close(CUT, end);
      }
    },
  });
}

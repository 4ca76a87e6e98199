/**
 * The handler: each name of DNS to its front.
 *
 * @module
 */
import { defineHandler, type Handler } from "@alknet/core/handler";
import type { DnsCaller } from "../caller.ts";
import { serveAlknet } from "./alknet.ts";
import { DoqSession } from "./doq.ts";
import { serveDot } from "./dot.ts";
import type { FrontParts } from "./parts.ts";

/** The handler of `dot`, `doq` and `alknet/dns`. */
export function dns(parts: FrontParts): Handler<readonly ["dot", "doq", "alknet/dns"]> {
  return defineHandler({
    alpns: ["dot", "doq", "alknet/dns"] as const,
    description: "names of its zones",
    async handle(connection, { signal, log }) {
      const { alpn, remoteAddress: { hostname: address }, identity } = connection;
      const front = alpn === "dot" || alpn === "doq" ? alpn : "alknet";
      const caller: DnsCaller = { front, address, identity };
      if (front === "dot") return await serveDot(parts, caller, connection, signal);
      if (front === "doq") return await new DoqSession(parts, caller, connection, log).serve(signal);
      await serveAlknet(parts, caller, connection, signal, log);
    },
  });
}

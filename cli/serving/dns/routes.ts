/**
 * What DNS answers over HTTP.
 *
 * @module
 */
import type { DnsCaller, FrontParts, RelayParts } from "@alknet/handlers/dns";
import type { HttpApp, HttpEnv } from "@alknet/handlers/http";

/** What is served. */
export interface DnsRoutes {
  /** At `/dns-query`. */
  readonly doh?: FrontParts;
  /** At `/pkarr/`. */
  readonly relay?: RelayParts;
}

/** Adds the routes, where there is something to answer; a wrong token is told only then. */
export function addDnsRoutes(app: HttpApp, { doh, relay }: DnsRoutes): void {
  if (doh) {
    app.all("/dns-query", async (c, next) => {
      const caller = callerOf(c.env);
      if (!doh.engine.serves(caller)) return await next();
      const { unknownToken, refused } = c.env.caller;
      if (refused || unknownToken) return tokenRefused(refused);
      const { answerDoh } = await import("@alknet/handlers/dns");
      return await answerDoh(c.req.raw, caller, doh) ?? await next();
    });
  }
  if (relay) {
    app.all("/pkarr/:key", async (c) => {
      const { unknownToken, refused } = c.env.caller;
      if (refused || unknownToken) return tokenRefused(refused);
      const { answerRelay } = await import("@alknet/handlers/dns");
      return await answerRelay(c.req.raw, callerOf(c.env), relay);
    });
  }
}

function callerOf({ caller: { identity }, peer }: HttpEnv["Bindings"]): DnsCaller {
  return { front: "doh", address: peer.remoteAddress.hostname, identity };
}

/** What whoever brings a wrong token is told. */
function tokenRefused(tooOften: boolean): Response {
  return tooOften
    ? new Response("refused\n", { status: 429, headers: { "retry-after": "60" } })
    : new Response("token\n", { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"' } });
}

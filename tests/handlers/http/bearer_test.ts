import assert from "node:assert/strict";
import type { HandlerContext, Identity } from "@alknet/core/handler";
import { callerOf } from "../../../handlers/http/request/bearer.ts";
import { Tokens, WRITER } from "./operations.ts";

const OWNER: Identity = { id: "owner", scopes: ["admin"], resources: {} };

Deno.test("callerOf: a certificate's identity is not lent to pages of other sites; a token counts wherever it comes from", () => {
  let authenticated = 0;
  const context = {
    identityProvider: new Tokens(),
    authenticationRefused: () => false,
    authenticated: () => authenticated++,
    authenticationFailed: () => {},
  } as unknown as HandlerContext;
  const peer = {
    connectionId: "1",
    remoteAddress: { hostname: "127.0.0.1", port: 1 },
    identity: OWNER,
    alpn: "h2",
  };
  const who = (headers: Record<string, string>) => callerOf(new Headers(headers), peer, context).identity?.id;
  for (
    const [site, id] of [
      [undefined, "owner"],
      ["none", "owner"],
      ["same-origin", "owner"],
      ["same-site", undefined],
      ["cross-site", undefined],
    ] as const
  ) {
    const headers: Record<string, string> = site === undefined ? {} : { "sec-fetch-site": site };
    assert.equal(who(headers), id, `sec-fetch-site: ${site}`);
    assert.equal(authenticated, 0);
    assert.equal(who({ ...headers, authorization: `Bearer ${WRITER}` }), "writer");
    assert.equal(authenticated--, 1, "the connection may have more held for it");
  }
});

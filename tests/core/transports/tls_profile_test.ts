import assert from "node:assert/strict";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { profileByAlpn, profileByServerName } from "../../../core/transports/tls_profile.ts";

const key = NodeKey.generate();
const pair = key.certificate();

Deno.test("profileByServerName: every spelling that DNS holds to be the same name (RFC 4343)", () => {
  const both = { identity: pair, public: pair };
  for (const name of [`${key.id}.alknet`, `${key.id.toUpperCase()}.ALKNET`, `${key.id}.alknet.`, `${key.id}.Alknet.`]) {
    assert.equal(profileByServerName(name, key.id, both), "identity", name);
  }
  for (const name of [undefined, "", ".", "localhost", `${key.id}.alknet..`, `x.${key.id}.alknet`, `${key.id}alknet`]) {
    assert.equal(profileByServerName(name, key.id, both), "public", name);
  }
});

Deno.test("profiles: where there is one, it serves both", () => {
  assert.equal(profileByServerName("localhost", key.id, { identity: pair }), "identity");
  assert.equal(profileByServerName(`${key.id}.alknet`, key.id, { public: pair }), "public");
  assert.equal(profileByAlpn(["doq"], { identity: pair }), "identity");
  assert.equal(profileByAlpn(["doq", "alknet/a"], { public: pair }), "public");
});

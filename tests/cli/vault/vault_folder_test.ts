/**
 * A vault that a command has open.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { entropyOf } from "@alknet/vault";
import { locateHome } from "../../../cli/home/home.ts";
import { openVault } from "../../../cli/vault/vault_folder.ts";
import { PHRASE, testVault } from "./folder.ts";

Deno.test("openVault() makes no string of the phrase, and wipes entropy and key when it is disposed of (vault.md, Lifecycle)", async () => {
  await using folder = await testVault("key");
  const open = await openVault(locateHome(folder.path));
  const { entropy, secret, vault } = open;
  deepEqual(entropy, new Uint8Array(entropyOf(PHRASE)));
  ok(secret.kind === "key" && secret.key.some((byte) => byte !== 0));
  equal(JSON.stringify(open).includes("abandon"), false);
  open[Symbol.dispose]();
  ok(entropy.every((byte) => byte === 0) && secret.key.every((byte) => byte === 0));
  ok(vault.locked);
});

/**
 * Paths: what is one, what is not, and which are ours.
 *
 * @module
 */
import assert from "node:assert/strict";
import { VaultError } from "../../../vault/errors.ts";
import { ALKNET_PATHS, formatPath, HARDENED, LAST_KEY_VERSION, parsePath } from "../../../vault/keys/path.ts";
import { deriveSlip10 } from "../../../vault/keys/slip10.ts";
import { Vault } from "../../../vault/vault.ts";
import published from "../../vectors/alknet-vault.json" with { type: "json" };
import slip10 from "../../vectors/slip10-ed25519.json" with { type: "json" };

const SEED = new Uint8Array(64).fill(1);
const MALFORMED = [
  "",
  "m/",
  "m/2147483648'",
  "m/-1'",
  "m/1''",
  "m/1hh",
  "m/ 1'",
  "m/1'/",
  "/m",
  "m'",
  "m/0x1'",
  "m/1e3'",
];

Deno.test("deriving Ed25519 accepts and refuses the published paths (vault.md row 7)", () => {
  assert.equal(published.path_parsing.length, 19);
  for (const { path, slip10: expected, rust_indices: indices } of published.path_parsing) {
    if (expected === "accept") {
      assert.deepEqual(parsePath(path), indices);
      assert.equal(deriveSlip10(SEED, parsePath(path)).byteLength, 64);
    } else assert.throws(() => deriveSlip10(SEED, parsePath(path)), { code: "INVALID_PATH" }, path);
  }
});

Deno.test("paths: malformed ones are INVALID_PATH and the part is named (vault.md row 7)", () => {
  for (const path of MALFORMED) {
    assert.throws(() => parsePath(path), { name: "VaultError", code: "INVALID_PATH" }, path);
  }
  for (
    const [path, part] of [
      ["m/44'/x'/0'", /level 2 of the path is "x'"/],
      ["m/0'/1''", /level 2 of the path is "1''"/],
      ["m/2147483648'", /level 1 of the path is "2147483648'": an index is below 2147483648/],
      ["m/0'/", /level 2 of the path is ""/],
      ["74'/0'", /does not begin with m/],
      ["m" + "/0'".repeat(256), /256 levels: at most 255/],
      [`m/${"9".repeat(500)}'`, /level 1 of the path is "9{40}…"/],
    ] as const
  ) assert.throws(() => parsePath(path), part);
  assert.equal(parsePath("m" + "/0'".repeat(255)).length, 255);
  assert.throws(() => parsePath(1 as unknown as string), TypeError);
});

Deno.test("paths: an unhardened level under Ed25519 is INVALID_PATH and named (SLIP-0010; vault.md row 7)", () => {
  assert.equal(slip10.invalid.length, 4);
  using vault = new Vault();
  vault.unlock(published.vectors[0].mnemonic);
  for (const { path } of slip10.invalid) assert.throws(() => vault.derive(path), { code: "INVALID_PATH" }, path);
  assert.throws(() => vault.derive("m/44'/60'/0'/0/0"), /level 4 of m\/44'\/60'\/0'\/0\/0 is not hardened/);
});

Deno.test("formatPath() reverses parsePath(), whichever mark hardens", () => {
  for (const path of ["m", "m/0", "m/74'/0'/0'/0'", "m/44'/60'/0'/0/0", "m/2147483647'/2147483647"]) {
    assert.equal(formatPath(parsePath(path)), path);
    for (const mark of ["h", "H"]) assert.deepEqual(parsePath(path.replaceAll("'", mark)), parsePath(path));
  }
  assert.deepEqual(parsePath("m/1'/2h/3H/4"), [HARDENED + 1, HARDENED + 2, HARDENED + 3, 4]);
});

Deno.test("ALKNET_PATHS are the published ones", () => {
  const { paths } = published.constants;
  assert.equal(ALKNET_PATHS.node, paths.IDENTITY);
  assert.equal(ALKNET_PATHS.device(0), paths.IDENTITY);
  assert.equal(ALKNET_PATHS.device(7), `${paths.DEVICE_PREFIX}/7'`);
  assert.equal(ALKNET_PATHS.sshHost, paths.SSH_HOST);
  assert.equal(ALKNET_PATHS.sealing(2), paths.ENCRYPTION);
  assert.equal(ALKNET_PATHS.ethereum, paths.ETHEREUM);
  assert.equal(ALKNET_PATHS.message(0), "m/74'/3'/0'/0'");
  assert.equal(ALKNET_PATHS.messageStore(2), "m/74'/3'/1'/2'");
  for (const { key_version: version, path } of published.key_version_paths) {
    if (path !== null) assert.equal(ALKNET_PATHS.sealing(version), path);
    else assert.throws(() => ALKNET_PATHS.sealing(version), { code: "INVALID_PATH" });
  }
});

Deno.test("ALKNET_PATHS: versions and devices out of range are INVALID_PATH, never another key", () => {
  assert.equal(parsePath(ALKNET_PATHS.sealing(LAST_KEY_VERSION)).at(-1), HARDENED + HARDENED - 1);
  for (const version of [-1, 0, 1, 1.5, 2.5, NaN, Infinity, LAST_KEY_VERSION + 1, "2" as unknown as number]) {
    assert.throws(() => ALKNET_PATHS.sealing(version), (error) => isInvalidPath(error), String(version));
  }
  for (const device of [-1, 0.5, NaN, HARDENED, "0" as unknown as number]) {
    assert.throws(() => ALKNET_PATHS.device(device), (error) => isInvalidPath(error), String(device));
  }
});

function isInvalidPath(error: unknown): boolean {
  return error instanceof VaultError && error.code === "INVALID_PATH";
}

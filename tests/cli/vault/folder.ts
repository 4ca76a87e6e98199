/**
 * Vaults for tests of the command.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { Vault } from "@alknet/vault";
import { join } from "node:path";
import { locateHome } from "../../../cli/home/home.ts";
import type { Argon2Cost } from "../../../cli/vault/argon2.ts";
import type { Credentials } from "../../../cli/vault/credentials.ts";
import { makeVault } from "../../../cli/vault/vault_folder.ts";
import { type Output, runAlknet } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";

/** A phrase that everybody knows: the first of the BIP-39 vectors. */
export const PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
/** Argon2 that costs nothing, for tests of all else. */
const CHEAP: Argon2Cost = { memoryKib: 8, passes: 1, lanes: 1 };

/** A home folder with a vault of {@linkcode PHRASE}, gone when the test is. */
export interface TestVault extends AsyncDisposable {
  /** The home folder. */
  readonly path: string;
  /** A file with the passphrase, which no vault with a key needs. */
  readonly passphraseFile: string;
  /** The path of something beside the home. */
  join(name: string): string;
  /** Writes a file beside the home. */
  write(name: string, content: string): Promise<string>;
  /** Runs `alknet vault …` in this home; with what is given on standard input. */
  run(args: string, stdin?: string | Uint8Array<ArrayBuffer>): Promise<Output>;
  /** The same; fails unless it is done. Its result. */
  done(args: string, stdin?: string | Uint8Array<ArrayBuffer>): Promise<string>;
  /** Every file of the home and what it holds. */
  contents(): Promise<Record<string, string>>;
}

/**
 * Makes one.
 *
 * @param sealedBy A passphrase or a key. Default: a key.
 * @param credentials Values of credentials that it has, by name.
 */
export async function testVault(
  sealedBy: "passphrase" | "key" = "key",
  credentials: Readonly<Record<string, string>> = {},
): Promise<TestVault> {
  const folder = await temporaryFolder();
  const path = folder.join("home");
  const passphraseFile = await folder.write("passphrase", "correct horse\n");
  const secret = sealedBy === "key"
    ? { kind: "key", key: new Uint8Array(32).fill(7) } as const
    : { kind: "passphrase", passphrase: "correct horse" } as const;
  await makeVault(locateHome(path), PHRASE, secret, { cost: CHEAP, credentials: sealed(credentials) });
  const run: TestVault["run"] = (args, stdin) => runAlknet(["vault", ...args.split(" "), "--home", path], { stdin });
  return {
    path,
    passphraseFile,
    join: folder.join,
    write: folder.write,
    run,
    async done(args, stdin) {
      const { code, stdout, stderr } = await run(args, stdin);
      equal(code, 0, stderr);
      return stdout;
    },
    async contents() {
      const found: Record<string, string> = {};
      for await (const { name } of Deno.readDir(path)) found[name] = await Deno.readTextFile(join(path, name));
      return found;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function sealed(credentials: Readonly<Record<string, string>>): Credentials {
  using vault = new Vault();
  vault.unlock(PHRASE);
  return new Map(Object.entries(credentials).map(([name, value]) => [name, vault.seal(value)]));
}

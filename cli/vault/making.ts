/**
 * Making the vault of a node: what `init`, `vault new`, `vault import` and `vault restore` share.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { WordCount } from "@alknet/vault";
import { exists, type Home } from "../home/home.ts";
import type { Secret } from "./sealed_phrase.ts";
import { makeVaultOf, type NewVaultOptions, refuseExisting } from "./vault_folder.ts";

/** What becomes of a node key that is not the vault's. */
export type ExistingKey = "keep" | "replace";

/** What is to become of what is there. */
export interface MakingOptions {
  /** Move an old vault aside. */
  readonly force: boolean;
  /** What becomes of a key file; nothing when there should be none. */
  readonly existingKey?: ExistingKey;
}

/** What a vault with a new phrase may be told. */
export interface NewPhraseOptions extends NewVaultOptions {
  /** How many words the phrase has. Default {@linkcode DEFAULT_WORDS}. */
  readonly words?: WordCount;
}

/** Words of a phrase that nobody chose the length of: 256 bits. */
export const DEFAULT_WORDS: WordCount = 24;

/**
 * Looks whether a vault may be made here, before anyone is asked for a passphrase.
 *
 * @returns Names of files to move aside with an old vault.
 * @throws {AlknetError} `VAULT_EXISTS`; `NODE_EXISTS` when a key file is there and nothing says what becomes of it.
 */
export async function mayMake(home: Home, { force, existingKey }: MakingOptions): Promise<string[]> {
  if (!force) await refuseExisting(home);
  if (!await exists(home.keyFile)) return [];
  switch (existingKey) {
    case "keep":
      return [];
    case "replace":
      return ["node.key"];
    case undefined:
      throw new AlknetError(
        "NODE_EXISTS",
        `a node is here already (${home.keyFile}), whose key is from no phrase; nothing was changed. Say what becomes of ` +
          "it: --existing-key keep (the node keeps its id; the vault is for all else) or --existing-key replace (the " +
          "vault gives a new id; the file is moved aside)",
      );
  }
}

/** Makes a vault with a new phrase, which is shown to nobody. */
export async function makeNewVault(
  home: Home,
  secret: Secret,
  { words = DEFAULT_WORDS, ...options }: NewPhraseOptions = {},
): Promise<void> {
  // BIP-39: 32 bits for every three words.
  const entropy = crypto.getRandomValues(new Uint8Array(words * 4 / 3));
  try {
    await makeVaultOf(home, entropy, secret, options);
  } finally {
    entropy.fill(0);
  }
}

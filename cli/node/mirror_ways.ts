/**
 * How this machine reaches repositories that it follows: who it is, and what its vault keeps for their hosts.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { NodeKey } from "@alknet/core/identity";
import type { MirrorWays } from "@alknet/handlers/git";
import { exists, type Home } from "../home/home.ts";

/** What mirrors are fetched with. */
export interface MirrorWaysParts {
  /** As whom nodes are asked; nobody without it. */
  readonly key?: NodeKey;
  /** The home, whose vault may keep `git/HOST:PORT`. */
  readonly home: Home;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
}

/** Milliseconds until a node has answered. */
const DIAL_TIME = 10_000;

/** Makes the ways. Nothing is opened before it is needed. */
export function mirrorWays({ key, home, passphraseFile }: MirrorWaysParts): MirrorWays {
  return {
    dial: async (address, signal) => {
      const { connect, prepareDial } = await import("@alknet/core/dial");
      // QUIC would bring the binding into the process of the node, which is kept free of it.
      const transport = "tls";
      await prepareDial(transport);
      return await connect(address, "alknet/git", { transport, key, timeout: DIAL_TIME, signal });
    },
    credential: async (host) => {
      const name = `git/${host}`;
      const { openVault, settledCredentials } = await import("../vault/vault_folder.ts");
      const { opening } = await import("../vault/credentials.ts");
      if (!await exists(home.vaultFile)) return undefined;
      const sealed = (await settledCredentials(home)).get(name);
      if (!sealed) return undefined;
      // Nobody may be there to be asked.
      if (passphraseFile === undefined && !await exists(home.vaultKeyFile)) {
        throw new AlknetError("VAULT_LOCKED", `${name} is in a vault with a passphrase; give --passphrase-file FILE`);
      }
      using open = await openVault(home, { passphraseFile });
      const credential = (await opening(name, () => open.vault.open(sealed))).trim();
      if (credential !== "" && !/[\r\n\0]/.test(credential)) return credential;
      throw new AlknetError("CREDENTIAL_INVALID", `credential ${name} is no single line: a token, or user:password`);
    },
  };
}

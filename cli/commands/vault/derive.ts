/**
 * `alknet vault derive`: a key of the vault, as other programs read it.
 *
 * @module
 */
import type { DerivedKey, KeyType, Vault } from "@alknet/vault";
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { ExitCode, print, printJson, UsageError } from "../../terminal/output.ts";
import { homeOf, type VaultCommandOptions, vaultOptions } from "./options.ts";

type Format = "hex" | "openssh" | "pem" | "eth";

interface DeriveOptions extends VaultCommandOptions {
  readonly path: string;
  readonly part: "public" | "private";
  readonly format: Format;
  readonly type?: KeyType;
  readonly comment: string;
  readonly yes: boolean;
}

/** `alknet vault derive PATH`. */
export const deriveCommand: Command = command(
  "derive",
  map(
    object({
      path: argument(string({ metavar: "PATH" }), {
        description: message`Path of the key, such as m/74'/0'/1'/0' for the SSH host key.`,
      }),
      part: withDefault(
        or(
          map(flag("--public", { description: message`The public key; the default.` }), () => "public" as const),
          map(
            flag("--private", { description: message`The private key; on a terminal alone, unless --yes.` }),
            () => "private" as const,
          ),
        ),
        "public" as const,
      ),
      format: withDefault(
        option("--format", choice(["hex", "openssh", "pem", "eth"], { metavar: "FORMAT" }), {
          description: message`hex, openssh, pem (PKCS #8 or SPKI), or eth: an Ethereum address. Default: hex.`,
        }),
        "hex",
      ),
      type: optional(option("--type", choice(["ed25519", "secp256k1", "x25519"], { metavar: "TYPE" }), {
        description:
          message`Kind of key. Default: secp256k1 below m/44'/60' and for eth, x25519 for the message key, else ed25519.`,
      })),
      comment: withDefault(
        option("--comment", string({ metavar: "TEXT" }), { description: message`Comment of an OpenSSH key.` }),
        "",
      ),
      yes: withDefault(flag("--yes", { description: message`Print a private key where no terminal reads it.` }), false),
      ...vaultOptions(),
    }),
    (options): Action => () => derive(options),
  ),
  {
    brief: message`Print a key of the vault.`,
    description:
      message`Print a key of the vault. For ssh: (umask 077; alknet vault derive "m/74'/0'/1'/0'" --private --format openssh --yes > key)`,
  },
);

async function derive(options: DeriveOptions): Promise<number> {
  const { path, part, format } = options;
  const { parsePath } = await import("@alknet/vault");
  parsePath(path);
  const keyType = options.type ?? usualType(path, format);
  checkFormat(format, keyType, part);
  if (part === "private" && !options.yes && !Deno.stdout.isTerminal()) {
    throw new UsageError("a private key is printed on a terminal alone; where a pipe or a file is meant, give --yes");
  }
  const { openVault } = await import("../../vault/vault_folder.ts");
  using open = await openVault(homeOf(options), options);
  using key = keyOf(open.vault, path, keyType);
  const text = await write(key, options);
  if (options.json) printJson({ path, keyType, part, format, key: text });
  else print(text.trimEnd());
  return ExitCode.DONE;
}

/** What a path is for, by the table of paths. */
function usualType(path: string, format: Format): KeyType {
  if (format === "eth" || /^m\/44['hH]\/60['hH](?:\/|$)/.test(path)) return "secp256k1";
  return isMessagePath(path) ? "x25519" : "ed25519";
}

function isMessagePath(path: string): boolean {
  return path.replace(/[hH]/g, "'") === "m/74'/3'/0'/0'";
}

function checkFormat(format: Format, keyType: KeyType, part: DeriveOptions["part"]): void {
  if (format === "openssh" && keyType !== "ed25519") {
    throw new UsageError(`--format openssh is for Ed25519 keys; for ${keyType} use hex or pem`);
  }
  if (format !== "eth") return;
  if (keyType !== "secp256k1") throw new UsageError(`--format eth is for secp256k1 keys, not ${keyType}`);
  if (part === "private") throw new UsageError("--format eth prints an address; for the private key use --format hex");
}

function keyOf(vault: Vault, path: string, keyType: KeyType): DerivedKey {
  if (keyType !== "x25519") return vault.derive(path, keyType);
  if (isMessagePath(path)) return vault.messageKey();
  throw new UsageError("--type x25519 is for the message key alone, m/74'/3'/0'/0'");
}

async function write(key: DerivedKey, { part, format, comment }: DeriveOptions): Promise<string> {
  const { ethereumAddress, opensshPrivateKey, opensshPublicKey, privateKeyPem, publicKeyPem } = await import(
    "@alknet/vault"
  );
  const isPrivate = part === "private";
  switch (format) {
    case "hex":
      return (isPrivate ? key.privateKey : key.publicKey).toHex();
    case "openssh":
      return isPrivate ? opensshPrivateKey(key, comment) : opensshPublicKey(key, comment);
    case "pem":
      return isPrivate ? privateKeyPem(key) : publicKeyPem(key);
    case "eth":
      return ethereumAddress(key.publicKey);
  }
}

/**
 * Where the secret that opens a vault comes from: `vault.key`, a passphrase file, or a person at the terminal.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { readPrivateFile, reason } from "@alknet/core/private-file";
import { readPhrase } from "@alknet/vault";
import type { Home } from "../home/home.ts";
import { UsageError } from "../terminal/output.ts";
import { Terminal } from "../terminal/terminal.ts";
import { KEY_LENGTH, type Secret } from "./sealed_phrase.ts";

/** How a command gets the passphrase of a vault. */
export interface UnlockOptions {
  /** A file that holds it. */
  readonly passphraseFile?: string;
  /** Who is asked otherwise. Default: the terminal of this process, while it is asked. */
  readonly terminal?: Terminal;
}

/** By what a vault is to be sealed. */
export interface NewSecretOptions extends UnlockOptions {
  /** Seal it by a random key in a file, so that it opens unattended. */
  readonly noPassphrase: boolean;
}

/** A passphrase or a phrase is what a person can type, or a program makes; more is a wrong path. */
const MOST_SECRET_BYTES = 4096;

/** The content of a new `vault.key`. */
export function formatVaultKey(key: Uint8Array): string {
  return `${key.toHex()}\n`;
}

/**
 * The key in `vault.key`.
 *
 * @throws {AlknetError} `VAULT_KEY_NOT_FOUND`, `VAULT_KEY_PERMISSIONS`, `VAULT_KEY_UNREADABLE`, `VAULT_KEY_INVALID`.
 */
export async function readVaultKey({ vaultKeyFile, vaultFile }: Home): Promise<Secret> {
  let text: string;
  try {
    text = await readPrivateFile(vaultKeyFile, "vault key", { code: "VAULT_KEY" });
  } catch (error) {
    if (!(error instanceof AlknetError) || error.code !== "VAULT_KEY_NOT_FOUND") throw error;
    throw new AlknetError(
      error.code,
      `${error.message}, and it alone opens ${vaultFile}; put it back, or begin anew from the phrase or a backup: ` +
        "alknet vault import --force, alknet vault restore FILE --force",
      { cause: error },
    );
  }
  if (!/^[0-9a-f]{64}\n?$/.test(text)) {
    throw new AlknetError("VAULT_KEY_INVALID", `vault key ${vaultKeyFile} is not one that alknet wrote, or was cut`);
  }
  return { kind: "key", key: Uint8Array.fromHex(text.trim()) };
}

/** A new random key. */
export function newVaultKey(): Extract<Secret, { kind: "key" }> {
  return { kind: "key", key: crypto.getRandomValues(new Uint8Array(KEY_LENGTH)) };
}

/**
 * The passphrase of something that is sealed: from the file, else asked for.
 *
 * @param what What it opens, for the question: `the vault`.
 * @throws {UsageError} There is neither a file nor a terminal.
 */
export async function knownPassphrase(options: UnlockOptions, what: string): Promise<Secret> {
  const { passphraseFile } = options;
  if (passphraseFile !== undefined) return await passphraseOf(passphraseFile);
  const passphrase = await withTerminal(
    options,
    "--passphrase-file FILE",
    `${what} is sealed with a passphrase`,
    (terminal) => terminal.hidden(`Passphrase of ${what}`),
  );
  return { kind: "passphrase", passphrase };
}

/**
 * What a vault is to be sealed by: a random key, the passphrase of the file, or one that is asked for twice.
 *
 * @throws {UsageError} Two of them are asked for; or none, and there is no terminal.
 * @throws {AlknetError} `PASSPHRASE_MISMATCH`, `PASSPHRASE_EMPTY`.
 */
export async function newSecret(options: NewSecretOptions, fileOption = "--passphrase-file"): Promise<Secret> {
  const { passphraseFile, noPassphrase } = options;
  if (noPassphrase) {
    if (passphraseFile === undefined) return newVaultKey();
    throw new UsageError(`${fileOption} and --no-passphrase exclude each other; give one`);
  }
  const instead = `${fileOption} FILE, or --no-passphrase to keep its key in a file beside it`;
  return await newPassphrase(options, instead, "a passphrase has to seal the vault");
}

/**
 * A passphrase by which something is to be sealed: from the file, else asked for twice.
 *
 * @param instead The options that answer without a terminal.
 * @param why Why there must be one.
 * @throws {UsageError} There is neither a file nor a terminal.
 * @throws {AlknetError} `PASSPHRASE_MISMATCH`, `PASSPHRASE_EMPTY`.
 */
export async function newPassphrase(options: UnlockOptions, instead: string, why: string): Promise<Secret> {
  if (options.passphraseFile !== undefined) return await passphraseOf(options.passphraseFile);
  const passphrase = await withTerminal(options, instead, why, async (terminal) => {
    const first = await terminal.hidden("New passphrase");
    if (first === "") throw emptyPassphrase("the passphrase");
    if (await terminal.hidden("The same again") === first) return first;
    throw new AlknetError("PASSPHRASE_MISMATCH", "the two passphrases differ; nothing was changed. Try again");
  });
  return { kind: "passphrase", passphrase };
}

/**
 * Asks at the terminal.
 *
 * @param instead The options that answer without one.
 * @param why Why an answer is needed.
 * @throws {UsageError} There is none.
 */
export async function withTerminal<T>(
  { terminal: given }: UnlockOptions,
  instead: string,
  why: string,
  ask: (terminal: Terminal) => Promise<T>,
): Promise<T> {
  if (given) return await ask(given);
  using terminal = Terminal.open();
  if (!terminal) throw new UsageError(`${why}, and there is no terminal to ask at; give ${instead}`);
  return await ask(terminal);
}

/**
 * The phrase that a person has: in a file, else asked for. Its words are checked before anything else is asked.
 *
 * @throws {UsageError} There is neither a file nor a terminal.
 * @throws {VaultError} `INVALID_PHRASE`, which says what is wrong with it without repeating it.
 */
export async function phraseFrom(file: string | undefined, options: UnlockOptions): Promise<string> {
  const text = file === undefined
    ? await withTerminal(
      options,
      "--mnemonic-file FILE",
      "the words have to be typed",
      (terminal) => terminal.hidden("Words of the phrase"),
    )
    : await readSecretFile(file, "mnemonic file", "MNEMONIC_FILE");
  return readPhrase(text);
}

/**
 * The passphrase in a file: what it holds, without the line end after it. A pipe will do, so a password manager can hand
 * it over.
 */
async function passphraseOf(path: string): Promise<Secret> {
  const text = await readSecretFile(path, "passphrase file", "PASSPHRASE_FILE");
  const passphrase = text.replace(/\r?\n$/, "");
  if (passphrase === "") throw emptyPassphrase(`passphrase file ${path}`);
  if (passphrase.includes("\ufffd")) {
    throw new AlknetError("PASSPHRASE_FILE_INVALID", `passphrase file ${path} is not UTF-8 text`);
  }
  return { kind: "passphrase", passphrase };
}

async function readSecretFile(path: string, what: string, code: string): Promise<string> {
  if (!await isPipe(path)) return await readPrivateFile(path, what, { code, maxSize: MOST_SECRET_BYTES });
  const bytes = new Uint8Array(MOST_SECRET_BYTES + 1);
  try {
    using pipe = await Deno.open(path);
    let length = 0;
    for (let count; length < bytes.byteLength && (count = await pipe.read(bytes.subarray(length))); length += count);
    if (length > MOST_SECRET_BYTES) throw new Error(`it gives more than ${MOST_SECRET_BYTES} bytes`);
    return new TextDecoder().decode(bytes.subarray(0, length));
  } catch (error) {
    throw new AlknetError(`${code}_UNREADABLE`, `cannot read ${what} ${path}: ${reason(error)}`, { cause: error });
  } finally {
    bytes.fill(0);
  }
}

async function isPipe(path: string): Promise<boolean> {
  const { isFifo, isCharDevice, isSocket } = await Deno.stat(path).catch((): Partial<Deno.FileInfo> => ({}));
  return Boolean(isFifo || isCharDevice || isSocket);
}

function emptyPassphrase(what: string): AlknetError {
  return new AlknetError("PASSPHRASE_EMPTY", `${what} is empty; a passphrase has at least one character`);
}

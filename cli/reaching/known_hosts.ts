/**
 * Host keys of nodes, in the file that OpenSSH reads (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { replaceFile } from "@alknet/core/private-file";
import { dirname } from "node:path";

/**
 * Keeps one key of a host: a line of it that was there is replaced, the others stay.
 *
 * @param file Made with mode 0600 if need be.
 * @param alias The name that OpenSSH looks for (`HostKeyAlias`).
 * @param key `ssh-ed25519 AAAA…`.
 * @returns The file.
 * @throws {AlknetError} `FILE_UNWRITABLE`.
 */
export async function rememberHostKey(file: string, alias: string, key: string): Promise<string> {
  const [type] = key.split(" ");
  const kept = (await readLines(file)).filter((line) => !line.startsWith(`${alias} ${type} `));
  try {
    await Deno.mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await replaceFile(file, [...kept, `${alias} ${key}`, ""].join("\n"));
  } catch (cause) {
    throw new AlknetError("FILE_UNWRITABLE", `cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
  return file;
}

async function readLines(file: string): Promise<string[]> {
  try {
    return (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}

/**
 * Reads a configuration file once.
 *
 * @module
 */
import { AlknetError } from "../errors.ts";
import { logger } from "../log.ts";
import { reason } from "../identity/private_file.ts";
import { resolve } from "node:path";
import { assertTrusted } from "./trust.ts";
import { parseConfig, type ParsedConfig, type ParseOptions } from "./parse.ts";

/** Bytes of the largest configuration file that is read; ten thousand peers fit. */
const MAX_SIZE = 16 * 1024 * 1024;

const log = logger("config");

/**
 * Reads and checks a configuration file, if it is this user's alone to write. What was corrected in it is logged once, at warn level.
 *
 * @throws {AlknetError} `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE`, `CONFIG_PERMISSIONS`.
 * @throws {InvalidConfigError} `INVALID_CONFIG`.
 */
export async function loadConfig(path: string, options: ParseOptions = {}): Promise<ParsedConfig> {
  const text = await readConfigText(path);
  await assertTrusted(resolve(path), "config");
  const config = parseConfig(text, path, options);
  for (const notice of config.notices) log.warn("{notice}", { notice });
  return config;
}

/**
 * The text of a configuration file.
 *
 * @throws {AlknetError} `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE`.
 */
export async function readConfigText(path: string): Promise<string> {
  try {
    const { size, isFile } = await Deno.stat(path);
    if (isFile && size > MAX_SIZE) throw new Error(`it is ${size} bytes long; ${MAX_SIZE} are read at most`);
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new AlknetError("CONFIG_NOT_FOUND", `config ${path} does not exist; \`alknet init\` makes one`, {
        cause: error,
      });
    }
    throw new AlknetError("CONFIG_UNREADABLE", `cannot read config ${path}: ${reason(error)}`, { cause: error });
  }
}

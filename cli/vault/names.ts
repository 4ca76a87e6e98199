/**
 * Names of credentials.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

const LONGEST = 255;

/**
 * Looks whether a name will do: it stands alone on a line, and is no option.
 *
 * @throws {AlknetError} `INVALID_NAME`.
 */
export function checkName(name: string): void {
  // deno-lint-ignore no-control-regex
  const bad = name === "" || name.length > LONGEST || name.startsWith("-") || /[\x00-\x1f\x7f-\x9f]/.test(name) ||
    name.trim() !== name || !name.isWellFormed();
  if (!bad) return;
  throw new AlknetError(
    "INVALID_NAME",
    `${JSON.stringify(name.slice(0, 40))} cannot name a credential: up to ${LONGEST} characters, no control ` +
      "characters, no space at either end, no - first",
  );
}

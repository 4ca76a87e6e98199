/**
 * Options that stand before the command as well as behind it: `alknet --home DIR serve`.
 *
 * @module
 */

/** Options of so many commands that people write them first, and whether a value follows. */
const GLOBAL: Readonly<Record<string, boolean>> = { "--home": true, "--json": false, "-v": false, "--verbose": false };
/** What ends the options. */
const END = "--";

/**
 * The arguments with the global options that stand before the command moved behind all others; the grammar of each command
 * says whether it has them. Nothing is moved where no command follows.
 */
export function behindTheCommand(args: readonly string[]): readonly string[] {
  let count = 0;
  while (count < args.length) {
    const [name, value] = args[count].split("=", 2);
    if (!Object.hasOwn(GLOBAL, name) || (value !== undefined && !GLOBAL[name])) break;
    count += GLOBAL[name] && value === undefined ? 2 : 1;
  }
  const rest = args.slice(count);
  if (count === 0 || rest.length === 0) return args;
  const end = rest.indexOf(END);
  const at = end < 0 ? rest.length : end;
  return [...rest.slice(0, at), ...args.slice(0, count), ...rest.slice(at)];
}

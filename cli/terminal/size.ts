/**
 * Bytes and counts as people read them.
 *
 * @module
 */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes as people read them: `1.2 MiB`. */
export function formatSize(bytes: number): string {
  let unit = 0;
  let size = bytes;
  for (; size >= 1024 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}

/** How many there are of what is called so: `1 tensor`, `12 345 objects`. */
export function counted(count: number, what: string): string {
  return `${String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, " ")} ${what}${count === 1 ? "" : "s"}`;
}

/**
 * The long form of a name, as `ls -l` prints it (draft-ietf-secsh-filexfer-02 §7): people read it, and some clients too.
 *
 * @module
 */
import type { FileAttributes } from "../file_store.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Milliseconds: half a year, as ls has it. */
const RECENT = 365.25 * 86_400_000 / 2;
const TYPES: Readonly<Record<number, string>> = {
  ...{ 0o010000: "p", 0o020000: "c", 0o040000: "d", 0o060000: "b", 0o100000: "-", 0o120000: "l", 0o140000: "s" },
};
const BITS = "rwxrwxrwx";

/**
 * The long form.
 *
 * @param now Milliseconds since 1970: what is older than half a year has its year in place of the time of day.
 */
export function longName(name: string, attributes: FileAttributes, now: number): string {
  const { mode = 0, links = 1, owner, size = 0, times } = attributes;
  const user = `${owner?.uid ?? "?"}`.padEnd(8);
  const group = `${owner?.gid ?? "?"}`.padEnd(8);
  return `${modeText(mode)} ${`${links}`.padStart(4)} ${user} ${group} ${`${size}`.padStart(8)} ${
    dateText(times?.modified, now)
  } ${name}`;
}

/** Type and permissions: `drwxr-sr-x`. */
function modeText(mode: number): string {
  let text = TYPES[mode & 0o170000] ?? "?";
  for (let bit = 0; bit < 9; bit++) text += mode & (0o400 >> bit) ? BITS[bit] : "-";
  if ((mode & 0o7000) === 0) return text;
  const special = (at: number, on: boolean, letter: string): void => {
    if (!on) return;
    text = text.slice(0, at) + (text[at] === "x" ? letter : letter.toUpperCase()) + text.slice(at + 1);
  };
  special(3, (mode & 0o4000) !== 0, "s");
  special(6, (mode & 0o2000) !== 0, "s");
  special(9, (mode & 0o1000) !== 0, "t");
  return text;
}

/** Twelve characters, in the node's own time. */
function dateText(seconds: number | undefined, now: number): string {
  if (seconds === undefined) return "            ";
  const date = new Date(seconds * 1000);
  const day = `${MONTHS[date.getMonth()]} ${`${date.getDate()}`.padStart(2)}`;
  const age = now - seconds * 1000;
  if (age > RECENT || age < -RECENT) return `${day}  ${date.getFullYear()}`;
  return `${day} ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
}

function twoDigits(value: number): string {
  return `${value}`.padStart(2, "0");
}

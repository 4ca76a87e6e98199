/**
 * What is wrong with an object (git-fsck, "FSCK MESSAGES"), by git's own names. Some old histories have dates and names
 * that git refuses today: these are told of and let in.
 *
 * @module
 */
import { isRefName } from "../wire/names.ts";
import { isDotFile, isDotGit } from "./dot_git.ts";
import { type Kind, OID_BYTES } from "./oid.ts";

/** What becomes of an object with a fault. */
export type Verdict = "error" | "warn" | "ignore";

/** Told of a fault by its name. Says whether the object is refused, so that no more is looked for. */
export type Report = (id: string) => boolean;

/** Faults that are errors. All others are warnings, but for `extraHeaderEntry`. */
const ERRORS = new Set(
  ("nulInHeader unterminatedHeader badDateOverflow badName badObjectSha1 badParentSha1 badTagObject badTree badTreeSha1 " +
    "badType duplicateEntries missingAuthor missingCommitter missingEmail missingObject missingSpaceBeforeEmail " +
    "missingTag missingTagEntry missingTree missingTreeObject missingType missingTypeEntry treeNotSorted unknownType " +
    "gitmodulesMissing gitmodulesBlob gitmodulesLarge gitmodulesName gitmodulesSymlink gitmodulesUrl gitmodulesPath " +
    "gitmodulesUpdate gitattributesMissing gitattributesLarge gitattributesLineLength gitattributesBlob " +
    "nullSha1 hasDot hasDotdot hasDotgit fullPathname emptyName largePathname").split(" "),
);
/** Longest name in a tree. */
const LARGE_NAME = 4096;
const MODES = new Set([0o100644, 0o100755, 0o100664, 0o120000, 0o040000, 0o160000]);
const TREE = 0o040000;
const LINK = 0o120000;
const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** What becomes of a fault where the repository's configuration says nothing else. */
export function defaultVerdict(id: string): Verdict {
  return id === "extraHeaderEntry" ? "ignore" : ERRORS.has(id) ? "error" : "warn";
}

/** Whether git knows a fault of this name, in any case. */
export function knownFault(id: string): boolean {
  return [...ERRORS, ...WARNINGS].some((known) => known.toLowerCase() === id.toLowerCase());
}

const WARNINGS = ("zeroPaddedDate badDate badTimezone missingSpaceBeforeDate badEmail missingNameBeforeEmail " +
  "multipleAuthors badFilemode zeroPaddedFilemode nulInCommit gitmodulesParse gitignoreSymlink gitattributesSymlink " +
  "mailmapSymlink badTagName missingTaggerEntry extraHeaderEntry").split(" ");

/** Looks for faults of an object until one refuses it. Blobs have none of themselves. */
export function fsckObject(kind: Kind, bytes: Uint8Array, report: Report, found?: (name: string, at: number) => void) {
  if (kind === "tree") fsckTree(bytes, report, found);
  else if (kind === "commit") fsckCommit(bytes, report);
  else if (kind === "tag") fsckTag(bytes, report);
}

/** Lines of a header, taken one after another. */
class Header {
  readonly text: string;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.text = latin1.decode(bytes);
  }

  /** What follows a word up to the end of its line; nothing where the next line begins otherwise. */
  field(word: string): string | undefined {
    if (!this.text.startsWith(word, this.#at)) return undefined;
    const end = this.text.indexOf("\n", this.#at);
    if (end < 0) return undefined;
    const value = this.text.slice(this.#at + word.length, end);
    this.#at = end + 1;
    return value;
  }

  /** Whether a line begins with a word. */
  begins(word: string): boolean {
    return this.text.startsWith(word, this.#at);
  }
}

function headerFault(text: string): string | undefined {
  const end = text.indexOf("\n\n");
  const nul = text.indexOf("\0");
  if (nul >= 0 && (end < 0 || nul < end)) return "nulInHeader";
  return end < 0 && !text.endsWith("\n") ? "unterminatedHeader" : undefined;
}

function fsckCommit(bytes: Uint8Array, report: Report): void {
  const header = new Header(bytes);
  const fault = headerFault(header.text);
  if (fault && report(fault)) return;
  const tree = header.field("tree ");
  if (tree === undefined) return void report("missingTree");
  if (!isHexOid(tree) && report("badTreeSha1")) return;
  for (let parent = header.field("parent "); parent !== undefined; parent = header.field("parent ")) {
    if (!isHexOid(parent) && report("badParentSha1")) return;
  }
  let authors = 0;
  for (let author = header.field("author "); author !== undefined; author = header.field("author ")) {
    authors++;
    if (personFault(author, report)) return;
  }
  if (authors === 0 && report("missingAuthor")) return;
  if (authors > 1 && report("multipleAuthors")) return;
  const committer = header.field("committer ");
  if (committer === undefined) return void report("missingCommitter");
  if (personFault(committer, report)) return;
  if (bytes.includes(0)) report("nulInCommit");
}

function fsckTag(bytes: Uint8Array, report: Report): void {
  const header = new Header(bytes);
  const fault = headerFault(header.text);
  if (fault && report(fault)) return;
  const object = header.field("object ");
  if (object === undefined) return void report("missingObject");
  if (!isHexOid(object) && report("badObjectSha1")) return;
  if (!header.begins("type ")) return void report("missingTypeEntry");
  const type = header.field("type ");
  if (type === undefined) return void report("missingType");
  if (!/^(?:commit|tree|blob|tag)$/.test(type) && report("badType")) return;
  if (!header.begins("tag ")) return void report("missingTagEntry");
  const tag = header.field("tag ");
  if (tag === undefined) return void report("missingTag");
  if (!isRefName(`refs/tags/${tag}`) && report("badTagName")) return;
  const tagger = header.field("tagger ");
  if (tagger === undefined) {
    if (report("missingTaggerEntry")) return;
  } else if (personFault(tagger, report)) return;
  if (!header.begins("\n")) report("extraHeaderEntry");
}

/** `NAME <EMAIL> SECONDS ZONE`. Says whether the object is refused. */
function personFault(person: string, report: Report): boolean {
  const id = personFaultOf(person);
  return id !== undefined && report(id);
}

function personFaultOf(person: string): string | undefined {
  if (person.startsWith("<")) return "missingNameBeforeEmail";
  const open = person.search(/[<>]/);
  if (open < 0) return "missingEmail";
  if (person[open] === ">") return "badName";
  if (person[open - 1] !== " ") return "missingSpaceBeforeEmail";
  const rest = person.slice(open + 1);
  const close = rest.search(/[<>]/);
  if (close < 0 || rest[close] !== ">") return "badEmail";
  if (rest[close + 1] !== " ") return "missingSpaceBeforeDate";
  const date = rest.slice(close + 2);
  if (/^0[^ ]/.test(date) || date === "0") return "zeroPaddedDate";
  const seconds = /^[0-9]+/.exec(date)?.[0];
  if (seconds !== undefined && BigInt(seconds.slice(0, 30)) > 0x7fffffffffffffffn) return "badDateOverflow";
  if (seconds === undefined || date[seconds.length] !== " ") return "badDate";
  return /^[+-][0-9]{4}$/.test(date.slice(seconds.length + 1)) ? undefined : "badTimezone";
}

/** Tells of `.gitmodules` and `.gitattributes` too, and where in the tree the object's id stands. */
function fsckTree(bytes: Uint8Array, report: Report, found?: (name: string, at: number) => void): void {
  const told = new Set<string>();
  // A tree tells each fault once, however many entries have it.
  const once = (id: string): boolean => {
    if (told.has(id)) return false;
    told.add(id);
    return report(id);
  };
  let before: Name | undefined;
  /** Files whose names later trees may have again, with others between. */
  const files: Name[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const entry = entryAt(bytes, at);
    if (!entry) return void report("badTree");
    const { mode, name, end, padded } = entry;
    if (isNull(bytes, end) && once("nullSha1")) return;
    if (padded && once("zeroPaddedFilemode")) return;
    if (!MODES.has(mode) && once("badFilemode")) return;
    const id = nameFault(bytes, name);
    if (id !== undefined && once(id)) return;
    const special = specialFile(bytes, name);
    if (special !== undefined) {
      if (mode === LINK && once(`${special}Symlink`)) return;
      if (mode !== LINK) found?.(special, end);
    }
    const tree = mode === TREE;
    const fault = orderFault(bytes, { before, files, name: { ...name, tree } });
    if (fault !== undefined && once(fault)) return;
    before = { ...name, tree };
    at = end + OID_BYTES;
  }
}

interface Name {
  readonly start: number;
  readonly end: number;
  readonly tree?: boolean;
}

function entryAt(bytes: Uint8Array, start: number) {
  let mode = 0;
  let at = start;
  for (; bytes[at] !== 0x20; at++) {
    const digit = bytes[at] - 0x30;
    if (!(digit >= 0 && digit <= 7) || mode > 0o7777777) return undefined;
    mode = mode * 8 + digit;
  }
  if (at === start) return undefined;
  const end = bytes.indexOf(0, at);
  if (end < 0 || end + 1 + OID_BYTES > bytes.byteLength) return undefined;
  return { mode, name: { start: at + 1, end }, end: end + 1, padded: bytes[start] === 0x30 };
}

function isNull(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < OID_BYTES; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

function nameFault(bytes: Uint8Array, { start, end }: Name): string | undefined {
  const length = end - start;
  if (length === 0) return "emptyName";
  if (length > LARGE_NAME) return "largePathname";
  for (let i = start; i < end; i++) if (bytes[i] === 0x2f) return "fullPathname";
  if (bytes[start] === 0x2e) {
    if (length === 1) return "hasDot";
    if (length === 2 && bytes[start + 1] === 0x2e) return "hasDotdot";
  }
  return mayBeSpecial(bytes, { start, end }) && isDotGit(text(bytes, { start, end })) ? "hasDotgit" : undefined;
}

/** Few names need a closer look: those with a dot or a `g` first, and those with a backslash or beyond ASCII. */
function mayBeSpecial(bytes: Uint8Array, { start, end }: Name): boolean {
  const { [start]: first } = bytes;
  if (first === 0x2e || (first | 0x20) === 0x67) return true;
  for (let i = start; i < end; i++) if (bytes[i] === 0x5c || bytes[i] >= 0x80) return true;
  return false;
}

function specialFile(bytes: Uint8Array, name: Name): string | undefined {
  const { [name.start]: first } = bytes;
  if (first !== 0x2e && (first | 0x20) !== 0x67 && (first | 0x20) !== 0x6d && first < 0x80) return undefined;
  const word = text(bytes, name);
  if (isDotFile(word, "gitmodules", "gi7eba")) return "gitmodules";
  if (isDotFile(word, "gitattributes", "gi7d29")) return "gitattributes";
  if (isDotFile(word, "gitignore", "gi250a")) return "gitignore";
  return isDotFile(word, "mailmap", "maba30") ? "mailmap" : undefined;
}

function text(bytes: Uint8Array, { start, end }: Name): string {
  return utf8.decode(bytes.subarray(start, end));
}

/** Trees are ordered as if their names ended in a slash, so that a file and a tree of one name may stand apart. */
function orderFault(
  bytes: Uint8Array,
  { before, files, name }: { readonly before?: Name; readonly files: Name[]; readonly name: Name },
): string | undefined {
  if (!before) return undefined;
  const order = compareNames(bytes, before, name);
  const shared = Math.min(before.end - before.start, name.end - name.start);
  const same = before.end - before.start === name.end - name.start && order.at === shared;
  if (same) return "duplicateEntries";
  if (order.difference > 0) return "treeNotSorted";
  while (files.length > 0 && !isPrefix(bytes, files[files.length - 1], name)) files.pop();
  if (!before.tree && isPrefix(bytes, before, name)) files.push(before);
  const twice = (file: Name): boolean => file.end - file.start === name.end - name.start;
  return name.tree && files.some(twice) ? "duplicateEntries" : undefined;
}

function compareNames(bytes: Uint8Array, a: Name, b: Name): { difference: number; at: number } {
  const shared = Math.min(a.end - a.start, b.end - b.start);
  let at = 0;
  while (at < shared && bytes[a.start + at] === bytes[b.start + at]) at++;
  const byteOf = (name: Name): number => {
    if (name.start + at < name.end) return bytes[name.start + at];
    return name.tree ? 0x2f : 0;
  };
  return { difference: byteOf(a) - byteOf(b), at };
}

function isPrefix(bytes: Uint8Array, prefix: Name, name: Name): boolean {
  const length = prefix.end - prefix.start;
  if (length > name.end - name.start) return false;
  for (let i = 0; i < length; i++) if (bytes[prefix.start + i] !== bytes[name.start + i]) return false;
  return true;
}

function isHexOid(value: string): boolean {
  return /^[0-9a-f]{40}$/.test(value);
}

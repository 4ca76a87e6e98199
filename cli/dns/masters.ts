/**
 * Master files of commands: read in pieces, written in pieces, and their faults with the file's name.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import {
  type DnsName,
  type DnsStore,
  formatRecord,
  importMaster,
  MasterFileError,
  openDnsStore,
  readMaster,
  type Records,
  type Replaced,
  type Zone,
  zoneOfMaster,
} from "@alknet/handlers/dns";

/** What stands for standard input. */
const STDIN = "-";
/** Bytes of a file that are read at once. */
const PIECE = 256 * 1024;
/** Bytes of the longest master file on standard input, which is kept: a fault is looked for in it again. */
const MAX_STDIN = 256 * 1024 * 1024;

/** Characters of the longest master file that a node takes in one call. */
const MAX_SENT = 6 * 1024 * 1024;

/** More than any signed packet has room for. */
const MAX_RECORDS = 1000;

/** What a file would change, as lines. */
export interface ImportOptions {
  /** Nothing is changed. */
  readonly dryRun: boolean;
  /** Told of what would be, a line each. */
  readonly onLine: (line: string) => void;
  /** What the file holds, where it was read already. */
  readonly text?: string;
}

/**
 * Puts a master file in place of a zone's records.
 *
 * @throws {AlknetError} The fault, behind `FILE:LINE:COLUMN`; `FILE_UNREADABLE`; what the store throws.
 */
export async function importFile(
  { zones }: DnsStore,
  name: DnsName,
  file: string,
  { dryRun, onLine, text }: ImportOptions,
): Promise<Replaced> {
  const open = text === undefined ? await pieces(file) : () => [text];
  const onDifference = dryRun
    ? (sign: string, record: Parameters<typeof formatRecord>[0]) => onLine(`${sign} ${formatRecord(record)}`)
    : undefined;
  return inFile(file, () => importMaster(zones, name, open, { dryRun, onDifference }));
}

/** Looks at a master file; gives the zone that it has. Throws as {@linkcode importFile} does. */
export async function checkFile(file: string): Promise<Zone> {
  const open = await pieces(file);
  return inFile(file, () => {
    const name = zoneOfMaster(open());
    using store = openDnsStore(":memory:");
    importMaster(store.zones, name, open);
    return store.zones.find(name)!;
  });
}

/** Records of a master file that is no zone, the first thousand. Throws as {@linkcode importFile} does. */
export async function recordsOfFile(file: string, origin: DnsName): Promise<Records> {
  const open = await pieces(file);
  return inFile(file, () => [...readMaster(open(), origin).take(MAX_RECORDS)].map(({ record }) => record));
}

/**
 * The text of a master file, for a node.
 *
 * @throws {AlknetError} `FILE_UNREADABLE`: it cannot be read, or is longer than a node takes.
 */
export async function textOfFile(file: string): Promise<string> {
  let text = "";
  for (const piece of (await pieces(file))()) {
    text += piece;
    if (text.length > MAX_SENT) {
      const why = "above 6 MiB, more than a node takes in one call; import it on that node, without --node";
      throw new AlknetError("FILE_UNREADABLE", `${shownFile(file)}: ${why}`);
    }
  }
  return text;
}

/** What faults call a file. */
export function shownFile(file: string): string {
  return file === STDIN ? "stdin" : file;
}

/** A file from its beginning, as often as it is asked for. */
async function pieces(file: string): Promise<() => Iterable<string>> {
  if (file === STDIN) {
    const text = await standardInput();
    return () => [text];
  }
  return () => piecesOf(file);
}

function* piecesOf(file: string): Generator<string> {
  using opened = openFile(file);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(PIECE);
  for (let count = read(opened, buffer, file); count !== null; count = read(opened, buffer, file)) {
    yield decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  yield decoder.decode();
}

function openFile(file: string): Deno.FsFile {
  try {
    return Deno.openSync(file, { read: true });
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function read(opened: Deno.FsFile, buffer: Uint8Array, file: string): number | null {
  try {
    return opened.readSync(buffer);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

async function standardInput(): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of Deno.stdin.readable) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > MAX_STDIN) throw new AlknetError("FILE_UNREADABLE", "stdin: above 256 MiB; name a file");
  }
  return text + decoder.decode();
}

function unreadable(file: string, cause: unknown): AlknetError {
  return new AlknetError("FILE_UNREADABLE", `${file}: ${(cause as Error).message}`, { cause });
}

/** A fault stands behind the file's name. */
function inFile<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof MasterFileError)) throw error;
    throw new AlknetError(error.code, `${shownFile(file)}:${error.message}`, { cause: error });
  }
}

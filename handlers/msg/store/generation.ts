/**
 * How a database notices that it was put back from a copy (msg.md §3.1): a number in it and in a file beside it rise together
 * at each opening, so that a copy is behind the file.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/crypto";
import type { Database } from "../database.ts";

/** What the number is called in `meta`; the other is there once the file was written. */
const GENERATION = "generation";
const WRITTEN = "generation written";

/** The file of a database: `msg.generation` of `msg.sqlite`. */
export function generationFile(file: string): string {
  return `${file.replace(/\.sqlite$/, "")}.generation`;
}

/**
 * Raises both. Killed in between, the database is ahead, which is harmless.
 *
 * @param rolledBack Called in the transaction that finds the database behind its file.
 * @returns Whether it was behind.
 * @throws {AlknetError} `MESSAGE_STORE`: the file cannot be read or written.
 */
export function raiseGeneration(database: Database, file: string, rolledBack: () => void): boolean {
  const path = generationFile(file);
  const isBehind = database.transaction(() => {
    const [held, beside] = [heldIn(database), readBeside(path)];
    // What is no number, and a file that was there and is gone, say nothing: then it may be a copy.
    const isBehind = beside === undefined ? hasWritten(database) : !(held >= beside);
    put(database, GENERATION, bytesOf(Math.max(held, beside || 0) + 1));
    if (isBehind) rolledBack();
    return isBehind;
  });
  database.transaction(() => {
    // Others may have raised it meanwhile: nobody writes less than there was.
    writeBeside(path, heldIn(database));
    put(database, WRITTEN, Uint8Array.of(1));
  });
  return isBehind;
}

function heldIn(database: Database): number {
  const row = database.get<{ value: Uint8Array }>("SELECT value FROM meta WHERE name = ?", GENERATION);
  return row ? Number(new DataView(row.value.buffer, row.value.byteOffset, 8).getBigUint64(0)) : 0;
}

function hasWritten(database: Database): boolean {
  return database.get("SELECT 1 FROM meta WHERE name = ?", WRITTEN) !== undefined;
}

function put(database: Database, name: string, value: Uint8Array): void {
  const sql = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
  database.run(sql, name, value);
}

/** Nothing where there is no file, `NaN` where there is no number in it. */
function readBeside(path: string): number | undefined {
  try {
    const text = Deno.readTextFileSync(path);
    return /^[0-9]{1,15}\n?$/.test(text) ? Number(text) : NaN;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw unusable(path, "read", cause);
  }
}

/** Whoever reads it finds the old number or the new. One process at a time writes it: the transaction sees to that. */
function writeBeside(path: string, generation: number): void {
  const temporary = `${path}.new`;
  try {
    {
      using file = Deno.openSync(temporary, { write: true, create: true, truncate: true, mode: 0o600 });
      file.writeSync(new TextEncoder().encode(`${generation}\n`));
      file.syncDataSync();
    }
    Deno.renameSync(temporary, path);
  } catch (cause) {
    throw unusable(path, "written", cause);
  }
}

function bytesOf(generation: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(generation));
  return bytes;
}

function unusable(path: string, what: string, cause: unknown): AlknetError {
  return new AlknetError("MESSAGE_STORE", `${path} cannot be ${what}: ${(cause as Error).message}`, { cause });
}

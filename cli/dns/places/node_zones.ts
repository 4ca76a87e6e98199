/**
 * The zones of another node, as commands work on them: by its operations `dns/zones/…` and `dns/records/…`.
 *
 * What the node answers is read into records before it is used or shown: its texts reach neither terminal nor file as they are.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { CallError, type JsonValue } from "@alknet/core/operations";
import type { CallClient } from "@alknet/handlers/call";
import {
  type DnsName,
  formatName,
  formatRdata,
  formatType,
  openDnsStore,
  parseName,
  parseRdata,
  parseType,
  readMaster,
  type Removal,
  type ResourceRecord,
  wordsOf,
  type Zone,
} from "@alknet/handlers/dns";
import { importFile, type ImportOptions, shownFile, textOfFile } from "../masters.ts";
import { fieldsOf } from "../records.ts";
import { noZone, zoneName } from "../zones.ts";
import type { ZonesPlace } from "../place.ts";

/** Records of a page. */
const PAGE = 1000;
/** Characters of the largest zone that is compared with a file here: several times what such a file may have. */
const MAX_COMPARED = 64 * 1024 * 1024;
const CLASS_IN = 1;

/**
 * The zones of the node at the other end.
 *
 * @returns Zones whose methods throw `CallError` as the node refuses, `UNEXPECTED_ANSWER` where it answers nonsense.
 */
export function nodeZones(client: CallClient, signal: AbortSignal): ZonesPlace {
  const call = async (name: string, input: JsonValue): Promise<Fields> => {
    const answer = await client.call(`dns/${name}`, input, { signal });
    return isFields(answer) ? answer : unexpected(`dns/${name}`, "answers no object");
  };
  const list = async (): Promise<readonly Zone[]> => listOf(await call("zones/list", {}), "zones").map(zoneOf);
  const texts = async function* (name: DnsName): AsyncGenerator<string> {
    for await (const piece of client.subscribe("dns/zones/export", { zone: formatName(name) }, { signal })) {
      yield typeof piece === "string" ? piece : unexpected("dns/zones/export", "answers no text");
    }
  };
  return {
    list,
    async named(text) {
      const name = zoneName(text);
      const found = (await list()).find((zone) => zone.name.key === name.key);
      if (found) return found;
      throw noZone(name);
    },
    async create(name, { servers, mail, kind }) {
      const ns = servers.map(formatName);
      const told = { ...(ns.length > 0 && { ns }), ...(mail !== undefined && { mail }) };
      return zoneOf(await call("zones/create", { name: formatName(name), kind, ...told }));
    },
    async remove({ name }) {
      return integerOf(await call("zones/remove", { zone: formatName(name) }), "records");
    },
    async *records({ name }) {
      // Each text is of whole lines, and each line has its name and TTL.
      for await (const text of texts(name)) {
        yield understood("dns/zones/export", () => [...readMaster([text], name)].map(({ record }) => record));
      }
    },
    async import(name, file, options) {
      const text = await textOfFile(file);
      const { dryRun } = options;
      try {
        const answer = await call("zones/import", { zone: formatName(name), text, dryRun });
        if (dryRun) await compare(texts(name), name, file, { ...options, text });
        return { added: integerOf(answer, "added"), removed: integerOf(answer, "removed"), serial: serialOf(answer) };
      } catch (error) {
        throw inFile(error, file);
      }
    },
    async at({ name: apex }, name, type) {
      const wanted = { zone: formatName(apex), name: formatName(name), limit: PAGE };
      const input = type === undefined ? wanted : { ...wanted, type: formatType(type) };
      const found: ResourceRecord[] = [];
      for (let after: string | undefined, pages = 0; pages < PAGE; pages++) {
        const answer = await call("records/list", after === undefined ? input : { ...input, after });
        found.push(...listOf(answer, "records").map((one) => recordOf(one, apex)));
        if (typeof answer.next !== "string") return found;
        after = answer.next;
      }
      return unexpected("dns/records/list", "does not come to an end");
    },
    async apply({ name, serial }, { remove = [], add = [] }) {
      const change = { remove: remove.map(removalFields), add: add.map(fieldsOf) as JsonValue[] };
      // What the command says of the change is true of the zone that it looked at.
      const input = { zone: formatName(name), expectSerial: serial, ...change };
      const answer = await call("records/change", input).catch((error) => {
        throw error instanceof CallError && error.code === "DNS_SERIAL"
          ? new CallError(error.code, `${error.message}; nothing was changed, run it again`, { cause: error })
          : error;
      });
      return { serial: serialOf(answer) };
    },
    unserved: () => Promise.resolve(undefined),
  };
}

/** Says what a file would change, a line each; the node has said how many. */
async function compare(
  texts: AsyncIterable<string>,
  name: DnsName,
  file: string,
  options: ImportOptions,
): Promise<void> {
  using store = openDnsStore(":memory:");
  const there = await recordsThere(texts, name);
  if (there.length > 0) store.zones.replace(name, there);
  await importFile(store, name, file, options);
}

async function recordsThere(texts: AsyncIterable<string>, name: DnsName): Promise<readonly ResourceRecord[]> {
  const records: ResourceRecord[] = [];
  let length = 0;
  try {
    for await (const text of texts) {
      length += text.length;
      if (length > MAX_COMPARED) {
        throw new AlknetError("TOO_LARGE", "the zone is above 64 MiB; compare it on its node, without --node");
      }
      for (const { record } of understood("dns/zones/export", () => [...readMaster([text], name)])) {
        records.push(record);
      }
    }
  } catch (error) {
    // There is none yet: all of the file is new.
    if (!(error instanceof CallError && error.code === "NO_SUCH_ZONE")) throw error;
  }
  return records;
}

/** A fault in a text that the node was sent stands behind the file's name. */
function inFile(error: unknown, file: string): unknown {
  if (!(error instanceof CallError) || !/^\d+:\d+: /.test(error.message)) return error;
  return new CallError(error.code, `${shownFile(file)}:${error.message}`, { cause: error });
}

function removalFields({ name, type, data }: Removal): Record<string, JsonValue> {
  return {
    name: formatName(name),
    ...(type !== undefined && { type: formatType(type) }),
    ...(type !== undefined && data !== undefined && { data: formatRdata(type, data) }),
  };
}

type Fields = { readonly [name: string]: unknown };

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(answer: Fields, name: string): readonly Fields[] {
  const list = answer[name];
  return Array.isArray(list) && list.every(isFields) ? list : unexpected("answer", `holds no ${name}`);
}

function integerOf(answer: Fields, name: string): number {
  const value = answer[name];
  return Number.isSafeInteger(value) && value as number >= 0
    ? value as number
    : unexpected("answer", `holds no ${name}`);
}

function serialOf(answer: Fields): number {
  return integerOf(answer, "serial");
}

function zoneOf(fields: Fields): Zone {
  const { name, kind } = fields;
  if (typeof name !== "string" || kind !== "primary" && kind !== "pkarr") unexpected("answer", "describes no zone");
  const read = understood("answer", () => parseName(name.endsWith(".") ? name : `${name}.`));
  return { name: read, kind, serial: serialOf(fields), records: integerOf(fields, "records") };
}

function recordOf({ name, type, ttl, data }: Fields, apex: DnsName): ResourceRecord {
  if (typeof name !== "string" || typeof type !== "string" || typeof data !== "string" || !Number.isInteger(ttl)) {
    unexpected("dns/records/list", "holds no record");
  }
  return understood("dns/records/list", () => {
    const number = parseType(type);
    const rdata = parseRdata(number, wordsOf(data), apex);
    return { name: parseName(name, apex), type: number, class: CLASS_IN, ttl: ttl as number, data: rdata };
  });
}

function understood<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    unexpected(what, `cannot be read: ${(cause as Error).message}`);
  }
}

function unexpected(what: string, why: string): never {
  throw new AlknetError("UNEXPECTED_ANSWER", `the node's ${what} ${why}`);
}

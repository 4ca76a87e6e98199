/**
 * `dns/records/…`: records of a zone, listed page by page, and changed.
 *
 * @module
 */
import { type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import { Buffer } from "node:buffer";
import Type from "typebox";
import { DnsSyntaxError } from "../codec/errors.ts";
import { parseType } from "../codec/mnemonics.ts";
import { nameOfKey } from "../codec/name.ts";
import { parseRdata, wordsOf } from "../codec/rdata_text.ts";
import type { ResourceRecord } from "../codec/types.ts";
import type { PageOptions, Removal, Zone } from "../zones/store.ts";
import {
  changedSchema,
  closed,
  dataText,
  ERRORS,
  nameInZone,
  nameText,
  type OperationsParts,
  READERS,
  recordFields,
  recordIn,
  recordSchema,
  told,
  typeText,
  WRITERS,
  zoneNamed,
  zoneText,
} from "./shared.ts";

const { NO_SUCH_ZONE, DNS_SERIAL, DNS_RULE, DNS_SYNTAX, DNS_BUSY } = ERRORS;
const PAGE = 100;
const MAX_PAGE = 1000;
/** Records that one change adds, and as many that it removes. */
const MAX_CHANGE = 1000;

const removal = Type.Object({
  name: nameText,
  type: Type.Optional(typeText),
  data: Type.Optional(dataText),
}, { ...closed, description: "of a name, or of a type at it, or one record" });

const list = operation({
  name: "dns/records/list",
  type: "query",
  description: "Records of a zone, in the order of their names.",
  input: Type.Object({
    zone: zoneText,
    name: Type.Optional(nameText),
    type: Type.Optional(typeText),
    after: Type.Optional(Type.String({ maxLength: 131_072, description: "`next` of the page before" })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, description: `default ${PAGE}` })),
  }, closed),
  output: Type.Object({ records: Type.Array(recordSchema), next: Type.Optional(Type.String()) }, closed),
  errors: { NO_SUCH_ZONE, DNS_SYNTAX, DNS_BUSY },
  access: READERS,
});

const change = operation({
  name: "dns/records/change",
  type: "mutation",
  description: "Removes, then adds records: all of it or nothing. What changes nothing keeps the serial.",
  input: Type.Object({
    zone: zoneText,
    expectSerial: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })),
    remove: Type.Optional(Type.Array(removal, { maxItems: MAX_CHANGE })),
    add: Type.Optional(Type.Array(recordSchema, { maxItems: MAX_CHANGE })),
  }, closed),
  output: changedSchema,
  errors: { NO_SUCH_ZONE, DNS_SERIAL, DNS_RULE, DNS_SYNTAX, DNS_BUSY },
  access: WRITERS,
});

/** The operations of `dns/records/`. */
export function recordOperations({ zones }: OperationsParts): HandlerRegistration[] {
  return [
    provide(list, ({ zone: text, name, type, after, limit = PAGE }) =>
      told(() => {
        const zone = zoneNamed(zones, text);
        const wanted = type === undefined ? undefined : parseType(type);
        const from = after === undefined ? undefined : positionIn(after);
        const found = name === undefined
          ? zones.page(zone, { type: wanted, after: from, limit: limit + 1 })
          : zones.at(zone, nameInZone(zone, name)).filter((record) =>
            (wanted === undefined || record.type === wanted) && (!from || isBehind(record, from))
          );
        const records = found.slice(0, limit);
        return {
          records: records.map(recordFields),
          ...(found.length > limit && { next: positionOf(records[limit - 1]) }),
        };
      })),
    provide(change, ({ zone: text, expectSerial, remove = [], add = [] }) =>
      told(() => {
        const zone = zoneNamed(zones, text);
        const { added, removed, serial } = zones.apply(zone, {
          expectSerial,
          remove: remove.map((one) => removalIn(zone, one)),
          add: add.map((record) => recordIn(zone, record)),
        });
        return { added, removed, serial };
      })),
  ];
}

function removalIn(zone: Zone, { name, type, data }: { name: string; type?: string; data?: string }): Removal {
  if (data !== undefined && type === undefined) throw new DnsSyntaxError("data without a type is none");
  const number = type === undefined ? undefined : parseType(type);
  return {
    name: nameInZone(zone, name),
    type: number,
    data: data === undefined ? undefined : parseRdata(number!, wordsOf(data), zone.name),
  };
}

type Position = NonNullable<PageOptions["after"]>;

/** Length of the key, type, key, data: what follows it in the order of a zone. */
function positionOf({ name: { key }, type, data }: ResourceRecord): string {
  const head = Buffer.from([key.length >>> 8, key.length & 0xff, type >>> 8, type & 0xff]);
  return Buffer.concat([head, Buffer.from(key, "latin1"), data]).toString("base64url");
}

function positionIn(text: string): Position {
  const bytes = Buffer.from(text, "base64url");
  const end = bytes.byteLength < 4 ? Infinity : 4 + bytes.readUint16BE(0);
  if (end > bytes.byteLength) throw new DnsSyntaxError("`after` is not what `next` was");
  return {
    name: nameOfKey(bytes.toString("latin1", 4, end)),
    type: bytes.readUint16BE(2),
    data: new Uint8Array(bytes.subarray(end)),
  };
}

function isBehind(record: ResourceRecord, { type, data }: Position): boolean {
  return record.type > type || record.type === type && Buffer.compare(record.data, data) > 0;
}

/**
 * What operations on zones have in common: schemas, scopes, errors, and how texts become names and records.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { CallError } from "@alknet/core/operations";
import Type, { type Static, type TInteger, type TObject, type TString } from "typebox";
import { parseType } from "../codec/mnemonics.ts";
import { type DnsName, formatName, isWithin, parseName } from "../codec/name.ts";
import { formatRdata, parseRdata, wordsOf } from "../codec/rdata_text.ts";
import { formatType } from "../codec/mnemonics.ts";
import { CLASS_IN, type ResourceRecord } from "../codec/types.ts";
import type { Engine } from "../engine/engine.ts";
import type { Rates } from "../engine/rates.ts";
import type { Forwarder } from "../forward/forwarder.ts";
import type { PacketStore } from "../pkarr/packet_store.ts";
import type { RelayParts } from "../relay/publishing.ts";
import { noSuchZone, type Zone, type ZoneStore } from "../zones/store.ts";

/** What operations work on. */
export interface OperationsParts {
  /** The zones. */
  readonly zones: ZoneStore;
  /** Answers. */
  readonly engine: Engine;
  /** How often one caller may ask. */
  readonly rates: Rates;
  /** What asks others, where anything does. */
  readonly forwarder?: Forwarder;
  /** Signed packets, where they are kept. */
  readonly packets?: PacketStore;
  /** The relay of signed packets, where there is one. */
  readonly relay?: RelayParts;
}

/** No members but those that are named. */
export const closed = { additionalProperties: false };
/** Nothing to say. */
export const nothing = Type.Union([Type.Null(), Type.Object({}, closed)], { description: "nothing: null or {}" });
/** Who may read zones. */
export const READERS = { anyScope: ["dns:read", "admin"] };
/** Who may change zones. */
export const WRITERS = { anyScope: ["dns:write", "admin"] };
/** The name of a zone. */
export const zoneText: TString = Type.String({ minLength: 1, maxLength: 1024, description: "a zone: home.example" });
/** The name of a record. */
export const nameText: TString = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: "www, or www.home.example. with its dot; @ is the zone's own name",
});
/** A type by its name. */
export const typeText: TString = Type.String({ minLength: 1, maxLength: 16, description: "A, MX, TYPE65280" });
/** Data of a record. */
export const dataText: TString = Type.String({
  maxLength: 262_144,
  description: "as master files have it: 192.0.2.1, or 10 mail",
});
/** A record, as text. */
export const recordSchema: TObject<{ name: TString; type: TString; ttl: TInteger; data: TString }> = Type.Object({
  name: nameText,
  type: typeText,
  ttl: Type.Integer({ minimum: 0, maximum: 0x7fff_ffff, description: "seconds" }),
  data: dataText,
}, closed);
/** A zone, as text. */
export const zoneSchema: TObject<{ name: TString; kind: TString; serial: TInteger; records: TInteger }> = Type.Object({
  name: Type.String(),
  kind: Type.String({ description: "primary or pkarr" }),
  serial: Type.Integer(),
  records: Type.Integer(),
}, closed);
/** Counts of a change. */
export const changedSchema: TObject<{ added: TInteger; removed: TInteger; serial: TInteger }> = Type.Object({
  added: Type.Integer({ description: "records that are new, or have another TTL" }),
  removed: Type.Integer({ description: "records that are gone, or had another TTL" }),
  serial: Type.Integer({ description: "the zone's serial now" }),
}, closed);

/** Errors by code, as operations declare them. */
export const ERRORS = {
  NO_SUCH_ZONE: { description: "there is no such zone", httpStatus: 404 },
  ZONE_EXISTS: { description: "the zone is there already", httpStatus: 409 },
  DNS_SERIAL: { description: "the zone was changed since", httpStatus: 409 },
  DNS_RULE: { description: "the zone would break a rule; nothing was changed", httpStatus: 422 },
  DNS_SYNTAX: { description: "a text is no name, type, data or master file", httpStatus: 422 },
  PKARR_INVALID: { description: "what was sent is no signed packet of this key", httpStatus: 422 },
  DNS_BUSY: { description: "another program writes, or you ask too often; try again", httpStatus: 503 },
} as const;

/**
 * Runs what the store or a text may refuse; the caller is told.
 *
 * @throws {CallError} With a code of {@linkcode ERRORS}.
 */
export function told<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof AlknetError) || !Object.hasOwn(ERRORS, error.code)) throw error;
    // Where the database lies is nobody's business.
    const message = error.code === "DNS_BUSY"
      ? "the zones are being written by another program; try again"
      : error.message;
    throw new CallError(error.code, message, { cause: error, retryable: error.code === "DNS_BUSY" });
  }
}

/** The zone of a name. Throws `NO_SUCH_ZONE`, `DNS_SYNTAX`. */
export function zoneNamed(zones: ZoneStore, text: string): Zone {
  const name = wholeName(text);
  const zone = zones.find(name);
  if (zone?.name.key !== name.key) throw noSuchZone(formatName(name));
  return zone;
}

/** A name that is whole, with its dot or without. Throws `DNS_SYNTAX`. */
export function wholeName(text: string): DnsName {
  return parseName(text === "@" || text.endsWith(".") ? text : `${text}.`);
}

/** `www` and `www.home.example` are the same in `home.example`. Throws `DNS_SYNTAX`. */
export function nameInZone({ name: apex }: Zone, text: string): DnsName {
  if (text === "@" || text.endsWith(".")) return parseName(text, apex);
  const whole = parseName(`${text}.`);
  return isWithin(whole, apex) ? whole : parseName(text, apex);
}

/** A zone as text: its name without its last dot, but for the root. */
export function zoneFields({ name, kind, serial, records }: Zone): Static<typeof zoneSchema> {
  return { name: formatName(name).replace(/(.)\.$/, "$1"), kind, serial, records };
}

/** A record as text. */
export function recordFields({ name, type, ttl, data }: ResourceRecord): Static<typeof recordSchema> {
  return { name: formatName(name), type: formatType(type), ttl, data: formatRdata(type, data) };
}

/** A record out of its text. Throws `DNS_SYNTAX`. */
export function recordIn(zone: Zone, { name, type, ttl, data }: Static<typeof recordSchema>): ResourceRecord {
  const number = parseType(type);
  const rdata = parseRdata(number, wordsOf(data), zone.name);
  return { name: nameInZone(zone, name), type: number, class: CLASS_IN, ttl, data: rdata };
}

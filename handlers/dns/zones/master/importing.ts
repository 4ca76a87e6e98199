/**
 * A zone out of a master file, whole or not at all; what breaks a rule is found again in the file.
 *
 * @module
 */
import { formatType } from "../../codec/mnemonics.ts";
import { type DnsName, formatName } from "../../codec/name.ts";
import { type ResourceRecord, Type } from "../../codec/types.ts";
import { DnsRuleError } from "../rules.ts";
import type { Replaced, ReplaceOptions, ZoneStore } from "../store.ts";
import { MasterFileError } from "./errors.ts";
import { readMaster } from "./reader.ts";

/**
 * Puts the records of a master file in place of a zone's, which is made if it is not there.
 *
 * @param name The zone, and what names in the file are relative to.
 * @param open The file from its beginning, cut anywhere; asked for again where a fault is to be found.
 * @throws {MasterFileError} `DNS_SYNTAX`, `DNS_RULE`: where, and what. `DNS_BUSY` of the store.
 */
export function importMaster(
  zones: ZoneStore,
  name: DnsName,
  open: () => Iterable<string>,
  options: ReplaceOptions = {},
): Replaced {
  try {
    return zones.replace(name, recordsOf(open(), name), options);
  } catch (error) {
    throw error instanceof DnsRuleError ? placed(error, open(), name) : error;
  }
}

/**
 * The name of the zone that a master file has: the owner of its SOA.
 *
 * @throws {MasterFileError} It has none.
 */
export function zoneOfMaster(pieces: Iterable<string>): DnsName {
  for (const { record } of readMaster(pieces)) if (record.type === Type.SOA) return record.name;
  throw new MasterFileError(1, 1, "no SOA is in it");
}

function* recordsOf(pieces: Iterable<string>, name: DnsName): Generator<ResourceRecord> {
  for (const { record } of readMaster(pieces, name)) yield record;
}

function placed({ owner, type, rule }: DnsRuleError, pieces: Iterable<string>, name: DnsName): MasterFileError {
  const reason = `${formatName(owner).replace(/(.)\.$/, "$1")} ${formatType(type)}: ${rule}`;
  for (const { record, line, column } of readMaster(pieces, name)) {
    if (record.type === type && record.name.key === owner.key) {
      return new MasterFileError(line, column, reason, "DNS_RULE");
    }
  }
  return new MasterFileError(1, 1, reason, "DNS_RULE");
}

/**
 * What a zone may hold (RFC 1034 §3.6.2, RFC 1035 §5.2, RFC 2181 §5, §6, §10): looked at before a change is in place.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { formatType } from "../codec/mnemonics.ts";
import { type DnsName, formatName, isWithin, nameOfKey } from "../codec/name.ts";
import { type Records, type ResourceRecord, Type } from "../codec/types.ts";

/** What the rules need to see of a zone as it would be. */
export interface ZoneView {
  /** Its apex. */
  readonly apex: DnsName;
  /** All records of a name. */
  at(name: DnsName): Records;
  /** Names strictly below one that have records. */
  below(name: DnsName): Iterable<DnsName>;
}

/** A zone would break a rule: `DNS_RULE`. */
export class DnsRuleError extends AlknetError {
  /** `DnsRuleError`. */
  override readonly name = "DnsRuleError";
  /** Whose records. */
  readonly owner: DnsName;
  /** Of which type. */
  readonly type: number;
  /** The rule. */
  readonly rule: string;

  /**
   * Makes one.
   *
   * @param apex The zone.
   * @param owner Whose records.
   * @param type Of which type.
   * @param rule The rule.
   */
  constructor(apex: DnsName, owner: DnsName, type: number, rule: string) {
    super("DNS_RULE", `zone ${formatName(apex)}: ${formatName(owner)} ${formatType(type)}: ${rule}`);
    this.owner = owner;
    this.type = type;
    this.rule = rule;
  }
}

/** Bytes of the largest set of records. */
const MAX_SET = 32 * 1024;
const MAX_TTL = 0x7fff_ffff;
const GLUE: ReadonlySet<number> = new Set([Type.A, Type.AAAA]);

/**
 * Looks at a record by itself.
 *
 * @throws {AlknetError} `DNS_RULE`.
 */
export function checkRecord(apex: DnsName, { name, type, class: kind, ttl }: ResourceRecord): void {
  if (!isWithin(name, apex)) throw fault(apex, name, type, "it is not in the zone");
  if (kind !== 1) throw fault(apex, name, type, "a zone holds class IN alone");
  if (type === 0 || type === Type.OPT || type >= 128 && type <= 255) {
    throw fault(apex, name, type, "it is no type of data");
  }
  if (type === Type.DNAME) throw fault(apex, name, type, "DNAME is not served");
  if (ttl > MAX_TTL) throw fault(apex, name, type, "a TTL is below 2^31");
  if (type === Type.NS && name.wire[0] === 1 && name.wire[1] === 0x2a) {
    throw fault(apex, name, type, "a wildcard has no NS");
  }
}

/**
 * Looks at names that have changed, and what lies around them.
 *
 * @param names The names.
 * @throws {AlknetError} `DNS_RULE`: naming zone, name, type and rule.
 */
export function checkNames(zone: ZoneView, names: Iterable<DnsName>): void {
  const { apex } = zone;
  for (const name of names) {
    const records = zone.at(name);
    checkSets(apex, name, records);
    if (name.key === apex.key) checkApex(apex, records);
    else {
      checkCname(apex, name, records);
      checkCuts(zone, name, records);
    }
  }
}

/**
 * Looks at a whole zone. What lies below a name follows it.
 *
 * @param records All its records, in canonical order.
 * @throws {DnsRuleError} As {@linkcode checkNames} does.
 */
export function checkWhole(apex: DnsName, records: Iterable<ResourceRecord>): void {
  const walk = new Walk(apex);
  for (const record of records) walk.take(record);
  walk.end();
}

class Walk {
  readonly #apex: DnsName;
  /** Those of one name. */
  #records: ResourceRecord[] = [];
  #cut: DnsName | undefined;
  #hasApex = false;

  constructor(apex: DnsName) {
    this.#apex = apex;
  }

  take(record: ResourceRecord): void {
    if (this.#records.length > 0 && this.#records[0].name.key !== record.name.key) this.#look();
    this.#records.push(record);
  }

  end(): void {
    if (this.#records.length > 0) this.#look();
    if (!this.#hasApex) checkApex(this.#apex, []);
  }

  #look(): void {
    const records = this.#records;
    const [{ name }] = records;
    this.#records = [];
    checkSets(this.#apex, name, records);
    if (name.key === this.#apex.key) {
      this.#hasApex = true;
      return checkApex(this.#apex, records);
    }
    checkCname(this.#apex, name, records);
    if (this.#cut && isWithin(name, this.#cut)) checkGlue(this.#apex, name, records, this.#cut);
    else if (records.some(({ type }) => type === Type.NS)) this.#cut = name;
  }
}

function checkGlue(apex: DnsName, name: DnsName, records: Records, cut: DnsName): void {
  const stray = records.find(({ type }) => !GLUE.has(type));
  if (stray) throw fault(apex, name, stray.type, `${formatName(cut)} is delegated; below it there are addresses alone`);
}

function checkSets(apex: DnsName, name: DnsName, records: Records): void {
  const sizes = new Map<number, number>();
  for (const { type, data } of records) sizes.set(type, (sizes.get(type) ?? 0) + data.byteLength + 12);
  for (const [type, size] of sizes) if (size > MAX_SET) throw fault(apex, name, type, "a set has 32 KiB at most");
}

function checkApex(apex: DnsName, records: Records): void {
  const count = (wanted: number) => records.filter(({ type }) => type === wanted).length;
  if (count(Type.SOA) !== 1) throw fault(apex, apex, Type.SOA, "a zone has one SOA");
  if (count(Type.NS) === 0) throw fault(apex, apex, Type.NS, "a zone has a name server");
  if (count(Type.CNAME) > 0) throw fault(apex, apex, Type.CNAME, "the apex has other records");
}

function checkCname(apex: DnsName, name: DnsName, records: Records): void {
  if (records.some(({ type }) => type === Type.SOA)) throw fault(apex, name, Type.SOA, "a SOA stands at the apex");
  if (!records.some(({ type }) => type === Type.CNAME)) return;
  if (records.length > 1) throw fault(apex, name, Type.CNAME, "other records have this name");
}

/** Below a cut there are addresses alone. */
function checkCuts(zone: ZoneView, name: DnsName, records: Records): void {
  const { apex } = zone;
  const cut = cutAbove(zone, name);
  if (cut) checkGlue(apex, name, records, cut);
  if (!records.some(({ type }) => type === Type.NS)) return;
  for (const below of zone.below(name)) checkGlue(apex, below, zone.at(below), name);
}

function cutAbove(zone: ZoneView, name: DnsName): DnsName | undefined {
  for (let key = parentKey(name.key); key.length > zone.apex.key.length; key = parentKey(key)) {
    const above = nameOfKey(key);
    if (zone.at(above).some(({ type }) => type === Type.NS)) return above;
  }
}

function parentKey(key: string): string {
  return key.slice(0, key.lastIndexOf("\0", key.length - 2) + 1);
}

function fault(apex: DnsName, name: DnsName, type: number, rule: string): DnsRuleError {
  return new DnsRuleError(apex, name, type, rule);
}

/**
 * Parameters of services, SVCB and HTTPS (RFC 9460, RFC 9461): their text, both ways, and what they may be.
 *
 * @module
 */
import { formatIp, parseIp } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import { DnsSyntaxError } from "../errors.ts";
import { bigEndian, counted, type Field, joined } from "./fields.ts";
import { bytesOfText, quoted } from "./words.ts";

/** Keys with a meaning. */
const Key = { MANDATORY: 0, ALPN: 1, NO_DEFAULT_ALPN: 2, PORT: 3, IPV4: 4, ECH: 5, IPV6: 6, DOHPATH: 7 } as const;
const NAMES = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath"];
/** RFC 9460 §14.3.2: no key is this one. */
const INVALID_KEY = 65_535;

type Params = ReadonlyMap<number, Uint8Array>;

/** The parameters: `KEY=VALUE …`, ascending on the wire. */
export const params: Field = {
  words: "parameters",
  count: "any",
  parse(words) {
    const found = new Map<number, Uint8Array>();
    for (const { text } of words) {
      const [, key, value] = /^([^=]+)(?:=(.*))?$/s.exec(text) ?? fail(`${JSON.stringify(text)} is no parameter`);
      const number = keyOf(key);
      if (found.has(number)) fail(`${key} is there twice`);
      found.set(number, valueOf(key.toLowerCase() === NAMES[number] ? number : -1, value));
    }
    const sorted = new Map([...found].sort(([a], [b]) => a - b));
    const fault = faultOf(sorted);
    if (fault !== undefined) fail(fault);
    return wireOf(sorted);
  },
  format(data) {
    const found = new Map<number, Uint8Array>();
    for (let before = -1; data.left > 0;) {
      const key = data.number(2);
      if (key <= before) throw new RangeError("keys do not ascend");
      before = key;
      found.set(key, data.take(data.number(2)));
    }
    if (faultOf(found) !== undefined) throw new RangeError("no parameters");
    return [...found].map(([key, value]) => paramText(key, value)).join(" ");
  },
};

/** Priority 0 leads to another name, and has no parameters (RFC 9460 §2.4.2). */
export function checkedAlias(data: Uint8Array, hasParams: boolean): Uint8Array {
  if (data[0] === 0 && data[1] === 0 && hasParams) fail("an alias, priority 0, has no parameters");
  return data;
}

/** Parameters on the wire; for those who make them here. */
export function wireOf(found: Params): Uint8Array {
  return joined([...found].flatMap(([key, value]) => [bigEndian(key, 2), bigEndian(value.byteLength, 2), value]));
}

function keyOf(text: string): number {
  const lower = text.toLowerCase();
  const known = NAMES.indexOf(lower);
  if (known >= 0) return known;
  const [, digits] = /^key(0|[1-9]\d{0,4})$/.exec(lower) ?? [];
  if (digits === undefined || Number(digits) >= INVALID_KEY) fail(`${JSON.stringify(text)} is no key of a parameter`);
  return Number(digits);
}

/** The bytes of a value; of `keyN` they are as written. */
function valueOf(key: number, text: string | undefined): Uint8Array {
  if (key === Key.NO_DEFAULT_ALPN && text !== undefined) fail("no-default-alpn has no value");
  const bytes = bytesOfText(text ?? "");
  if (key < 0 || key === Key.NO_DEFAULT_ALPN || key === Key.DOHPATH) return bytes;
  if (bytes.byteLength === 0) fail(`${NAMES[key]} needs a value`);
  const value = Buffer.from(bytes).toString("latin1");
  switch (key) {
    case Key.MANDATORY:
      return joined(value.split(",").map(keyOf).sort((a, b) => a - b).map((number) => bigEndian(number, 2)));
    case Key.ALPN:
      return joined(itemsOf(value).map((item) => counted(Buffer.from(item, "latin1"))));
    case Key.PORT:
      if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) fail(`port ${JSON.stringify(value)} is none`);
      return bigEndian(Number(value), 2);
    case Key.ECH:
      if (!/^(?:[a-z0-9+/]{4})*(?:[a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?$/i.test(value)) fail("ech is no base64");
      return new Uint8Array(Buffer.from(value, "base64"));
    default:
      return joined(value.split(",").map((item) => addressOf(item, key === Key.IPV4 ? 4 : 16)));
  }
}

/** RFC 9460 appendix A.1: items, parted by commas that no `\` stands before. */
function itemsOf(text: string): string[] {
  const items = [""];
  for (const [, escaped, plain] of text.matchAll(/\\(.)|([^\\])/gs)) {
    if (plain === ",") items.push("");
    else items[items.length - 1] += escaped ?? plain;
  }
  return items;
}

function addressOf(text: string, length: number): Uint8Array {
  const { bytes, zone } = parseIp(text) ?? {};
  if (bytes?.byteLength !== length || zone !== undefined) fail(`${JSON.stringify(text)} is no address of its family`);
  return bytes;
}

/** What is wrong with parameters, or nothing (RFC 9460 §7, §8, RFC 9461 §5). */
function faultOf(found: Params): string | undefined {
  if (found.has(INVALID_KEY)) return "key65535 is none";
  for (const [key, value] of found) {
    const fault = faultIn(key, value, found);
    if (fault !== undefined) return `${NAMES[key] ?? `key${key}`} ${fault}`;
  }
}

function faultIn(key: number, value: Uint8Array, found: Params): string | undefined {
  const { byteLength: length } = value;
  switch (key) {
    case Key.MANDATORY:
      return mandatoryFault(value, found);
    case Key.ALPN: {
      const lengths = alpnsIn(value)?.map((item) => item.byteLength) ?? [];
      return lengths.length === 0 || lengths.includes(0) ? "has no empty protocols" : undefined;
    }
    case Key.NO_DEFAULT_ALPN:
      if (length > 0) return "has no value";
      return found.has(Key.ALPN) ? undefined : "needs alpn";
    case Key.PORT:
      return length === 2 ? undefined : "is a number to 65535";
    case Key.IPV4:
      return length > 0 && length % 4 === 0 ? undefined : "has IPv4 addresses";
    case Key.IPV6:
      return length > 0 && length % 16 === 0 ? undefined : "has IPv6 addresses";
    case Key.ECH:
      return length > 0 ? undefined : "needs a value";
    case Key.DOHPATH:
      return Buffer.from(value).includes("{?dns}") ? undefined : "needs {?dns}";
  }
}

function mandatoryFault(value: Uint8Array, found: Params): string | undefined {
  const keys = keysIn(value);
  if (keys.length === 0 || value.byteLength % 2 > 0) return "lists keys";
  if (keys.includes(Key.MANDATORY)) return "does not list itself";
  if (keys.some((key, n) => n > 0 && key <= keys[n - 1])) return "lists each key once";
  const missing = keys.find((key) => !found.has(key));
  return missing === undefined ? undefined : `lists ${NAMES[missing] ?? `key${missing}`}, which is not there`;
}

function keysIn(value: Uint8Array): number[] {
  return Array.from({ length: value.byteLength >>> 1 }, (_, n) => value[2 * n] << 8 | value[2 * n + 1]);
}

function alpnsIn(value: Uint8Array): Uint8Array[] | undefined {
  const found: Uint8Array[] = [];
  for (let at = 0; at < value.byteLength; at += 1 + value[at]) {
    if (at + 1 + value[at] > value.byteLength) return undefined;
    found.push(value.subarray(at + 1, at + 1 + value[at]));
  }
  return found;
}

function paramText(key: number, value: Uint8Array): string {
  const name = NAMES[key] ?? `key${key}`;
  switch (key) {
    case Key.MANDATORY:
      return `${name}=${keysIn(value).map((listed) => NAMES[listed] ?? `key${listed}`).join(",")}`;
    case Key.ALPN: {
      const items = alpnsIn(value)!.map((item) => Buffer.from(item).toString("latin1").replace(/[\\,]/g, "\\$&"));
      return `${name}=${quoted(Buffer.from(items.join(","), "latin1"))}`;
    }
    case Key.PORT:
      return `${name}=${value[0] << 8 | value[1]}`;
    case Key.IPV4:
    case Key.IPV6: {
      const size = key === Key.IPV4 ? 4 : 16;
      const addresses = Array.from(
        { length: value.byteLength / size },
        (_, n) => value.slice(n * size, (n + 1) * size),
      );
      return `${name}=${addresses.map((bytes) => formatIp({ bytes })).join(",")}`;
    }
    case Key.ECH:
      return `${name}=${quoted(new TextEncoder().encode(Buffer.from(value).toString("base64")))}`;
    default:
      return value.byteLength === 0 ? name : `${name}=${quoted(value)}`;
  }
}

function fail(what: string): never {
  throw new DnsSyntaxError(what);
}

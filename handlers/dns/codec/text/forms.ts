/**
 * The forms of types: of which fields the data of each is made, in order.
 *
 * @module
 */
import { Type } from "../types.ts";
import {
  address,
  base64,
  bitmap,
  duration,
  type Field,
  hash32,
  hex,
  longText,
  mnemonic,
  moment,
  name,
  number,
  salt,
  tag,
  text,
  texts,
  type,
} from "./fields.ts";
import { params } from "./svcb.ts";

const preference = number("preference", 2);
const priority = number("priority", 2);
const weight = number("weight", 2);
const flags = number("flags", 1);
/** https://www.iana.org/assignments/dns-sec-alg-numbers */
const algorithm = mnemonic("algorithm", {
  RSASHA1: 5,
  "RSASHA1-NSEC3-SHA1": 7,
  RSASHA256: 8,
  RSASHA512: 10,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
});
const digest: readonly Field[] = [number("key tag", 2), algorithm, number("digest type", 1), hex];
const key: readonly Field[] = [number("flags", 2), number("protocol", 1), algorithm, base64];
const association: readonly Field[] = [number("usage", 1), number("selector", 1), number("matching type", 1), hex];
const service: readonly Field[] = [priority, name, params];
const nsec3: readonly Field[] = [number("algorithm", 1), flags, number("iterations", 2), salt];

/** The fields of each type that has a form of its own. */
export const FORMS: ReadonlyMap<number, readonly Field[]> = new Map<number, readonly Field[]>([
  [Type.A, [address("IPv4 address", 4)]],
  [Type.NS, [name]],
  [Type.CNAME, [name]],
  [Type.SOA, [name, name, number("serial", 4), duration, duration, duration, duration]],
  [Type.MB, [name]],
  [Type.MG, [name]],
  [Type.MR, [name]],
  [Type.PTR, [name]],
  [Type.HINFO, [text, text]],
  [Type.MINFO, [name, name]],
  [Type.MX, [preference, name]],
  [Type.TXT, [texts]],
  [Type.RP, [name, name]],
  [Type.AFSDB, [number("subtype", 2), name]],
  [Type.AAAA, [address("IPv6 address", 16)]],
  [Type.SRV, [priority, weight, number("port", 2), name]],
  [Type.NAPTR, [number("order", 2), preference, text, text, text, name]],
  [Type.KX, [preference, name]],
  [Type.DNAME, [name]],
  [Type.DS, digest],
  [Type.SSHFP, [number("algorithm", 1), number("fingerprint type", 1), hex]],
  [Type.RRSIG, [
    type,
    algorithm,
    number("labels", 1),
    duration,
    moment,
    moment,
    number("key tag", 2),
    name,
    base64,
  ]],
  [Type.NSEC, [name, bitmap]],
  [Type.DNSKEY, key],
  [Type.NSEC3, [...nsec3, hash32, bitmap]],
  [Type.NSEC3PARAM, nsec3],
  [Type.TLSA, association],
  [Type.SMIMEA, association],
  [Type.CDS, digest],
  [Type.CDNSKEY, key],
  [Type.OPENPGPKEY, [base64]],
  [Type.SVCB, service],
  [Type.HTTPS, service],
  [Type.SPF, [texts]],
  [Type.URI, [priority, weight, longText]],
  [Type.CAA, [flags, tag, longText]],
]);

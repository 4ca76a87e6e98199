/**
 * Messages and what they are made of (RFC 1035 §4), as values.
 *
 * @module
 */
/** A name, absolute. */
export interface DnsName {
  /** As it was received: labels behind their lengths, and the empty one of the root. Never compressed. */
  readonly wire: Uint8Array;
  /**
   * What it is compared and sorted by, one character a byte: labels from the top, in lower case, each ended by 0; within, 0
   * is 1 1 and 1 is 1 2. Order is that of RFC 4034 §6.1, and what lies below a name begins with its key.
   */
  readonly key: string;
}

/** What is asked for. */
export interface Question {
  /** Whose. */
  readonly name: DnsName;
  /** Which type, see {@linkcode Type}. */
  readonly type: number;
  /** Which class; 1 is the internet. */
  readonly class: number;
}

/** A record. */
export interface ResourceRecord extends Question {
  /** Seconds for which it may be kept. */
  readonly ttl: number;
  /** Its data; names in it are not compressed. */
  readonly data: Uint8Array;
}

/** Records in order. */
export type Records = readonly ResourceRecord[];

/** Flags of a header. */
export interface Flags {
  /** Whoever answers has the zone. */
  readonly aa: boolean;
  /** Something is missing for want of room. */
  readonly tc: boolean;
  /** Recursion is asked for. */
  readonly rd: boolean;
  /** Recursion is there to be asked for. */
  readonly ra: boolean;
  /** What is answered was validated (RFC 4035). */
  readonly ad: boolean;
  /** Who asks validates. */
  readonly cd: boolean;
}

/** An option of EDNS. */
export interface EdnsOption {
  /** Its code. */
  readonly code: number;
  /** Its data. */
  readonly data: Uint8Array;
}

/** EDNS (RFC 6891). */
export interface Edns {
  /** Bytes of the largest answer over UDP. */
  readonly udpSize: number;
  /** Its version; 0 is the one there is. */
  readonly version: number;
  /** DO: signatures are wanted. */
  readonly dnssecOk: boolean;
  /** Options, in order. */
  readonly options: readonly EdnsOption[];
}

/** A message. */
export interface Message {
  /** Names the exchange. */
  readonly id: number;
  /** QR: whether it is an answer. */
  readonly response: boolean;
  /** What is to be done; 0 is a query. */
  readonly opcode: number;
  /** How it went, 0 to 4095: the upper 8 bits are EDNS's. */
  readonly rcode: number;
  /** Flags. */
  readonly flags: Flags;
  /** What is asked for. */
  readonly question?: Question;
  /** What answers it. */
  readonly answer: Records;
  /** Who knows more, or that there is nothing. */
  readonly authority: Records;
  /** What will be asked for next; without the OPT. */
  readonly additional: Records;
  /** EDNS, where it is spoken. */
  readonly edns?: Edns;
}

/** Response codes. */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  BADVERS: 16,
} as const;

/** Class of the internet. */
export const CLASS_IN = 1;

/** Types with a meaning here. */
export const Type = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  SIG: 24,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  URI: 256,
  CAA: 257,
} as const;

/** Options of EDNS. */
export const EdnsCode = {
  /** RFC 7873. */
  COOKIE: 10,
  /** RFC 7828. */
  KEEPALIVE: 11,
  /** RFC 7830. */
  PADDING: 12,
  /** Extended DNS errors (RFC 8914). */
  EXTENDED_ERROR: 15,
} as const;

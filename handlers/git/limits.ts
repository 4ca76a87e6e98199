/**
 * Limits of the git handler, each with its reason. Times are milliseconds, sizes bytes.
 *
 * @module
 */

/** Limits of {@linkcode git}. */
export interface GitLimits {
  /** From a stream's start to the end of its request line: what a slow client gets. */
  readonly requestLine: number;
  /** Without a byte of a request that has begun or is awaited. */
  readonly negotiationIdle: number;
  /** Without the client taking a byte of a pack that is ready for it. */
  readonly transferStall: number;
  /** For one fetch, from its request to the end of its pack. */
  readonly fetchTime: number;
  /** Wants of one fetch: lazy checkouts send many. */
  readonly wants: number;
  /** Haves of one fetch. */
  readonly haves: number;
  /** Commits of one fetch where the client's history ends: they are held while it is answered. */
  readonly shallows: number;
  /** Commits and trees that are looked at for wants that no ref points at: lazy checkouts want such. */
  readonly wantWalk: number;
  /** What a request of an identity may take in memory, an object id counted with 32 bytes. */
  readonly requestBytes: number;
  /** What a request of the anonymous may take. */
  readonly anonymousRequestBytes: number;
  /** An object of a push: git has bounds there too. */
  readonly objectBytes: number;
  /** An object that is read whole, such as a tree, a delta or what it makes; larger ones are copied in pieces or not. */
  readonly deltaBytes: number;
  /** Commands of one push: each takes a lock file. */
  readonly commands: number;
  /** Options of one push: each is handed on to hooks. */
  readonly pushOptions: number;
  /** Bytes of an option. */
  readonly optionBytes: number;
  /** For one answer of a hook. */
  readonly hookTime: number;
  /** Bytes of the pack of a push. */
  readonly packBytes: number;
  /** Objects of the pack of a push: what is known of each is held. */
  readonly objects: number;
  /** Bytes that the deltas of a push may make, beyond 200 for each byte of its pack. */
  readonly resolvedBytes: number;
  /** For one push, from its first command to its report. */
  readonly pushTime: number;
  /** Bytes of all packs of a repository, where its configuration says nothing else. */
  readonly quota: number;
  /** Services that one identity runs at a time. */
  readonly servicesPerIdentity: number;
  /** Services that one address runs at a time without identity. */
  readonly servicesPerAddress: number;
  /** Services at a time. */
  readonly services: number;
  /** Packs of pushes whose deltas are resolved at a time; others wait. */
  readonly indexPacks: number;
  /** Walks at a time; others wait. */
  readonly walks: number;
  /** Blocks of packs that are kept in memory, of all repositories together. */
  readonly blockCache: number;
  /** Objects that are kept as bases of deltas, of all repositories together. */
  readonly baseCache: number;
  /** Indexes of packs that are kept in memory, of all repositories together. */
  readonly indexCache: number;
}

/** The defaults. */
export const GIT_LIMITS: GitLimits = Object.freeze({
  requestLine: 10_000,
  negotiationIdle: 60_000,
  transferStall: 30_000,
  fetchTime: 4 * 3_600_000,
  wants: 1_000_000,
  haves: 1_000_000,
  shallows: 100_000,
  wantWalk: 200_000,
  requestBytes: 64 * 1024 * 1024,
  anonymousRequestBytes: 4 * 1024 * 1024,
  objectBytes: 2 * 1024 ** 3,
  deltaBytes: 512 * 1024 * 1024,
  commands: 20_000,
  pushOptions: 64,
  optionBytes: 4096,
  hookTime: 30_000,
  packBytes: 4 * 1024 ** 3,
  objects: 20_000_000,
  resolvedBytes: 4 * 1024 ** 3,
  pushTime: 3_600_000,
  quota: 10 * 1024 ** 3,
  servicesPerIdentity: 8,
  servicesPerAddress: 8,
  services: 64,
  indexPacks: 1,
  walks: 2,
  blockCache: 64 * 1024 * 1024,
  baseCache: 96 * 1024 * 1024,
  indexCache: 256 * 1024 * 1024,
});

/**
 * The defaults with some limits changed.
 *
 * @throws {RangeError} A limit is none of these, or not a positive whole number.
 */
export function gitLimitsWith(changes: Partial<GitLimits> = {}): GitLimits {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(GIT_LIMITS, name)) {
      throw new RangeError(`git limit ${name} is none; there are ${Object.keys(GIT_LIMITS).join(", ")}`);
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`git limit ${name} is ${value}; it must be a positive whole number`);
    }
  }
  return Object.freeze({ ...GIT_LIMITS, ...changes });
}

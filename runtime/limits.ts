/**
 * What a guest may use: each limit with its reason.
 *
 * @module
 */

/** What a guest may use. */
export interface GuestLimits {
  /** Memory of the whole isolate, engine included, in MiB: the maximum of its WASM memory. Default 32, at least 18. */
  readonly memory: number;
  /** Stack of the engine, in KiB. Default 64: beyond it some native recursions overflow the host's stack first. */
  readonly stack: number;
  /** Time computing in one run, in milliseconds. Default 200. */
  readonly cpu: number;
  /** Time of one run, waiting included, in milliseconds. Default 10 000. */
  readonly wall: number;
  /** Promise jobs without a pause. Default 10 000. */
  readonly jobs: number;
  /** Calls to the host in one run. Default 10 000. */
  readonly calls: number;
  /** Calls to the host that wait for an answer. Default 256. */
  readonly callsInFlight: number;
  /** Timers that wait. Default 256. */
  readonly timers: number;
  /** Text on the console, in characters over the guest's life. Default 1 MiB. */
  readonly output: number;
  /** Operations that it may offer. Default 256. */
  readonly operations: number;
}

/** The limits of a guest that nobody vouches for. */
export const DEFAULT_LIMITS: GuestLimits = {
  memory: 32,
  stack: 64,
  cpu: 200,
  wall: 10_000,
  jobs: 10_000,
  calls: 10_000,
  callsInFlight: 256,
  timers: 256,
  output: 1 << 20,
  operations: 256,
};

/** The engine starts with this much, in MiB; a guest that may have no more could not run. */
export const LEAST_MEMORY = 18;
/** Source of one module, in characters: the parser cannot be interrupted. */
export const MOST_SOURCE = 1 << 20;
/** Source of all modules of an isolate, in characters. */
export const MOST_SOURCES = 4 << 20;
/** Brackets open at once in a source: the parser recurses on the host's stack. */
export const MOST_NESTING = 256;
/** Depth of a value that crosses. */
export const MOST_DEPTH = 64;
/** Parts of a value that crosses. */
export const MOST_NODES = 1_000_000;
/** Text and buffers of a value that crosses, in characters and bytes. */
export const MOST_CROSSING = 16 << 20;
/** What calls that wait for an answer have sent, together, in characters and bytes: the host holds it. */
export const MOST_WAITING = 64 << 20;
/** Name of a module, in characters. */
export const MOST_NAME = 512;

/**
 * Fills what is not said from {@linkcode DEFAULT_LIMITS}.
 *
 * @throws {RangeError} A limit is not a positive number, or memory is too little for the engine.
 */
export function guestLimits(limits: Partial<GuestLimits> = {}): GuestLimits {
  const whole = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, value] of Object.entries(whole)) {
    if (!(value > 0)) throw new RangeError(`limit ${name} is ${value}; it must be more than 0`);
  }
  if (whole.memory < LEAST_MEMORY || whole.memory > 2048) {
    throw new RangeError(`limit memory is ${whole.memory} MiB; it must be ${LEAST_MEMORY} to 2048`);
  }
  return whole;
}

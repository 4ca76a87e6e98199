/**
 * Guests: JavaScript and TypeScript that run apart from the host, in QuickJS-NG compiled to WebAssembly, with nothing but
 * what they are given.
 *
 * Participants: the host, which makes an {@linkcode Isolate}; the guest, which sees ECMAScript, a console, timers, the
 * operations that it was granted (`env`), and `ops.register`; `fetch` and `fs` where they were granted. Only data crosses
 * between them.
 *
 * An isolate runs in the host's thread and its deadline is cooperative: a native loop of the engine
 * (`[].indexOf.call({ length: 2 ** 53 - 1 }, 1)`) is not stopped by it. Run only code
 * that you trust there; a {@linkcode ProcessGuest} is the place of any other: it is killed when it does not stop.
 *
 * @example
 * ```ts
 * import { Isolate } from "@alknet/runtime";
 *
 * using isolate = await Isolate.create();
 * console.assert(await isolate.evaluate("[1, 2, 3].map((n) => n * 2).join()") === "2,4,6");
 * ```
 *
 * @module
 */
export {
  type Grants,
  grants,
  type GuestRegistrationOptions,
  guestRegistrations,
  type OfferingGuest,
  type OperationCaller,
  operationHost,
} from "./bridge.ts";
export { type Crossing, decodeCrossing, encodeCrossing } from "./crossing.ts";
export { type GuestCode, GuestError, type GuestPosition, type ThrownValue } from "./errors.ts";
export type {
  EvaluateOptions,
  GrantedOperation,
  GuestHost,
  GuestOperation,
  GuestOperationType,
  SubscriptionStep,
} from "./guest.ts";
export { Isolate, type IsolateOptions } from "./isolate.ts";
export { DEFAULT_LIMITS, type GuestLimits } from "./limits.ts";
export type { FetchGrant } from "./outward/fetch/fetcher.ts";
export { parseOrigin } from "./outward/fetch/origins.ts";
export type { FsGrant, FsMount, FsOps } from "./outward/files/guest_files.ts";
export type { GpuGrant } from "./outward/gpu/guest_gpu.ts";
export { type GpuUse, guestGpuUse } from "./outward/gpu/handles.ts";
export { runningGpuProcesses } from "./outward/gpu/gpu_process.ts";
export type { OutwardGrants } from "./outward/outward.ts";
export { GuestPool } from "./pool/guest_pool.ts";
export type { SpawnedGuest } from "./pool/spawned.ts";
export { ProcessGuest } from "./process_guest.ts";

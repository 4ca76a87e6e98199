/**
 * How a store on a disk is opened.
 *
 * @module
 */
import type { Quotas } from "./tables/usage.ts";

/** Options of a store on a disk. */
export interface DiskStoreOptions {
  /** Where it lies; made if it is not there. */
  readonly folder: string;
  /** Whether what is acknowledged is on the disk even when the power goes. Default `full`. */
  readonly durability?: "full" | "normal";
  /** Milliseconds since 1970. Default: the clock of the machine. */
  readonly now?: () => number;
  /** How much each identity may keep. Default: as much as there is room for. */
  readonly quotas?: Quotas;
  /** For how many days the versions of its branches are kept. Default 30. */
  readonly historyDays?: number;
}

/**
 * What paths do to datagrams: one table, held over a relay in this process and over the kernel's own faults.
 *
 * @module
 */
import type { LinkFaults } from "../support/lossy_link.ts";

/** A bad path. */
export interface LinkCase {
  /** For the title. */
  readonly name: string;
  /** For the relay. */
  readonly faults: LinkFaults;
  /** Arguments of `tc qdisc add dev … root netem`, on both ends. */
  readonly netem: string;
  /** Bytes each way on each of the streams. */
  readonly bytes: number;
}

/** The table. Fewer bytes where a congestion controller that takes loss for congestion is slow. */
export const LINK_CASES: readonly LinkCase[] = [
  { name: "no loss", faults: {}, netem: "loss 0%", bytes: 2_000_000 },
  { name: "1 % loss", faults: { loss: 0.01 }, netem: "loss 1%", bytes: 500_000 },
  { name: "5 % loss", faults: { loss: 0.05 }, netem: "loss 5%", bytes: 200_000 },
  { name: "20 % loss", faults: { loss: 0.2 }, netem: "loss 20%", bytes: 50_000 },
  { name: "50 ms jitter", faults: { jitter: 50 }, netem: "delay 50ms 50ms", bytes: 200_000 },
  { name: "20 % duplicates", faults: { duplicate: 0.2 }, netem: "duplicate 20%", bytes: 500_000 },
  {
    name: "25 % out of order",
    faults: { delay: 3, reorder: 0.25 },
    netem: "delay 3ms reorder 75% 50%",
    bytes: 500_000,
  },
  {
    name: "all of it",
    faults: { loss: 0.03, duplicate: 0.05, reorder: 0.1, delay: 5, jitter: 10 },
    netem: "delay 10ms 10ms loss 3% duplicate 5% reorder 10%",
    bytes: 100_000,
  },
];

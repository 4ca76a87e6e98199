/**
 * A zone of many addresses, and the questions for them.
 *
 * @module
 */
/** Its name. */
export const ZONE = "bench.example";

/** Its master file. */
export function masterOf(names: number): string {
  const addresses = Array.from({ length: names }, (_, n) => `n${n} A 192.0.2.${n % 250 + 1}\n`).join("");
  return `$ORIGIN ${ZONE}.\n$TTL 3600\n@ SOA ns mail 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n${addresses}`;
}

/** Questions for each name once, in an order that jumps, as dnsperf reads them. */
export function questionsFor(names: number): string {
  // A step that shares no factor with powers of ten.
  return Array.from({ length: names }, (_, n) => `n${n * 7919 % names}.${ZONE} A\n`).join("");
}

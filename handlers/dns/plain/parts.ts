/**
 * What the fronts of plain DNS are given.
 *
 * @module
 */
import type { DnsName } from "../codec/types.ts";
import type { FrontParts } from "../fronts/parts.ts";
import type { Cookies } from "./cookies.ts";

/** What plain DNS is given. */
export interface PlainParts extends FrontParts {
  /** The zone of a name, as its key. */
  zoneOf(name: DnsName): string | undefined;
  /** Cookies; all sockets of a node share them. */
  readonly cookies: Cookies;
}

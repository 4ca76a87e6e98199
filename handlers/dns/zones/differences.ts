/**
 * What a change has changed: names, and how many records.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type DnsName, nameOfKey } from "../codec/name.ts";
import type { Records } from "../codec/types.ts";

/** What differs. */
export interface Differences {
  /** Names whose records are others now. */
  readonly names: readonly DnsName[];
  /** Records that are new, or have another TTL. */
  readonly added: number;
  /** Records that are gone, or had another TTL. */
  readonly removed: number;
}

/**
 * Looks at names once more.
 *
 * @param before What they had, by their keys.
 * @param at What they have now.
 */
export function differences(before: ReadonlyMap<string, Records>, at: (name: DnsName) => Records): Differences {
  const names: DnsName[] = [];
  let [added, removed] = [0, 0];
  for (const [key, records] of before) {
    const name = nameOfKey(key);
    const [old, now] = [textsOf(records), textsOf(at(name))];
    const [come, gone] = [now.difference(old).size, old.difference(now).size];
    added += come;
    removed += gone;
    if (come + gone > 0) names.push(name);
  }
  return { names, added, removed };
}

function textsOf(records: Records): Set<string> {
  return new Set(records.map(({ type, ttl, data }) => `${type} ${ttl} ${Buffer.from(data).toString("latin1")}`));
}

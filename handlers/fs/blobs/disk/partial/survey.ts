/**
 * Finding out which groups of a partial blob are on the disk, by hashing what is there.
 *
 * @module
 */
import { hashGroup, hashPair } from "../../../bao/hasher.ts";
import { isSame } from "../../../bao/encode.ts";
import { childrenOf, GROUP, groupsOf, HASH, leftOf, PAIR } from "../../../bao/tree.ts";
import type { WindowReader } from "../files.ts";
import { GroupSet } from "../../partial/group_set.ts";

interface Step {
  readonly first: number;
  readonly groups: number;
  readonly place: number;
  readonly expected: Uint8Array;
}

/** The groups that hash to what stands above them. Below a pair that does not, nothing is looked at. */
export async function survey(
  hash: Uint8Array,
  size: number,
  data: WindowReader,
  pairs: WindowReader,
): Promise<GroupSet> {
  const found = new GroupSet();
  const all = groupsOf(size);
  const ahead: Step[] = [{ first: 0, groups: all, place: 0, expected: hash }];
  for (let step = ahead.pop(); step; step = ahead.pop()) {
    const { first, groups, place, expected } = step;
    const isRoot = groups === all;
    if (groups === 1) {
      const length = Math.min(GROUP, size - first * GROUP);
      const bytes = await data.read(first * GROUP, length);
      if (bytes.byteLength === length && isSame(hashGroup(bytes, first, isRoot), expected)) found.add(first);
      continue;
    }
    const pair = await pairs.read(place * PAIR, PAIR);
    if (pair.byteLength < PAIR || !isSame(hashPair(pair, isRoot), expected)) continue;
    const left = leftOf(groups);
    const [leftPlace, rightPlace] = childrenOf(place, groups);
    ahead.push({ first: first + left, groups: groups - left, place: rightPlace, expected: pair.slice(HASH) });
    ahead.push({ first, groups: left, place: leftPlace, expected: pair.slice(0, HASH) });
  }
  return found;
}

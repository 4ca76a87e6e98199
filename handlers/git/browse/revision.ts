/**
 * Revisions as people write them (gitrevisions, "Specifying Revisions").
 *
 * ```text
 * 33ff002a108350d0a578747306101f07c7b947f2   33ff002   HEAD   main   refs/tags/v1   main~3   v1^2~1
 * ```
 *
 * @module
 */
import { isOid, type Oid } from "../objects/oid.ts";
import { type Browsing, noSuchRevision } from "./browsing.ts";

/** Digits from which on the beginning of an id is taken for one. */
const LEAST_DIGITS = 7;
/** Objects of one beginning that are looked at. */
const MOST_CANDIDATES = 64;

/**
 * The object that a revision names; absent is HEAD.
 *
 * @throws {AlknetError} `NO_SUCH_REVISION`. `GIT_OBJECT_MISSING`, `GIT_CORRUPT`: the repository is not whole.
 */
export async function resolveRevision(rev: string | undefined, browsing: Browsing): Promise<Oid> {
  const given = rev ?? "HEAD";
  const [, base, steps] = /^([^~^]+)((?:[~^][0-9]*)*)$/.exec(given) ?? [];
  if (base === undefined) throw noSuchRevision(given, "it is an id, a ref or HEAD, with ~N and ^N after it");
  let at = await baseOf(base, given, browsing);
  for (const [, kind, digits] of steps.matchAll(/([~^])([0-9]*)/g)) {
    const count = digits === "" ? 1 : Number(digits);
    if (digits.length > 9) throw noSuchRevision(given, "so many commits there are nowhere");
    at = kind === "~" ? await ancestor(at, count, given, browsing) : await parent(at, count, given, browsing);
  }
  return at;
}

/**
 * The commit that a revision names, tags followed.
 *
 * @throws {AlknetError} As {@linkcode resolveRevision}.
 */
export async function resolveCommit(rev: string | undefined, browsing: Browsing): Promise<Oid> {
  const oid = await resolveRevision(rev, browsing);
  return await commitAt(oid, rev ?? "HEAD", browsing);
}

async function commitAt(oid: Oid, given: string, { commits }: Browsing): Promise<Oid> {
  const commit = await commits.commitOf(oid);
  if (commit === undefined) throw noSuchRevision(given, `${oid} is no commit`);
  return commit;
}

async function ancestor(oid: Oid, count: number, given: string, browsing: Browsing): Promise<Oid> {
  const { commits, pace, most } = browsing;
  if (count > most) throw noSuchRevision(given, `up to ${most} commits are followed`);
  let at = await commitAt(oid, given, browsing);
  for (let i = 0; i < count; i++) {
    const [first] = (await commits.links(at)).parents;
    if (first === undefined) throw noSuchRevision(given, "history is shorter than that");
    at = first;
    await pace.step();
  }
  return at;
}

async function parent(oid: Oid, number: number, given: string, browsing: Browsing): Promise<Oid> {
  const at = await commitAt(oid, given, browsing);
  if (number === 0) return at;
  const { parents } = await browsing.commits.links(at);
  if (number > parents.length) throw noSuchRevision(given, `${at} has ${parents.length} parents`);
  return parents[number - 1];
}

async function baseOf(base: string, given: string, browsing: Browsing): Promise<Oid> {
  const { refs, repository: { objects } } = browsing;
  const mayRead = async (oid: Oid): Promise<boolean> => browsing.mayRead ? await browsing.mayRead(oid) : true;
  if (isOid(base)) {
    if (await objects.has(base) && await mayRead(base)) return base;
    throw noSuchRevision(given, "no ref that is shown reaches such an object");
  }
  if (base === "HEAD") {
    if (refs.head.oid !== undefined) return refs.head.oid;
    const branch = refs.head.symref?.replace(/^refs\/heads\//, "");
    throw noSuchRevision(given, branch === undefined ? "HEAD is none" : `its branch ${branch} has no commit yet`);
  }
  for (const prefix of ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"]) {
    const ref = refs.get(`${prefix}${base}`);
    if (ref) return ref.oid;
  }
  if (!/^[0-9a-f]+$/.test(base) || base.length < LEAST_DIGITS || base.length > 40) {
    throw noSuchRevision(given, "there is no ref of that name");
  }
  const readable: Oid[] = [];
  for (const oid of objects.startingWith(base, MOST_CANDIDATES)) if (await mayRead(oid)) readable.push(oid);
  if (readable.length > 1) {
    // Of several, people mean the commit.
    const named: Oid[] = [];
    for (const oid of readable) if ((await objects.info(oid))?.kind === "commit") named.push(oid);
    if (named.length === 1) return named[0];
    throw noSuchRevision(given, "several objects begin so; more digits tell them apart");
  }
  if (readable.length === 0) throw noSuchRevision(given, "neither a ref nor an object is called so");
  return readable[0];
}

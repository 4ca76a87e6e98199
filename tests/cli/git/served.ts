/**
 * A node with one public repository, and the ways on which stock git reaches it.
 *
 * @module
 */
import { git, makeRepository } from "../../handlers/git/repositories.ts";
import { configure, gitHome, VIA_HTTPS } from "../git_home.ts";
import type { TestHome } from "../home.ts";

/** A home whose repository `notes` everyone may read. */
export interface ServedHome {
  /** The home. */
  readonly home: TestHome;
  /** The repository's folder. */
  readonly bare: string;
  /** The working copy that pushes to it. */
  readonly work: string;
}

/** A way to a repository, and what git has to be told for it. */
export type Way = readonly [url: string, ...told: readonly string[]];

/** Makes the home; `make` makes the repository. */
export async function servedHome(
  make: (work: string, bare: string) => Promise<void> = makeRepository,
): Promise<ServedHome> {
  const home = await gitHome();
  const bare = `${home.path}/git/notes.git`;
  const work = `${home.path}/work`;
  await Deno.remove(bare, { recursive: true });
  await make(work, bare);
  await git(bare, "config", "alknet.public", "true");
  await configure(home, { anonymous: true });
  return { home, bare, work };
}

/** HTTPS, and `alknet://` over QUIC and over TCP. */
export function waysTo({ nodeId }: TestHome, address: string): Way[] {
  const helper = `alknet://${nodeId}@${address}/notes`;
  return [
    [`https://${address}/notes`, ...VIA_HTTPS],
    [helper, "-c", "alknet.transport=quic"],
    [helper, "-c", "alknet.transport=tls"],
  ];
}

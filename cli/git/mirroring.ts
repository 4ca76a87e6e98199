/**
 * `alknet git mirror`: a repository of the home follows another one.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Followed, Mirror, MirrorWish, RepositoryKeeper } from "@alknet/handlers/git";
import { formatDuration } from "../grammar/duration.ts";
import type { Home } from "../home/home.ts";
import { ExitCode, note, print, printJson, UsageError } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { StopSignals } from "../terminal/signals.ts";
import { counted } from "../terminal/size.ts";
import { type GitHome, openGitHome } from "./folders.ts";
import type { KeepingOptions } from "./keeping.ts";
import { mirrorWays } from "../node/mirror_ways.ts";

/** What the command line says. */
export interface MirrorOptions extends KeepingOptions {
  /** What is to be followed. */
  readonly url?: string;
  /** How often, in milliseconds. */
  readonly every?: number;
  /** Beginnings of refs. */
  readonly refs: readonly string[];
  /** Whether it follows nobody any more. */
  readonly off: boolean;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
}

/** Begins, ends or shows it. */
export async function mirrorRepository(options: MirrorOptions): Promise<number> {
  const { name, url, every, refs, off, json } = options;
  if (off && url !== undefined) throw new UsageError("--off ends it, and a URL begins it; give one");
  if (url === undefined && (every !== undefined || refs.length > 0)) {
    throw new UsageError("--every and --refs need the URL that is followed");
  }
  const { isRepositoryName, RepositoryKeeper } = await import("@alknet/handlers/git");
  if (!isRepositoryName(name)) throw new UsageError(`${JSON.stringify(name)} is no name of a repository`);
  const home = await openGitHome(options);
  const keeper = new RepositoryKeeper(home.folders);
  if (url !== undefined) return await begin({ ...options, url }, keeper, home);
  const mirror = await keeper.mirror(name);
  if (off) await keeper.setMirror(name, undefined);
  if (json) printJson({ name, mirror: off ? null : mirror ?? null });
  else if (!mirror) print(`${name} follows no other repository`);
  else print(off ? `${name} follows ${mirror.url} no longer; its refs stay` : shown(name, mirror));
  return ExitCode.DONE;
}

/** Makes the repository where there is none, and fetches once. */
async function begin(
  options: MirrorOptions & Pick<MirrorWish, "url">,
  keeper: RepositoryKeeper,
  { home, folders, served, configFile }: GitHome,
): Promise<number> {
  const { name, url, every, refs, json } = options;
  const { createRepository, folderOf } = await import("@alknet/handlers/git");
  const folder = await folderOf(folders, name) ? undefined : await createRepository(folders.root, name);
  const before = folder === undefined ? await keeper.mirror(name) : undefined;
  try {
    await keeper.setMirror(name, {
      url,
      ...(every !== undefined && { every: Math.round(every / 1000) }),
      ...(refs.length > 0 && { refs }),
    });
    const followed = await fetchOnce(options, keeper, home);
    if (json) printJson({ name, ...followed });
    else print(`mirrored ${counted(followed.refs, "ref")}, ${counted(followed.objects, "object")}`);
  } catch (error) {
    // A URL that is wrong is nothing to come back to each minute.
    if (folder === undefined) await keeper.setMirror(name, before);
    else await Deno.remove(folder, { recursive: true });
    throw error;
  }
  if (!served) note(`alknet: note: no handlers.git in ${configFile}, so no node goes on; add "git": {}`);
  return ExitCode.DONE;
}

async function fetchOnce(
  { name, passphraseFile }: MirrorOptions,
  keeper: RepositoryKeeper,
  home: Home,
): Promise<Followed> {
  const { loadNodeKey } = await import("../node/node_key.ts");
  const ways = mirrorWays({ key: await loadNodeKey(home, { passphraseFile }), home, passphraseFile });
  using progress = new Progress(`fetching ${name}`);
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort(new AlknetError("INTERRUPTED", "interrupted")));
  return await keeper.follow(name, {
    ways,
    signal: interrupted.signal,
    progress: (phase, done, total) => progress.report((phase === "receiving" ? 0 : 0.5) + done / total / 2),
  });
}

function shown(name: string, { url, every, refs, last }: Mirror): string {
  const outcome = !last
    ? "not fetched yet"
    : `${new Date(last.at * 1000).toISOString()} ${last.ok ? "ok" : `failed: ${last.error}`}`;
  return `${name} follows ${url} every ${formatDuration(every * 1000)} (${refs.join(", ")}): ${outcome}`;
}

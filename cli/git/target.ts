/**
 * What a command reads: a folder, a repository of the home, or one of another node.
 *
 * @module
 */
import { parseTarget } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import type { JsonValue } from "@alknet/core/operations";
import type { RepositoryKeeper as Keeper } from "@alknet/handlers/git";
import { resolve } from "node:path";
import type { ReachOptions } from "../reaching/reach.ts";
import { withRemote } from "../reaching/remote.ts";
import { StopSignals } from "../terminal/signals.ts";
import { openGitHome } from "./folders.ts";

/** What is read, and how it is reached. */
export interface TargetOptions extends Omit<ReachOptions, "address"> {
  /** A folder, `ADDRESS/NAME`, or the name of a repository of the home. */
  readonly target: string;
  /** Configuration of the home. */
  readonly config?: string;
  /** Whether programs read the answer. */
  readonly json: boolean;
}

/** A question, in the two ways in which it is asked. */
export interface TargetQuestion<T> {
  /** The operation that another node answers. */
  readonly operation: string;
  /** Its input, but for the repository. */
  readonly input: { readonly [name: string]: JsonValue | undefined };
  /** Answers it here. */
  local(keeper: Keeper, name: string, signal: AbortSignal): Promise<T>;
}

/**
 * Asks, and shows the answer.
 *
 * @returns The exit code.
 * @throws {AlknetError} What was wrong with the question, or the way.
 */
export async function askTarget<T>(
  options: TargetOptions,
  question: TargetQuestion<T>,
  show: (answer: T) => number,
): Promise<number> {
  const remote = remoteOf(options.target);
  const isFolder = await Deno.stat(options.target).then(({ isDirectory }) => isDirectory, () => false);
  if (!remote || isFolder) return show(await askHere(options, isFolder, question));
  const { address, name } = remote;
  const given = Object.fromEntries(Object.entries(question.input).filter(([, value]) => value !== undefined));
  return await withRemote({ ...options, address }, async (client, signal) => {
    const input = { repo: name, ...given } as JsonValue;
    return show(await client.call(question.operation, input, { signal }) as T);
  });
}

/** `[alknet://]ADDRESS/NAME`, where it is that. */
function remoteOf(target: string): { readonly address: string; readonly name: string } | undefined {
  const [, address, name] = /^(?:alknet:\/\/)?([^/]+)\/(.+?)(?:\.git)?$/.exec(target) ?? [];
  if (address === undefined) return undefined;
  try {
    parseTarget(address);
    return { address, name };
  } catch {
    return undefined;
  }
}

async function askHere<T>(
  { target, home, config }: TargetOptions,
  isFolder: boolean,
  { local }: TargetQuestion<T>,
): Promise<T> {
  const { isRepositoryName, RepositoryKeeper } = await import("@alknet/handlers/git");
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort(new AlknetError("INTERRUPTED", "interrupted")));
  if (isFolder) {
    const path = resolve(target);
    const keeper = new RepositoryKeeper({ root: path, elsewhere: { here: path } });
    return await local(keeper, "here", interrupted.signal).catch((error) => {
      if (!(error instanceof AlknetError) || error.code !== "NO_SUCH_REPOSITORY") throw error;
      throw new AlknetError("NO_SUCH_REPOSITORY", `${target} is no git repository`);
    });
  }
  if (!isRepositoryName(target)) {
    throw new AlknetError("NO_SUCH_REPOSITORY", `${target} is no folder, no ADDRESS/NAME and no name of a repository`);
  }
  const { folders } = await openGitHome({ home, config });
  return await local(new RepositoryKeeper(folders), target, interrupted.signal);
}

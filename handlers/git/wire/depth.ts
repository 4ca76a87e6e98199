/**
 * How much of a history a client has, and how much of it it wants (gitprotocol-v2, "fetch"; gitprotocol-pack, "Shallow
 * Commits").
 *
 * ```text
 * shallow <oid>            a commit that it has without its parents
 * deepen 3                 so many commits from each want
 * deepen-since 1700000000  those of then and later, in Unix seconds
 * deepen-not v1            those that a ref does not reach
 * ```
 *
 * @module
 */
import { GitRequestError, malformed } from "../errors.ts";
import { shown } from "./command.ts";

/** What is asked for. */
export interface AskedDepth {
  /** Commits that the client has without their parents, each once. */
  readonly shallows: readonly string[];
  /** Commits from each want, or with {@linkcode AskedDepth.relative} beyond the shallow ones; `Infinity` for all. */
  readonly commits?: number;
  /** Unix seconds: no commits before that. */
  readonly since?: number;
  /** Names of refs: no commits that these reach. */
  readonly not: readonly string[];
  /** Whether it counts from where the client's history ends. */
  readonly relative: boolean;
}

/** Depth that git takes for all there is. */
const ALL = 0x7fffffff;
const LINE = /^(shallow|deepen|deepen-since|deepen-not) (.*)$/s;

/** Takes the lines of a request that are of depth. */
export class DepthLines {
  readonly #most: number;
  readonly #shallows = new Set<string>();
  readonly #not = new Set<string>();
  #commits?: number;
  #since?: number;

  /** @param most Shallow commits, and refs, that a request may name. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes a line, if it is of depth. Says whether it is.
   *
   * @throws {GitRequestError} `GIT_PROTOCOL`: it is, and not well-formed; `GIT_TOO_LARGE`: it is one too many.
   */
  take(line: string): boolean {
    const [, word, value] = LINE.exec(line) ?? [];
    if (word === undefined) return false;
    if (word === "shallow") {
      if (!/^[0-9a-f]{40}$/.test(value)) throw malformed(`invalid shallow line: ${shown(line)}`);
      this.#add(this.#shallows, value, "too many shallows");
    } else if (word === "deepen") {
      const commits = numberOf(value, line, "deepen");
      this.#commits = commits >= ALL ? Infinity : commits;
    } else if (word === "deepen-since") this.#since = numberOf(value, line, "deepen-since");
    else this.#add(this.#not, value, "too many deepen-not");
    return true;
  }

  /**
   * All of them.
   *
   * @throws {GitRequestError} `GIT_PROTOCOL`: what is asked for contradicts itself.
   */
  end(relative: boolean): AskedDepth {
    if (this.#commits !== undefined && (this.#since !== undefined || this.#not.size > 0)) {
      throw malformed("deepen and deepen-since (or deepen-not) cannot be used together");
    }
    const [shallows, not] = [[...this.#shallows], [...this.#not]];
    return { shallows, commits: this.#commits, since: this.#since, not, relative };
  }

  #add(to: Set<string>, value: string, words: string): void {
    to.add(value);
    if (to.size > this.#most) throw new GitRequestError("GIT_TOO_LARGE", words);
  }
}

/** Whether a depth is asked for; else the client says at most where its own history ends. */
export function deepens({ commits, since, not }: AskedDepth): boolean {
  return commits !== undefined || since !== undefined || not.length > 0;
}

function numberOf(value: string, line: string, what: string): number {
  const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : 0;
  if (number === 0) throw malformed(`Invalid ${what}: ${shown(line)}`);
  return number;
}

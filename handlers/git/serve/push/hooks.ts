/**
 * Hooks: what the node's owner lets decide on pushes, as functions or as names of operations. No script of a repository is
 * ever run.
 *
 * @module
 */
import type { Identity, Logger } from "@alknet/core/handler";
import type { JsonValue } from "@alknet/core/operations";
import type { Oid } from "../../objects/oid.ts";
import type { ObjectReader } from "../../store/types.ts";
import { plain } from "./said.ts";

/** What a certificate of a push proves. */
export interface CertificateFacts {
  /** Id of the identity whose key has signed, which is who pushes. */
  readonly signer: string;
  /** Fingerprint of the key. */
  readonly key: string;
  /** When it was signed, as it says: Unix seconds. */
  readonly seconds: number;
  /** Name of the file in `alknet/certificates` of the repository. */
  readonly file: string;
}

/** What becomes of a ref. */
export interface PushedRef {
  /** Its full name. */
  readonly name: string;
  /** What it points at; `null`: it is not there. */
  readonly old: Oid | null;
  /** What it is to point at; `null`: it is to go. */
  readonly new: Oid | null;
  /** Whether what it points at is not among what it is to point at. */
  readonly forced: boolean;
}

/** On which way a push came: a stream of `alknet/git`, SSH, HTTP, or an operation. */
export type PushFront = "stream" | "ssh" | "http" | "call";

/** A push, as hooks see it. */
export interface Push {
  /** The repository. */
  readonly repo: string;
  /** Who pushes. */
  readonly identity: Identity;
  /** How it came. */
  readonly front: PushFront;
  /** What the client has given with `git push -o`. */
  readonly options: readonly string[];
  /** What its certificate proves, where it has one. */
  readonly certificate?: CertificateFacts;
  /** The refs that nothing stands against so far. */
  readonly updates: readonly PushedRef[];
  /** What the push brings, and what the repository holds. */
  readonly objects: ObjectReader;
}

/** Decides: a text refuses, and is what the pusher reads. A string names an operation, which gets the push less its objects. */
export type Hook<More extends unknown[]> = string | ((push: Push, ...more: More) => Promise<string | void>);

/** The hooks of a node, of all its repositories. */
export interface PushHooks {
  /** Asked once for a push; `say` tells the pusher a line. */
  readonly preReceive?: Hook<[say: (line: string) => void]>;
  /** Asked for each ref. */
  readonly update?: Hook<[ref: string]>;
  /** Told of a push that is done; what it answers is logged. */
  readonly postReceive?: Hook<[]>;
}

/** Calls an operation as the repositories of the node. */
export type CallOperation = (operation: string, input: JsonValue, signal: AbortSignal) => Promise<JsonValue>;

/** What hooks are run with. */
export interface HookParts {
  /** The hooks. */
  readonly hooks: PushHooks;
  /** Calls those that are operations; without it they refuse. */
  readonly call?: CallOperation;
  /** Milliseconds that one may take. */
  readonly time: number;
}

/** Bytes of an answer of which the pusher is told. */
const MOST_TEXT = 4096;

/** Runs the hooks of a node. */
export class HookRunner {
  readonly #parts: HookParts;

  /** @param parts The hooks. */
  constructor(parts: HookParts) {
    this.#parts = parts;
  }

  /** Whether anything is asked before refs move. */
  get decides(): boolean {
    const { preReceive, update } = this.#parts.hooks;
    return preReceive !== undefined || update !== undefined;
  }

  /** Whether anything is told afterwards. */
  get follows(): boolean {
    return this.#parts.hooks.postReceive !== undefined;
  }

  /** Why a push is refused, for people, which may be empty; nothing where it is not. */
  async preReceive(push: Push, run: HookRun): Promise<string | undefined> {
    return await this.#run("pre-receive", this.#parts.hooks.preReceive, push, [run.say ?? (() => {})], {}, run);
  }

  /** Why a ref stays, for people, which may be empty; nothing where it moves. */
  async update(push: Push, ref: string, run: HookRun): Promise<string | undefined> {
    return await this.#run("update", this.#parts.hooks.update, push, [ref], { ref }, run);
  }

  /** Tells of a push that is done. */
  async postReceive(push: Push, run: HookRun): Promise<void> {
    const said = await this.#run("post-receive", this.#parts.hooks.postReceive, push, [], {}, run);
    if (said) run.log.warn("git repository {repo}: the post-receive hook says: {said}", { repo: push.repo, said });
  }

  async #run<More extends unknown[]>(
    name: string,
    hook: Hook<More> | undefined,
    push: Push,
    more: More,
    input: { readonly [name: string]: JsonValue },
    { signal, log }: HookRun,
  ): Promise<string | undefined> {
    if (hook === undefined) return undefined;
    const ended = new AbortController();
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => {});
    const end = (error: Error): void => {
      ended.abort(error);
      late.reject(error);
    };
    const timer = setTimeout(() => end(new Error("it took too long")), Math.min(this.#parts.time, 2 ** 31 - 1));
    const stop = (): void => end(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      const answer = await Promise.race([
        typeof hook === "string" ? this.#call(hook, { ...jsonOf(push), ...input }, ended.signal) : hook(push, ...more),
        late.promise,
      ]);
      if (answer === undefined || answer === null) return undefined;
      if (typeof answer !== "string") throw new TypeError("it answered neither null nor a text");
      return answer.slice(0, MOST_TEXT);
    } catch (error) {
      signal.throwIfAborted();
      // A hook that fails lets nothing pass, and the pusher does not learn why.
      log.warn("git repository {repo}: the {hook} hook failed: {error}", {
        repo: push.repo,
        hook: name,
        error: plain(String((error as Error)?.message)),
      });
      return "the hook failed";
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  async #call(operation: string, input: JsonValue, signal: AbortSignal): Promise<JsonValue> {
    const { call } = this.#parts;
    if (!call) throw new Error(`nothing calls the operation ${operation}`);
    return await call(operation, input, signal);
  }
}

/** For one run of a hook. */
export interface HookRun {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** The connection's log. */
  readonly log: Logger;
  /** Tells the pusher a line. */
  readonly say?: (line: string) => void;
}

/** A push less its objects. */
export function jsonOf(
  { repo, identity: { id, scopes, resources }, front, options, certificate, updates }: Push,
): { readonly [name: string]: JsonValue } {
  return {
    repo,
    identity: {
      id,
      scopes: [...scopes],
      resources: Object.fromEntries(Object.entries(resources).map(([type, actions]) => [type, [...actions]])),
    },
    front,
    options: [...options],
    ...(certificate && { certificate: { ...certificate } }),
    updates: updates.map((update) => ({ ...update })),
  };
}

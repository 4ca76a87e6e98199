/**
 * A guest in a process of its own that has no permission: for code that nobody vouches for. A guest that does not stop is
 * killed, in a native loop of the engine too, and the host's thread never runs guest code.
 *
 * @module
 */
import { type Crossing, decodeCrossing, encodeCrossing } from "./crossing.ts";
import { type GuestCode, GuestError, type GuestPosition, type ThrownValue } from "./errors.ts";
import { encodeFrame, type Frame, readFrames } from "./frames.ts";
import { type EvaluateOptions, type GuestOperation, operationFault, type SubscriptionStep } from "./guest.ts";
import type { IsolateOptions } from "./isolate.ts";
import { type GuestLimits, guestLimits, MOST_WAITING } from "./limits.ts";
import { HostCalls } from "./outward/calls.ts";
import { Outward } from "./outward/outward.ts";
import { endSpawned, type SpawnedGuest, spawnGuest } from "./pool/spawned.ts";
import { GuestConsole } from "./showing/console.ts";

/** How long a process may be silent beyond the time that its guest may compute, in milliseconds. */
const GRACE = 250;
/** How long a process may be silent after what it runs was aborted, in milliseconds. */
const ABORT = 1000;
/** How long a process may take to start, in milliseconds. */
const START = 10_000;
/** A guest in a process. Dispose of it: the process runs until then. */
export class ProcessGuest implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #limits: GuestLimits;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #aborted = new Set<number>();
  readonly #ready = Promise.withResolvers<unknown>();
  readonly #outward: Outward;
  readonly #console: GuestConsole;
  readonly #calls: HostCalls;
  #unread = 0;
  readonly #reading: Promise<void>;
  #operations: readonly GuestOperation[] = [];
  #last = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #ended: GuestError | undefined;

  private constructor(options: IsolateOptions, limits: GuestLimits, outward: Outward, spawned: SpawnedGuest) {
    this.#limits = limits;
    this.#console = new GuestConsole(options.host ?? {}, this.#limits.output);
    // The child filters too; it may be lost to its guest, so what it says is not taken for granted.
    this.#calls = new HostCalls({ reach: outward.reach, ...options.host }, limits, options.operations ?? []);
    this.#outward = outward;
    this.#child = spawned.process;
    this.#writer = spawned.writer;
    this.#reading = this.#read();
  }

  /**
   * Starts a process and boots the guest in it.
   *
   * @param spawned A process that waits, as `GuestPool.take` gives it; it ends with the guest. Default: one is started.
   * @throws {GuestError} `E_UNAVAILABLE`: no process can be started here. `E_REFUSED`: a grant is unfit.
   */
  static async start(
    options: IsolateOptions = {},
    spawned: Promise<SpawnedGuest> = spawnGuest(),
  ): Promise<ProcessGuest> {
    const process = await spawned;
    let outward: Outward;
    let limits: GuestLimits;
    try {
      limits = guestLimits(options.limits);
      outward = new Outward(options);
    } catch (error) {
      await endSpawned(process);
      throw error;
    }
    const guest = new ProcessGuest(options, limits, outward, process);
    guest.#listen(START);
    const { operations = [], doors = outward.doors } = options;
    guest.#send({ t: "boot", limits, operations, doors });
    await guest.#ready.promise;
    guest.#listen();
    return guest;
  }

  /** Operations that the guest had registered when it last answered. */
  get operations(): readonly GuestOperation[] {
    return this.#operations;
  }

  /** Takes back an operation by its name, or `fetch`, `fs` or `gpu`: calls that run end, and later ones find nothing. */
  revoke(name: string): void {
    this.#calls.revoke(name);
    this.#outward.revoke(name);
  }

  /** Gives the guest a module that it may import. @throws {GuestError} `E_REFUSED`, `E_SYNTAX`. */
  async addModule(name: string, source: string): Promise<void> {
    await this.#work({ kind: "module", name, text: source });
  }

  /** Runs a script and gives its last value, awaited. @throws {GuestError} What it threw, or what ended it. */
  async evaluate(source: string, { file, signal, show }: EvaluateOptions = {}): Promise<unknown> {
    return await this.#work({ kind: "evaluate", text: source, file, show }, [], signal);
  }

  /** Runs a module's default export. @throws {GuestError} What it threw, or what ended it. */
  async runModule(name: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<unknown> {
    return await this.#work({ kind: "run", name }, [], signal);
  }

  /** Calls a registered operation. @throws {GuestError} `NOT_FOUND`, or what ended it. */
  async invoke(name: string, input: unknown, { signal }: { readonly signal?: AbortSignal } = {}): Promise<unknown> {
    const { text, buffers } = encodeCrossing(input);
    return await this.#work({ kind: "invoke", name, text }, buffers, signal);
  }

  /** Opens a registered subscription; each value is asked for when the one before was taken. */
  async *subscribe(name: string, input: unknown, { signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator {
    const at = this.#last + 1;
    const { text, buffers } = encodeCrossing(input);
    await this.#work({ kind: "subscribe", name, text }, buffers, signal);
    try {
      while (true) {
        const step = await this.#work({ kind: "next", text: String(at) }, [], signal) as SubscriptionStep;
        if (step.done) return;
        yield step.value;
      }
    } finally {
      if (!this.#ended) await this.#work({ kind: "close", text: String(at) }).catch(() => {});
    }
  }

  /** Ends the process, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(new GuestError("E_DISPOSED", "the guest was disposed of"));
    await this.#reading;
    await this.#outward.ended();
  }

  #work(head: Frame["head"], buffers: readonly Uint8Array[] = [], signal?: AbortSignal): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#last;
    const result = Promise.withResolvers<unknown>();
    this.#pending.set(id, result);
    if (this.#pending.size === 1) this.#listen();
    this.#send({ t: "work", id, ...head }, buffers);
    const aborted = () => {
      this.#send({ t: "abort", id });
      // What the host runs itself is killed where it computes on; what others call goes on for the others.
      if (head.kind !== "evaluate" && head.kind !== "run") return;
      this.#aborted.add(id);
      this.#listen();
    };
    if (signal?.aborted) aborted();
    signal?.addEventListener("abort", aborted);
    return result.promise.finally(() => {
      this.#aborted.delete(id);
      signal?.removeEventListener("abort", aborted);
    });
  }

  #send(head: Frame["head"], buffers?: readonly Uint8Array[]): void {
    const frame = encodeFrame(head, buffers);
    this.#unread += frame.length;
    this.#writer.write(frame).then(() => void (this.#unread -= frame.length), () => {});
    // It asked for more than it has memory for, and does not take it.
    if (this.#unread > MOST_WAITING + (this.#limits.memory << 20)) {
      this.#end(new GuestError("E_KILLED", "the guest's process did not read what it had asked for and was killed"));
    }
  }

  /** The process is heard of in time, or killed. Nothing is asked of one that has nothing to do. */
  #listen(most: number = this.#limits.cpu + GRACE): void {
    clearTimeout(this.#silence);
    if (this.#ended || (this.#pending.size === 0 && most !== START)) return;
    // What was sent before the abort was heard of, and comes late, gives no more time.
    const told = this.#aborted.size > 0 && most > ABORT;
    const why = told ? "when it was told to" : `after ${this.#limits.cpu} ms`;
    this.#silence = setTimeout(() => {
      this.#end(new GuestError("E_KILLED", `the guest did not stop ${why} and was killed`));
    }, told ? ABORT : most);
  }

  #end(error: GuestError): void {
    if (this.#ended) return;
    this.#ended = error;
    clearTimeout(this.#silence);
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    this.#ready.reject(error);
    this.#ready.promise.catch(() => {});
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#calls.abortAll();
    this.#outward[Symbol.dispose]();
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of readFrames(this.#child.stdout)) {
        this.#received(frame);
        this.#listen(this.#pending.size === 0 && this.#last === 0 ? START : undefined);
      }
      this.#end(new GuestError("E_KILLED", "the guest's process ended by itself"));
    } catch (error) {
      this.#end(
        new GuestError("E_KILLED", "the guest's process sent what it should not and was killed", { cause: error }),
      );
    }
    await this.#writer.abort().catch(() => {});
    await this.#child.status;
  }

  #received({ head, buffers }: Frame): void {
    const { t, id, text } = head as { t: string; id: number; text: string };
    if (t === "beat" || this.#ended) return;
    if (t === "ready") return this.#ready.resolve(undefined);
    if (t === "log") return this.#console.write(String(head.level), String(text));
    if (t === "ask") return this.#asked(id, String(head.kind), String(head.name), { text, buffers });
    if (t === "forget") return this.#calls.abort(id);
    const result = this.#pending.get(id);
    if (result === undefined || (t !== "done" && t !== "fail")) throw new TypeError(`message ${t} is out of place`);
    if (t === "fail") {
      this.#pending.delete(id);
      return result.reject(failureOf(head));
    }
    // Whoever waits hears of what is wrong with these, too, so they are looked at first.
    this.#operations = checkedOperations(head.operations, this.#limits.operations);
    const value = decodeCrossing({ text, buffers });
    this.#pending.delete(id);
    result.resolve(value);
  }

  #asked(id: number, kind: string, name: string, crossing: Crossing): void {
    const call = { kind: kind === "end" ? "return" : kind, id, name, crossing };
    const fault = this.#calls.has(id) ? "its id is taken" : this.#calls.begin(undefined, call, (ok, answer) => {
      const failure = ok ? undefined : JSON.parse(answer.text);
      this.#send({ t: "answer", id, ok, ...failure ?? { text: answer.text } }, answer.buffers);
    });
    // The isolate keeps to this; what does not is no isolate.
    if (fault !== undefined) throw new TypeError(`a call is out of place: ${fault}`);
  }
}

/** What a child says that its guest has registered: it is held to what an isolate takes. */
function checkedOperations(given: unknown, most: number): readonly GuestOperation[] {
  if (!Array.isArray(given)) throw new TypeError("its operations are no list");
  const found = new Map<string, GuestOperation>();
  for (const operation of given) {
    const fault = operationFault(operation ?? {}, found, most);
    if (fault !== undefined) throw new TypeError(fault);
    found.set(operation.name, operation);
  }
  return given;
}

function failureOf(head: Frame["head"]): GuestError {
  const { code, message, position, thrown } = head as unknown as {
    code: GuestCode;
    message: string;
    position?: GuestPosition;
    thrown?: ThrownValue;
  };
  return new GuestError(String(code) as GuestCode, String(message), { position, thrown });
}

/**
 * A guest in the host's own thread, for code that is trusted: its limits hold wherever the engine looks at the clock,
 * which is not within every native loop.
 *
 * @module
 */
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten-core";
import { type Crossing, decodeCrossing, encodeCrossing } from "./crossing.ts";
import { errorOfThrown, GuestError, type ThrownValue } from "./errors.ts";
import {
  type EvaluateOptions,
  type GrantedOperation,
  type GuestHost,
  type GuestOperation,
  operationFault,
  type SubscriptionStep,
} from "./guest.ts";
import { type GuestLimits, guestLimits } from "./limits.ts";
import { HostCalls } from "./outward/calls.ts";
import type { Doors } from "./outward/doors.ts";
import { doorsOf } from "./outward/opening.ts";
import type { OutwardGrants } from "./outward/outward.ts";
import { textDoors } from "./outward/text.ts";
import { ModuleMap, noSuchModule } from "./modules.ts";
import { prepare, type Prepared } from "./prepared.ts";
import { type Run, RunTable } from "./runs.ts";
import { GuestConsole } from "./showing/console.ts";
import { INSPECTOR } from "./showing/inspector.ts";
import { preparedSource } from "./source.ts";

/** What an isolate is made with. */
export interface IsolateOptions extends OutwardGrants {
  /** What it may use, where that differs from the defaults. */
  readonly limits?: Partial<GuestLimits>;
  /** Operations that it may call; others do not exist for it. */
  readonly operations?: readonly GrantedOperation[];
  /** What answers it. Default: nobody, and its console is silent. */
  readonly host?: GuestHost;
  /** What `host.reach` answers, in place of `allowFetch`, `allowFs` and `allowGpu`: `fetch`, `fs`, `gpu`. */
  readonly doors?: readonly string[];
}

const NAMES = ["describe", "finish", "finishModule", "invoke", "open", "next", "close", "deliver", "fire"] as const;
type PreludeName = typeof NAMES[number];

/** An isolate. Dispose of it: it holds memory until then. */
export class Isolate implements Disposable {
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #limits: GuestLimits;
  readonly #host: GuestHost;
  readonly #modules = new ModuleMap();
  readonly #sources = new Map<string, string>();
  readonly #prelude = new Map<PreludeName, QuickJSHandle>();
  readonly #registered = new Map<string, GuestOperation>();
  readonly #runs = new RunTable();
  readonly #calls: HostCalls;
  readonly #console: GuestConsole;
  readonly #outward: Doors;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #outgoing: Uint8Array[] = [];
  #incoming: readonly Uint8Array[] = [];
  #current: Run | undefined;
  #deadline = Infinity;
  #interrupted = false;
  #entered = false;
  /** Answers wait for the jobs behind them: a run that never lets go has not ended well. */
  #settled: (() => void)[] = [];
  #state: "live" | "poisoned" | "disposed" = "live";

  private constructor(prepared: Prepared, limits: GuestLimits, options: IsolateOptions, outward: Doors) {
    const { runtime, context } = prepared;
    this.#runtime = runtime;
    this.#context = context;
    this.#limits = limits;
    this.#outward = outward;
    this.#host = { reach: outward.reach, ...options.host };
    this.#console = new GuestConsole(this.#host, limits.output);
    this.#calls = new HostCalls(this.#host, limits, options.operations ?? []);
    runtime.setMemoryLimit(limits.memory << 20);
    runtime.setMaxStackSize(limits.stack << 10);
    runtime.setInterruptHandler(() => this.#interrupted = performance.now() > this.#deadline);
    runtime.setModuleLoader(
      (name) => this.#modules.sources.get(name) ?? { error: new Error(noSuchModule(name)) },
      // What is not there keeps its name: the engine hands on an error of this function without its text.
      (from, name) => this.#modules.resolve(name, from) ?? name,
    );
    this.#boot(prepared, options.operations ?? [], options.doors ?? outward.doors);
  }

  /** A fresh isolate, with an instance of the engine of its own. @throws {GuestError} `E_REFUSED`: a grant is unfit. */
  static async create(options: IsolateOptions = {}, prepared?: Prepared): Promise<Isolate> {
    const limits = guestLimits(options.limits);
    const used = prepared?.memory === limits.memory ? prepared : await prepare(limits.memory);
    return new Isolate(used, limits, options, await doorsOf(options));
  }

  /** Operations that the guest has registered so far. */
  get operations(): readonly GuestOperation[] {
    return [...this.#registered.values()];
  }

  /** Takes back an operation by its name, or `fetch`, `fs` or `gpu`: calls that run end, and later ones find nothing. */
  revoke(name: string): void {
    this.#calls.revoke(name);
    this.#outward.revoke(name);
  }

  /** Gives the guest a module that it may import. @throws {GuestError} `E_REFUSED`, `E_SYNTAX`. */
  addModule(name: string, source: string): void {
    this.#modules.add(name, source);
  }

  /** Runs a script and gives its last value, awaited. @throws {GuestError} What it threw, or what ended it. */
  async evaluate(source: string, options: EvaluateOptions = {}): Promise<unknown> {
    const { file = "script.js" } = options;
    const text = preparedSource(source, file);
    this.#sources.set(file, source);
    const show = options.show === true ? INSPECTOR : undefined;
    return await this.#run((run) => this.#start("finish", run, text, file, show), options.signal);
  }

  /**
   * Runs a module of {@linkcode addModule}: its default export, called when it is a function, awaited.
   *
   * @throws {GuestError} What it threw, or what ended it.
   */
  async runModule(name: string, options: { readonly signal?: AbortSignal } = {}): Promise<unknown> {
    const canonical = this.#modules.resolve(name, "");
    if (canonical === undefined) throw new GuestError("NOT_FOUND", `the guest has no module ${name}; add it first`);
    this.#sources.set(canonical, this.#modules.sources.get(canonical)!);
    const whole = this.#modules.entry(canonical);
    return await this.#run((run) => this.#start("finishModule", run, whole, "entry.js"), options.signal);
  }

  /** Calls a registered operation. @throws {GuestError} `NOT_FOUND`, or as {@linkcode evaluate}. */
  async invoke(name: string, input: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<unknown> {
    this.#known(name);
    return await this.#run((run) => this.#enter(run, "invoke", name, encodeCrossing(input)), options.signal);
  }

  /** Opens a registered subscription; each value is asked for when the one before was taken. */
  async *subscribe(name: string, input: unknown, options: { readonly signal?: AbortSignal } = {}): AsyncGenerator {
    this.#known(name);
    let at = 0;
    await this.#run((run) => {
      at = run.id;
      this.#enter(run, "open", name, encodeCrossing(input));
    }, options.signal);
    try {
      while (true) {
        const step = await this.#run((run) => this.#enter(run, "next", at), options.signal) as SubscriptionStep;
        if (step.done) return;
        yield step.value;
      }
    } finally {
      // An iterator of an isolate that is gone needs no end.
      if (this.#state === "live") await this.#run((run) => this.#enter(run, "close", at)).catch(() => {});
    }
  }

  /** Ends whatever runs and gives the memory back. Within a run it takes effect when the run leaves the engine. */
  [Symbol.dispose](): void {
    if (this.#state === "disposed") return;
    this.#state = "disposed";
    this.#runs.failAll(new GuestError("E_DISPOSED", "the guest was disposed of"));
    this.#quiet();
    this.#outward[Symbol.dispose]();
    if (!this.#entered) this.#free();
  }

  #free(): void {
    try {
      for (const handle of this.#prelude.values()) handle.dispose();
      this.#context.dispose();
      this.#runtime.dispose();
    } catch {
      // The memory is the instance's own and goes with it, in whatever state a stopped run has left the engine.
    }
  }

  #boot(prepared: Prepared, operations: readonly GrantedOperation[], doors: readonly string[]): void {
    const context = this.#context;
    using handles = new DisposableStack();
    const own = <T extends Disposable>(handle: T): T => handles.use(handle);
    const [install, extend] = [own(prepared.install), own(prepared.extend)];
    const post = own(context.newFunction("post", (kind, id, name, text) => {
      const refusal = this.#posted(
        context.getString(kind),
        context.getNumber(id),
        context.getString(name),
        context.getString(text),
      );
      return refusal === undefined ? context.undefined : context.newString(refusal);
    }));
    const put = own(context.newFunction("put", (buffer) => {
      using view = context.getArrayBuffer(buffer);
      return context.newNumber(this.#outgoing.push(view.value.slice()) - 1);
    }));
    const take = own(context.newFunction("take", (at) => {
      const bytes = this.#incoming[context.getNumber(at)] ?? new Uint8Array();
      return context.newArrayBuffer(bytes.slice().buffer);
    }));
    const clock = own(context.newFunction("clock", () => context.newNumber(Math.floor(performance.now()))));
    const names = JSON.stringify(operations.map(({ name, type }) => ({ name, type })));
    const granted = own(context.unwrapResult(context.evalCode(`(${names})`, "boot.js")));
    const opened = own(
      context.unwrapResult(
        context.evalCode(`(${JSON.stringify(Object.fromEntries(doors.map((door) => [door, true])))})`, "boot.js"),
      ),
    );
    const [text, bytes] = textDoors(context).map(own);
    const given = [post, put, take, clock, granted, extend, opened, text, bytes];
    const prelude = own(context.unwrapResult(context.callFunction(install, context.undefined, ...given)));
    for (const name of NAMES) this.#prelude.set(name, context.getProp(prelude, name));
  }

  #known(name: string): void {
    if (!this.#registered.has(name)) throw new GuestError("NOT_FOUND", `the guest offers no operation ${name}`);
  }

  async #run(begin: (run: Run) => void, signal?: AbortSignal): Promise<unknown> {
    if (this.#state === "disposed") throw new GuestError("E_DISPOSED", "the guest was disposed of");
    if (this.#state === "poisoned") {
      throw new GuestError("E_POISONED", "the guest was stopped in the middle; start another");
    }
    if (this.#entered) {
      throw new GuestError("E_REFUSED", "the guest is running; it cannot be entered from its own call");
    }
    signal?.throwIfAborted();
    const run = this.#runs.open(this.#limits, signal);
    this.#turn(run, () => begin(run));
    return await run.result.promise;
  }

  /** Everything that enters the engine: under a deadline, and with the jobs that it queued. */
  #turn(run: Run | undefined, work: () => void): void {
    if (this.#state !== "live") return;
    const begun = performance.now();
    this.#current = run;
    this.#deadline = begun + (run?.cpu ?? this.#limits.cpu);
    this.#interrupted = false;
    this.#entered = true;
    try {
      work();
      this.#pump(run);
    } catch (error) {
      // What comes out of the engine as an exception of the host has left it in the middle.
      this.#poison(
        run,
        error instanceof GuestError ? error : new GuestError("E_STACK", "the guest exhausted the stack"),
      );
    } finally {
      this.#entered = false;
      if (this.#interrupted) this.#stopped(run);
      if (run) run.cpu -= performance.now() - begun;
      for (const settle of this.#settled.splice(0)) settle();
      this.#deadline = Infinity;
      this.#current = undefined;
      if (this.#state !== "live") this.#free();
    }
  }

  #pump(run: Run | undefined): void {
    if (this.#interrupted || !this.#runtime.hasPendingJob()) return;
    const result = this.#runtime.executePendingJobs(this.#limits.jobs);
    result.dispose();
    if (this.#interrupted || !this.#runtime.hasPendingJob()) return;
    this.#poison(run, new GuestError("E_JOBS", `the guest queued more than ${this.#limits.jobs} jobs without a pause`));
  }

  #stopped(run: Run | undefined): void {
    const error = new GuestError("E_DEADLINE", `the guest computed for more than ${this.#limits.cpu} ms`);
    // Jobs that wait cannot be taken back: the guest that queued them goes with them.
    if (this.#state === "live" && this.#runtime.hasPendingJob()) this.#poison(run, error);
    else run?.fail(error);
  }

  #poison(run: Run | undefined, error: GuestError): void {
    run?.fail(error);
    if (this.#state === "live") this.#state = "poisoned";
    this.#runs.failAll(new GuestError("E_POISONED", "another run of the guest was stopped in the middle"));
    this.#quiet();
  }

  #quiet(): void {
    this.#calls.abortAll();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #start(finish: "finish" | "finishModule", run: Run, text: string, file: string, show?: string): void {
    const type = finish === "finish" ? "global" : "module";
    const result = this.#context.evalCode(text, file, { type });
    if (result.error) {
      using error = result.error;
      if (!this.#interrupted) run.fail(this.#thrown(error));
      return;
    }
    using value = result.value;
    if (show === undefined) return this.#invoke(finish, run, value);
    using shower = this.#context.unwrapResult(this.#context.evalCode(show, "inspector.js"));
    this.#invoke(finish, run, value, shower);
  }

  #enter(run: Run | undefined, name: PreludeName, first: string | number, crossing?: Crossing): void {
    using scope = new DisposableStack();
    const args = [typeof first === "string" ? this.#context.newString(first) : this.#context.newNumber(first)];
    if (crossing) args.push(this.#context.newString(crossing.text));
    for (const arg of args) scope.use(arg);
    this.#incoming = crossing?.buffers ?? [];
    this.#invoke(name, run, ...args);
    this.#incoming = [];
  }

  #invoke(name: PreludeName, run: Run | undefined, ...args: QuickJSHandle[]): void {
    const context = this.#context;
    using id = context.newNumber(run?.id ?? 0);
    const all = name === "deliver" || name === "fire" ? args : [id, ...args];
    const result = context.callFunction(this.#prelude.get(name)!, context.undefined, ...all);
    if (result.error) {
      using error = result.error;
      if (!this.#interrupted) run?.fail(this.#thrown(error));
    } else result.value.dispose();
  }

  /** The prelude tells what was thrown, within the guest: reading it here would run the guest's getters. */
  #thrown(handle: QuickJSHandle): GuestError {
    const told = this.#context.callFunction(this.#prelude.get("describe")!, this.#context.undefined, handle);
    if (told.error) {
      told.error.dispose();
      return new GuestError("E_MEMORY", "the guest has no memory left");
    }
    using text = told.value;
    return this.#errorOf(this.#context.getString(text));
  }

  #errorOf(text: string): GuestError {
    return errorOfThrown(JSON.parse(text) as ThrownValue, new Map([...this.#modules.sources, ...this.#sources]));
  }

  /** What the guest sends. An answer is why it is refused. Nothing here enters the engine. */
  #posted(kind: string, id: number, name: string, text: string): string | undefined {
    const buffers = this.#outgoing;
    this.#outgoing = [];
    if (kind === "done") return this.#done(id, { text, buffers });
    if (kind === "fail") this.#runs.get(id)?.fail(this.#errorOf(text));
    else if (kind === "log") this.#console.write(name, text);
    else if (kind === "timer") return this.#timer(id, Number(text));
    else if (kind === "clear") clearTimeout(this.#timers.get(id)), this.#timers.delete(id);
    else if (kind === "register") return this.#register(text);
    else if (kind === "abort") this.#calls.abort(id);
    else {
      const run = this.#current;
      return this.#calls.begin(run, { kind, id, name, crossing: { text, buffers } }, (ok, answer) => {
        this.#turn(run, () => this.#deliver(run, id, ok, answer));
      });
    }
    return undefined;
  }

  #done(id: number, crossing: Crossing): undefined {
    const run = this.#runs.get(id);
    try {
      const value = decodeCrossing(crossing);
      this.#settled.push(() => run?.succeed(value));
    } catch (error) {
      run?.fail(error as GuestError);
    }
  }

  #timer(id: number, delay: number): string | undefined {
    if (this.#timers.size >= this.#limits.timers) return `at most ${this.#limits.timers} timers may wait`;
    const run = this.#current;
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        this.#turn(run, () => this.#enter(run, "fire", id));
      }, Math.min(delay, 2 ** 31 - 1)),
    );
  }

  #register(text: string): string | undefined {
    const operation = JSON.parse(text) as GuestOperation;
    const fault = operationFault(operation, this.#registered, this.#limits.operations);
    if (fault !== undefined) return fault;
    this.#registered.set(operation.name, operation);
  }

  #deliver(run: Run | undefined, id: number, ok: boolean, crossing: Crossing): void {
    using number = this.#context.newNumber(id);
    using text = this.#context.newString(crossing.text);
    this.#incoming = crossing.buffers;
    this.#invoke("deliver", run, number, ok ? this.#context.true : this.#context.false, text);
    this.#incoming = [];
  }
}

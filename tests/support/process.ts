/**
 * Child processes of tests: started, read line by line, ended by their own id and by nothing wider.
 *
 * @module
 */

/** Options of {@linkcode start}. */
export interface StartOptions {
  /** Environment variables beside those of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working folder. Default: that of the test. */
  readonly cwd?: string;
  /** Signal that asks it to end on disposal. Default `SIGTERM`; `SIGKILL` follows after `grace`. */
  readonly signal?: Deno.Signal;
  /** Time between that signal and SIGKILL, in milliseconds. Default 5000. */
  readonly grace?: number;
}

/** How long a test waits for a line before it fails, in milliseconds. A guard against hanging, not a measurement. */
const LINE_DEADLINE = 30_000;
/**
 * Environment with which the command starts in half the time: it reads what it imports late when it imports it, where Deno
 * otherwise looks at all of it, at each start. What runs is the same.
 */
export const QUICK_START: Readonly<Record<string, string>> = { DENO_UNSTABLE_LAZY_DYNAMIC_IMPORTS: "1" };
/** Lines kept to explain a failure. */
const KEPT_LINES = 200;

/**
 * Starts a program. Hold it with `await using`: disposal ends it and waits until it is gone.
 *
 * @example
 * ```ts
 * await using server = start("openssl", ["s_server", "-accept", "0"]);
 * const line = await server.line(/^ACCEPT .*:(\d+)$/);
 * ```
 */
export function start(program: string, args: readonly string[] = [], options: StartOptions = {}): Child {
  return new Child(program, args, options);
}

/** Runs this project's command, as `deno run -A cli/main.ts …`. */
export function startAlknet(args: readonly string[], options: StartOptions = {}): Child {
  return start(Deno.execPath(), ["run", "-A", CLI, ...args], { ...options, env: { ...QUICK_START, ...options.env } });
}

/** What a program that ended had to say. */
export interface Output {
  /** Exit code; 128 and the signal's number where a signal ended it. */
  readonly code: number;
  /** Everything it wrote to standard output, as text. */
  readonly stdout: string;
  /** Everything it wrote to standard error, as text. */
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[] = [],
  options: StartOptions & { readonly stdin?: string | Uint8Array<ArrayBuffer> } = {},
): Promise<Output> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: options.cwd,
    env: options.env,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  if (options.stdin !== undefined) await feed(child.stdin, options.stdin);
  const { code, stdout, stderr } = await output;
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Runs this project's command to its end. */
export function runAlknet(
  args: readonly string[],
  options: StartOptions & { readonly stdin?: string | Uint8Array<ArrayBuffer> } = {},
): Promise<Output> {
  const env = { ...QUICK_START, ...options.env };
  return runProgram(Deno.execPath(), ["run", "-A", CLI, ...args], { ...options, env });
}

/** The program of this project. */
export const CLI = new URL("../../cli/main.ts", import.meta.url).pathname;

/** A child process whose output is read line by line. */
export class Child implements AsyncDisposable {
  /** The program, for messages. */
  readonly name: string;
  /** How it ended. */
  readonly status: Promise<Deno.CommandStatus>;
  readonly #process: Deno.ChildProcess;
  readonly #options: StartOptions;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #out = new Lines();
  readonly #err = new Lines();
  readonly #readers: Promise<void>[];
  #ended = false;

  /** See {@linkcode start}. */
  constructor(program: string, args: readonly string[], options: StartOptions) {
    this.name = program;
    this.#options = options;
    this.#process = new Deno.Command(program, {
      args: [...args],
      cwd: options.cwd,
      env: options.env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#readers = [this.#out.read(this.#process.stdout), this.#err.read(this.#process.stderr)];
    this.status = this.#process.status.then((status) => {
      this.#ended = true;
      return status;
    });
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** The last lines of standard error, for messages. */
  get errors(): string {
    return this.#err.tail();
  }

  /** The last lines of standard output. */
  get output(): string {
    return this.#out.tail();
  }

  /**
   * The next line of standard output that matches; lines before it are passed over.
   *
   * @throws {Error} The program ended, or said nothing fitting within 30 s; with the end of what it did say.
   */
  line(match: RegExp | string = /^/): Promise<string> {
    return this.#next(this.#out, match);
  }

  /** The next line of standard error that matches. */
  errorLine(match: RegExp | string = /^/): Promise<string> {
    return this.#next(this.#err, match);
  }

  /** The next line of standard output that begins with a brace, parsed as JSON. */
  async json<T = Record<string, unknown>>(): Promise<T> {
    return JSON.parse(await this.line(/^\{/)) as T;
  }

  /** Writes to standard input. */
  async write(data: string | Uint8Array): Promise<void> {
    await this.#input.write(typeof data === "string" ? new TextEncoder().encode(data) : data);
  }

  /** Ends standard input. */
  async closeInput(): Promise<void> {
    await this.#input.close().catch(ignore);
  }

  /** Sends a signal to this process alone. */
  kill(signal: Deno.Signal = "SIGTERM"): void {
    try {
      this.#process.kill(signal);
    } catch {
      // It ended already.
    }
  }

  /** Ends the process if it runs, and waits until it and its output are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { signal = "SIGTERM", grace = 5000 } = this.#options;
    if (!this.#ended) this.kill(signal);
    const killer = setTimeout(() => this.kill("SIGKILL"), grace);
    await this.status;
    clearTimeout(killer);
    await this.#input.close().catch(ignore);
    await Promise.all(this.#readers);
  }

  async #next(lines: Lines, match: RegExp | string): Promise<string> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(this.#failure(`no line like ${match} within ${LINE_DEADLINE} ms`)),
      LINE_DEADLINE,
    );
    try {
      for (;;) {
        const line = await Promise.race([lines.next(), late]);
        if (line === undefined) throw this.#failure(`it ended before a line like ${match}`);
        if (typeof match === "string" ? line.includes(match) : match.test(line)) return line;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(why: string): Error {
    return new Error(`${this.name} (${this.pid}): ${why}\nstdout:\n${this.output}\nstderr:\n${this.errors}`);
  }
}

/** Lines as they come, with those not yet asked for in a queue. */
class Lines {
  readonly #queue: string[] = [];
  readonly #kept: string[] = [];
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #done = false;

  async read(source: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of source.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split(/\r?\n/);
      rest = parts.pop()!;
      for (const line of parts) this.#push(line);
    }
    if (rest) this.#push(rest);
    this.#done = true;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  next(): Promise<string | undefined> {
    const line = this.#queue.shift();
    if (line !== undefined || this.#done) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  tail(): string {
    return this.#kept.join("\n");
  }

  #push(line: string): void {
    this.#kept.push(line);
    if (this.#kept.length > KEPT_LINES) this.#kept.shift();
    const waiting = this.#waiting.shift();
    if (waiting) waiting(line);
    else this.#queue.push(line);
  }
}

async function feed(input: WritableStream<Uint8Array>, data: string | Uint8Array): Promise<void> {
  const writer = input.getWriter();
  // A program that does not read its input closes it; that is not the test's failure.
  await writer.write(typeof data === "string" ? new TextEncoder().encode(data) : data).catch(ignore);
  await writer.close().catch(ignore);
}

function ignore(): void {}

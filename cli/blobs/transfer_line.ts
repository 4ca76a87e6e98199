/**
 * Progress of bytes that move: how many, of how many, how fast, how long still. On a terminal alone.
 *
 * @module
 */
import { formatSize } from "../terminal/size.ts";
import { visibleLine } from "../terminal/visible.ts";

const CLEAR_LINE = "\r\x1b[K";
/** Time between two looks of the line, in milliseconds. */
const INTERVAL = 100;
/** The rate is that of so many milliseconds. */
const RATE_OVER = 5000;

/** One piece of work, while it lasts. */
export class TransferLine implements Disposable {
  readonly #what: string;
  readonly #shown = Deno.stderr.isTerminal();
  readonly #seen: { readonly at: number; readonly bytes: number }[] = [];
  #last = 0;
  #part: number | undefined;

  /** @param what What moves: `getting ea8f163db3`. */
  constructor(what: string) {
    this.#what = visibleLine(what);
  }

  /** How much of it is done, in percent, as far as the whole is known. */
  get percent(): number | undefined {
    return this.#part === undefined ? undefined : Math.floor(this.#part * 100);
  }

  /** Tells the bytes done, those of the whole, and what stands behind them. A function of its own, to be passed on. */
  readonly report = (bytes: number, of?: number, more?: string): void => {
    this.#part = of === undefined ? undefined : of === 0 ? 1 : bytes / of;
    const now = performance.now();
    if (!this.#shown || now - this.#last < INTERVAL) return;
    this.#last = now;
    this.#seen.push({ at: now, bytes });
    while (this.#seen.length > 1 && now - this.#seen[0].at > RATE_OVER) this.#seen.shift();
    this.#write(`${CLEAR_LINE}alknet: ${this.#what}  ${this.#figures(bytes, of, now)}${more ? `  ${more}` : ""}`);
  };

  /** Takes the line away. */
  [Symbol.dispose](): void {
    if (this.#last > 0) this.#write(CLEAR_LINE);
    this.#last = 0;
  }

  #figures(bytes: number, of: number | undefined, now: number): string {
    const { at, bytes: before } = this.#seen[0];
    const rate = now > at ? (bytes - before) / (now - at) * 1000 : 0;
    const done = of === undefined ? formatSize(bytes) : `${partOf(bytes, of)}  ${this.percent} %`;
    if (rate <= 0) return done;
    const left = of === undefined ? "" : `  ${Math.ceil((of - bytes) / rate)} s left`;
    return `${done}  ${formatSize(Math.round(rate))}/s${left}`;
  }

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch { /* stderr is closed */ }
  }
}

/** `12.3 of 30.0 MiB`. */
function partOf(bytes: number, of: number): string {
  const [part, whole] = [formatSize(bytes), formatSize(of)];
  const unit = whole.slice(whole.indexOf(" "));
  return `${part.endsWith(unit) ? part.slice(0, -unit.length) : part} of ${whole}`;
}

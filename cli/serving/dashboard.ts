/**
 * The terminal face of `alknet serve`: counters that stay in place, with log lines passing above them.
 *
 * @module
 */
import type { EndpointStats } from "@alknet/core";
import type { BackgroundWriter } from "../terminal/background_writer.ts";
import { visible } from "../terminal/visible.ts";
import type { Traffic } from "../operations/observe.ts";

/** What the dashboard shows. */
export interface DashboardSource {
  /** Counters of each ALPN. */
  traffic(): readonly Traffic[];
  /** Counters of the endpoint. */
  stats(): EndpointStats;
}

/** Where it draws; the terminal, or a test's. */
export interface Screen {
  /** Whether what was written before is shown: a terminal may be paused. */
  isReady(): boolean;
  /** Writes text, control sequences included. */
  write(text: string): void;
  /** Columns of the terminal. */
  columns(): number;
}

/** Time between two drawings, in milliseconds; rates are averages over it. */
const REFRESH = 1000;
/** What a terminal that says little of itself is taken to have. */
const LEAST_COLUMNS = 20;
/** Lines that wait for a terminal that is paused; the oldest are dropped. */
const MAX_WAITING = 1000;
const CLEAR_BELOW = "\x1b[J";

/** Draws until it is disposed of. */
export class Dashboard implements Disposable {
  readonly #screen: Screen;
  readonly #source: DashboardSource;
  readonly #started = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #before: { at: number; bytesReceived: number; bytesSent: number };
  #rates = { received: 0, sent: 0 };
  #lines = 0;
  /** Log lines that were not printed yet. */
  #waiting: string[] = [];
  /** The screen is gone: nothing is drawn any more. */
  #gone = false;

  /**
   * @param source What to show.
   * @param screen Where to draw.
   */
  constructor(source: DashboardSource, screen: Screen) {
    this.#source = source;
    this.#screen = screen;
    this.#before = { at: this.#started, ...totals(source.traffic()) };
    this.#draw();
    this.#timer = setInterval(() => this.#refresh(), REFRESH);
  }

  /** Prints a line above the counters. */
  print(line: string): void {
    this.#waiting.push(visible(line));
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    this.#draw();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #refresh(): void {
    const now = { at: performance.now(), ...totals(this.#source.traffic()) };
    const seconds = (now.at - this.#before.at) / 1000;
    this.#rates = {
      received: (now.bytesReceived - this.#before.bytesReceived) / seconds,
      sent: (now.bytesSent - this.#before.bytesSent) / seconds,
    };
    this.#before = now;
    this.#draw();
  }

  #draw(): void {
    if (this.#gone || !this.#screen.isReady()) return;
    const columns = this.#columns();
    // A line that wraps would count as two, and the next drawing would start too low.
    const lines = this.#content().map((line) => line.slice(0, columns - 1));
    const above = this.#waiting.splice(0);
    this.#write(`${this.#erase()}${[...above, ...lines].join("\n")}\n`);
    this.#lines = lines.length;
  }

  #columns(): number {
    try {
      return Math.max(this.#screen.columns(), LEAST_COLUMNS);
    } catch {
      // Whoever had the terminal has closed it; the write that follows says so.
      return LEAST_COLUMNS;
    }
  }

  /** A node outlives the terminal that it was started from. */
  #write(text: string): void {
    if (this.#gone) return;
    try {
      this.#screen.write(text);
    } catch {
      this.#gone = true;
      clearInterval(this.#timer);
    }
  }

  #erase(): string {
    const up = this.#lines > 0 ? `\x1b[${this.#lines}A\r` : "";
    this.#lines = 0;
    return up + CLEAR_BELOW;
  }

  #content(): string[] {
    const traffic = this.#source.traffic();
    const { accepted, refused } = this.#source.stats();
    const open = traffic.reduce((sum, { open }) => sum + open, 0);
    const turnedAway = Object.values(refused).reduce((sum, count) => sum + count, 0);
    const width = Math.max(...traffic.map(({ alpn }) => alpn.length));
    return [
      "",
      `  ${"protocol".padEnd(width)}  ${"open".padStart(6)} ${"total".padStart(8)} ${"in".padStart(9)} ${
        "out".padStart(9)
      }`,
      ...traffic.map((one) =>
        `  ${one.alpn.padEnd(width)}  ${String(one.open).padStart(6)} ${String(one.total).padStart(8)} ` +
        `${formatBytes(one.bytesReceived).padStart(9)} ${formatBytes(one.bytesSent).padStart(9)}  ${one.description}`
      ),
      "",
      `  ${open} connections, ${accepted} accepted, ${turnedAway} refused   in ${
        formatBytes(this.#rates.received)
      }/s   ` +
      `out ${formatBytes(this.#rates.sent)}/s   up ${formatUptime(performance.now() - this.#started)}`,
    ];
  }
}

/** Bytes with a decimal unit: `999 B`, `1.2 kB`, `3.4 GB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  // 999.95 would print as 1000.0.
  while (value >= (unit === 0 ? 999.5 : 999.95) && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function formatUptime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function totals(traffic: readonly Traffic[]): { bytesReceived: number; bytesSent: number } {
  return {
    bytesReceived: traffic.reduce((sum, one) => sum + one.bytesReceived, 0),
    bytesSent: traffic.reduce((sum, one) => sum + one.bytesSent, 0),
  };
}

/** The terminal behind stdout. */
export function terminalScreen(output: BackgroundWriter): Screen {
  return {
    isReady: () => output.isIdle,
    write: (text) => output.write(text),
    // A terminal that was never given a size says 0.
    columns: () => Deno.consoleSize().columns || 80,
  };
}

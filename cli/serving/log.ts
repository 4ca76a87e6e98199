/**
 * Where the command's logs go: LogTape to stderr, one line a record, as programs such as fail2ban read them.
 *
 * A line is `TIME LEVEL category: message key=value …`; a refusal reads
 * `2026-08-22T10:00:00.000Z WARN endpoint: refused src=192.0.2.7 reason=connection-rate`.
 *
 * @module
 */
import { configureSync, type LogLevel, type LogRecord } from "@logtape/logtape";
import { note } from "../terminal/output.ts";

/** Takes one line of the log. */
export type LineSink = (line: string) => void;

const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = {
  trace: "TRACE",
  debug: "DEBUG",
  info: "INFO",
  warning: "WARN",
  error: "ERROR",
  fatal: "FATAL",
};

/**
 * Sends the logs of Alknet from `level` on to `sink`. Call it once, before anything logs.
 *
 * @param sink Default stderr.
 */
export function startLogging(level: LogLevel, sink: LineSink = note): void {
  configureSync({
    reset: true,
    sinks: { lines: (record) => sink(formatRecord(record)) },
    loggers: [
      { category: "alknet", lowestLevel: level, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["lines"] },
    ],
  });
}

/** One record as one line. Properties that the message does not already show follow it. */
export function formatRecord(record: LogRecord): string {
  const category = record.category.slice(1).join(".") || "alknet";
  const shown = new Set(placeholders(record.rawMessage));
  const text = record.message.map((part, index) => index % 2 === 0 ? String(part) : show(part)).join("");
  const rest = Object.entries(record.properties).filter(([name]) => !shown.has(name));
  const tail = rest.map(([name, value]) => ` ${name}=${show(value)}`).join("");
  const time = new Date(record.timestamp).toISOString();
  return singleLine(`${time} ${LEVEL_NAMES[record.level]} ${category}: ${text}${tail}`);
}

/**
 * An event as a line of the log: its name and its fields, `key=value`. Values with spaces or quotes are quoted, so that a
 * peer's words cannot pass for a field.
 */
export function formatEvent(category: string, event: string, fields: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "");
  const tail = shown.map(([name, value]) => ` ${name}=${quoteWords(String(value))}`).join("");
  return singleLine(`${new Date().toISOString()} INFO ${category}: ${event}${tail}`);
}

function quoteWords(text: string): string {
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

function* placeholders(raw: LogRecord["rawMessage"]): Iterable<string> {
  if (typeof raw === "string") { for (const [, name] of raw.matchAll(/\{([^{}]+)\}/g)) yield name; }
}

function show(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** A peer that gets a line break into a message must not get a line of its own into the log, nor drive the terminal. */
function singleLine(line: string): string {
  // deno-lint-ignore no-control-regex
  return line.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

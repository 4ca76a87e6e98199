/**
 * What a test's code logs, kept line by line.
 *
 * @module
 */
import { configure, reset } from "@logtape/logtape";

/** Log lines, as JSON of message and properties; until disposed of, they go nowhere else. */
export interface KeptLogs extends AsyncDisposable {
  /** The lines so far. */
  readonly lines: readonly string[];
}

/** Keeps every line of every level. */
export async function keepLogs(): Promise<KeptLogs> {
  const lines: string[] = [];
  await configure({
    reset: true,
    sinks: { kept: (record) => void lines.push(JSON.stringify([record.message, record.properties])) },
    loggers: [
      { category: ["alknet"], sinks: ["kept"], lowestLevel: "trace" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "error" },
    ],
  });
  return { lines, [Symbol.asyncDispose]: () => reset() };
}

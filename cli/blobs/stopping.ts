/**
 * Work that ctrl-C ends.
 *
 * @module
 */
import { note } from "../terminal/output.ts";
import { StopSignals } from "../terminal/signals.ts";
import type { TransferLine } from "./transfer_line.ts";

/** Does work until it is done, or the operator has enough: then nothing, and a line that says how far it was. */
export async function untilStopped<T>(
  line: TransferLine,
  work: (signal: AbortSignal) => Promise<T>,
  again: "begins anew" | "goes on" = "begins anew",
): Promise<T | undefined> {
  using signals = new StopSignals();
  const stop = new AbortController();
  const stopped = signals.first.then(() => {
    stop.abort();
    return undefined;
  });
  const working = work(stop.signal);
  working.catch(() => {});
  try {
    const result = await Promise.race([working, stopped]);
    if (!stop.signal.aborted) return result;
    // What it opened is closed before the store is.
    await Promise.race([working.catch(() => {}), signals.second]);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  const percent = line.percent;
  line[Symbol.dispose]();
  note(`alknet: stopped${percent === undefined ? "" : ` at ${percent} %`}; the same command ${again}`);
  return undefined;
}

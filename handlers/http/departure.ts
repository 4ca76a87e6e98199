/**
 * Clients that leave before they are answered.
 *
 * @module
 */
import { WATCH_AFTER } from "./limits.ts";

/** How Deno begins what it prints once a process when an answered request had been watched, as if that were a mistake. */
const ADVICE = "Deno.serve: request.signal aborts on successful responses";

let quiet = false;

/**
 * Calls back once if the client leaves: closes its connection, or resets its h2 stream.
 *
 * @returns Ends the watch; to be called before the request is answered, for Deno calls an answer a departure too.
 */
export function watchDeparture(request: Request, left: () => void): () => void {
  let watched = false;
  const timer = setTimeout(() => {
    watched = true;
    silenceAdvice();
    if (request.signal.aborted) left();
    else request.signal.addEventListener("abort", left, { once: true });
  }, WATCH_AFTER);
  return () => {
    clearTimeout(timer);
    if (watched) request.signal.removeEventListener("abort", left);
  };
}

/** Keeps the one line of advice, and nothing else, from the operator, who can do nothing about it. */
function silenceAdvice(): void {
  if (quiet) return;
  quiet = true;
  const warn = console.warn;
  console.warn = (...data: unknown[]) => {
    if (typeof data[0] !== "string" || !data[0].startsWith(ADVICE)) return warn.apply(console, data);
    console.warn = warn;
  };
}

/**
 * Clients that leave before they are answered.
 *
 * @module
 */
/** How Deno begins what it prints once a process when an answered request had been watched, as if that were a mistake. */
const ADVICE = "Deno.serve: request.signal aborts on successful responses";

let quiet = false;

/** Turns of the microtask queue after which an `async` handler that waits for nothing has answered. */
const TURNS = 6;

/**
 * Calls back once if the client leaves: closes its connection, or resets its h2 stream.
 *
 * The signal of a request costs as much as a short call, so it is looked at only where the answer is not there at once;
 * but before the runtime reads from its sockets again, for it does not tell of a departure that is over.
 *
 * @returns Ends the watch; to be called before the request is answered, for Deno calls an answer a departure too.
 */
export function watchDeparture(request: Request, left: () => void): () => void {
  let over = false;
  let signal: AbortSignal | undefined;
  (async () => {
    for (let turn = 0; turn < TURNS && !over; turn++) await null;
    if (over) return;
    silenceAdvice();
    signal = request.signal;
    if (signal.aborted) left();
    else signal.addEventListener("abort", left, { once: true });
  })();
  return () => {
    over = true;
    signal?.removeEventListener("abort", left);
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

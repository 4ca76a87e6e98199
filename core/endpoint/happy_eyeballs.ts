/**
 * Which of a name's addresses to try, in which order and when (RFC 8305).
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { DialError } from "../errors.ts";
import { isIpAddress } from "../handler/address.ts";
import { canonicalIp } from "../ip.ts";

/** Milliseconds before the next address is tried beside those that have not answered (RFC 8305 §5). */
const ATTEMPT_DELAY = 250;

/**
 * All addresses of a host, the families in turn, beginning with that of the first address (RFC 8305 §4).
 *
 * @throws {DialError} `UNREACHABLE`: the name has none.
 */
export async function resolveHost(host: string): Promise<string[]> {
  if (isIpAddress(host)) return [canonicalIp(host)];
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    return interleaved(found.map(({ address, family }) => ({ address: canonicalIp(address), family })));
  } catch (cause) {
    throw new DialError("UNREACHABLE", `the name ${JSON.stringify(host)} cannot be resolved`, { cause });
  }
}

/** The families in turn; the order within each is kept. */
export function interleaved(found: readonly { readonly address: string; readonly family: number }[]): string[] {
  const first = found.filter(({ family }) => family === found[0].family);
  const second = found.filter(({ family }) => family !== found[0].family);
  const turns = first.flatMap((address, i) => second[i] ? [address, second[i]] : [address]);
  return [...new Set([...turns, ...second.slice(first.length)].map(({ address }) => address))];
}

/**
 * Tries addresses one after the other, the next when one fails or has not answered for a while, and gives the first
 * success. An answer that is a refusal ends it: the other addresses are the same host.
 *
 * @param attempt One attempt; its signal is aborted when another has won. What it still yields then is disposed of.
 * @throws {DialError} The refusal, or `UNREACHABLE` with what became of each address; or the reason of the signal.
 */
export async function firstToConnect<T extends AsyncDisposable>(
  addresses: readonly string[],
  attempt: (address: string, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const running = new Set<AbortController>();
  const attempts: Promise<void>[] = [];
  const failures: unknown[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let settled = false;
  let next = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settle = (end: () => void): void => {
    settled = true;
    clearTimeout(timer);
    end();
    for (const attempt of running) attempt.abort();
  };
  const start = (): void => {
    clearTimeout(timer);
    if (settled || next >= addresses.length) return;
    const address = addresses[next++];
    if (next < addresses.length) timer = setTimeout(start, ATTEMPT_DELAY);
    const own = new AbortController();
    running.add(own);
    const attempted = attempt(address, own.signal).then((won) => {
      running.delete(own);
      if (settled) return won[Symbol.asyncDispose]().then(() => {});
      settle(() => resolve(won));
    }, (error) => {
      running.delete(own);
      if (settled) return;
      failures.push(error);
      const final = !(error instanceof DialError) || error.answered;
      if (final) settle(() => reject(error));
      else if (failures.length === addresses.length) settle(() => reject(allFailed(failures)));
      else start();
    });
    attempts.push(attempted);
  };
  const abort = (): void => settle(() => reject(signal.reason));
  if (signal.aborted) throw signal.reason;
  signal.addEventListener("abort", abort);
  start();
  try {
    return await promise;
  } catch (error) {
    // Every attempt has been told to stop; when they have, nothing is left open.
    await Promise.all(attempts);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function allFailed(failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  const why = failures.map((failure) => (failure as Error).message).join("; ");
  return new DialError("UNREACHABLE", why, { cause: new AggregateError(failures) });
}

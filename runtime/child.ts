/**
 * The process of one guest: it has no permission, and knows the host by its standard input and output alone.
 *
 * @module
 */
import { decodeCrossing, encodeCrossing } from "./crossing.ts";
import { provideEngine } from "./engine.ts";
import { GuestError } from "./errors.ts";
import { type Frame, framePieces, readFrames } from "./frames.ts";
import type { GrantedOperation } from "./guest.ts";
import { Isolate } from "./isolate.ts";
import { DEFAULT_LIMITS, type GuestLimits } from "./limits.ts";
import { prepare, type Prepared } from "./prepared.ts";

/** The host kills a guest whose process falls silent during a run. */
const BEAT = 100;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  const send = (head: Frame["head"], buffers?: readonly Uint8Array[]) => {
    for (const piece of framePieces(head, buffers)) writer.write(piece).catch(() => Deno.exit(1));
  };
  const answers = new Map<number, PromiseWithResolvers<unknown>>();
  const aborts = new Map<number, AbortController>();
  const subscriptions = new Map<number, AsyncGenerator>();
  let last = 0;
  let isolate: Isolate | undefined;
  let ready: Prepared | undefined;

  const ask = (kind: string, name: string, input: unknown, signal?: AbortSignal): Promise<unknown> => {
    const id = ++last;
    const answer = Promise.withResolvers<unknown>();
    answers.set(id, answer);
    const { text, buffers } = encodeCrossing(input);
    send({ t: "ask", id, kind, name, text }, buffers);
    const forget = () => {
      if (!answers.delete(id)) return;
      send({ t: "forget", id });
      answer.reject(new GuestError("E_ABORTED", "the call was aborted"));
    };
    signal?.addEventListener("abort", forget);
    return answer.promise.finally(() => signal?.removeEventListener("abort", forget));
  };
  const begin = async ({ head, buffers }: Frame) => {
    provideEngine(buffers[0]);
    if (head.warm !== true) return;
    using first = await Isolate.create();
    await first.evaluate("1").catch(() => {});
    ready = await prepare(DEFAULT_LIMITS.memory);
  };
  const boot = async ({ head }: Frame) => {
    const host = {
      log: (level: string, text: string) => send({ t: "log", level, text }),
      call: (name: string, input: unknown, signal: AbortSignal) => ask("call", name, input, signal),
      reach: (door: string, input: unknown, signal: AbortSignal) => ask("reach", door, input, signal),
      open: (name: string, input: unknown, signal: AbortSignal) => ask("open", name, input, signal) as Promise<number>,
      next: (at: number, signal: AbortSignal) =>
        ask("next", "", at, signal) as Promise<{ done: boolean; value: unknown }>,
      end: (at: number) => ask("end", "", at) as Promise<void>,
    };
    isolate = await Isolate.create({
      limits: head.limits as Partial<GuestLimits>,
      operations: head.operations as readonly GrantedOperation[],
      doors: head.doors as readonly string[],
      host,
    }, ready);
    setInterval(() => send({ t: "beat" }), BEAT);
    send({ t: "ready" });
  };
  const work = (guest: Isolate, { head, buffers }: Frame, signal: AbortSignal): unknown => {
    const { kind, name = "", text = "null", file, id } = head as Record<string, string>;
    if (kind === "module") return guest.addModule(name, text);
    if (kind === "evaluate") return guest.evaluate(text, { file, signal, show: head.show === true });
    if (kind === "run") return guest.runModule(name, { signal });
    const input = decodeCrossing({ text, buffers });
    if (kind === "invoke") return guest.invoke(name, input, { signal });
    if (kind === "subscribe") return void subscriptions.set(Number(id), guest.subscribe(name, input));
    const subscription = subscriptions.get(input as number);
    if (kind === "close") return subscription?.return(undefined).then(() => subscriptions.delete(input as number));
    return subscription?.next().then(({ done, value }) => ({ done: done === true, value: value ?? null }));
  };
  const serve = async (frame: Frame) => {
    const id = frame.head.id as number;
    const abort = new AbortController();
    aborts.set(id, abort);
    try {
      const value = await work(isolate!, frame, abort.signal);
      const { text, buffers } = encodeCrossing(value);
      send({ t: "done", id, text, operations: isolate!.operations }, buffers);
    } catch (error) {
      const { code, message, position, thrown } = error instanceof GuestError
        ? error
        : { code: "E_POISONED", message: "the guest failed", position: undefined, thrown: undefined };
      send({ t: "fail", id, code, message, position, thrown });
    } finally {
      aborts.delete(id);
    }
  };
  const answered = ({ head, buffers }: Frame) => {
    const answer = answers.get(head.id as number);
    answers.delete(head.id as number);
    if (head.ok) answer?.resolve(decodeCrossing({ text: head.text as string, buffers }));
    else answer?.reject(new GuestError(head.code as "E_GUEST", head.message as string));
  };

  for await (const frame of readFrames(Deno.stdin.readable)) {
    if (frame.head.t === "engine") await begin(frame);
    else if (frame.head.t === "boot") await boot(frame);
    else if (frame.head.t === "work") serve(frame);
    else if (frame.head.t === "answer") answered(frame);
    else aborts.get(frame.head.id as number)?.abort();
  }
  Deno.exit(0);
}

/**
 * What stands between a store and its server of S3 and does to requests and answers what a test wants.
 *
 * @module
 */
import { request } from "node:http";
import type { S3Server } from "../../../support/s3.ts";
import type { BucketOptions } from "@alknet/handlers/fs";

/** A request on its way. */
export interface Seen {
  /** `GET` and so on. */
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Headers. */
  readonly headers: Headers;
}

/** What is done to a request: it is answered instead, or its answer is changed; nothing, it passes. */
export type Fault =
  | { readonly status: number; readonly code?: string; readonly location?: string }
  | { readonly flip: number }
  | { readonly cut: number }
  | { readonly body: Uint8Array }
  | { readonly headers: Readonly<Record<string, string>> }
  /** It passes, and no answer comes. */
  | "lost"
  | "stall";

/** It runs until it is disposed of. */
export interface Faulty extends AsyncDisposable {
  /** What is done. May be set anew at any time. */
  rule: (seen: Seen) => Fault | undefined | Promise<Fault | undefined>;
  /** What came through. */
  readonly seen: Seen[];
  /** Until nothing that came through is under way any more, whoever asked for it. */
  quiet(): Promise<void>;
  /** Options of the bucket behind it. */
  options(changes?: Partial<BucketOptions>): BucketOptions;
}

/** Stands before a server. */
export function faulty(server: S3Server): Faulty {
  const stop = new AbortController();
  const passing = new Set<Promise<unknown>>();
  const front: Faulty = {
    rule: () => undefined,
    seen: [],
    async quiet() {
      while (passing.size > 0) await Promise.allSettled([...passing]);
    },
    options: (changes) => server.options({ endpoint: `http://127.0.0.1:${listener.addr.port}`, ...changes }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await listener.finished;
    },
  };
  const listener = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen: () => {}, onError: () => new Response(null) },
    async (incoming) => {
      const url = new URL(incoming.url);
      const seen = { method: incoming.method, path: url.pathname + url.search, headers: incoming.headers };
      front.seen.push(seen);
      const body = await incoming.bytes();
      const fault = await front.rule(seen);
      if (fault === "stall") return await never(stop.signal);
      if (fault && typeof fault === "object" && "status" in fault) {
        const text = `<Error><Code>${fault.code ?? "InternalError"}</Code><Message>as told</Message></Error>`;
        const headers: Record<string, string> = fault.location === undefined ? {} : { location: fault.location };
        return new Response(incoming.method === "HEAD" ? null : text, { status: fault.status, headers });
      }
      const pass = passed(server, seen, body);
      passing.add(pass);
      const answer = await pass.finally(() => passing.delete(pass));
      if (fault === "lost") return changed({ status: 200, headers: new Headers(), body: new Uint8Array() }, { cut: 0 });
      return changed(answer, fault);
    },
  );
  return front;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

/** As it came: the name of the host is signed. */
function passed(server: S3Server, { method, path, headers }: Seen, body: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.endpoint);
    const sent = request(
      { hostname, port, method, path, headers: Object.fromEntries(headers), agent: false },
      (answer) => {
        const parts: Uint8Array[] = [];
        answer.on("data", (part: Uint8Array) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", async () => {
          const had = new Headers();
          for (const [name, value] of Object.entries(answer.headers)) {
            if (name !== "connection") had.set(name, String(value));
          }
          const status = answer.statusCode!;
          const none = method === "HEAD" || status === 204 || status === 304;
          const bytes = none ? null : await new Blob(parts as BlobPart[]).bytes();
          resolve({ status, headers: had, body: bytes });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

function changed({ status, headers, body }: Answer, fault: Exclude<Fault, string> | undefined): Response {
  if (!fault || body === null) return new Response(body, { status, headers });
  if ("headers" in fault) { for (const [name, value] of Object.entries(fault.headers)) headers.set(name, value); }
  if ("flip" in fault && fault.flip < body.byteLength) body[fault.flip] ^= 1;
  if ("body" in fault) {
    headers.delete("content-length");
    return new Response(fault.body as Uint8Array<ArrayBuffer>, { status, headers });
  }
  if (!("cut" in fault)) return new Response(body, { status, headers });
  let sent = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (sent) return controller.error(new Error("cut"));
      sent = true;
      controller.enqueue(body.subarray(0, fault.cut));
    },
  });
  return new Response(stream, { status, headers });
}

function never(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(new Error("nobody answers"));
    signal.addEventListener("abort", () => reject(new Error("nobody answers")), { once: true });
  });
}

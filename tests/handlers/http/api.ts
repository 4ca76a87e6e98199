/**
 * Asks the HTTP projection through curl, over every way to it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { HttpOptions } from "@alknet/handlers/http";
import { needs } from "../../support/programs.ts";
import { type Served, type Way, WAYS } from "./fronts.ts";
import { testApi, Tokens } from "./operations.ts";
import { curl, type CurlAnswer } from "./support.ts";

/** How a subscription that was asked for by GET says that it is over (http.md §6). */
export const END = "id: end\nevent: end\ndata: {}\n\n";

/** What a request is made of. */
export interface Asked {
  /** Sent as bearer token. */
  readonly token?: string;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  /** Default: `GET`, and `POST` with a body. */
  readonly method?: string;
  /** Header lines. */
  readonly headers?: readonly string[];
}

/** A way to the operations, and curl on it. */
export interface Api {
  /** The way. */
  readonly way: Way;
  /** Where it leads. */
  readonly served: Served;
  /** Whose tokens count. */
  readonly tokens: Tokens;
  /** Asks. */
  ask(target: string, asked?: Asked): Promise<CurlAnswer>;
}

/** A row of the conformance table. */
export interface ApiCase {
  /** Symbol, behaviour and row. */
  readonly title: string;
  /** Asks, and holds the answers to the row. */
  run(api: Api): Promise<void>;
}

/** One test for each way, in which every case is a step on the same server. */
export function apiSuite(name: string, cases: readonly ApiCase[], options: () => HttpOptions = () => ({})): void {
  for (const way of WAYS) {
    Deno.test({
      name: `${way.name}: ${name}`,
      ...needs("curl"),
      async fn(t) {
        const tokens = new Tokens();
        await using served = await way.serve(testApi(options()), tokens);
        const api: Api = { way, served, tokens, ask: (target, asked) => ask(way, served, target, asked) };
        for (const { title, run } of cases) await t.step(title, () => run(api));
      },
    });
  }
}

/** Asks one thing with curl. */
export async function ask(way: Way, { base }: Served, target: string, asked: Asked = {}): Promise<CurlAnswer> {
  const { token, body, method, headers = [] } = asked;
  const args = [...way.curl, ...headers.flatMap((line) => ["--header", line])];
  if (token !== undefined) args.push("--header", `Authorization: Bearer ${token}`);
  if (body !== undefined) {
    args.push("--data-binary", typeof body === "string" ? body : JSON.stringify(body));
    if (!headers.some((line) => /^content-type[:;]/i.test(line))) {
      args.push("--header", "Content-Type: application/json");
    }
  }
  if (method === "HEAD") args.push("--head");
  else if (method !== undefined) args.push("--request", method);
  const answer = await curl([...args, base + target]);
  assert.equal(answer.version, way.version);
  return answer;
}

/** The status of an answer, and its body as JSON. */
export function told({ status, body }: CurlAnswer): [number, unknown] {
  return [status, JSON.parse(body)];
}

/** Asserts that an answer is an error of the API. */
export function assertError(answer: CurlAnswer, status: number, code: string, message?: string | RegExp): void {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.headers["content-type"], "application/json");
  const error = JSON.parse(answer.body);
  assert.equal(error.code, code);
  assert.equal(typeof error.retryable, "boolean");
  if (message instanceof RegExp) assert.match(error.message, message);
  else if (message !== undefined) assert.equal(error.message, message);
}

/**
 * A foreign HTTP service, and a dispatcher that composes what was imported from it.
 *
 * @module
 */
import {
  type Capabilities,
  capabilitiesOf,
  type Clock,
  Dispatcher,
  type HandlerRegistration,
  type JsonValue,
  nodeRegistry,
  operation,
  provide,
} from "@alknet/core/operations";
import Type from "typebox";

/** A request as the service saw it. */
export interface Seen {
  /** Method, a space, and the target as it was sent. */
  readonly line: string;
  /** Its headers. */
  readonly headers: Headers;
  /** Its body. */
  readonly body: string;
}

/** A service that answers as told and remembers what it was asked. */
export class Service implements AsyncDisposable {
  /** Requests so far. */
  readonly seen: Seen[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param answer Given the number of the request, from 0. */
  constructor(answer: (request: Request, n: number) => Response | Promise<Response>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const n = this.seen.length;
      const target = request.url.slice(request.url.indexOf("/", 8));
      const entry = { line: `${request.method} ${target}`, headers: request.headers, body: "" };
      this.seen.push(entry);
      entry.body = await request.text();
      return await answer(request, n);
    });
  }

  /** Without a slash at the end. */
  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A dispatcher whose `compose/any` calls an imported operation. */
export function composing(
  imported: readonly HandlerRegistration[],
  capabilities: Capabilities = capabilitiesOf({}),
  clock?: Clock,
): Dispatcher {
  const any = operation({
    name: "compose/any",
    type: "query",
    input: Type.Object({ name: Type.String(), input: Type.Unknown() }),
    output: Type.Unknown(),
    errors: {
      HTTP_404: { description: "", httpStatus: 404 },
      HTTP_503: { description: "" },
      HTTP_409: { description: "" },
    },
  });
  const names = imported.map(({ spec }) => spec.name);
  const local = provide(any, ({ name, input }, context) => context.invoke(name, input as JsonValue), {
    authority: { label: "compose", scopes: [], resources: {} },
    scope: { allowedOps: new Set(names), peerPinned: new Set() },
  });
  const bundles = imported.map((registration) => ({ ...registration, capabilities }));
  return new Dispatcher({ registry: nodeRegistry([local, ...bundles]), clock });
}

/** Composes one call. */
export function compose(
  dispatcher: Dispatcher,
  name: string,
  input: unknown,
  signal?: AbortSignal,
): Promise<JsonValue> {
  return dispatcher.call({ operation: "compose/any", input: { name, input: input as JsonValue } }, signal);
}

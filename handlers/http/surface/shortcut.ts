/**
 * The way of calls at their own paths around the routes.
 *
 * Routes come first (http.md §3), so a path goes this way only if no route, and no middleware, would see it; that is found
 * out once for each operation. To ask the router and to be told that nothing fits costs as much as the call.
 *
 * @module
 */
import type { Dispatcher, OperationSpec } from "@alknet/core/operations";
import type { RequestBindings } from "../request/bindings.ts";
import { answerDirectly } from "./direct.ts";
import type { HttpLimits } from "../limits.ts";
import type { HttpApp } from "../request/env.ts";
import { rawPath } from "../request/raw_path.ts";

/** What answers requests. */
export interface Answerer {
  /** Answers one. */
  fetch(request: Request, bindings: RequestBindings): Response | Promise<Response>;
}

/** Methods that most calls come by; `HEAD` is the application's to make of `GET`. */
const METHODS = ["GET", "POST"];

/** The application, with a shortcut to operations that it has no routes for. Routes that are added later are not seen. */
export function withShortcut(app: HttpApp, dispatcher: Dispatcher, limits: HttpLimits): Answerer {
  const found = new WeakMap<OperationSpec, ReadonlySet<string>>();
  const open = (spec: OperationSpec, path: string): ReadonlySet<string> => {
    let methods = found.get(spec);
    if (!methods) {
      methods = new Set(METHODS.filter((method) => app.router.match(method, path)[0].length === 0));
      found.set(spec, methods);
    }
    return methods;
  };
  return {
    fetch(request, bindings) {
      const path = rawPath(request.url);
      const spec = dispatcher.registry.find(path.slice(1))?.spec;
      const answer = spec && open(spec, path).has(request.method)
        ? answerDirectly(request, bindings, dispatcher, limits)
        : undefined;
      return answer ?? app.fetch(request, bindings);
    },
  };
}

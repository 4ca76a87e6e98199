/**
 * What every route is given.
 *
 * @module
 */
import type { Hono } from "hono";
import type { RequestBindings } from "./bindings.ts";

/** What routes find on Hono's context. */
export interface HttpEnv {
  /** `c.env`. */
  Bindings: RequestBindings;
}

/** The Hono application to which a deployment adds its routes. */
export type HttpApp = Hono<HttpEnv>;

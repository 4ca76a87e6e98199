/**
 * The operations of the repositories of a node: `git/…` (git.md §9).
 *
 * @module
 */
import type { HandlerRegistration } from "@alknet/core/operations";
import type { OperationParts } from "./asking.ts";
import { mirroringOperations } from "./mirroring.ts";
import { movingOperations } from "./moving.ts";
import { owningOperations } from "./owning.ts";
import { readingOperations } from "./reading.ts";

/** All of them. Whoever is known or not may call them: each looks at the caller's right to the repository. */
export function gitOperations(all: OperationParts): HandlerRegistration[] {
  return [...readingOperations(all), ...movingOperations(all), ...owningOperations(all), ...mirroringOperations(all)];
}

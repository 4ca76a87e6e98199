/**
 * `ls-refs`: its arguments and its answer (gitprotocol-v2, "ls-refs").
 *
 * ```text
 * 00504cbf…f3ff HEAD symref-target:refs/heads/main\n
 * 006acff7…9dd8 refs/tags/v1 peeled:7cb1…bc49\n
 * ```
 *
 * @module
 */
import { malformed } from "../errors.ts";
import { shown } from "./command.ts";

/** From so many prefixes on, all refs are shown. */
const MOST_PREFIXES = 65_536;

/** What is asked of the refs. */
export interface LsRefs {
  /** Show what annotated tags point at. */
  readonly peel: boolean;
  /** Show what symbolic refs point at. */
  readonly symrefs: boolean;
  /** Show a HEAD whose branch is not there yet. */
  readonly unborn: boolean;
  /** Only refs that begin with one of these; empty: all. */
  readonly prefixes: readonly string[];
}

/** A ref to show. */
export interface ShownRef {
  /** Its full name, or `HEAD`. */
  readonly name: string;
  /** What it points at; nothing: unborn. */
  readonly oid?: string;
  /** What the tag it points at is a tag of, in the end. */
  readonly peeled?: string;
  /** The ref that it stands for. */
  readonly symref?: string;
}

/**
 * Reads the arguments.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`: one is unknown.
 */
export function parseLsRefs(args: readonly string[]): LsRefs {
  const request = { peel: false, symrefs: false, unborn: false, prefixes: [] as string[] };
  for (const arg of args) {
    if (arg === "peel" || arg === "symrefs" || arg === "unborn") request[arg] = true;
    else if (arg.startsWith("ref-prefix ")) request.prefixes.push(arg.slice("ref-prefix ".length));
    else throw malformed(`unexpected line: '${shown(arg)}'`);
  }
  if (request.prefixes.length >= MOST_PREFIXES) request.prefixes = [];
  return request;
}

/** The line of one ref, as `request` wants it. */
export function refLine({ name, oid, peeled, symref }: ShownRef, request: LsRefs): string {
  const target = request.symrefs && symref !== undefined ? ` symref-target:${symref}` : "";
  return `${oid ?? "unborn"} ${name}${target}${request.peel && peeled !== undefined ? ` peeled:${peeled}` : ""}`;
}

/**
 * `object-info`: its arguments and its answer (gitprotocol-v2, "object-info").
 *
 * ```text
 * size\n  oid <oid>\n …          asked
 * size\n  <oid> 138\n  <oid> \n   answered; the last one is not there
 * ```
 *
 * @module
 */
import { malformed } from "../errors.ts";
import { shown } from "./command.ts";

/** What is asked of objects. */
export interface ObjectInfo {
  /** Their sizes. */
  readonly size: boolean;
  /** Which ones, in order. */
  readonly oids: readonly string[];
}

const OID = /^oid ([0-9a-f]{40})$/;

/**
 * Reads the arguments.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`: one is unknown.
 */
export function parseObjectInfo(args: readonly string[]): ObjectInfo {
  let size = false;
  const oids: string[] = [];
  for (const arg of args) {
    const oid = OID.exec(arg)?.[1];
    if (oid !== undefined) oids.push(oid);
    else if (arg === "size") size = true;
    else throw malformed(`object-info: unexpected line: '${shown(arg)}'`);
  }
  return { size, oids };
}

/** The line of one object; without a size where it is not there. */
export function sizeLine(oid: string, size: number | undefined): string {
  return `${oid} ${size ?? ""}`;
}

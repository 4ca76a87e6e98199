/**
 * What `deno task check` makes of the output of the documentation linter.
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { complaintsOfDoc } from "./check.ts";

const LOOKED_UP = "Download packages/hono\nDownload packages/typebox\n";

Deno.test("complaintsOfDoc: looked-up packages and complaints about a dependency's types are none of ours", () => {
  equal(complaintsOfDoc(LOOKED_UP + foreign() + found(1)), "");
  equal(complaintsOfDoc(foreign() + foreign() + found(2)), "");
});

Deno.test("complaintsOfDoc: a complaint about a file of the project counts, and it alone", () => {
  for (const before of [LOOKED_UP, ""]) {
    equal(complaintsOfDoc(before + foreign() + own() + foreign() + found(3)), own());
    equal(complaintsOfDoc(before + own() + foreign() + found(2)), own());
    equal(complaintsOfDoc(before + own() + own() + found(2)), own() + own());
  }
});

Deno.test("complaintsOfDoc: a linter that failed for another reason has failed", () => {
  match(complaintsOfDoc('error: Module not found "core/gone.ts".\n'), /Module not found/);
  match(complaintsOfDoc("thread 'main' panicked\n"), /panicked/);
});

function own(): string {
  return complaint("missing-jsdoc", "exported symbol is missing JSDoc documentation", "/somewhere/core/mod.ts:3:1");
}

function foreign(): string {
  const file = "/cache/npm/registry.example/hono/4.13.19/dist/types/hono.d.ts:12:1";
  return complaint("private-type-ref", "public type 'Hono' references private type 'Env'", file);
}

function complaint(rule: string, what: string, where: string): string {
  return `error[${rule}]: ${what}\n  --> ${where}\n   | \n12 | export declare class Hono {}\n   | ^\n\n\n`;
}

function found(count: number): string {
  return `error: Found ${count} documentation lint errors.\n\nStack backtrace:\n   0: <unknown>\n`;
}

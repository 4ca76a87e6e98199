import assert from "node:assert/strict";
import { type ByteRange, isFresh, requestedRange } from "../../../handlers/http/decoy/static_range.ts";

const MODIFIED = Date.parse("2026-01-02T03:04:05.678Z");
const VALIDATORS = { etag: '"abc"', modified: MODIFIED };
const DATE = "Fri, 02 Jan 2026 03:04:05 GMT";
const SIZE = 100;

const RANGES: [range: string, expected: ByteRange | "unsatisfiable" | undefined][] = [
  ["bytes=0-0", { first: 0, last: 0 }],
  ["bytes=10-19", { first: 10, last: 19 }],
  ["Bytes=90-", { first: 90, last: 99 }],
  ["bytes=90-1000", { first: 90, last: 99 }],
  ["bytes=-5", { first: 95, last: 99 }],
  ["bytes=-1000", { first: 0, last: 99 }],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=999999999999999-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=5-4", undefined],
  ["bytes=-", undefined],
  ["bytes=0-1,3-4", undefined],
  ["bytes=a-b", undefined],
  ["bytes=--1", undefined],
  ["lines=0-1", undefined],
  ["bytes=99999999999999999999-", undefined],
];

for (const [range, expected] of RANGES) {
  Deno.test(`requestedRange of ${range} (RFC 9110 §14.1.2)`, () => {
    assert.deepEqual(requestedRange(new Headers({ range }), SIZE, VALIDATORS), expected);
  });
}

Deno.test("requestedRange of an empty file is never satisfiable (RFC 9110 §14.1.2)", () => {
  for (const range of ["bytes=0-", "bytes=-1"]) {
    assert.equal(requestedRange(new Headers({ range }), 0, VALIDATORS), "unsatisfiable");
  }
});

Deno.test("requestedRange heeds If-Range, strongly (RFC 9110 §13.1.5)", () => {
  const table: [ifRange: string, honoured: boolean][] = [
    ['"abc"', true],
    ['"abd"', false],
    ['W/"abc"', false],
    [DATE, true],
    ["Fri, 02 Jan 2026 03:04:06 GMT", false],
    ["nonsense", false],
  ];
  for (const [ifRange, honoured] of table) {
    const headers = new Headers({ range: "bytes=1-2", "if-range": ifRange });
    assert.equal(requestedRange(headers, SIZE, VALIDATORS) !== undefined, honoured, ifRange);
  }
});

Deno.test("isFresh by tag, else by date (RFC 9110 §13.1.2, §13.1.3, §13.2.2)", () => {
  const table: [headers: Record<string, string>, fresh: boolean][] = [
    [{}, false],
    [{ "if-none-match": '"abc"' }, true],
    [{ "if-none-match": 'W/"abc"' }, true],
    [{ "if-none-match": '"x", "abc"' }, true],
    [{ "if-none-match": "*" }, true],
    [{ "if-none-match": '"x"' }, false],
    [{ "if-none-match": '"x"', "if-modified-since": DATE }, false],
    [{ "if-modified-since": DATE }, true],
    [{ "if-modified-since": "Fri, 02 Jan 2026 03:04:04 GMT" }, false],
    [{ "if-modified-since": "nonsense" }, false],
  ];
  for (const [headers, fresh] of table) {
    assert.equal(isFresh(new Headers(headers), VALIDATORS), fresh, JSON.stringify(headers));
  }
});

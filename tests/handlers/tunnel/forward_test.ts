/**
 * What stands behind `-L`, `-R` and `-D`, and how long to wait before dialling again.
 *
 * @module
 */
import { parseDynamic, parseForward, placeText } from "@alknet/handlers/tunnel";
import assert from "node:assert/strict";
import { backOff } from "../../../handlers/tunnel/back_off.ts";

const FORWARDS: readonly (readonly [text: string, listen: string, connect: string])[] = [
  ["5432:db.internal:5432", "127.0.0.1:5432", "db.internal:5432"],
  ["0:localhost:3000", "127.0.0.1:0", "localhost:3000"],
  ["0.0.0.0:80:web:8080", "0.0.0.0:80", "web:8080"],
  ["*:80:web:8080", "0.0.0.0:80", "web:8080"],
  [":80:web:8080", "0.0.0.0:80", "web:8080"],
  ["[::1]:80:[2001:db8::1]:8080", "[::1]:80", "[2001:db8::1]:8080"],
  ["80:[::1]:8080", "127.0.0.1:80", "[::1]:8080"],
  ["80:/run/app.sock", "127.0.0.1:80", "/run/app.sock"],
  ["10.0.0.1:80:/run/app.sock", "10.0.0.1:80", "/run/app.sock"],
  ["/tmp/here.sock:db:5432", "/tmp/here.sock", "db:5432"],
  ["/tmp/here.sock:/run/there.sock", "/tmp/here.sock", "/run/there.sock"],
];

for (const [text, listen, connect] of FORWARDS) {
  Deno.test(`parseForward(): ${text}`, () => {
    const forward = parseForward(text);
    assert.deepEqual([placeText(forward.listen), placeText(forward.connect)], [listen, connect]);
  });
}

for (
  const text of ["", "80", "80:web", "80:web:", "80:web:0", "80:web:65536", "x:web:80", "1:2:3:4:5", "80::80", "-1:a:1"]
) {
  Deno.test(`parseForward(): ${JSON.stringify(text)} is refused, and named`, () => {
    assert.throws(() => parseForward(text), (error: Error) => {
      return error instanceof RangeError && error.message.includes(JSON.stringify(text));
    });
  });
}

Deno.test("parseDynamic(): a port, and where", () => {
  assert.equal(placeText(parseDynamic("1080")), "127.0.0.1:1080");
  assert.equal(placeText(parseDynamic("[::1]:0")), "[::1]:0");
  for (const text of ["", "a", "1:2:3", "70000"]) assert.throws(() => parseDynamic(text), RangeError);
});

Deno.test("backOff(): doubles from 1 s to 30 s, less up to half (ssh.md, Tunnel client)", () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => backOff(failures, 0));
  assert.deepEqual(longest, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(backOff(1, 1), 500);
});

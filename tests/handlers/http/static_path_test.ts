import assert from "node:assert/strict";
import { canonicalPath } from "../../../handlers/http/decoy/static_path.ts";
import { rawPath } from "../../../handlers/http/request/raw_path.ts";

const ACCEPTED: [raw: string, names: string[], folder: boolean][] = [
  ["/", [], true],
  ["/index.html", ["index.html"], false],
  ["/a/b/", ["a", "b"], true],
  ["/with%20space.txt", ["with space.txt"], false],
  ["/gr%C3%BC%C3%9Fe", ["grüße"], false],
  // Decoded once: a name that holds a percent sign, not a dot.
  ["/%252e%252e", ["%2e%2e"], false],
  ["/a..b", ["a..b"], false],
  ["/console/command", ["console", "command"], false],
];

const REFUSED: Record<string, string[]> = {
  "parent and self": ["/..", "/../x", "/a/../b", "/a/..", "/.", "/./x", "/...", "/..;/x"],
  "encoded parent": ["/%2e%2e/x", "/.%2e/x", "/%2E./x", "/a/%2e%2e/%2e%2e/x", "/%2e"],
  "encoded separators": ["/..%2fx", "/a%2fb", "/..%5cx", "/a%5Cb", "/%2f", "/%2fetc%2fpasswd"],
  "raw backslash": ["/\\..\\x", "/a\\b"],
  "empty names": ["//", "//x", "/a//b", "//evil.example/x"],
  "control characters": ["/a%00", "/a%00.html", "/%0a", "/a%1f", "/a%7f", "/a%c2%85"],
  "hidden": ["/.git/config", "/a/.env", "/%2egit/config", "/.well-known"],
  "malformed encoding": ["/%", "/%2", "/%zz", "/%c0%ae%c0%ae/x", "/%c0%af", "/%e0%80%ae", "/%ed%a0%80", "/%u002e"],
  "not printable ASCII": ["/é", "/a b", "/a\tb"],
  "not a path": ["", "x", "*", "http://x/"],
  "Windows": [
    "/C:/x",
    "/c%3a/x",
    "/a.txt::$DATA",
    "/con",
    "/NUL.txt",
    "/a/Com1",
    "/lpt9.log",
    "/aux.",
    "/COM%C2%B9",
    "/a.",
    "/a%20",
    "/a.html%2e",
    "/GIT~1/config",
    "/a*",
    "/a%3c",
    "/%3fx",
  ],
  "too long": [`/${"a".repeat(256)}`, `/${"%C3%A9".repeat(128)}`, "/a".repeat(2100)],
};

for (const [raw, names, folder] of ACCEPTED) {
  Deno.test(`canonicalPath accepts ${raw}`, () => assert.deepEqual(canonicalPath(raw), { names, folder }));
}

for (const [why, paths] of Object.entries(REFUSED)) {
  Deno.test(`canonicalPath refuses ${why} (http.md §8.4)`, () => {
    for (const path of paths) assert.equal(canonicalPath(path), undefined, path);
  });
}

Deno.test("rawPath keeps the path as it was written", () => {
  const table: [url: string, path: string][] = [
    ["http://h/a/../b?c#d", "/a/../b"],
    ["http://h", "/"],
    ["http://h//x", "//x"],
    ["http://h/a#b?c", "/a"],
    ["http://h:80/%2e%2e\\x", "/%2e%2e\\x"],
    ["http://h?x=/y", "/y"],
  ];
  for (const [url, path] of table) assert.equal(rawPath(url), path, url);
});

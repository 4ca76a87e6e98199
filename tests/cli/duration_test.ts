/**
 * Durations of the command line.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { formatBytes } from "../../cli/serving/dashboard.ts";
import { formatDuration, parseDuration } from "../../cli/grammar/duration.ts";

const DURATIONS: readonly (readonly [string, number | undefined])[] = [
  ["250ms", 250],
  ["1.5s", 1500],
  ["10m", 600_000],
  ["12h", 43_200_000],
  ["30d", 2_592_000_000],
  ["2w", 1_209_600_000],
  ["0s", 0],
  ["30", undefined],
  ["", undefined],
  ["-1s", undefined],
  ["1 s", undefined],
  ["1S", undefined],
  ["1e3s", undefined],
  ["99999999999999999999w", undefined],
  ["5214w", 3_153_427_200_000],
  ["5215w", undefined],
  ["14800000w", undefined],
];

for (const [text, expected] of DURATIONS) {
  Deno.test(`parseDuration() of ${JSON.stringify(text)} is ${expected}`, () => equal(parseDuration(text), expected));
}

Deno.test("formatDuration() takes the largest unit that divides, and parseDuration() reads it back", () => {
  for (const [duration, text] of [[250, "250ms"], [90_000, "90s"], [3_600_000, "1h"], [1_209_600_000, "2w"]] as const) {
    equal(formatDuration(duration), text);
    equal(parseDuration(text), duration);
  }
});

Deno.test("formatBytes() never shows more than three digits before the point", () => {
  for (
    const [bytes, text] of [
      [0, "0 B"],
      [999, "999 B"],
      [1000, "1.0 kB"],
      [999_949, "999.9 kB"],
      [999_950, "1.0 MB"],
      [123_400_000, "123.4 MB"],
      [5e15, "5000.0 TB"],
    ] as const
  ) equal(formatBytes(bytes), text);
});

/**
 * The lines of the log: what fail2ban matches, and what a peer cannot do to them (core.md §13).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { logger } from "@alknet/core/handler";
import { resetSync } from "@logtape/logtape";
import { formatEvent, startLogging } from "../../cli/serving/log.ts";

function linesOf(write: () => void, level: "debug" | "info" = "info"): string[] {
  const lines: string[] = [];
  startLogging(level, (line) => lines.push(line));
  try {
    write();
  } finally {
    resetSync();
  }
  return lines;
}

Deno.test("startLogging() writes a refusal as fail2ban reads it (core.md §13)", () => {
  const [line] = linesOf(() =>
    logger("endpoint").warn("refused src={src} reason={reason}", { src: "192.0.2.7", reason: "connection-rate" })
  );
  match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN endpoint: refused src=192\.0\.2\.7 reason=connection-rate$/);
});

Deno.test("startLogging() adds the properties that the message does not show", () => {
  const [line] = linesOf(() =>
    logger("endpoint").with({ connection: "c1", alpn: "alknet/echo" }).warn("handler failed: {error}", { error: "x" })
  );
  match(line, / WARN endpoint: handler failed: x connection=c1 alpn=alknet\/echo$/);
});

Deno.test("startLogging() keeps what a peer sends on its line and out of the terminal", () => {
  const lines = linesOf(() => logger("endpoint").warn("no handler for {alpn}", { alpn: "a\nWARN forged\x1b[2J\x9b" }));
  equal(lines.length, 1);
  match(lines[0], /no handler for a\\x0aWARN forged\\x1b\[2J\\x9b$/);
});

Deno.test("startLogging() leaves out what is below the level", () => {
  const write = () => logger("endpoint").debug("detail");
  deepEqual(linesOf(write), []);
  equal(linesOf(write, "debug").length, 1);
});

Deno.test("formatEvent() keeps a peer's words in their field", () => {
  const reason = 'bye src=192.0.2.1"\nWARN forged \x1b[2J';
  const line = formatEvent("serve", "closed", { alpns: ["a", "b"], code: 0, reason, identity: undefined, empty: "" });
  match(line, /Z INFO serve: closed alpns=a,b code=0 reason="bye src=192\.0\.2\.1\\"\\nWARN forged \\u001b\[2J"$/);
});

/**
 * `alknet msg chat` on screens of two sizes, and what hostile text makes of it (msg.md §6; row 58).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { StoredMessage } from "@alknet/handlers/msg";
import { conversationLines, shownText } from "../../../cli/msg/chat/screen.ts";
import { needs } from "../../support/programs.ts";
import { CLI, QUICK_START, runProgram } from "../../support/process.ts";
import { seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { mailboxHome, personHome, well } from "./home.ts";

const by = ["--transport", "tls"];
const HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\u200b\r\nfake\x08\x08";

/** A program on a screen of its own. */
interface Screen extends AsyncDisposable {
  /** Waits until its text is as it has to be, and gives it. */
  until(seen: RegExp): Promise<string>;
  /** Types. */
  type(...keys: string[]): Promise<void>;
  /** Makes it another size. */
  resize(width: number, height: number): Promise<void>;
}

async function screen(folder: string, width: number, height: number, args: readonly string[]): Promise<Screen> {
  const tmux = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runProgram("tmux", ["-S", `${folder}/tmux`, "-f", "/dev/null", ...words]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const words = [Deno.execPath(), "run", "-A", CLI, ...args].map((word) => `'${word}'`).join(" ");
  await tmux(
    "-u",
    "new-session",
    "-d",
    "-x",
    `${width}`,
    "-y",
    `${height}`,
    // As users start it: started faster, its foot is missing on one screen in ten.
    `env -u ${Object.keys(QUICK_START)[0]} LC_ALL=C.UTF-8 ${words}; echo "ended $?"; cat`,
  );
  return {
    async until(seen) {
      // A guard against hanging, not a measurement.
      const end = Date.now() + 60_000;
      for (;;) {
        const text = await tmux("capture-pane", "-p");
        if (seen.test(text)) return text;
        assert.ok(Date.now() < end, `${seen} is not on the screen:\n${text}`);
      }
    },
    type: async (...keys) => void await tmux("send-keys", ...keys),
    resize: async (width, height) => void await tmux("resize-window", "-x", `${width}`, "-y", `${height}`),
    async [Symbol.asyncDispose]() {
      await tmux("kill-server");
    },
  };
}

for (const [width, height] of [[80, 24], [40, 10]]) {
  Deno.test({
    name:
      `alknet msg chat at ${width}×${height}: what comes and goes, marks of what became of it, hostile text as text; ctrl-D ends it (row 58)`,
    ...needs("tmux"),
    async fn() {
      await using post = await mailboxHome();
      await using node = await post.serve();
      const address = `${post.nodeId}@127.0.0.1:${node.port}`;
      await using ann = await personHome(address);
      await using bob = await personHome(address);
      await using folder = await temporaryFolder();
      await well(ann, ["contact", "add", "bob", await well(bob, ["id", ...by])]);
      await well(bob, ["contact", "add", "ann", await well(ann, ["id", ...by])]);
      await well(bob, ["send", "ann", "first", ...by]);
      await well(ann, ["sync", ...by]);
      await using chat = await screen(folder.path, width, height, ["msg", "chat", "bob", "--home", ann.path, ...by]);
      const first = await chat.until(/ bob {2}first\n(.*\n)*bob!> ?\n*$/);
      assert.match(first, /── \d{4}-\d\d-\d\d ──\n── unread ──\n\d\d:\d\d bob {2}first/);
      assert.equal(first.split("\n")[height - 1].trimEnd(), "bob!>");
      await chat.type("-l", "hello bob");
      await chat.type("Enter");
      await chat.until(/\d\d:\d\d ✓ {2}hello bob/);
      await well(bob, ["sync", ...by]);
      await chat.until(/\d\d:\d\d ✓✓ {2}hello bob/);
      // What is being typed stays when something comes.
      await chat.type("-l", "half a li");
      await well(bob, ["send", "ann", ...by], HOSTILE);
      const hostile = await chat.until(/\\u202egnp/);
      assert.match(hostile, /\\u001b\[2J\\u001b\]0;/);
      assert.match(hostile, /bob!> half a li\s*$/);
      assert.match(hostile, /hello bob/);
      await chat.resize(width === 80 ? 40 : 80, height);
      await chat.until(/\\u202egnp(.*\n)*bob!> half a li\s*$/);
      await chat.type("-l", "ne");
      await chat.type("Enter");
      await chat.until(/✓ {2}half a line/);
      await chat.type("C-d");
      const end = await chat.until(/ended 0/);
      assert.ok(!end.includes("hello bob"));
      assert.match(await well(bob, ["read", "--unread", ...by]), /half a line$/);
    },
  });
}

Deno.test("alknet msg chat: no line is wider than the screen, none holds a control, whatever was written; the last are shown", () => {
  const random = seeded("msg chat");
  const pieces = [
    "a",
    "日本",
    "👩‍👩‍👧",
    "e\u0301\u0301\u0301\u0301\u0301\u0301",
    "\x1b[31m",
    "\u202e",
    "\r\n",
    "\x9b",
    "\t",
    " ",
    "\ud800",
    "\u2028",
  ];
  const message = (text: string, n: number): StoredMessage => ({
    id: `${n}`,
    contact: "bob",
    request: false,
    mine: n % 2 === 0,
    at: n * 1e7,
    got: n * 1e7,
    state: "delivered",
    text,
  });
  for (let round = 0; round < 200; round++) {
    const texts = Array.from(
      { length: 1 + random.below(8) },
      () => Array.from({ length: random.below(60) }, () => random.pick(pieces)).join(""),
    );
    const [width, height] = [random.between(1, 90), random.between(1, 30)];
    const unread = new Set(["1"]);
    const lines = conversationLines(
      { messages: texts.map(message), who: "bob", unread, fault: "x\x1b[2J" },
      width,
      height,
    );
    assert.equal(lines.length, height);
    for (const line of lines) {
      // deno-lint-ignore no-control-regex -- those are what has to be absent.
      assert.ok(!/[\x00-\x1f\x7f-\x9f\u202e\u2028\u200d]/.test(line));
      const cells = [...line].reduce((sum, c) => sum + (/\p{M}/u.test(c) ? 0 : /[日本👩👧]/u.test(c) ? 2 : 1), 0);
      assert.ok(cells <= Math.max(width, 2), `${cells} > ${width}`);
    }
  }
  assert.equal(shownText("a\u200bb\u2066c"), "a\\u200bb\\u2066c");
});

Deno.test("alknet msg chat: without a terminal it says what else there is", async () => {
  await using post = await mailboxHome();
  const { code, stderr } = await post.run("msg", "chat", "bob");
  assert.deepEqual([code, /needs a terminal.*read --follow/.test(stderr)], [2, true]);
});

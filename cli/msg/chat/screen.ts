/**
 * What a conversation looks like on a screen: lines of plain text, none wider than the screen (msg.md §6, `msg chat`).
 *
 * @module
 */
import type { MessageState, StoredMessage } from "@alknet/handlers/msg";
import { visibleLine } from "../../terminal/visible.ts";

/** What is to be seen. */
export interface Conversation {
  /** Its messages, the oldest first. */
  readonly messages: readonly StoredMessage[];
  /** How the contact is called. */
  readonly who: string;
  /** Ids of those that were not shown before the conversation began. */
  readonly unread: ReadonlySet<string>;
  /** What went wrong last. */
  readonly fault?: string;
}

/** What has become of one's own. */
const MARKS: Readonly<Record<MessageState, string>> = {
  waiting: "·",
  stored: "✓",
  delivered: "✓✓",
  read: "✓✓ read",
  failed: "✗ not sent",
};
/** Characters that say nothing by themselves and reorder or hide what stands beside them. */
const HIDDEN = /[\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;
/** Characters that stand upon the one before them. */
const UPON = /^\p{M}$/u;
/** Characters that take two cells (UAX 11, wide). */
const WIDE = new RegExp(
  "^(?:\\p{Emoji_Presentation}|[\\u1100-\\u115f\\u2e80-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f" +
    "\\uff00-\\uff60\\uffe0-\\uffe6]|[\\u{1f300}-\\u{1faff}\\u{20000}-\\u{3fffd}])$",
  "u",
);
/** Characters upon another that are shown. */
const MOST_UPON = 4;

/**
 * The last lines of a conversation, as many as there is room for.
 *
 * @param width Cells.
 * @param height Lines.
 */
export function conversationLines(conversation: Conversation, width: number, height: number): string[] {
  const { messages, who, unread, fault } = conversation;
  const lines: string[] = [];
  let day = "";
  let isUnreadShown = false;
  for (const message of messages) {
    const { mine, at, got, state, text, file, id } = message;
    const date = new Date(Math.min(at, got));
    const on = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    if (on !== day) lines.push(...wrapped(`── ${on} ──`, width));
    day = on;
    if (!isUnreadShown && unread.has(id)) {
      lines.push(...wrapped("── unread ──", width));
      isUnreadShown = true;
    }
    const what = file ? `[file ${shownText(file.name)}, ${file.size} bytes, ${id}]` : shownText(text);
    const from = mine ? MARKS[state] : shownText(who);
    lines.push(...wrapped(`${two(date.getHours())}:${two(date.getMinutes())} ${from}  ${what}`, width));
  }
  if (fault !== undefined) lines.push(...wrapped(shownText(fault), width));
  const last = lines.slice(-height);
  return [...Array<string>(height - last.length).fill(""), ...last];
}

/** Text of another on one line: what drives a terminal, hides or reorders is escaped. */
export function shownText(text: string): string {
  return visibleLine(text).replace(
    HIDDEN,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}

/** A line as lines of a width. */
function wrapped(line: string, width: number): string[] {
  const lines: string[] = [];
  let [current, cells, upon] = ["", 0, 0];
  for (const character of line) {
    if (UPON.test(character)) {
      if (++upon <= MOST_UPON) current += character;
      continue;
    }
    const wide = WIDE.test(character) ? 2 : 1;
    if (cells + wide > width) {
      lines.push(current);
      [current, cells] = ["", 0];
    }
    current += character;
    cells += wide;
    upon = 0;
  }
  return [...lines, current];
}

function two(value: number): string {
  return `${value}`.padStart(2, "0");
}

/**
 * `alknet git log`, `show` and `files`: repositories read without git, here or at another node.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, jsonFlag } from "../../grammar/arguments.ts";
import { reachOptions } from "../../reaching/reach.ts";

const { transport, insecure, ca, timeout, home, passphraseFile, token, tokenFile } = reachOptions();
const SHARED = {
  target: argument(string({ metavar: "TARGET" }), {
    description: message`A folder, the name of a repository of this node, or ADDRESS/NAME at another.`,
  }),
  rev: optional(argument(string({ metavar: "REV" }), {
    description: message`A branch, a tag, an id or its beginning, with ~N and ^N. Default: HEAD.`,
  })),
  transport,
  insecure,
  ca,
  timeout,
  home,
  passphraseFile,
  token,
  tokenFile,
  config: configOption(),
  json: jsonFlag(),
};
const PATH = optional(option("--path", string({ metavar: "PATH" }), {
  description: message`Only what is there, from the root.`,
}));

/** `alknet git log TARGET [REV]`. */
export const logCommand: Command = command(
  "log",
  map(
    object({
      ...SHARED,
      number: withDefault(
        option("-n", "--number", integer({ metavar: "N", min: 1, max: 1000 }), {
          description: message`Commits at most. Default: 50.`,
        }),
        50,
      ),
      path: PATH,
    }),
    (options): Action => async () => (await import("../../git/reading.ts")).showLog(options),
  ),
  { brief: message`List commits: id, day, author, subject.` },
);

/** `alknet git show TARGET [REV]`. */
export const showCommand: Command = command(
  "show",
  map(object(SHARED), (options): Action => async () => (await import("../../git/reading.ts")).showCommit(options)),
  { brief: message`Show a commit, and the files that it changed.` },
);

/** `alknet git files TARGET [REV]`. */
export const filesCommand: Command = command(
  "files",
  map(
    object({ ...SHARED, path: PATH }),
    (options): Action => async () => (await import("../../git/reading.ts")).showFiles(options),
  ),
  { brief: message`List the files of a revision: mode, bytes, path.` },
);

/**
 * The arguments ADDRESS and OPERATION, of which the second completes to the operations of the node at the first.
 *
 * @module
 */
import { parseTarget } from "@alknet/core/address";
import { dependency, type DependencySource, deriveFromSync } from "@optique/core/dependency";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import { string, type ValueParser } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { locateHome } from "../home/home.ts";
import { checked } from "../grammar/arguments.ts";
import { TOKEN_FILE_TEXT } from "./reach.ts";

/** ADDRESS, OPERATION, and the options that say as whom to ask for names. */
export interface OperationParsers {
  /** `[NODEID@]HOST:PORT`. */
  readonly address: Parser<"sync", string, unknown>;
  /** Name of an operation. */
  readonly operation: Parser<"sync", string, unknown>;
  /** Home folder. */
  readonly home: Parser<"sync", string | undefined, unknown>;
  /** File that holds a token. */
  readonly tokenFile: Parser<"sync", string | undefined, unknown>;
}

/** A folder that is not there: whose home it is, is nobody. */
const NO_HOME = "nobody";
/** How long a shell waits for names, in milliseconds. */
const COMPLETION_DEADLINE = 3000;
/** What an operation may be called (call.md §6). A shell puts a completion on its line as it comes, so nothing else is one. */
const NAME = /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/;

/** Makes the parsers, which know of each other: completing a name asks the node. */
export function operationParsers(): OperationParsers {
  const address: DependencySource<"sync", string> = dependency(checked("ADDRESS", "localhost:4433", parseTarget));
  const home = dependency(path({ metavar: "DIR", type: "directory" }));
  const tokenFile = dependency(path({ metavar: "FILE", type: "file", mustExist: true }));
  type Text = DependencySource<"sync", string>;
  const name = deriveFromSync<[Text, Text, Text], string>({
    metavar: "OPERATION",
    dependencies: [address, home, tokenFile],
    factory: (at, as, token): ValueParser<"sync", string> => operationName(at, as, token),
    defaultValues: () => ["", "", ""],
  });
  return {
    address: argument(address, {
      description:
        message`Node to reach: [NODEID@]HOST:PORT, or NODEID alone, of which relays are asked. An id pins the node's key.`,
    }),
    operation: argument(name, { description: message`Name of the operation, such as node/info.` }),
    home: optional(option("--home", home, {
      description: message`Home folder. Default: $ALKNET_HOME, or the platform's data folder.`,
    })),
    tokenFile: optional(option("--token-file", tokenFile, { description: TOKEN_FILE_TEXT })),
  };
}

/** The argument JSON: what an operation is given. */
export function inputParser(): Parser<"sync", string | undefined, unknown> {
  return optional(argument(string({ metavar: "JSON" }), {
    description: message`Its input. Default: null. A dash reads it from standard input.`,
  }));
}

function operationName(address: string, home: string, tokenFile: string): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar: "OPERATION",
    placeholder: "node/info",
    parse(input) {
      const value = input.replace(/^\//, "");
      if (value !== "") return { success: true, value };
      return { success: false, error: message`An operation has a name, such as node/info.` };
    },
    format: (value) => value,
    *suggest(prefix) {
      for (const name of namesAt(address, home, tokenFile)) {
        if (name.startsWith(prefix)) yield { kind: "literal", text: name };
      }
    },
  };
}

/**
 * The names that the node at an address shows. Completion is synchronous, so this program asks as another process; a
 * node that does not answer offers nothing. Nobody is asked for a passphrase by pressing Tab: where the vault needs one, it is
 * nobody who asks.
 */
function namesAt(address: string, home: string, tokenFile: string): string[] {
  if (address === "") return [];
  const program = Deno.build.standalone ? [] : ["run", "-A", new URL("../main.ts", import.meta.url).href];
  try {
    const { folder, keyFile, vaultKeyFile } = locateHome(home === "" ? undefined : home);
    const as = ["--home", [keyFile, vaultKeyFile].some((file) => existsSync(file)) ? folder : join(folder, NO_HOME)];
    const shown = tokenFile === "" ? [] : ["--token-file", tokenFile];
    const args = [...program, "ops", address, "--timeout", `${COMPLETION_DEADLINE}ms`, ...as, ...shown];
    const asked = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped", stderr: "null" });
    const { success, stdout } = asked.outputSync();
    if (!success) return [];
    return new TextDecoder().decode(stdout).split("\n").map((line) => line.split(" ")[0]).filter((name) =>
      NAME.test(name)
    );
  } catch {
    return [];
  }
}

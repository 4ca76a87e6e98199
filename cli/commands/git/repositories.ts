/**
 * `alknet git init`, `add` and `list`: the repositories of a home folder, with or without a running node.
 *
 * @module
 */
import type { ConfigDocument } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { resolve } from "node:path";
import type { GitHome, GitHomeChoice } from "../../git/folders.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, homeOption, jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, note, print, printJson, UsageError } from "../../terminal/output.ts";

interface Shared extends GitHomeChoice {
  readonly json: boolean;
}

interface InitOptions extends Shared {
  readonly name: string;
  readonly public: boolean;
  readonly head: string;
  readonly description?: string;
  readonly from?: string;
}

interface AddOptions extends Shared {
  readonly name: string;
  readonly folder: string;
}

const SHARED = { home: homeOption(), config: configOption(), json: jsonFlag() };
const NAME = argument(string({ metavar: "NAME" }), {
  description: message`What to call it: notes, or team/notes.`,
});

/** `alknet git init NAME`. */
export const initCommand: Command = command(
  "init",
  map(
    object({
      name: NAME,
      public: withDefault(
        flag("--public", { description: message`Whoever is known to the node may read it.` }),
        false,
      ),
      head: withDefault(
        option("--head", string({ metavar: "BRANCH" }), { description: message`Its first branch. Default: main.` }),
        "main",
      ),
      description: optional(
        option("--description", string({ metavar: "TEXT" }), { description: message`What it is, in your words.` }),
      ),
      from: optional(
        option("--import", path({ metavar: "FOLDER", type: "directory", mustExist: true }), {
          description: message`Commit the files of a folder to it, but for .git.`,
        }),
      ),
      ...SHARED,
    }),
    (options): Action => () => init(options),
  ),
  { brief: message`Make a repository and show its URLs.` },
);

/** `alknet git add NAME PATH`. */
export const addCommand: Command = command(
  "add",
  map(
    object({
      name: NAME,
      folder: argument(path({ metavar: "PATH", type: "directory", mustExist: true }), {
        description: message`A repository that is there: bare, or a working copy.`,
      }),
      ...SHARED,
    }),
    (options): Action => () => add(options),
  ),
  { brief: message`Serve a repository that lies elsewhere.` },
);

/** `alknet git list`. */
export const listCommand: Command = command(
  "list",
  map(object(SHARED), (options): Action => () => list(options)),
  { brief: message`List the repositories: name, branch, who reads it, size, description.` },
);

async function init(options: InitOptions): Promise<number> {
  const { name, public: isPublic, head, description, from, json } = options;
  const [{ openGitHome }, { urlsOf }, { createRepository, importFolder }] = await Promise.all([
    import("../../git/folders.ts"),
    import("../../node/repository_urls.ts"),
    import("@alknet/handlers/git"),
  ]);
  const home = await openGitHome(options);
  const folder = await createRepository(home.folders.root, name, {
    head: `refs/heads/${head}`,
    description,
    public: isPublic,
    fill: from === undefined ? undefined : async (making) => {
      const { commit } = await importFolder(making, `refs/heads/${head}`, resolve(from));
      if (commit === undefined) throw new AlknetError("IMPORT_FAILED", `${from} holds no file; nothing was made`);
    },
  });
  const urls = await urlsOf(name, home);
  if (json) printJson({ name, folder, urls });
  else for (const url of urls) print(url);
  sayWhereUnserved(home);
  return ExitCode.DONE;
}

async function add(options: AddOptions): Promise<number> {
  const { name, folder, json } = options;
  const [{ editConfig }, { openGitHome }, { folderOf, isRepositoryName, readSettings }, { DEFAULT_HANDLERS }] =
    await Promise.all([
      import("@alknet/core/config"),
      import("../../git/folders.ts"),
      import("@alknet/handlers/git"),
      import("../../node/node.ts"),
    ]);
  if (!isRepositoryName(name)) throw new UsageError(`${JSON.stringify(name)} is no name of a repository`);
  const home = await openGitHome(options);
  const path = resolve(folder);
  const found = await folderOf({ root: home.folders.root, elsewhere: { [name]: path } }, name);
  if (found === undefined) throw new AlknetError("NO_REPOSITORY", `${path} is no git repository`);
  readSettings(found);
  await editConfig(home.configFile, (document: ConfigDocument) => {
    // A configuration that names no handler has all of them; one that names any has exactly those.
    const named = document.handlers ?? {};
    const handlers = document.handlers = Object.keys(named).length > 0
      ? named
      : { ...structuredClone(DEFAULT_HANDLERS) };
    const git = handlers.git ??= {};
    const repositories = (git.repositories ??= {}) as Record<string, string>;
    if (Object.hasOwn(repositories, name)) {
      throw new AlknetError("REPOSITORY_EXISTS", `${name} is ${repositories[name]} already; nothing was changed`);
    }
    repositories[name] = path;
  }, { create: options.config === undefined });
  if (json) printJson({ name, folder: found });
  else print(`added ${name}; a running node serves it after a restart`);
  return ExitCode.DONE;
}

async function list(options: Shared): Promise<number> {
  const [{ openGitHome }, { folderOf, namesOf, readSettings }, { sizeOf }, { formatSize }] = await Promise.all([
    import("../../git/folders.ts"),
    import("@alknet/handlers/git"),
    import("../../git/size.ts"),
    import("../../terminal/size.ts"),
  ]);
  const home = await openGitHome(options);
  for (const name of await namesOf(home.folders)) {
    const folder = await folderOf(home.folders, name);
    try {
      if (folder === undefined) throw new AlknetError("NO_REPOSITORY", "its folder is no git repository any more");
      const { public: isPublic, description } = readSettings(folder);
      const head = (await Deno.readTextFile(`${folder}/HEAD`)).trim().replace(/^ref:\s*(?:refs\/heads\/)?/, "");
      const bytes = await sizeOf(`${folder}/objects`);
      if (options.json) printJson({ name, head, public: isPublic, bytes, description, folder });
      else {
        const words = [name, head, isPublic ? "public" : "private", formatSize(bytes), description];
        print(words.join("  ").trimEnd());
      }
    } catch (error) {
      // One that cannot be served does not hide the others.
      note(`alknet: ${name}: ${(error as Error).message}`);
    }
  }
  sayWhereUnserved(home);
  return ExitCode.DONE;
}

function sayWhereUnserved({ served, configFile }: GitHome): void {
  if (!served) note(`alknet: note: no handlers.git in ${configFile}, so the node does not serve them; add "git": {}`);
}

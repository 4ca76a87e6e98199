/**
 * The workspace as its configuration files say it is: members, public entries, module graphs.
 *
 * @module
 */
import { ROOT } from "./python.ts";

/** What of a `deno.json` matters here. */
interface Configuration {
  readonly name: string;
  readonly exports: string | Readonly<Record<string, string>>;
  readonly workspace?: readonly string[];
}

/** Folders of the workspace's members, such as `core`. */
export function members(): string[] {
  return read("deno.json").workspace!.map((folder) => folder.replace("./", ""));
}

/** Paths of the modules that the root and each member export. */
export function publicEntries(): string[] {
  return [...entriesOf(""), ...members().flatMap((member) => entriesOf(`${member}/`))];
}

/** Paths of the modules that one member exports; `folder` ends in a slash, or is empty for the root. */
export function entriesOf(folder: string): string[] {
  const { exports } = read(`${folder}deno.json`);
  const paths = typeof exports === "string" ? [exports] : Object.values(exports);
  return paths.map((path) => folder + path.replace("./", ""));
}

/** A local module and the local modules it imports, as paths from the root; `npm:` specifiers stay as they are. */
export interface GraphModule {
  /** Path from the root. */
  readonly path: string;
  /** What it imports when it runs. */
  readonly imports: readonly string[];
  /** Of these, what it imports only when it comes to that. */
  readonly lateImports: readonly string[];
  /** What it imports for its types alone. */
  readonly typeImports: readonly string[];
}

/** The modules that an entry reaches, by path from the root. */
export async function moduleGraph(entry: string): Promise<Map<string, GraphModule>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
    stdin: "null",
    stderr: "inherit",
  }).output();
  const info: Info = JSON.parse(new TextDecoder().decode(stdout));
  const graph = new Map<string, GraphModule>();
  for (const { specifier, dependencies = [], error } of info.modules) {
    if (error) throw new Error(`${specifier}: ${error}`);
    if (!specifier.startsWith("file:")) continue;
    const imports: string[] = [];
    const lateImports: string[] = [];
    const typeImports: string[] = [];
    for (const { code, type, isDynamic } of dependencies) {
      if (code?.specifier) {
        const target = local(info.redirects[code.specifier] ?? code.specifier);
        imports.push(target);
        if (isDynamic) lateImports.push(target);
      } else if (type?.specifier) typeImports.push(local(type.specifier));
    }
    graph.set(local(specifier), { path: local(specifier), imports, lateImports, typeImports });
  }
  return graph;
}

interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      code?: { specifier?: string };
      type?: { specifier?: string };
      isDynamic?: boolean;
    }[];
  }[];
  readonly redirects: Readonly<Record<string, string>>;
}

const BASE = new URL("../../", import.meta.url).href;

function local(specifier: string): string {
  return specifier.startsWith(BASE) ? specifier.slice(BASE.length) : specifier;
}

function read(path: string): Configuration {
  return JSON.parse(Deno.readTextFileSync(ROOT + path));
}

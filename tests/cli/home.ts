/**
 * Home folders for tests of the command.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { join } from "node:path";
import { type Child, runAlknet, startAlknet } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";

/** A home folder that `alknet init` has made, gone when the test is. */
export interface TestHome extends AsyncDisposable {
  /** Its path. */
  readonly path: string;
  /** The id of the node. */
  readonly nodeId: string;
  /** The configuration, as written. */
  config(): Promise<Record<string, unknown>>;
  /** Rewrites the configuration by a rename, as editors do. */
  writeConfig(content: string | Record<string, unknown>): Promise<void>;
  /** Runs a command in this home. */
  run(...args: readonly string[]): ReturnType<typeof runAlknet>;
  /** Starts a node in this home on a free port of 127.0.0.1, and waits until it listens. */
  serve(...args: readonly string[]): Promise<ServingNode>;
  /** The same, where the configuration says. */
  serveAsConfigured(...args: readonly string[]): Promise<ServingNode>;
}

/** A node that listens. */
export interface ServingNode extends AsyncDisposable {
  /** The process. */
  readonly child: Child;
  /** `HOST:PORT`. */
  readonly address: string;
  /** Its port. */
  readonly port: number;
  /** What its first line says. */
  readonly listening: Record<string, unknown>;
}

/** Makes one. */
export async function initHome(): Promise<TestHome> {
  const folder = await temporaryFolder();
  const path = folder.join("home");
  const { code, stdout, stderr } = await runAlknet(["init", "--no-passphrase", "--home", path]);
  equal(code, 0, stderr);
  const file = join(path, "config.json");
  return {
    path,
    nodeId: stdout.trim(),
    config: async () => JSON.parse(await Deno.readTextFile(file)),
    async writeConfig(content) {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await Deno.rename(await folder.write("next.json", text), file);
    },
    run: (...args) => runAlknet([...args, "--home", path]),
    serve: (...args) => serve(path, ["--listen", "127.0.0.1:0", ...args]),
    serveAsConfigured: (...args) => serve(path, args),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** The next event of a name on stdout; others are passed over. */
export async function nextEvent(child: Child, event: string): Promise<Record<string, unknown>> {
  return JSON.parse(await child.line(`{"event":"${event}"`));
}

async function serve(home: string, args: readonly string[]): Promise<ServingNode> {
  const child = startAlknet(["serve", "--json", "--home", home, ...args]);
  try {
    const listening = await child.json<{ addresses: string[] }>();
    const [address] = listening.addresses;
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    return { child, address, port, listening, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Homes with repositories, and stock git as their client.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { GIT_ENV } from "../handlers/git/repositories.ts";
import { type Output, runAlknet, runProgram } from "../support/process.ts";
import { initHome, type TestHome } from "./home.ts";

/** The command. */
export const MAIN: string = new URL("../../cli/main.ts", import.meta.url).pathname;
/** What git is told of a certificate that nobody vouches for. */
export const VIA_HTTPS: readonly string[] = ["-c", "http.sslVerify=false"];

/** Runs stock git, which knows the helper and whose home it is. */
export async function stock(
  home: TestHome,
  args: readonly string[],
  cwd = home.path,
  who = home.path,
): Promise<Output> {
  const env = { ...GIT_ENV, PATH: `${home.path}/bin:${Deno.env.get("PATH")}`, ALKNET_HOME: who };
  return await runProgram("git", args, { env, cwd });
}

/** As {@linkcode stock}, and it has to do well. */
export async function well(...args: Parameters<typeof stock>): Promise<string> {
  const { code, stdout, stderr } = await stock(...args);
  equal(code, 0, `git ${args[1].join(" ")}\n${stderr}`);
  return stdout;
}

/** Configures the git handler. */
export async function configure(home: TestHome, options: Record<string, unknown>): Promise<void> {
  const config = await home.config() as { handlers: Record<string, unknown> };
  config.handlers.git = options;
  await home.writeConfig(config);
}

/** A home with a public repository `notes`, and git's helper in `bin`. */
export async function gitHome(): Promise<TestHome> {
  const home = await initHome();
  const made = await home.run("git", "init", "notes", "--public", "--description", "my notes");
  equal(made.code, 0, made.stderr);
  const installed = await runAlknet(["git", "install-helper", "--dir", `${home.path}/bin`]);
  equal(installed.code, 0, installed.stderr);
  return home;
}

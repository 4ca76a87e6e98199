/**
 * Homes with mailboxes, and of those who write.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runAlknet } from "../../support/process.ts";
import { initHome, type ServingNode, type TestHome } from "../home.ts";

/** A home whose node keeps messages for whoever asks. */
export async function mailboxHome(mailbox: Record<string, unknown> = { open: true }): Promise<TestHome> {
  const home = await initHome();
  const config = await home.config();
  await home.writeConfig({ ...config, handlers: { mailbox } });
  return home;
}

/** A home that makes its queues there. */
export async function personHome(mailbox: string): Promise<TestHome> {
  const home = await initHome();
  const config = await home.config() as { handlers: Record<string, unknown> };
  await home.writeConfig({ ...config, handlers: { ...config.handlers, messenger: { mailbox } } });
  return home;
}

/** Runs a command that has to do well. */
export async function well(home: TestHome, args: string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await runAlknet(["msg", ...args, "--home", home.path], { stdin });
  assert.equal(code, 0, `msg ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** The same node once more, at the same port. */
export const again = (home: TestHome, { port }: ServingNode): Promise<ServingNode> =>
  home.serve("--listen", `127.0.0.1:${port}`);

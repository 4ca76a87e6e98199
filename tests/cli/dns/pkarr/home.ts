/**
 * Homes whose nodes are relays, and the clients that come to them.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { runProgram } from "../../../support/process.ts";
import { NODE_PEERS, ROOT } from "../../../support/python.ts";
import { initHome, type TestHome } from "../../home.ts";

/** A home whose node does this with packets. */
export async function pkarrHome(pkarr: Record<string, unknown>): Promise<TestHome> {
  const home = await initHome();
  await configure(home, pkarr);
  return home;
}

/** Has a home's node do something else with packets from its next start on. */
export async function configure(home: TestHome, pkarr: Record<string, unknown>): Promise<void> {
  const config = await home.config();
  await home.writeConfig({ ...config, handlers: { ...config.handlers as object, dns: { pkarr } } });
}

/** What the npm package pkarr gets from a relay, which it believes whoever it is. */
export async function pkarrPackage<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runProgram("node", [`${ROOT}tests/peers/pkarr.mjs`, ...args], {
    cwd: NODE_PEERS,
    env: { NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" },
  });
  equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/**
 * A home with a zone, and the clients that ask for it.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { runProgram } from "../support/process.ts";
import { type Peer, startPeer } from "../support/python.ts";
import { initHome, type TestHome } from "./home.ts";

/** The name that has an address, and the address. */
export const NAME = "www.home.example";
export const ADDRESS = "192.0.2.7";

/** A home whose node serves `home.example`, with `www` in it. */
export async function dnsHome(): Promise<TestHome> {
  const home = await initHome();
  for (const args of [["zone", "create", "home.example"], ["record", "add", "home.example", "www", "A", ADDRESS]]) {
    const { code, stderr } = await home.run("dns", ...args);
    equal(code, 0, stderr);
  }
  return home;
}

/** Gives `handlers.dns` of a home other limits, by the names of the configuration. */
export async function limit(home: TestHome, limits: Record<string, unknown>): Promise<void> {
  const config = await home.config();
  await home.writeConfig({ ...config, handlers: { ...config.handlers as object, dns: { limits } } });
}

/** What kdig says, whatever that is. */
export async function kdig(port: number, ...args: readonly string[]): Promise<string> {
  const shared = ["@127.0.0.1", "-p", `${port}`, "+timeout=10", "+retry=0"];
  const { stdout, stderr } = await runProgram("kdig", [...shared, ...args]);
  return stdout + stderr;
}

/** The hostile client over QUIC; what it asks needs no more than a scenario. */
export function hostile(port: number): Peer & { does(scenario: string, request?: object): Promise<Saw> } {
  const peer = startPeer("doq_client.py");
  return Object.assign(peer, {
    does: (scenario: string, request: object = {}) =>
      peer.ask<Saw>({ port, alpn: "doq", name: NAME, scenario, ...request }),
  });
}

/** What it saw. */
export interface Saw {
  readonly closed?: boolean | number;
  readonly code?: number;
  readonly answer?: readonly string[];
  readonly [name: string]: unknown;
}

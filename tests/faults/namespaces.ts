/**
 * Two network namespaces and a cable between them: a path whose faults are the kernel's.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram } from "../support/programs.ts";
import { runProgram } from "../support/process.ts";

/** The node's address. */
export const NODE = "10.99.0.1";
/** The client's address. */
export const CLIENT = "10.99.0.2";

/** A pair of namespaces. Disposing of it removes both. */
export interface Cable extends AsyncDisposable {
  /** Runs a program beside the node. */
  readonly inNode: readonly string[];
  /** Runs a program beside the client. */
  readonly inClient: readonly string[];
  /** Applies `tc qdisc replace dev … root` with these arguments, at both ends. */
  shape(qdisc: string): Promise<void>;
  /** Sets the MTU at both ends, in bytes. */
  mtu(bytes: number): Promise<void>;
  /** Pulls the plug, or puts it back. */
  plug(up: boolean): Promise<void>;
}

let cables = 0;

/** Lays one. */
export async function layCable(): Promise<Cable> {
  const name = `alk${Deno.pid}x${++cables}`;
  const [node, client] = [`${name}n`, `${name}c`];
  const ip = findProgram("ip")!;
  const both = (make: (namespace: string, device: string) => string[]) =>
    Promise.all([sh(make(node, "n0")), sh(make(client, "c0"))]);
  try {
    for (const namespace of [node, client]) await sh([ip, "netns", "add", namespace]);
    await sh([ip, "link", "add", "n0", "netns", node, "type", "veth", "peer", "name", "c0", "netns", client]);
    await sh([ip, "-n", node, "address", "add", `${NODE}/24`, "dev", "n0"]);
    await sh([ip, "-n", client, "address", "add", `${CLIENT}/24`, "dev", "c0"]);
    await both((namespace) => [ip, "-n", namespace, "link", "set", "lo", "up"]);
    await both((namespace, device) => [ip, "-n", namespace, "link", "set", device, "up"]);
  } catch (error) {
    await removeAll(ip, [node, client]);
    throw error;
  }
  return {
    inNode: [ip, "netns", "exec", node],
    inClient: [ip, "netns", "exec", client],
    shape: async (qdisc) => {
      const tc = findProgram("tc")!;
      await both((space, device) => [tc, "-n", space, "qdisc", "replace", "dev", device, "root", ...qdisc.split(" ")]);
    },
    mtu: async (bytes) => {
      await both((space, device) => [ip, "-n", space, "link", "set", device, "mtu", `${bytes}`]);
    },
    // One end is enough: the other sees no carrier.
    plug: (up) => sh([ip, "-n", client, "link", "set", "c0", up ? "up" : "down"]),
    [Symbol.asyncDispose]: () => removeAll(ip, [node, client]),
  };
}

async function removeAll(ip: string, namespaces: string[]): Promise<void> {
  for (const namespace of namespaces) await runProgram(ip, ["netns", "delete", namespace]);
}

async function sh([program, ...args]: string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  assert.equal(code, 0, `${program} ${args.join(" ")}: ${stderr}`);
}

/**
 * One isolate of a process at a time has the native binding.
 *
 * A worker, or a test file under `deno test --parallel`, is an isolate of its own in the same process, and the binding
 * loaded in two of them brings the process down. They share one thing that JavaScript can write: the environment.
 *
 * @module
 */
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { AlknetError } from "../../../errors.ts";

/** Names the isolate that has the binding: process, thread, a number of its own. Another process's is void. */
const VARIABLE = "ALKNET_QUIC_ISOLATE";
/** Two that claim at once see each other after this, in milliseconds: the later one has overwritten the earlier. */
const SETTLED = 1;

/**
 * Claims the binding for this isolate, until it ends.
 *
 * @throws {AlknetError} `NO_TRANSPORT`: another isolate of this process has it.
 */
export async function claimBinding(): Promise<void> {
  // Who may not touch the environment is not asked about it; the claim is then left out.
  if ((await Deno.permissions.query({ name: "env", variable: VARIABLE })).state !== "granted") return;
  const mine = `${process.pid}/${threadId()}/${crypto.randomUUID()}`;
  if (isHeld(Deno.env.get(VARIABLE), mine)) throw refusal();
  Deno.env.set(VARIABLE, mine);
  await setTimeout(SETTLED);
  if (Deno.env.get(VARIABLE) !== mine) throw refusal();
  globalThis.addEventListener("unload", () => {
    if (Deno.env.get(VARIABLE) === mine) Deno.env.delete(VARIABLE);
  });
}

/** Whether a claim is that of an isolate which is still there. */
function isHeld(claim: string | undefined, mine: string): boolean {
  if (claim === undefined) return false;
  const [[pid, thread], [, ownThread]] = [claim, mine].map((each) => each.split("/"));
  if (Number(pid) !== process.pid) return false;
  // An isolate keeps to its thread: on the same one, the other has ended. A worker that was terminated says no farewell.
  return thread === "" || (thread !== ownThread && isAlive(thread));
}

function isAlive(thread: string): boolean {
  try {
    Deno.lstatSync(`/proc/self/task/${thread}`);
    return true;
  } catch {
    return false;
  }
}

/** The id of this thread where the system tells it (Linux), else nothing. */
function threadId(): string {
  try {
    return Deno.readLinkSync("/proc/thread-self").split("/").at(-1)!;
  } catch {
    return "";
  }
}

function refusal(): AlknetError {
  const why = "another worker or isolate of this process runs the QUIC engine, which only one can";
  return new AlknetError("NO_TRANSPORT", `${why}; dial there, over TCP and TLS, or from another process`);
}

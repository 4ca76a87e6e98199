/**
 * Looking at processes through /proc, for tests. Linux alone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";

/** Turns of waiting before a test gives up, about half a minute. A guard against hanging, not a measurement. */
const TURNS = 3000;

/** Resolves once a condition holds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`never came true: ${what}`);
}

/** Engine processes that a process started. */
export function enginesOf(parent: number): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(Number(name));
    if (stat?.parent === parent && stat.state !== "Z" && commandLine(Number(name)).includes("engine")) {
      found.push(Number(name));
    }
  }
  return found;
}

/** Whether a process is there and no mere entry that nobody has collected. */
export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== "Z" && state !== "X";
}

/** Processor time that a process has used, in ticks. */
export function ticksOf(pid: number): number {
  return statOf(pid)?.ticks ?? 0;
}

/** The arguments of a process, each ended by a zero byte. */
export function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`);
}

/** The environment that a process was started with. */
export function environment(pid: number): string {
  return read(`/proc/${pid}/environ`);
}

/** The private folder that an engine shares with its node. */
export function folderOf(pid: number): string {
  const socket = commandLine(pid).split("\0").find((argument) => argument.includes("alknet-engine-"));
  assert.ok(socket, `process ${pid} is no engine`);
  return dirname(socket);
}

/** Whether a file or folder exists. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

// Fields of proc_pid_stat(5) after the name, which may hold anything but ends with the last parenthesis.
function statOf(pid: number): { state: string; parent: number; ticks: number } | undefined {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields.length < 13) return;
  return { state: fields[0], parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

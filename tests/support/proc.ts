/**
 * What the kernel tells of a process (Linux, `/proc`): memory, CPU time, descriptors, children.
 *
 * @module
 */

/** Clock ticks a second in `/proc/PID/stat`; 100 on every Linux (USER_HZ). */
const TICKS = 100;

/** Resident memory, in bytes. */
export function residentMemory(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  if (!line) throw new Error(`process ${pid} has no VmRSS: it has ended`);
  return Number(line[1]) * 1024;
}

/** CPU time used so far, of user and system, in milliseconds. */
export function cpuTime(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * 1000 / TICKS;
}

/** Open descriptors. */
export function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Process ids of the children that run now. */
export function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = statOf(Number(name));
      if (Number(fields[1]) === pid && fields[0] !== "Z") children.push(Number(name));
    } catch { /* it has just ended */ }
  }
  return children;
}

/** Whether a process runs: neither gone nor waiting to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    return statOf(pid)[0] !== "Z";
  } catch {
    return false;
  }
}

/** The fields after the name, which may hold anything and so is passed over: state, parent, … (proc_pid_stat(5)). */
function statOf(pid: number): string[] {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

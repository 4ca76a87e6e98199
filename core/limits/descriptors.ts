/**
 * How many descriptors this process may have open: sockets, files, pipes.
 *
 * @module
 */

/**
 * The soft limit of this process (`RLIMIT_NOFILE`, getrlimit(2)), where the system tells it; else nothing. It is read anew
 * each time.
 */
export function descriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    // No Linux, or not permitted to look.
    return undefined;
  }
}

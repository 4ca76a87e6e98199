/**
 * Which process holds a port, as far as this process may see it; for the message of a failed bind.
 *
 * @module
 */

/**
 * Finds who holds a local port. Linux only, and only processes that this one may inspect.
 *
 * @param protocol The port's protocol.
 * @param port The port, 1 to 65535.
 * @returns Such as `pid 4711 (named -g)`, or nothing where it cannot be known.
 */
export async function portOwner(protocol: "udp" | "tcp", port: number): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const inodes = new Set<string>();
    for (const table of [protocol, `${protocol}6`]) await collectInodes(`/proc/net/${table}`, port, inodes);
    if (inodes.size === 0) return undefined;
    for await (const entry of Deno.readDir("/proc")) {
      if (/^\d+$/.test(entry.name) && await holdsOne(entry.name, inodes)) return await describe(entry.name);
    }
  } catch {
    // No permission to read /proc, or no /proc: the message does without.
  }
  return undefined;
}

// Columns: "sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode"; local_address is HEX:PORT in hex,
// st is 0A for a listening TCP socket (proc_net_tcp.rst of the kernel).
async function collectInodes(table: string, port: number, inodes: Set<string>): Promise<void> {
  const text = await Deno.readTextFile(table).catch(() => "");
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const line of text.split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    const listening = !table.includes("tcp") || columns[3] === "0A";
    if (listening && columns[1]?.endsWith(suffix) && columns[9] !== "0") inodes.add(columns[9]);
  }
}

async function holdsOne(pid: string, inodes: Set<string>): Promise<boolean> {
  try {
    for await (const fd of Deno.readDir(`/proc/${pid}/fd`)) {
      const target = await Deno.readLink(`/proc/${pid}/fd/${fd.name}`).catch(() => "");
      if (target.startsWith("socket:[") && inodes.has(target.slice(8, -1))) return true;
    }
  } catch {
    // Another user's process, or one that has just ended.
  }
  return false;
}

// Arguments may carry secrets (`--token …`), so only the program and its first word are told.
async function describe(pid: string): Promise<string> {
  const words = (await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "")).split("\0");
  const name = [words[0]?.split("/").pop(), words[1]].filter((word) => word && /^[\w.:/+@-]+$/.test(word)).join(" ");
  return name ? `pid ${pid} (${name})` : `pid ${pid}`;
}

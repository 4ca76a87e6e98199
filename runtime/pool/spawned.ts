/**
 * The process of a guest before there is a guest in it: started, without any permission, and with the engine on its way.
 *
 * @module
 */
import { engineBytes } from "../engine.ts";
import { GuestError } from "../errors.ts";
import { encodeFrame } from "../frames.ts";

const CHILD = import.meta.resolve("../child.ts");
/** What the child needs of the environment to find its modules; nothing of it is readable there. */
const KEPT = ["DENO_DIR", "HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"];

/** A process that waits for its guest. */
export interface SpawnedGuest {
  /** The process. */
  readonly process: Deno.ChildProcess;
  /** Its standard input. */
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
}

/**
 * Starts a process.
 *
 * @param child The module that it runs. Default: `@alknet/runtime/child`.
 * @param warm Whether it starts an isolate of its own and drops it, so that the first of a guest starts faster.
 * @throws {GuestError} `E_UNAVAILABLE`: no process can be started here.
 */
export async function spawnGuest(child: string = CHILD, warm: boolean = false): Promise<SpawnedGuest> {
  if (Deno.build.standalone) {
    throw new GuestError("E_UNAVAILABLE", "a compiled executable cannot start a guest's process; use deno run");
  }
  const bytes = await engineBytes();
  const spawned = spawnModule(child);
  spawned.writer.write(encodeFrame({ t: "engine", warm }, [bytes])).catch(() => {});
  return spawned;
}

/**
 * Starts a process without any permission that runs a module, and is spoken to over its standard input and output.
 *
 * @param names Variables of the environment that its libraries need; nothing of it is readable there.
 */
export function spawnModule(module: string, names: readonly string[] = []): SpawnedGuest {
  const env = Object.fromEntries([...KEPT, ...names].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  // With the lock file that this process has: what it resolves is cached, and what the registry knows of it may not be.
  const run = [Deno.execPath(), "run", "--no-prompt", "--cached-only", "--quiet", module];
  const [program, ...args] = [...leash(), ...run];
  const process = new Deno.Command(program, {
    args,
    clearEnv: true,
    env,
    // Ctrl-C at a terminal is for the host, which ends the guest itself.
    detached: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  return { process, writer: process.stdin.getWriter() };
}

let found: readonly string[] | undefined;

/**
 * What has the kernel end a process together with this one, however this one ends: in an endless loop, or behind a shader
 * that does not end, it sees no pipe close. Where there is no such program it is started as it is.
 */
function leash(): readonly string[] {
  return found ??= leashes().slice(0, 1).flatMap((program) => [program, "--pdeathsig", "KILL"]);
}

function leashes(): string[] {
  if (Deno.build.os !== "linux") return [];
  return ["/usr/bin/setpriv", "/bin/setpriv"].filter((path) => {
    try {
      // That of busybox, which has not this option, is a link to it.
      return Deno.realPathSync(path).endsWith("/setpriv");
    } catch {
      return false;
    }
  });
}

/** Ends a process that has no guest. */
export async function endSpawned({ process, writer }: SpawnedGuest): Promise<void> {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
  await process.stdout.cancel();
  await writer.abort().catch(() => {});
  await process.status;
}

/**
 * Checks of the runtime and the machine as such.
 *
 * @module
 */
import type { Finding } from "./finding.ts";

/** Oldest Deno that Alknet is tested with: major, minor. */
const OLDEST_DENO = [2, 9] as const;
/** When this was written: a clock that stands before it is wrong. */
const BUILT = Date.parse("2026-08-01T00:00:00Z");
/** A clock further ahead than this is wrong too, in milliseconds: 20 years. */
const FUTURE = 20 * 365 * 86_400_000;

/** The version of Deno. */
export function checkDeno(): Finding {
  const name = "deno";
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  const old = major < OLDEST_DENO[0] || (major === OLDEST_DENO[0] && minor < OLDEST_DENO[1]);
  if (!old) return { name, status: "ok", finding: `version ${Deno.version.deno} on ${Deno.build.target}` };
  const wanted = OLDEST_DENO.join(".");
  return {
    name,
    status: "fail",
    finding: `version ${Deno.version.deno} is older than ${wanted}`,
    mend: "run: deno upgrade",
  };
}

/** Whether the clock can be right: certificates, tokens and their ends depend on it. */
export function checkClock(): Finding {
  const name = "clock";
  const now = Date.now();
  const shown = new Date(now).toISOString();
  if (now >= BUILT && now < BUILT + FUTURE) return { name, status: "ok", finding: shown };
  return {
    name,
    status: "fail",
    finding: `it says ${shown}, which cannot be`,
    mend: "set the clock, or let a time service do it (timedatectl set-ntp true); certificates are judged by it",
  };
}

/** The GPU adapter, which compute uses. */
export async function checkGpu(): Promise<Finding> {
  const name = "gpu";
  const adapter = await requestAdapter();
  if (adapter) return { name, status: "ok", finding: adapter };
  return {
    name,
    status: "warn",
    finding: "no adapter that WebGPU can use; nothing but compute needs one",
    mend: "install a Vulkan driver (mesa-vulkan-drivers runs on the processor alone)",
  };
}

async function requestAdapter(): Promise<string | undefined> {
  try {
    const adapter = await navigator.gpu?.requestAdapter();
    return adapter ? adapter.info.description || adapter.info.device || "an adapter without a name" : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The checks of `alknet doctor`.
 *
 * @module
 */
import { locateHome } from "../home/home.ts";
import type { Finding } from "./finding.ts";
import { checkClock, checkDeno, checkGpu } from "./machine.ts";
import { checkPorts, checkQuicBinary, checkUdpBuffers, checkUdpOffload } from "./network.ts";
import { checkBucket } from "./bucket.ts";
import { checkPostgres } from "./postgres.ts";
import { checkConfig, checkHome, checkKey } from "./node.ts";

/**
 * Runs every check, in order, and yields what each found.
 *
 * @param homeFolder Home folder, if one was given.
 */
export async function* checkMachine(homeFolder?: string): AsyncIterable<Finding> {
  const home = locateHome(homeFolder);
  const checks: (() => Finding | undefined | Promise<Finding | undefined>)[] = [
    checkDeno,
    checkClock,
    checkQuicBinary,
    checkUdpBuffers,
    checkUdpOffload,
    () => checkPorts(home),
    () => checkHome(home),
    () => checkKey(home),
    () => checkConfig(home),
    () => checkBucket(home),
    () => checkPostgres(home),
    checkGpu,
  ];
  for (const check of checks) {
    const finding = await check();
    if (finding) yield finding;
  }
}

/**
 * `alknet gpu info`.
 *
 * @module
 */
import { Gpu, NO_ADAPTER } from "@alknet/runtime/device";
import { ExitCode, note, print, printJson } from "../terminal/output.ts";
import { quietDrivers } from "./drivers.ts";

/** Prints what is known of the adapter. */
export async function info(json: boolean): Promise<number> {
  quietDrivers();
  using gpu = await Gpu.open();
  if (json) printJson({ adapter: gpu === undefined ? null : { ...gpu.info } });
  if (gpu === undefined) {
    note(`alknet: ${NO_ADAPTER}; nothing but computing on a GPU needs one`);
    return ExitCode.FAILED;
  }
  if (json) return ExitCode.DONE;
  const { name, fallback, features, limits } = gpu.info;
  print(`${name}${fallback ? ", made of software" : ""}`);
  if (features.length > 0) print(`features: ${features.join(", ")}`);
  for (const [limit, value] of Object.entries(limits)) print(`${limit.padEnd(34)}  ${String(value).padStart(12)}`);
  return ExitCode.DONE;
}

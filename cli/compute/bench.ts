/**
 * `alknet compute bench`: a line a figure.
 *
 * @module
 */
import { type EngineOptions, measure, openEngine } from "@alknet/compute";
import { quietDrivers } from "../gpu/drivers.ts";
import { ExitCode, print, printJson } from "../terminal/output.ts";

/** Measures a device. */
export async function bench(
  { device, threads, seconds, json }: EngineOptions & { readonly seconds: number; readonly json: boolean },
): Promise<number> {
  quietDrivers();
  await using engine = await openEngine({ device, threads });
  const { kind, name, fallback } = engine.device;
  if (json) printJson({ device: kind, name, fallback });
  else print(`${kind}: ${name}${fallback ? ", made of software" : ""}`);
  for await (const { name: figure, unit, value } of measure(engine, { seconds })) {
    if (json) printJson({ figure, value, unit });
    else print(`${figure.padEnd(22)}  ${value.toPrecision(3).padStart(8)}  ${unit}`);
  }
  return ExitCode.DONE;
}

/**
 * `alknet compute bench`: a line a figure.
 *
 * @module
 */
import { type EngineOptions, measure, openEngine } from "@alknet/compute";
import { ExitCode, print, printJson } from "../terminal/output.ts";

/** Measures a device. */
export async function bench(
  { device, threads, seconds, json }: EngineOptions & { readonly seconds: number; readonly json: boolean },
): Promise<number> {
  // Mesa puts a layer before the drivers that asks for the display, and complains on stderr where there is none.
  if (Deno.build.os === "linux" && !Deno.env.has("XDG_RUNTIME_DIR")) Deno.env.set("NODEVICE_SELECT", "1");
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

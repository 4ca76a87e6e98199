/**
 * What drivers of a GPU print where they should not.
 *
 * @module
 */

/** Call it before an adapter is asked for. */
export function quietDrivers(): void {
  // Mesa puts a layer before the drivers that asks for the display, and complains on stderr where there is none.
  if (Deno.build.os === "linux" && !Deno.env.has("XDG_RUNTIME_DIR")) Deno.env.set("NODEVICE_SELECT", "1");
}

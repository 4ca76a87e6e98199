/**
 * The process that computes on the GPU for one guest: it has no permission, and is killed when a shader does not end. What
 * it is told was checked by the host already.
 *
 * @module
 */
import { Gpu } from "../../device/gpu.ts";
import { GpuError } from "../../device/errors.ts";
import { type Frame, framePieces, readFrames } from "../../frames.ts";

if (import.meta.main) await main();

async function main(): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  const send = async (head: Frame["head"], buffers?: readonly Uint8Array[]): Promise<void> => {
    await Promise.all(framePieces(head, buffers).map((piece) => writer.write(piece)));
  };
  using gpu = await Gpu.open();
  await send({ t: "open", info: gpu?.info ?? null });
  if (gpu === undefined) return;
  // The host sees the end of the process, and that says it all.
  gpu.lost.then(() => Deno.exit(1));
  for await (const frame of readFrames(Deno.stdin.readable)) {
    try {
      const { value, bytes } = await done(gpu, frame);
      await send({ t: "done", value }, bytes && [bytes]);
    } catch (error) {
      const { code, message } = error instanceof GpuError ? error : new GpuError("GPU_FAILED", "the device failed");
      await send({ t: "fail", code, message });
    }
  }
}

/** Does what the host says; a number or bytes may come of it. */
async function done(gpu: Gpu, { head, buffers: [data] }: Frame): Promise<{ value?: number; bytes?: Uint8Array }> {
  const { t, text, id, offset, length, entry, bindings, grid } = head as
    & {
      readonly [Name in "id" | "offset" | "length"]: number;
    }
    & { readonly [Name in "t" | "text" | "entry"]: string }
    & { readonly [Name in "bindings" | "grid"]: number[] };
  if (t === "compile") return { value: (await gpu.compile(text)).shader };
  if (t === "write") return gpu.write(id, offset, data), {};
  if (t === "read") return { bytes: await gpu.read(id, offset, length) };
  if (t === "release") return gpu.release(id), {};
  if (t === "dispatch") return await gpu.dispatch({ shader: id, entry, bindings, grid, params: data }), {};
  const buffer = await gpu.createBuffer(length);
  if (data) gpu.write(buffer, 0, data);
  return { value: buffer };
}

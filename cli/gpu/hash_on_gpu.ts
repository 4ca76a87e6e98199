/**
 * SHA-256 of pieces on a GPU of this process.
 *
 * @module
 */
import type { Gpu } from "@alknet/runtime/device";
import { SHA256_GROUP, SHA256_WGSL, sha256Params } from "./sha256.ts";

/** Most bytes that are on the device at once: buffers of WebGPU's default limit. */
const MOST_PART = 64 << 20;

/** Buffers and a shader, ready. */
export interface GpuHash extends Disposable {
  /** Digests of the pieces of so many bytes as it was made for. */
  run(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** @param bytes What is hashed at a time. @param piece Bytes of a piece, a multiple of 64. */
export async function hashOnGpu(gpu: Gpu, bytes: number, piece: number): Promise<GpuHash> {
  const part = Math.min(bytes, MOST_PART);
  const { shader } = await gpu.compile(SHA256_WGSL);
  const input = await gpu.createBuffer(part);
  const output = await gpu.createBuffer(part / piece * 32);
  return {
    async run(data) {
      const digests = new Uint8Array(data.length / piece * 32);
      for (let at = 0; at < data.length; at += part) {
        const some = data.subarray(at, at + part);
        const pieces = some.length / piece;
        gpu.write(input, 0, some);
        const grid = [Math.ceil(pieces / SHA256_GROUP)];
        await gpu.dispatch({ shader, bindings: [input, output], grid, params: sha256Params(pieces, piece) });
        digests.set(await gpu.read(output, 0, pieces * 32), at / piece * 32);
      }
      return digests;
    },
    [Symbol.dispose]() {
      for (const id of [shader, input, output]) gpu.release(id);
    },
  };
}

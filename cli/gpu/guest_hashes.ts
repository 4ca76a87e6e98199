/**
 * SHA-256 of pieces as a guest computes it: on the GPU that it was granted, and by itself.
 *
 * @module
 */
import { ProcessGuest } from "@alknet/runtime";
import { SHA256_GROUP, SHA256_WGSL, sha256Params, sha256Pieces } from "./sha256.ts";

/** Bytes that the guest has in its own memory, and hands over again and again. */
const MOST_PART = 8 << 20;

/** A guest that is ready. */
export interface GuestHashes extends AsyncDisposable {
  /** Digests of as many bytes as it was made for, on the GPU: of the last part. */
  onGpu(): Promise<Uint8Array>;
  /** Digests of its bytes for the script, by itself. */
  inScript(): Promise<Uint8Array>;
  /** The bytes that it hashes: of a part, of which the script takes the first. */
  readonly data: Uint8Array;
}

/**
 * Starts a guest.
 *
 * @param bytes What it hashes on the GPU.
 * @param piece Bytes of a piece, a multiple of 64.
 * @param script What it hashes by itself, in bytes.
 */
export async function guestHashes(bytes: number, piece: number, script: number): Promise<GuestHashes> {
  const part = Math.min(bytes, MOST_PART);
  const groups = Math.ceil(part / piece / SHA256_GROUP);
  await using stack = new AsyncDisposableStack();
  const guest = stack.use(
    await ProcessGuest.start({
      limits: { memory: 128, cpu: 60_000, wall: 600_000 },
      allowGpu: { dispatchTime: 60_000, timeAMinute: 600_000 },
    }),
  );
  await guest.evaluate(`
    const hash = ${sha256Pieces};
    const data = new Uint8Array(${part});
    for (let i = 0, x = 1; i < 65536; i++) data[i] = x = (x * 197 + i) & 255;
    for (let at = 65536; at < ${part}; at += 65536) { data.set(data.subarray(0, 65536), at); data[at] = at / 65536; }
    const params = new Uint8Array([${sha256Params(part / piece, piece)}]);
    const onGpu = async (shader, input, output) => {
      const step = async () => {
        const written = gpu.write(input, 0, data);
        const hashed = gpu.dispatch({ shader, bindings: [input, output], grid: ${groups}, params });
        await written, await hashed;
      };
      // One part is on its way while the one before is hashed.
      let before;
      for (let at = 0; at < ${bytes}; at += ${part}) {
        const now = step();
        await before;
        before = now;
      }
      await before;
      return await gpu.read(output);
    };
    var run;
    (async () => {
      const shader = await gpu.compile(${JSON.stringify(SHA256_WGSL)});
      const [input, output] = [await gpu.buffer(${part}), await gpu.buffer(${part / piece * 32})];
      run = () => onGpu(shader, input, output);
    })()
  `);
  const data = await guest.evaluate("data") as Uint8Array;
  const kept = stack.move();
  return {
    data,
    onGpu: async () => await guest.evaluate("run()") as Uint8Array,
    inScript: async () => await guest.evaluate(`hash(data.subarray(0, ${script}), ${piece})`) as Uint8Array,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/**
 * `alknet gpu bench`: a line a figure.
 *
 * @module
 */
import { Gpu, NO_ADAPTER } from "@alknet/runtime/device";
import { ExitCode, note, print, printJson } from "../terminal/output.ts";
import { quietDrivers } from "./drivers.ts";
import { guestHashes } from "./guest_hashes.ts";
import { hashOnGpu } from "./hash_on_gpu.ts";
import { sha256Pieces } from "./sha256.ts";

/** Bytes of a piece. */
const PIECE = 4096;
/** What a guest hashes in JavaScript: more would take long. */
const GUEST_SCRIPT = 1 << 18;

/** Measures, each figure the best of three. */
export async function bench({ size, json }: { readonly size: number; readonly json: boolean }): Promise<number> {
  quietDrivers();
  using gpu = await Gpu.open();
  if (gpu === undefined) {
    note(`alknet: ${NO_ADAPTER}`);
    return ExitCode.FAILED;
  }
  const { name, fallback } = gpu.info;
  if (json) printJson({ adapter: name, fallback, mib: size });
  else print(`${name}${fallback ? ", made of software" : ""}: SHA-256 of ${size} MiB in pieces of 4 KiB`);
  const data = new Uint8Array(size << 20);
  for (let at = 0; at < data.length; at += 65_536) crypto.getRandomValues(data.subarray(at, at + 65_536));

  using hash = await hashOnGpu(gpu, data.length, PIECE);
  const [fast, digests] = await best(() => hash.run(data));
  const [slow, wanted] = await best(() => sha256Pieces(data, PIECE));
  await using guest = await guestHashes(data.length, PIECE, GUEST_SCRIPT);
  const [guestFast] = await best(() => guest.onGpu());
  const [guestSlow] = await best(() => guest.inScript());

  const rate = (bytes: number, seconds: number) => bytes / seconds / 2 ** 20;
  const figures = {
    "gpu, this program": rate(data.length, fast),
    "JavaScript, this program": rate(data.length, slow),
    "gpu, a guest": rate(data.length, guestFast),
    "JavaScript, a guest": rate(GUEST_SCRIPT, guestSlow),
  };
  for (const [figure, value] of Object.entries(figures)) {
    if (json) printJson({ figure, value, unit: "MiB/s" });
    else print(`${figure.padEnd(24)}  ${value.toPrecision(3).padStart(8)}  MiB/s`);
  }
  if (digests.length === wanted.length && digests.every((byte, at) => byte === wanted[at])) return ExitCode.DONE;
  note("alknet: the digests of the GPU are not those of JavaScript; its driver computes wrongly");
  return ExitCode.FAILED;
}

/** The best time of three, in seconds, and what came of it. */
async function best<T>(work: () => T | Promise<T>): Promise<[seconds: number, result: T]> {
  let seconds = Infinity;
  let result!: T;
  for (let round = 0; round < 3; round++) {
    const begun = performance.now();
    result = await work();
    seconds = Math.min(seconds, (performance.now() - begun) / 1000);
  }
  return [seconds, result];
}

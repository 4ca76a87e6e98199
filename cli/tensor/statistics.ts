/**
 * What the elements of a tensor come to.
 *
 * @module
 */
import { decodeBf16, type TensorFile } from "@alknet/tensor";

/** Elements looked at in one go. */
const PIECE = 1 << 16;

/** Least, most and mean of the elements that are numbers, and how many are none; nothing of bits without numbers. */
export function statisticsOf(
  file: TensorFile,
  name: string,
): { min: number | null; max: number | null; mean: number | null; nan: number } | undefined {
  const { dtype } = file.info(name);
  if (/^(?:F4|F6|F8)/.test(dtype)) return undefined;
  const data = file.array(name);
  let [min, max, sum, count, nan] = [Infinity, -Infinity, 0, 0, 0];
  for (let at = 0; at < data.length; at += PIECE) {
    const piece = data.subarray(at, at + PIECE);
    const numbers: ArrayLike<number | bigint> = dtype === "BF16" ? decodeBf16(piece as Uint16Array) : piece;
    for (let i = 0; i < numbers.length; i++) {
      const value = Number(numbers[i]);
      if (Number.isNaN(value)) {
        nan++;
        continue;
      }
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
      count++;
    }
  }
  return count === 0 ? { min: null, max: null, mean: null, nan } : { min, max, mean: sum / count, nan };
}

/**
 * How the cases of views and of what moves elements run here.
 *
 * @module
 */
import * as c from "@alknet/compute";
import type { Cases } from "./suite.ts";

/** Each case: its class and the function. */
export const SHAPES: Cases = {
  "view": ["E", ([x]) => c.view(x, [12, 5])],
  "view of a part": ["E", ([x]) => c.view(x.slice(1, { start: 1, stop: 3 }), [3, 2, 5, 1])],
  "reshape of a transposed": ["E", ([x]) => c.reshape(x.transpose(0, 2), [10, -1])],
  "flatten": ["E", ([x]) => c.flatten(x, 1)],
  "unflatten": ["E", ([x]) => c.unflatten(x, 1, [2, -1])],
  "movedim": ["E", ([x]) => c.movedim(x, 0, -1)],
  "movedim several": ["E", ([x]) => c.movedim(x, [0, 1], [1, 2])],
  "expand": ["E", ([x]) => c.expand(x, [2, -1, 4])],
  "squeeze": ["E", ([x]) => [c.squeeze(x), c.squeeze(x, 0), c.squeeze(x, 1)]],
  "unsqueeze": ["E", ([x]) => [c.unsqueeze(x, 0), c.unsqueeze(x, -1)]],
  "narrow": ["E", ([x]) => [c.narrow(x, 1, 1, 2), c.narrow(x, 2, -2, 2)]],
  "select": ["E", ([x]) => [c.select(x, 1, 2), c.select(x, -1, -1)]],
  "as_strided": ["E", ([x]) => c.asStrided(x, [2, 3], [3, 2], 4)],
  "unfold": ["E", ([x]) => c.unfold(x, 2, 3, 2)],
  "diagonal": ["E", ([x]) => [c.diagonal(x), c.diagonal(x, 1, 1, 2), c.diagonal(x, -1, 0, 2)]],
  "flip": ["E", ([x]) => c.flip(x, [0, 2])],
  "rot90": ["E", ([x]) => [-1, 0, 1, 2, 3].map((turns) => c.rot90(x, turns))],
  "split": ["E", ([x]) => [...c.split(x, 2), ...c.split(x, [1, 3], 1)]],
  "chunk": ["E", ([x]) => [...c.chunk(x, 3), ...c.chunk(x.slice(0, { stop: 5 }), 4)]],
  "tensor_split": ["E", ([x]) => [...c.tensorSplit(x, 3), ...c.tensorSplit(x, [2, 5])]],
  "unbind": ["E", ([x]) => c.unbind(x, 1)],
  "meshgrid": ["E", (xs) => [...c.meshgrid(xs), ...c.meshgrid(xs, "xy")]],
  "cat": ["E", (xs) => c.cat(xs)],
  "cat along": ["E", (xs) => c.cat(xs, 1)],
  "cat of views": ["E", ([x]) => {
    const y = x.transpose();
    return c.cat([y.slice(1, { step: 2 }), c.narrow(y, 1, 1, 1), c.flip(y, 0)], 1);
  }],
  "cat promotes": ["E", (xs) => c.cat(xs)],
  "cat whole and float": ["E", (xs) => c.cat(xs)],
  "stack": ["E", (xs) => [c.stack(xs), c.stack(xs, -1)]],
  "hstack": ["E", c.hstack],
  "vstack": ["E", c.vstack],
  "dstack": ["E", c.dstack],
  "pad": ["E", ([x]) => c.pad(x, [1, 2, 0, 3], { value: 7 })],
  "pad crops": ["E", ([x]) => c.pad(x, [-1, 2, -1, -1])],
  "pad reflect": ["E", ([x]) => c.pad(x, [2, 4], { mode: "reflect" })],
  "pad replicate": ["E", ([x]) => c.pad(x, [2, 6], { mode: "replicate" })],
  "pad circular": ["E", ([x]) => c.pad(x, [2, 5], { mode: "circular" })],
  "pad bool": ["E", ([x]) => c.pad(x, [1, 1], { value: 1 })],
  "roll": ["E", ([x]) => [c.roll(x, 7), c.roll(x, [1, -2], [0, 2]), c.roll(x.transpose(0, 1), 1, 0)]],
  "repeat": ["E", ([x]) => [c.repeat(x, [2, 1, 3]), c.repeat(x, [0, 1])]],
  "tile": ["E", ([x]) => c.tile(x, [2])],
  "repeat_interleave": ["E", ([x]) => [c.repeatInterleave(x, 2), c.repeatInterleave(x, 3, 1)]],
  "tril": ["E", ([x]) => [c.tril(x), c.tril(x, 1), c.tril(x, -2)]],
  "triu": ["E", ([x]) => [c.triu(x), c.triu(x, 1), c.triu(x, -2)]],
  "diag_embed": ["E", ([x]) => [c.diagEmbed(x), c.diagEmbed(x, 1), c.diagEmbed(x, -2)]],
  "diag": ["E", ([x, y]) => [c.diag(x), c.diag(y, 1)]],
  "eight dims": ["E", ([x]) => c.roll(c.flip(x, 0), 1, 2).permute(7, 6, 5, 4, 3, 2, 1, 0)],
};

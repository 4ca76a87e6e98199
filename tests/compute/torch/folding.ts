/**
 * How the cases of folds and running folds run here.
 *
 * @module
 */
import * as c from "@alknet/compute";
import type { Cases } from "./suite.ts";

const turned = (x: c.Tensor): c.Tensor => x.transpose(0, 2);

/** Each case: its class and the function. */
export const FOLDING: Cases = {
  "argmax": ["E", ([x]) => [c.argmax(x), c.argmax(x, { dim: 1 }), c.argmax(x, { dim: 2, keepdim: true })]],
  "argmin": ["E", ([x]) => [c.argmin(x), c.argmin(x, { dim: 0 })]],
  "argmax of ties and NaN": ["E", ([x]) => [
    c.argmax(x, { dim: 1 }),
    c.argmin(x, { dim: 1 }),
    c.argmax(x, { dim: 0 }),
    c.argmax(x),
  ]],
  "argmax whole": ["E", ([x]) => [c.argmax(x, { dim: 1 }), c.argmin(x, { dim: 1 })]],
  "argmax of a view": ["E", ([x]) => [c.argmax(turned(x), { dim: 0 }), c.argmax(turned(x))]],
  "max along": ["E", ([x]) => [...c.maxAlong(x, 1), ...c.minAlong(x, 2, true)]],
  "aminmax": ["E", ([x]) => [...c.aminmax(x), ...c.aminmax(x, { dim: 1 })]],
  "nanmean": ["S", ([x]) => [c.nanmean(x, { dim: 1 }), c.nanmean(x.slice(1, { stop: 2 }))]],
  "var": ["S", ([x]) => [
    c.variance(x),
    c.variance(x, { dim: 1 }),
    c.variance(x, { dim: [0, 2], keepdim: true }),
    c.variance(x, { dim: 1, correction: 0 }),
  ]],
  "var of few": ["E", ([x]) => [c.variance(x), c.variance(x, { correction: 0 })]],
  "var far from 0": ["P", ([x]) => [c.variance(x, { dim: 1 }), c.std(x, { dim: 1 })]],
  "std": ["S", ([x]) => [c.std(x), c.std(x, { dim: 2 })]],
  "var_mean": ["S", ([x]) => [...c.varMean(x, { dim: 1 }), ...c.stdMean(x, { dim: [0, 1] })]],
  "logsumexp": ["L", ([x]) => [c.logsumexp(x, { dim: 1 }), c.logsumexp(x, { dim: [0, 2], keepdim: true })]],
  "logsumexp ends": ["L", ([x]) => c.logsumexp(x, { dim: 1 })],
  "logsumexp of nothing": ["E", ([x]) => c.logsumexp(x, { dim: 1 })],
  "norm": ["P", ([x]) => [...[2, 1, 3, Infinity, -Infinity, 0].map((p) => c.norm(x, { p, dim: 1 })), c.norm(x)]],
  "norm of large and small": ["P", ([x]) => c.norm(x, { dim: 1 })],
  "cumsum": ["S", ([x]) => [0, 1, -1].map((dim) => c.cumsum(x, dim))],
  "cumsum whole": ["E", ([x]) => c.cumsum(x, 1)],
  "cumsum bool": ["E", ([x]) => c.cumsum(x, 0)],
  "cumsum of a view": ["S", ([x]) => c.cumsum(turned(x).slice(0, { step: 2 }), 0)],
  "cumprod": ["S", ([x]) => [c.cumprod(x, 1), c.cumprod(x, 2)]],
  "cummax": ["E", ([x]) => [...c.cummax(x, 1), ...c.cummin(x, 2)]],
  "cummax of ties and NaN": ["E", ([x]) => [...c.cummax(x, 1), ...c.cummin(x, 1), ...c.cummax(x, 0)]],
  "logcumsumexp": ["L", ([x]) => c.logcumsumexp(x, 1)],
  "logcumsumexp ends": ["L", ([x]) => c.logcumsumexp(x, 0)],
  "diff": ["S", ([x]) => [c.diff(x), c.diff(x, 2, 0)]],
  "scans of one and none": ["E", ([x, y]) => [c.cumsum(x, 0), c.cumsum(y, 0), ...c.cummax(y, 0)]],
};

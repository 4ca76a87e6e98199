/**
 * How the cases of reading, writing and sorting run here.
 *
 * @module
 */
import * as c from "@alknet/compute";
import type { Cases } from "./suite.ts";

/** Each case: its class and the function. */
export const INDEXING: Cases = {
  "gather": ["E", ([x, at]) => c.gather(x, 1, at)],
  "gather fewer": ["E", ([x, at]) => c.gather(x, 1, at)],
  "gather of a view": ["E", ([x, at]) => c.gather(x.transpose(), 0, at)],
  "gather bool": ["E", ([x, at]) => c.gather(x, 0, at)],
  "take_along_dim": ["E", ([x, at]) => c.takeAlongDim(x, at, 1)],
  "take": ["E", ([x, at]) => c.take(x, at)],
  "index_select": ["E", ([x, at]) => [c.indexSelect(x, 1, at), c.indexSelect(c.flip(x.transpose(0, 1), 2), 0, at)]],
  "index": ["E", ([x, a, b]) => [c.index(x, [a]), c.index(x, [a, b]), c.index(c.flip(x, 0), [a, b])]],
  "embedding": ["E", ([w, at]) => c.embedding(at, w)],
  "embedding_bag": ["S", ([w, at]) => (["mean", "sum", "max"] as const).map((mode) => c.embeddingBag(at, w, { mode }))],
  "one_hot": ["E", ([at]) => c.oneHot(at, 5)],
  "masked_fill": ["E", ([x, mask]) => c.maskedFill(x, mask, 9)],
  "bucketize": ["E", ([x, e]) => [c.bucketize(x, e), c.bucketize(x, e, { right: true })]],
  "searchsorted": ["E", ([x, v]) => c.searchsorted(c.sort(x)[0], v)],
  "sort": ["E", ([x]) => [...c.sort(x), ...c.sort(x, { dim: 1, descending: true })]],
  "sort of ties and NaN": ["E", ([x]) => [...c.sort(x), ...c.sort(x, { descending: true })]],
  "sort whole": ["E", ([x]) => [...c.sort(x), ...c.sort(x, { dim: 0, descending: true })]],
  "sort bool": ["E", ([x]) => c.sort(x)],
  "sort a thousand": ["E", ([x]) => c.sort(x)],
  "topk": ["E", ([x]) => [...c.topk(x, 3), ...c.topk(x, 2, { dim: 1, largest: false })]],
  "kthvalue": ["E", ([x]) => c.kthvalue(x, 2)],
  "median": ["E", ([x, y]) => [
    ...c.median(x, { dim: 1 }),
    ...c.median(x, { dim: 0, keepdim: true }),
    c.median(x)[0],
    ...c.median(y, { dim: 0 }),
  ]],
  "quantile": [
    "A",
    ([x]) => [c.quantile(x, 0.3), c.quantile(x, 0.5, { dim: 1 }), c.quantile(x, 1, { dim: 0, keepdim: true })],
  ],
  "scatter": ["E", ([x, at, s]) => c.scatter(x, 0, at, s)],
  "scatter a number": ["E", ([x, at]) => c.scatter(x, 1, at, 7)],
  "scatter_add": ["S", ([x, at, s]) => [
    c.scatterAdd(x, 0, at, s),
    c.scatterAdd(x.transpose(), 1, at.transpose(), s.transpose()),
  ]],
  "scatter_add whole": ["E", ([x, at, s]) => c.scatterAdd(x, 0, at, s)],
  "scatter_reduce": [
    "S",
    ([x, at, s]) =>
      (["sum", "prod", "mean", "amax", "amin"] as const).flatMap((by) =>
        [true, false].map((includeSelf) => c.scatterReduce(x, 0, at, s, by, { includeSelf }))
      ),
  ],
  "index_add": ["S", ([x, at, s]) => c.indexAdd(x, 0, at, s, { alpha: 2 })],
  "index_copy": ["E", ([x, at, s]) => c.indexCopy(x, 1, at, s)],
  "index_fill": ["E", ([x, at]) => c.indexFill(x, 1, at, -1)],
  "index_put": ["S", ([x, a, b, v]) => c.indexPut(x, [a, b], v, { accumulate: true })],
  "bincount": ["E", ([x]) => c.bincount(x, 8)],
};

"""Reading and writing by indices, sorting (ops.md sections 5 and 10)."""

import torch
import torch.nn.functional as F

from drawn import INF, NAN, b, f, i, normal, steps, whole

x = normal(5, 6, 7)
m = normal(4, 6)
row = f(3, NAN, 1, -INF, 3, -0.0, 0, INF, NAN, 1)
target = normal(4, 5, seed=5)
source = normal(6, 4, seed=6)
CASES = {
    "gather": ([x, whole(5, 3, 7, high=6)], lambda x, at: x.gather(1, at)),
    "gather fewer": ([m, whole(2, 4, high=6)], lambda x, at: x.gather(1, at)),
    "gather of a view": ([m, whole(3, 4, high=6)], lambda x, at: x.t().gather(0, at)),
    "gather bool": ([b(True, False, True), i(2, 1)], lambda x, at: x.gather(0, at)),
    "take_along_dim": ([m, whole(1, 3, high=6)], lambda x, at: torch.take_along_dim(x, at, 1)),
    "take": ([m, whole(3, 2, high=24)], torch.take),
    "index_select": ([x, i(3, 0, 3, 5)], lambda x, at: [x.index_select(1, at), x.transpose(0, 1).flip(2).index_select(0, at)]),
    "index": ([x, whole(2, 3, high=5), whole(3, high=6)], lambda x, a, b: [x[a], x[a, b], x.flip(0)[a, b]]),
    "embedding": ([m, whole(2, 3, high=4)], lambda w, at: F.embedding(at, w)),
    "embedding_bag": ([m, whole(2, 3, high=4)], lambda w, at: [F.embedding_bag(at, w, mode=k) for k in ["mean", "sum", "max"]]),
    "one_hot": ([whole(2, 3, high=5)], lambda at: F.one_hot(at, 5).int()),
    "masked_fill": ([m, b(True, False, True, False, False, True)], lambda x, mask: x.masked_fill(mask, 9)),
    "bucketize": ([f(-1, 0, 0.5, 1, 2, 7, NAN), f(0, 1, 1, 3)], lambda x, e: [torch.bucketize(x, e), torch.bucketize(x, e, right=True)]),
    "searchsorted": ([m, normal(4, 3, seed=1)], lambda x, v: torch.searchsorted(x.sort(1)[0].contiguous(), v)),
    "sort": ([x], lambda x: [*x.sort(), *x.sort(1, descending=True)]),
    "sort of ties and NaN": ([row], lambda x: [*x.sort(stable=True), *x.sort(stable=True, descending=True)]),
    "sort whole": ([whole(3, 17, low=-3, high=4)], lambda x: [*x.sort(stable=True), *x.sort(dim=0, descending=True, stable=True)]),
    "sort bool": ([b(True, False, True, False, True)], lambda x: x.sort(stable=True)),
    "sort a thousand": ([normal(2, 1000)], lambda x: x.sort(stable=True)),
    "topk": ([x], lambda x: [*x.topk(3), *x.topk(2, 1, largest=False)]),
    "kthvalue": ([m], lambda x: x.kthvalue(2)),
    "median": ([m, row], lambda x, y: [*x.median(1), *x.median(0, keepdim=True), x.median(), *y.median(0)]),
    "quantile": ([m], lambda x: [x.quantile(0.3), x.quantile(0.5, 1), x.quantile(1, 0, keepdim=True)]),
    "scatter": ([target, i(0, 1, 2, 3, 1, 2, 3, 0).reshape(2, 4), normal(2, 4, seed=7)], lambda x, at, s: x.scatter(0, at, s)),
    "scatter a number": ([target, i(0, 2, 4).reshape(1, 3)], lambda x, at: x.scatter(1, at, 7.0)),
    "scatter_add": ([target, whole(6, 3, high=4), source], lambda x, at, s: [x.scatter_add(0, at, s), x.t().scatter_add(1, at.t(), s.t())]),
    "scatter_add whole": ([whole(4, 5), whole(6, 3, high=4), whole(6, 4, low=-9)], lambda x, at, s: x.scatter_add(0, at, s)),
    "scatter_reduce": ([target, whole(6, 3, high=4), source], lambda x, at, s: [x.scatter_reduce(0, at, s, k, include_self=own) for k in ["sum", "prod", "mean", "amax", "amin"] for own in [True, False]]),
    "index_add": ([target, i(1, 1, 3), normal(3, 5)], lambda x, at, s: x.index_add(0, at, s, alpha=2)),
    "index_copy": ([target, i(4, 0), normal(4, 2)], lambda x, at, s: x.index_copy(1, at, s)),
    "index_fill": ([target, i(4, 0)], lambda x, at: x.index_fill(1, at, -1)),
    "index_put": ([target, i(0, 3, 0), i(1, 2, 1), f(5, 6, 7)], lambda x, a, b, v: x.index_put((a, b), v, accumulate=True)),
    "bincount": ([whole(50, high=7)], lambda x: torch.bincount(x, minlength=8)),
}

"""Folds of several steps, and running folds (ops.md section 5)."""

import torch

from drawn import INF, NAN, b, f, i, normal, steps, uniform, whole

x = normal(5, 6, 7)
holes = f(1, NAN, 3, -INF, 2, NAN).reshape(2, 3)
ties = f(1, 3, 3, NAN, 2, NAN, -1, -1, -5).reshape(3, 3)
offset = (1000 + normal(4, 50)).astype("f4")
CASES = {
    "argmax": ([x], lambda x: [x.argmax(), x.argmax(1), x.argmax(2, keepdim=True)]),
    "argmin": ([x], lambda x: [x.argmin(), x.argmin(0)]),
    "argmax of ties and NaN": ([ties], lambda x: [x.argmax(1), x.argmin(1), x.argmax(0), x.argmax()]),
    "argmax whole": ([whole(4, 9)], lambda x: [x.argmax(1), x.argmin(1)]),
    "argmax of a view": ([x], lambda x: [x.transpose(0, 2).argmax(0), x.transpose(0, 2).argmax()]),
    "max along": ([x], lambda x: [*x.max(1), *x.min(2, keepdim=True)]),
    "aminmax": ([x], lambda x: [*torch.aminmax(x), *torch.aminmax(x, dim=1)]),
    "nanmean": ([holes], lambda x: [x.nanmean(1), x[:, :2].nanmean()]),
    "var": ([x], lambda x: [x.var(), x.var(1), x.var((0, 2), keepdim=True), x.var(1, correction=0)]),
    "var of few": ([f(3.0)], lambda x: [x.var(), x.var(correction=0)]),
    "var far from 0": ([offset], lambda x: [x.var(1), x.std(1)]),
    "std": ([x], lambda x: [x.std(), x.std(2)]),
    "var_mean": ([x], lambda x: [*torch.var_mean(x, 1), *torch.std_mean(x, (0, 1))]),
    "logsumexp": ([x], lambda x: [x.logsumexp(1), x.logsumexp((0, 2), keepdim=True)]),
    "logsumexp ends": ([f(-INF, -INF, 1, INF, 1, 2, 1000, 1001).reshape(4, 2)], lambda x: x.logsumexp(1)),
    "logsumexp of nothing": ([steps(2, 0)], lambda x: x.logsumexp(1)),
    "norm": ([x], lambda x: [torch.linalg.vector_norm(x, p, (1,)) for p in [2, 1, 3, INF, -INF, 0]] + [torch.linalg.vector_norm(x)]),
    "norm of large and small": ([f(3e30, 4e30, 3e-30, 4e-30, 0, 0).reshape(3, 2)], lambda x: torch.linalg.vector_norm(x, dim=1)),
    "cumsum": ([x], lambda x: [x.cumsum(0), x.cumsum(1), x.cumsum(-1)]),
    "cumsum whole": ([whole(4, 9, low=-9)], lambda x: x.cumsum(1)),
    "cumsum bool": ([b(True, False, True, True)], lambda x: x.cumsum(0)),
    "cumsum of a view": ([x], lambda x: x.transpose(0, 2)[::2].cumsum(0)),
    "cumprod": ([x], lambda x: [x.cumprod(1), x.cumprod(2)]),
    "cummax": ([x], lambda x: [*x.cummax(1), *x.cummin(2)]),
    "cummax of ties and NaN": ([ties], lambda x: [*x.cummax(1), *x.cummin(1), *x.cummax(0)]),
    "logcumsumexp": ([x], lambda x: x.logcumsumexp(1)),
    "logcumsumexp ends": ([f(-INF, -INF, 1, 1000, 1001, INF, 3)], lambda x: x.logcumsumexp(0)),
    "diff": ([x], lambda x: [x.diff(), x.diff(2, 0)]),
    "scans of one and none": ([steps(1, 0), f(5.0)], lambda x, y: [x.cumsum(0), y.cumsum(0), *y.cummax(0)]),
}

"""Views, and what moves elements (ops.md sections 10 and 11)."""

import torch
import torch.nn.functional as F

from drawn import b, i, normal, steps, whole

x = steps(3, 4, 5)
m = normal(4, 6)
CASES = {
    "view": ([x], lambda x: x.view(12, 5)),
    "view of a part": ([x], lambda x: x[:, 1:3].view(3, 2, 5, 1)),
    "reshape of a transposed": ([x], lambda x: x.transpose(0, 2).reshape(10, -1)),
    "flatten": ([x], lambda x: torch.flatten(x, 1)),
    "unflatten": ([x], lambda x: torch.unflatten(x, 1, (2, -1))),
    "movedim": ([x], lambda x: torch.movedim(x, 0, -1)),
    "movedim several": ([x], lambda x: torch.movedim(x, (0, 1), (1, 2))),
    "expand": ([steps(3, 1)], lambda x: x.expand(2, -1, 4)),
    "squeeze": ([steps(1, 3, 1)], lambda x: [x.squeeze(), x.squeeze(0), x.squeeze(1)]),
    "unsqueeze": ([steps(3, 2)], lambda x: [x.unsqueeze(0), x.unsqueeze(-1)]),
    "narrow": ([x], lambda x: [x.narrow(1, 1, 2), x.narrow(2, -2, 2)]),
    "select": ([x], lambda x: [x.select(1, 2), x.select(-1, -1)]),
    "as_strided": ([x], lambda x: x.as_strided((2, 3), (3, 2), 4)),
    "unfold": ([x], lambda x: x.unfold(2, 3, 2)),
    "diagonal": ([x], lambda x: [x.diagonal(), x.diagonal(1, 1, 2), x.diagonal(-1, 0, 2)]),
    "flip": ([x], lambda x: x.flip(0, 2)),
    "rot90": ([steps(2, 3)], lambda x: [torch.rot90(x, k) for k in [-1, 0, 1, 2, 3]]),
    "split": ([x], lambda x: [*x.split(2), *x.split([1, 3], 1)]),
    "chunk": ([steps(7)], lambda x: [*x.chunk(3), *x[:5].chunk(4)]),
    "tensor_split": ([steps(7)], lambda x: [*x.tensor_split(3), *x.tensor_split([2, 5])]),
    "unbind": ([x], lambda x: x.unbind(1)),
    "meshgrid": ([steps(2), steps(3)], lambda x, y: [*torch.meshgrid(x, y, indexing="ij"), *torch.meshgrid(x, y, indexing="xy")]),
    "cat": ([steps(2, 3), normal(1, 3), normal(4, 3)], lambda *xs: torch.cat(xs)),
    "cat along": ([normal(3, 2, 2), normal(3, 5, 2), normal(3, 1, 2), normal(3, 4, 2)], lambda *xs: torch.cat(xs, 1)),
    "cat of views": ([m], lambda x: torch.cat([x.t()[:, ::2], x.t()[:, 1:2], x.t().flip(0)], 1)),
    "cat promotes": ([i(1, 2), b(True, False), i()], lambda *xs: torch.cat(xs)),
    "cat whole and float": ([i(1, 2), steps(2)], lambda x, y: torch.cat([x, y])),
    "stack": ([normal(2, 3), normal(2, 3, seed=1)], lambda *xs: [torch.stack(xs), torch.stack(xs, -1)]),
    "hstack": ([normal(2, 3), normal(2, 1)], lambda *xs: torch.hstack(xs)),
    "vstack": ([normal(3), normal(2, 3)], lambda *xs: torch.vstack(xs)),
    "dstack": ([normal(3), normal(3, seed=1)], lambda *xs: torch.dstack(xs)),
    "pad": ([x], lambda x: F.pad(x, (1, 2, 0, 3), value=7)),
    "pad crops": ([x], lambda x: F.pad(x, (-1, 2, -1, -1))),
    "pad reflect": ([x], lambda x: F.pad(x, (2, 4), mode="reflect")),
    "pad replicate": ([x], lambda x: F.pad(x, (2, 6), mode="replicate")),
    "pad circular": ([x], lambda x: F.pad(x, (2, 5), mode="circular")),
    "pad bool": ([b(True, False)], lambda x: F.pad(x, (1, 1), value=True)),
    "roll": ([x], lambda x: [x.roll(7), x.roll((1, -2), (0, 2)), x.transpose(0, 1).roll(1, 0)]),
    "repeat": ([steps(2, 3)], lambda x: [x.repeat(2, 1, 3), x.repeat(0, 1)]),
    "tile": ([steps(2, 3)], lambda x: torch.tile(x, (2,))),
    "repeat_interleave": ([steps(2, 3)], lambda x: [x.repeat_interleave(2), x.repeat_interleave(3, 1)]),
    "tril": ([normal(2, 4, 5)], lambda x: [x.tril(), x.tril(1), x.tril(-2)]),
    "triu": ([normal(2, 4, 5)], lambda x: [x.triu(), x.triu(1), x.triu(-2)]),
    "diag_embed": ([normal(2, 3)], lambda x: [torch.diag_embed(x), torch.diag_embed(x, 1), torch.diag_embed(x, -2)]),
    "diag": ([normal(3), m], lambda x, y: [torch.diag(x), torch.diag(y, 1)]),
    "eight dims": ([steps(2, 1, 3, 1, 2, 2, 1, 2)], lambda x: x.flip(0).roll(1, 2).permute(7, 6, 5, 4, 3, 2, 1, 0)),
}

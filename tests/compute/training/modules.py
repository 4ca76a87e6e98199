"""Modules: how each is made, what it takes, how it is called."""

import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "torch"))

from drawn import normal, uniform, whole  # noqa: E402

x = normal(3, 5, 4)
image = normal(2, 4, 6, 5)
PADDED = whole(3, 5, high=2).astype("?")
PADDED[:, 0] = False
FLOATS = normal(5, 5, seed=3)


def plain(module, *inputs):
    return module(*inputs)


def attended(module, q, k, padded, mask):
    """PyTorch keeps out what is true; padding and a mask of numbers together are numbers there."""
    out = [*module(q, k, k), module(q, q, q, need_weights=False, attn_mask=nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.double), is_causal=True)[0]]
    numbers = torch.zeros(padded.shape).double().masked_fill(padded, -torch.inf)
    out.append(module(q, k, k, key_padding_mask=numbers, attn_mask=mask, need_weights=False)[0])
    return out


def decoded(module, q, k):
    return module(q, k, tgt_mask=nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.double), tgt_is_causal=True)


def twice(module, x):
    """Trained on a batch, then used."""
    first = module(x)
    module.eval()
    return [first, module(x)]


def stateful(module, x, *state):
    return [module(x), module(x, state if len(state) > 1 else state[0])]


def losses(_, a, b, p, v, classes):
    """Each class of losses; what is compared with gets no gradient."""
    target, part = b.detach(), p.detach()
    signs = torch.where(classes > 2, 1.0, -1.0).double()
    return [
        nn.CrossEntropyLoss(label_smoothing=0.1)(a, classes), nn.CrossEntropyLoss(part[0], reduction="sum")(a, classes),
        nn.NLLLoss(ignore_index=1)(a, classes), nn.MSELoss()(a, target), nn.L1Loss(reduction="none")(a, target),
        nn.SmoothL1Loss(beta=0.3)(a, target), nn.HuberLoss(delta=0.5)(a, target), nn.BCELoss()(p, part.flip(0)),
        nn.BCEWithLogitsLoss(pos_weight=part[1])(a, part), nn.KLDivLoss(reduction="batchmean")(a, part), nn.PoissonNLLLoss()(a, part),
        nn.GaussianNLLLoss()(a, target, v), nn.HingeEmbeddingLoss()(a[:, 0], signs), nn.MarginRankingLoss(0.3)(a[:, 0], b[:, 0], signs),
        nn.SoftMarginLoss()(a[:, 1], signs), nn.MultiLabelSoftMarginLoss(part[2])(a, (target > 0).double()), nn.CosineEmbeddingLoss(0.2)(a, b, signs),
        nn.TripletMarginLoss()(a, b, v), nn.CosineSimilarity()(a, b)]


MODULES = {
    "Linear": (lambda: nn.Linear(4, 3), [x], plain),
    "Linear without": (lambda: nn.Linear(4, 3, bias=False), [x], plain),
    "Bilinear": (lambda: nn.Bilinear(4, 3, 2), [normal(5, 4), normal(5, 3)], plain),
    "Embedding": (lambda: nn.Embedding(6, 3, padding_idx=2), [whole(4, 5, high=6)], plain),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(6, 3), [whole(4, 5, high=6)], plain),
    "EmbeddingBag of sums": (lambda: nn.EmbeddingBag(6, 3, mode="sum"), [whole(4, 5, high=6)], plain),
    "EmbeddingBag of the largest": (lambda: nn.EmbeddingBag(6, 3, mode="max"), [whole(4, 3, high=6, seed=5)], plain),
    "PReLU": (lambda: nn.PReLU(4), [image], plain),
    "Conv1d": (lambda: nn.Conv1d(4, 6, 3, padding=1, groups=2), [normal(2, 4, 7)], plain),
    "Conv2d": (lambda: nn.Conv2d(4, 3, (3, 2), stride=2, padding=1), [image], plain),
    "Conv2d without": (lambda: nn.Conv2d(4, 4, 3, groups=4, bias=False, dilation=2), [image], plain),
    "Conv3d": (lambda: nn.Conv3d(2, 3, 2), [normal(1, 2, 3, 4, 3)], plain),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(4, 3, 3, stride=2, output_padding=1), [normal(2, 4, 5)], plain),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, groups=2), [image], plain),
    "LayerNorm": (lambda: nn.LayerNorm((5, 4)), [x], plain),
    "RMSNorm": (lambda: nn.RMSNorm(4, 2**-23), [x], plain),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), [image], plain),
    "InstanceNorm": (lambda: nn.InstanceNorm2d(4, affine=True), [image], plain),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(5), [x], twice),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4, momentum=0.3), [image], twice),
    "BatchNorm2d of each batch": (lambda: nn.BatchNorm2d(4, affine=False, track_running_stats=False), [image], twice),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), [x, normal(3, 5, 4, seed=1), PADDED, FLOATS], attended),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True), [x], plain),
    "TransformerEncoderLayer first": (lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.0, nn.functional.gelu, batch_first=True, norm_first=True), [x], plain),
    "TransformerDecoderLayer": (lambda: nn.TransformerDecoderLayer(4, 2, 6, 0.0, batch_first=True), [x, normal(3, 2, 4, seed=1)], decoded),
    "RNNCell": (lambda: nn.RNNCell(4, 3), [normal(5, 4), normal(5, 3)], stateful),
    "LSTMCell": (lambda: nn.LSTMCell(4, 3), [normal(5, 4), normal(5, 3), normal(5, 3, seed=1)], stateful),
    "GRUCell": (lambda: nn.GRUCell(4, 3, bias=False), [normal(5, 4), normal(5, 3)], stateful),
    "RNN": (lambda: nn.RNN(4, 3, 2, nonlinearity="relu", batch_first=True), [x, normal(2, 3, 3)], stateful),
    "LSTM": (lambda: nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True), [x, normal(4, 3, 3), normal(4, 3, 3, seed=1)], stateful),
    "GRU": (lambda: nn.GRU(4, 3, 2, batch_first=True), [x, normal(2, 3, 3)], stateful),
    "Sequential": (
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 6), nn.LogSoftmax(1)), [image], plain),
    "losses": (lambda: nn.Identity(), [normal(6, 5), normal(6, 5, seed=1), uniform(6, 5, low=0.1, high=0.9), uniform(6, 5, low=0.2, seed=1), whole(6, high=5)], losses),
    "without state": (
        lambda: nn.Identity(), [image], lambda _, x: [
            nn.AvgPool2d(2)(x), nn.AdaptiveAvgPool2d((2, 3))(x), nn.Upsample(scale_factor=2)(x), nn.PixelShuffle(2)(x), nn.Softmax(1)(x), nn.Unflatten(1, (2, 2))(x)]),
}

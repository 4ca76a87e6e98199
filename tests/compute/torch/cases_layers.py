"""Products, normalization, convolutions, pooling, losses (ops.md sections 6 to 9)."""

import torch
import torch.nn.functional as F

from drawn import INF, NAN, f, i, normal, steps, uniform, whole

x = normal(4, 5, 6)
logits = normal(6, 5)
classes = i(0, 4, 2, -100, 1, 3)
a, b2 = normal(5, 7), normal(7, 4)
MASK = (whole(3, 4, high=2) + 0).astype("?")
MASK[1] = False


def attention(x, w, b, wo, bo):
    made = torch.nn.MultiheadAttention(8, 2, batch_first=True).double()
    with torch.no_grad():
        made.in_proj_weight.copy_(w), made.in_proj_bias.copy_(b)
        made.out_proj.weight.copy_(wo), made.out_proj.bias.copy_(bo)
    return made(x, x, x, need_weights=False)[0].detach()


def cells(x, h, wi, wh, bi, bh, c):
    state = torch._VF.lstm_cell(x, (h, c), wi, wh, bi, bh)
    gru = torch._VF.gru_cell(x, h, wi[:15], wh[:15], bi[:15], bh[:15])
    return [*state, gru, torch._VF.rnn_tanh_cell(x, h, wi[:5], wh[:5], bi[:5], bh[:5]), torch._VF.rnn_relu_cell(x, h, wi[:5], wh[:5], None, None)]


signs = f(1, -1, 1, 1, -1, -1)
CASES = {
    "dot": ([normal(9), normal(9, seed=1)], torch.dot),
    "mv": ([a, normal(7)], torch.mv),
    "mm": ([a, b2], torch.mm),
    "bmm": ([normal(3, 4, 5), normal(3, 5, 2)], torch.bmm),
    "addmm": ([normal(4), a, b2], lambda c, p, q: [torch.addmm(c, p, q), torch.addmm(c, p, q, beta=0.5, alpha=2)]),
    "addmm without": ([f(NAN, 1, INF, 2), a, b2], lambda c, p, q: torch.addmm(c, p, q, beta=0)),
    "addmv": ([normal(5), a, normal(7)], torch.addmv),
    "baddbmm": ([normal(3, 4, 2), normal(3, 4, 5), normal(3, 5, 2)], torch.baddbmm),
    "addbmm": ([normal(4, 2), normal(3, 4, 5), normal(3, 5, 2)], torch.addbmm),
    "outer": ([normal(4), normal(3)], torch.outer),
    "linear": ([x, normal(3, 6), normal(3)], lambda x, w, b: [F.linear(x, w, b), F.linear(x, w), F.linear(x, w[0])]),
    "bilinear": ([normal(4, 3), normal(4, 2), normal(5, 3, 2), normal(5)], F.bilinear),
    "tensordot": ([normal(3, 4, 5), normal(4, 5, 2)], lambda p, q: [torch.tensordot(p, q), torch.tensordot(p, q.permute(2, 1, 0), ([1, 2], [2, 1]))]),
    "kron": ([normal(2, 3), normal(3, 2)], torch.kron),
    "trace": ([normal(4, 4)], torch.trace),
    "matrix_power": ([normal(3, 3) * f(0.5)], lambda x: [torch.matrix_power(x, n) for n in [0, 1, 5]]),
    "einsum": ([normal(3, 4), normal(4, 5), normal(3, 3)], lambda p, q, r: [
        torch.einsum("ij,jk", p, q), torch.einsum("ij,jk->ki", p, q), torch.einsum("ii->i", r), torch.einsum("ii", r),
        torch.einsum("ij->j", p), torch.einsum("ij,ij->i", p, p), torch.einsum("ij,jk,il->lk", p, q, r), torch.einsum("ij,kl->ik", p, q)]),
    "einsum of stacks": ([normal(2, 3, 4), normal(4, 5)], lambda p, q: [torch.einsum("...ij,jk->...ik", p, q), torch.einsum("b...,b...->...", p, p)]),
    "softmax": ([x], lambda x: [F.softmax(x, 1), F.softmax(x, -1), F.softmin(x, 0)]),
    "log_softmax": ([x], lambda x: F.log_softmax(x, 1)),
    "softmax ends": ([f(-INF, -INF, 1, INF, 1000, 1001, -INF, 0).reshape(4, 2)], lambda x: [F.softmax(x, 1), F.log_softmax(x, 1)]),
    "layer_norm": ([x, normal(6), normal(6, seed=1)], lambda x, w, b: [F.layer_norm(x, (6,), w, b), F.layer_norm(x, (5, 6))]),
    "layer_norm of a constant": ([f(3, 3, 3), normal(3)], lambda x, b: F.layer_norm(x, (3,), None, b)),
    "rms_norm": ([x, normal(6)], lambda x, w: F.rms_norm(x, (6,), w, 1e-5)),
    "group_norm": ([normal(2, 6, 3, 2), normal(6), normal(6, seed=1)], lambda x, w, b: [F.group_norm(x, 3, w, b), F.instance_norm(x, None, None, w, b)]),
    "batch_norm": ([normal(4, 3, 5), normal(3), uniform(3, low=0.5), normal(3, seed=1)], lambda x, m, v, w: F.batch_norm(x, m, v, w)),
    "batch_norm training": ([normal(4, 3, 5), normal(3), uniform(3, low=0.5)], lambda x, m, v: [F.batch_norm(x, m, v, training=True), m, v]),
    "local_response_norm": ([normal(2, 7, 3)], lambda x: F.local_response_norm(x, 3, 0.5)),
    "normalize": ([x, f(0, 0, 3, 4).reshape(2, 2)], lambda x, y: [F.normalize(x), F.normalize(x, 1, 2), F.normalize(y)]),
    "conv1d": ([normal(2, 4, 11), normal(6, 4, 3), normal(6)], lambda x, w, b: [F.conv1d(x, w, b), F.conv1d(x, w, stride=2, padding=1, dilation=2), F.conv1d(x, w, padding="same"), F.conv1d(x[0], w)]),
    "conv1d same": ([normal(2, 4, 11), normal(6, 4, 4)], lambda x, w: F.conv1d(x, w, padding="same")),
    "conv1d groups": ([normal(2, 4, 11), normal(6, 2, 3)], lambda x, w: F.conv1d(x, w, groups=2)),
    "conv2d": ([normal(2, 3, 7, 6), normal(4, 3, 3, 2), normal(4)], lambda x, w, b: [F.conv2d(x, w, b), F.conv2d(x, w, b, (2, 1), (1, 2), (2, 1))]),
    "conv2d depthwise": ([normal(2, 3, 6, 5), normal(3, 1, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1, groups=3)),
    "conv2d one by one": ([normal(2, 3, 4, 5), normal(6, 3, 1, 1)], lambda x, w: F.conv2d(x, w)),
    "conv3d": ([normal(1, 2, 4, 5, 4), normal(3, 2, 2, 3, 2)], lambda x, w: F.conv3d(x, w, padding=1)),
    "conv_transpose1d": ([normal(2, 4, 5), normal(4, 3, 3)], lambda x, w: [F.conv_transpose1d(x, w), F.conv_transpose1d(x, w, stride=2, padding=1, output_padding=1)]),
    "conv_transpose2d": ([normal(2, 4, 3, 4), normal(4, 3, 3, 2), normal(6)], lambda x, w, b: [F.conv_transpose2d(x, w, stride=2), F.conv_transpose2d(x, w, b, stride=(2, 3), padding=1, output_padding=(1, 2), groups=2, dilation=2)]),
    "unfold": ([normal(2, 3, 5, 4)], lambda x: [F.unfold(x, (2, 3)), F.unfold(x, (3, 2), padding=1, stride=2)]),
    "fold": ([normal(2, 18, 12)], lambda x: [F.fold(x[:, :, :8], (5, 4), (2, 3)), F.fold(x[:, :, :6], (5, 4), (2, 3), stride=2, padding=1)]),
    "max_pool1d": ([normal(2, 3, 11)], lambda x: [F.max_pool1d(x, 3), F.max_pool1d(x, 3, 2, 1), F.max_pool1d(x, 4, 3, ceil_mode=True), F.max_pool1d(x, 2, 1, dilation=3)]),
    "max_pool2d": ([normal(2, 3, 6, 7)], lambda x: [F.max_pool2d(x, 2), *F.max_pool2d(x, (3, 2), 2, 1, return_indices=True)]),
    "max_pool of NaN": ([f(1, NAN, 3, 2, -INF, -INF).reshape(1, 1, 6)], lambda x: F.max_pool1d(x, 2)),
    "avg_pool1d": ([normal(2, 3, 11)], lambda x: [F.avg_pool1d(x, 3), F.avg_pool1d(x, 3, 2, 1, True), F.avg_pool1d(x, 4, 3, 2, True, False)]),
    "avg_pool2d": ([normal(2, 3, 6, 7)], lambda x: [F.avg_pool2d(x, 2), F.avg_pool2d(x, (3, 2), 2, 1), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), F.avg_pool2d(x, 2, divisor_override=3)]),
    "adaptive_avg_pool": ([normal(2, 3, 7, 5)], lambda x: [F.adaptive_avg_pool2d(x, (3, 2)), F.adaptive_avg_pool2d(x, 1), F.adaptive_avg_pool1d(x[:, :, 0], 3)]),
    "adaptive_max_pool": ([normal(2, 3, 7, 5)], lambda x: F.adaptive_max_pool2d(x, (3, 2))),
    "lp_pool": ([uniform(2, 3, 6, 6)], lambda x: F.lp_pool2d(x, 2, 2)),
    "interpolate": ([normal(2, 3, 3, 4)], lambda x: [F.interpolate(x, (5, 6)), F.interpolate(x, (2, 3), mode="nearest-exact"), F.interpolate(x, (5, 7), mode="bilinear"), F.interpolate(x, (5, 7), mode="bilinear", align_corners=True), F.interpolate(x[0], 9, mode="linear")]),
    "pixel_shuffle": ([normal(2, 8, 3, 2)], lambda x: [F.pixel_shuffle(x, 2), F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2)]),
    "cross_entropy": ([logits, classes, uniform(5)], lambda x, t, w: [F.cross_entropy(x, t), F.cross_entropy(x, t, w), F.cross_entropy(x, t, w, label_smoothing=0.2), F.cross_entropy(x, t, reduction="none"), F.cross_entropy(x, t, w, reduction="sum")]),
    "cross_entropy of planes": ([normal(2, 3, 4), whole(2, 4, high=3)], F.cross_entropy),
    "cross_entropy of probabilities": ([logits, uniform(6, 5)], lambda x, q: [F.cross_entropy(x, q), F.cross_entropy(x, q, label_smoothing=0.1)]),
    "nll_loss": ([logits, classes, uniform(5)], lambda x, t, w: [F.nll_loss(x, t, w), F.nll_loss(x, t, reduction="none")]),
    "nll_loss of nothing": ([logits, i(-100, -100, -100, -100, -100, -100)], lambda x, t: [F.nll_loss(x, t), F.nll_loss(x, t, reduction="sum")]),
    "losses of distance": ([logits, normal(6, 5, seed=1)], lambda x, y: [F.mse_loss(x, y), F.l1_loss(x, y), F.smooth_l1_loss(x, y), F.smooth_l1_loss(x, y, beta=0.3), F.huber_loss(x, y, delta=0.5), F.mse_loss(x, y, reduction="sum"), F.l1_loss(x, y, reduction="none")]),
    "bce_loss": ([f(0, 1, 0.3, 0.9), f(0, 0, 1, 0.5)], lambda x, y: F.binary_cross_entropy(x, y, reduction="none")),
    "bce_with_logits": ([f(-1000, 1000, 0.3, -2), f(0, 0, 1, 0.5), f(3.0)], lambda x, y, p: [F.binary_cross_entropy_with_logits(x, y, reduction="none"), F.binary_cross_entropy_with_logits(x, y, pos_weight=p, reduction="none")]),
    "kl_div": ([logits, uniform(6, 5)], lambda x, y: [F.kl_div(x, y, reduction="batchmean"), F.kl_div(x, y * (y > 0.5), reduction="none"), F.kl_div(x, y, log_target=True, reduction="sum")]),
    "poisson_nll and gaussian_nll": ([logits, uniform(6, 5), uniform(6, 5, seed=1)], lambda x, y, v: [F.poisson_nll_loss(x, y), F.gaussian_nll_loss(x, y, v)]),
    "losses of signs": ([normal(6), normal(6, seed=1), signs], lambda x, y, s: [F.hinge_embedding_loss(x, s), F.margin_ranking_loss(x, y, s, 0.3), F.soft_margin_loss(x, s)]),
    "losses of vectors": ([logits, normal(6, 5, seed=1), normal(6, 5, seed=2), signs], lambda x, y, z, s: [F.cosine_similarity(x, y), F.cosine_embedding_loss(x, y, s, 0.2), F.triplet_margin_loss(x, y, z)]),
    "cosine_similarity of 0": ([f(0, 0, 1, 2).reshape(2, 2), f(1, 1, 1, 2).reshape(2, 2)], F.cosine_similarity),
    "cdist": ([normal(2, 4, 3), normal(2, 5, 3)], lambda p, q: [torch.cdist(p, q), torch.cdist(p, q, 1)]),
    "scaled_dot_product_attention": ([normal(2, 4, 5, 8), normal(2, 4, 6, 8), normal(2, 4, 6, 7)], lambda q, k, v: [
        F.scaled_dot_product_attention(q, k, v), F.scaled_dot_product_attention(q, k, v, is_causal=True),
        F.scaled_dot_product_attention(q, k[:, :2], v[:, :2], enable_gqa=True), F.scaled_dot_product_attention(q, k, v, scale=0.7)]),
    "scaled_dot_product_attention masked": ([normal(2, 3, 4), normal(2, 4, 4), normal(2, 4, 5), normal(3, 4), MASK], lambda q, k, v, m, s: [
        F.scaled_dot_product_attention(q, k, v, m), F.scaled_dot_product_attention(q, k, v, s)]),
    "multi_head_attention": ([normal(2, 5, 8), normal(24, 8), normal(24), normal(8, 8), normal(8)], attention),
    "rnn cells": ([normal(3, 4), normal(3, 5), normal(20, 4), normal(20, 5), normal(20), normal(20, seed=1), normal(3, 5, seed=2)], cells),
    "arange and linspace": ([f(0)], lambda x: [torch.arange(2, 11, 3).int(), torch.arange(1, 0, -0.25), torch.arange(3, 3).int(), torch.linspace(-1, 2, 7), torch.linspace(5, 9, 1), torch.logspace(-2, 3, 6, dtype=torch.double), torch.logspace(0, 3, 4, 2.0), torch.eye(3, 4), torch.tril(torch.ones(3, 5), 1)]),
}

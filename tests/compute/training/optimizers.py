"""Optimizers and schedules: how each is made. Lion and LAMB, which PyTorch lacks, are written as their papers have them."""

import torch
from torch import optim
from torch.optim import lr_scheduler as s


class Lion(optim.Optimizer):
    """arXiv 2302.06675, algorithm 2."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                one, two = group["betas"]
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * (one * m + (1 - one) * p.grad).sign())
                m.mul_(two).add_((1 - two) * p.grad)


class Lamb(optim.Optimizer):
    """arXiv 1904.00962, algorithm 2, with the corrections of Adam."""

    def __init__(self, params, lr, weight_decay):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["t"] = state.get("t", 0) + 1
                m, v = (state.setdefault(name, torch.zeros_like(p)) for name in "mv")
                m.mul_(0.9).add_(0.1 * p.grad)
                v.mul_(0.999).add_(0.001 * p.grad.square())
                r = (m / (1 - 0.9 ** state["t"])) / ((v / (1 - 0.999 ** state["t"])).sqrt() + 1e-6) + group["weight_decay"] * p
                trust = p.norm() / r.norm() if p.norm() > 0 and r.norm() > 0 else 1.0
                p.sub_(group["lr"] * trust * r)


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, 0.05),
    "SGD with momentum": lambda p: optim.SGD(p, 0.02, momentum=0.9, dampening=0.3, weight_decay=0.01),
    "SGD ahead": lambda p: optim.SGD(p, 0.02, momentum=0.8, nesterov=True),
    "SGD up": lambda p: optim.SGD(p, 0.001, maximize=True),
    "SGD in groups": lambda p: optim.SGD([{"params": p[:1]}, {"params": p[1:], "lr": 0.01, "momentum": 0.5}], 0.05),
    "Adam": lambda p: optim.Adam(p, 0.01),
    "Adam with decay": lambda p: optim.Adam(p, 0.02, (0.8, 0.95), 1e-6, 0.1),
    "Adam of the most": lambda p: optim.Adam(p, 0.05, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p, 0.02, weight_decay=0.1),
    "Adamax": lambda p: optim.Adamax(p, 0.02, weight_decay=0.01),
    "NAdam": lambda p: optim.NAdam(p, 0.01, weight_decay=0.01),
    "RAdam": lambda p: optim.RAdam(p, 0.02),
    "RMSprop": lambda p: optim.RMSprop(p, 0.01),
    "RMSprop centered": lambda p: optim.RMSprop(p, 0.005, 0.9, momentum=0.5, centered=True, weight_decay=0.01),
    "Adagrad": lambda p: optim.Adagrad(p, 0.1, lr_decay=0.01, initial_accumulator_value=0.1, weight_decay=0.01),
    "Adadelta": lambda p: optim.Adadelta(p, 1.0, weight_decay=0.01),
    "Lion": lambda p: Lion(p, 0.004, weight_decay=0.1),
    "LAMB": lambda p: Lamb(p, 0.01, 0.05),
}

SCHEDULES = {
    "constant": lambda o: s.ConstantLR(o, 0.25, 7),
    "step": lambda o: s.StepLR(o, 6, 0.5),
    "multistep": lambda o: s.MultiStepLR(o, [4, 9, 30], 0.3),
    "exponential": lambda o: s.ExponentialLR(o, 0.9),
    "cosine": lambda o: s.CosineAnnealingLR(o, 15, 0.01),
    "cosine restarts": lambda o: s.CosineAnnealingWarmRestarts(o, 5, 2, 0.01),
    "cosine restarts of one length": lambda o: s.CosineAnnealingWarmRestarts(o, 7),
    "linear": lambda o: s.LinearLR(o, 0.1, 1.0, 8),
    "polynomial": lambda o: s.PolynomialLR(o, 20, 2.0),
    "one cycle": lambda o: s.OneCycleLR(o, 2.0, 40, cycle_momentum=False),
    "in turn": lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 5), s.ExponentialLR(o, 0.8)], [5]),
    "plateau": lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=3, cooldown=2, min_lr=0.05),
}

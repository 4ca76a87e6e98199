"""Writes what PyTorch gives for modules, optimizers and whole trainings, as fixtures/.

Run with PyTorch and safetensors at hand, once after a case was added: python3 make_training.py. Computed in float64 and rounded. The tests read
the fixtures alone, since a PyTorch is too large for what tests install.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "torch"))

from make import packed  # noqa: E402
from modules import MODULES  # noqa: E402
from optimizers import OPTIMIZERS, SCHEDULES  # noqa: E402

STEPS = 100


def write(name, lines):
    header = json.dumps({"torch": torch.__version__, "cases": len(lines)})
    (HERE / "fixtures" / f"{name}.jsonl").write_text("\n".join([header, *map(json.dumps, lines)]) + "\n")
    print(name, len(lines))


def weight(like, number):
    """What each result is weighed by: numbers that follow from its place."""
    places = torch.arange(like.numel())
    return (((places * 7 + number * 3) % 11 - 5) / 4 + 0.125).double().reshape(like.shape)


def flat(result):
    return [leaf for one in result for leaf in flat(one)] if isinstance(result, (tuple, list)) else [result]


def modules():
    lines = []
    for number, (name, (make, inputs, run)) in enumerate(MODULES.items()):
        torch.manual_seed(number)
        module = make()
        for parameter in module.parameters():
            if parameter.dim() == 1:
                nn.init.normal_(parameter)
        module = module.float().double()
        state = {key: packed(value.clone()) for key, value in module.state_dict().items()}
        given = [torch.from_numpy(one) for one in inputs]
        given = [one.double().requires_grad_() if one.is_floating_point() else one for one in given]
        results = flat(run(module, *[one.long() if one.dtype == torch.int32 else one for one in given]))
        sum((one * weight(one, i)).sum() for i, one in enumerate(results)).backward()
        after = {key: packed(value) for key, value in module.state_dict().items() if key not in dict(module.named_parameters())}
        lines.append({
            "name": name,
            "state": state,
            "inputs": [packed(one) for one in given],
            "results": [packed(one) for one in results],
            "gradients": {key: packed(one.grad) for key, one in module.named_parameters()},
            "inputGradients": [packed(one.grad) if one.requires_grad else None for one in given],
            "buffersAfter": after,
        })
    write("modules", lines)


def problem():
    """A smooth problem of two parameters."""
    torch.manual_seed(7)
    x, y = torch.randn(12, 5).double(), torch.rand(12, 3).double()
    return x.float().double(), y.float().double(), (torch.randn(5, 3) / 2).double(), torch.zeros(3).double()


def optimizers():
    x, y, w, b = problem()
    lines = [{"name": "problem", "operands": [packed(one) for one in (x, y, w, b)]}]
    for name, make in OPTIMIZERS.items():
        params = [one.clone().requires_grad_() for one in (w, b)]
        optimizer = make(params)
        seen = []
        for step in range(STEPS):
            optimizer.zero_grad()
            (torch.sigmoid(x @ params[0] + params[1]) - y).square().sum().backward()
            optimizer.step()
            if step in (0, 9, STEPS - 1):
                seen.append([packed(one) for one in params])
        lines.append({"name": name, "after": seen})
    write("optimizers", lines)


def schedules():
    lines = []
    for name, make in SCHEDULES.items():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        schedule = make(optimizer)
        rates = []
        for step in range(40):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step(*([abs(step - 12) / 4] if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau) else []))
        lines.append({"name": name, "rates": rates})
    write("schedules", lines)


class Transformer(nn.Module):
    """Tells the next token."""

    def __init__(self, tokens=12, width=16, length=8):
        super().__init__()
        self.tokens = nn.Embedding(tokens, width)
        self.places = nn.Embedding(length, width)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(width, 2, 32, 0.0, nn.functional.gelu, batch_first=True, norm_first=True) for _ in range(2))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, tokens)

    def forward(self, x):
        y = self.tokens(x) + self.places.weight
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=torch.double)
        for layer in self.layers:
            y = layer(y, src_mask=mask, is_causal=True)
        return self.head(self.norm(y))


def curve(name, model, x, y, optimizer, loss, clip):
    model = model.double()
    tensors = {f"model.{key}": value.clone().float() for key, value in model.state_dict().items()}
    optimizer, losses = optimizer(model.parameters()), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(model(x.double() if x.is_floating_point() else x.long()), y.long())
        value.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        losses.append(value.item())
    tensors |= {"x": x, "y": y, "losses": torch.tensor(losses)}
    tensors |= {f"after.{key}": value.clone().float() for key, value in model.state_dict().items() if value.numel() <= 64}
    save_file(tensors, HERE / "fixtures" / f"{name}.safetensors", {"torch": torch.__version__})
    print(name, losses[0], losses[-1])


def curves():
    torch.manual_seed(1)
    x = torch.randn(64, 6)
    y = (x.square().sum(1) > 5).int() + (x[:, 0] > 0).int()
    two = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 3))
    curve("two_layers", two, x, y, lambda p: torch.optim.SGD(p, 0.3, momentum=0.9, nesterov=True), nn.functional.cross_entropy, None)
    torch.manual_seed(2)
    start = torch.randint(12, (16, 1))
    text = (start + torch.arange(9) * torch.randint(1, 4, (16, 1))) % 12
    loss = lambda logits, target: nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
    curve("transformer", Transformer(), text[:, :8].int(), text[:, 1:].int(), lambda p: torch.optim.AdamW(p, 3e-3), loss, 1.0)


if __name__ == "__main__":
    modules()
    optimizers()
    schedules()
    curves()

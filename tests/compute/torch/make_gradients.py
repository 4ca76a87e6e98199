"""Writes what PyTorch's autograd gives for the cases beside this file, as fixtures/gradients.jsonl.

Run after make.py: python3 make_gradients.py. Each result that is a float is weighed by numbers that follow from its place, as the
tests weigh theirs; what is differentiated is the sum, in float64.
"""

import importlib
import json
import pathlib

import numpy
import torch

from make import packed, wide

HERE = pathlib.Path(__file__).parent


def weights(result, number):
    places = torch.arange(result.numel(), dtype=torch.float64)
    return (((places * 7 + number * 3) % 11 - 5) / 4 + 0.125).reshape(result.shape)




def fixed_of(operands, run):
    """Operands that PyTorch takes no gradient of: statistics and weights of classes, found by asking."""
    fixed = []
    while True:
        given = [wide(one) for one in operands]
        for i, one in enumerate(given):
            if one.is_floating_point() and i not in fixed:
                one.requires_grad_()
        try:
            run(*given)
            return fixed
        except RuntimeError as error:
            if "not differentiable with respect to" not in str(error):
                raise
            alone = []
            for i, one in enumerate(operands):
                given = [wide(one) for one in operands]
                if not given[i].is_floating_point():
                    continue
                given[i].requires_grad_()
                try:
                    run(*given)
                except RuntimeError:
                    alone.append(i)
            fixed = alone


lines = []
for family in ["elements", "shapes", "folding", "indexing", "layers"]:
    cases = importlib.import_module(f"cases_{family}").CASES
    for name, (operands, run) in cases.items():
        given = [wide(one) for one in operands]
        fixed = fixed_of(operands, run)
        leaves = [one.requires_grad_() for i, one in enumerate(given) if one.is_floating_point() and i not in fixed]
        result = run(*given)
        results = result if isinstance(result, (tuple, list)) else [result]
        asked = [(one, i) for i, one in enumerate(results) if isinstance(one, torch.Tensor) and one.requires_grad]
        if not asked:
            lines.append(json.dumps({"family": family, "name": name, "gradients": None}))
            continue
        total = sum((one * weights(one, i)).sum() for one, i in asked)
        try:
            found = torch.autograd.grad(total, leaves, allow_unused=True)
        except RuntimeError as error:
            # PyTorch has no gradient of a rounded quotient, nor of a source that its index is shorter than.
            print(f"{family}: {name}: {str(error)[:90]}")
            found = [None for _ in leaves]
        numbers = iter(found)
        gradients = []
        for one in given:
            own = next(numbers) if one.requires_grad else None
            gradients.append(None if own is None else packed(own.to(torch.float64)))
        lines.append(json.dumps({"family": family, "name": name, "gradients": gradients}))
header = json.dumps({"torch": torch.__version__, "cases": len(lines)})
(HERE / "fixtures" / "gradients.jsonl").write_text("\n".join([header, *lines]) + "\n")
print("gradients", len(lines))

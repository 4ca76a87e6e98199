"""Writes what PyTorch gives for the cases beside this file, as fixtures/<family>.jsonl.

Run with a PyTorch at hand, once after a case was added: python3 make.py. Operands are drawn from a seed and kept in f32; results are
computed in float64 and rounded. The tests read the fixtures alone, since a PyTorch is too large for what tests install.
"""

import base64
import importlib
import json
import pathlib
import sys

import numpy
import torch

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
CODES = {"float32": "f32", "float64": "f32", "int32": "i32", "int64": "i32", "bool": "bool"}
STORED = {"f32": "f4", "i32": "i4", "bool": "?"}


def packed(value):
    array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else numpy.asarray(value)
    dtype = CODES[str(array.dtype)]
    data = numpy.ascontiguousarray(array.astype(STORED[dtype]))
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(data.tobytes()).decode()}


def wide(array):
    """Floats in float64, indices as PyTorch wants them."""
    tensor = torch.from_numpy(numpy.ascontiguousarray(array)).reshape(array.shape)
    if array.dtype == numpy.float32:
        return tensor.double()
    return tensor.long() if array.dtype == numpy.int32 else tensor


def main():
    for family in ["elements", "shapes", "folding", "indexing", "layers"]:
        cases = importlib.import_module(f"cases_{family}").CASES
        lines = []
        for name, (operands, run) in cases.items():
            result = run(*[wide(one) for one in operands])
            results = result if isinstance(result, (tuple, list)) else [result]
            case = {"name": name, "operands": [packed(one) for one in operands], "results": [packed(one) for one in results]}
            lines.append(json.dumps(case))
        header = json.dumps({"torch": torch.__version__, "cases": len(lines)})
        (HERE / "fixtures" / f"{family}.jsonl").write_text("\n".join([header, *lines]) + "\n")
        print(family, len(lines))


if __name__ == "__main__":
    main()
